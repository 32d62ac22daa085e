//! A folder on this machine that keeps each mail as a file, for development.
//!
//! The file is named after the operation, so that none is kept twice.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

use super::{Error, Fate, Mail};
use crate::domain::notification::OperationId;
use crate::files::{blocking, is_refusal, keep};
use crate::host::context;

/// The folder.
pub(super) struct Folder {
    root: PathBuf,
    from: String,
    writes: AtomicU64,
}

impl Folder {
    /// A folder that is made when something is written.
    pub(super) fn at(root: &Path, from: &str) -> Self {
        Self { root: root.to_owned(), from: from.to_owned(), writes: AtomicU64::new(0) }
    }

    /// Keeps the mail, unless one of this name is there.
    pub(super) async fn keep(&self, operation_id: &OperationId, mail: &Mail) -> Result<Fate, Error> {
        let operation = format!("keep mail {operation_id}");
        let path = self.path(operation_id);
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.root.join(format!(".{operation_id}-{}-{number}", std::process::id()));
        let bytes = self.bytes(operation_id, mail);
        let kept = blocking(move || keep(&path, &unfinished, &bytes?)).await;
        kept.map(|()| Fate::Taken).map_err(|error| failure(operation, error))
    }

    pub(super) async fn ask(&self, operation_id: &OperationId) -> Result<Option<Fate>, Error> {
        let path = self.path(operation_id);
        let is_there = blocking(move || path.try_exists()).await;
        let is_there = is_there.map_err(|error| failure(format!("look for mail {operation_id}"), error))?;
        Ok(is_there.then_some(Fate::Taken))
    }

    fn path(&self, operation_id: &OperationId) -> PathBuf {
        self.root.join(format!("{operation_id}.eml"))
    }

    fn bytes(&self, operation_id: &OperationId, mail: &Mail) -> io::Result<Vec<u8>> {
        let host = self.from.split('@').next_back().unwrap_or_default();
        let mut message = MessageBuilder::new()
            .message_id(format!("{operation_id}@{host}"))
            .from(self.from.as_str())
            .to(mail.to.as_str())
            .subject(mail.letter.subject.as_str())
            .date(mail.written_at.timestamp())
            .text_body(mail.letter.text.as_str())
            .html_body(mail.letter.html.as_str());
        if let Some(traceparent) = context::traceparent() {
            message = message.header("traceparent", Raw::new(traceparent));
        }
        message.write_to_vec()
    }
}

fn failure(operation: String, error: io::Error) -> Error {
    match is_refusal(&error) {
        true => Error::Refused { operation, source: error.into() },
        false => Error::Unavailable { operation, source: error.into() },
    }
}
