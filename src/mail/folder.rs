//! A folder on this machine that keeps each mail as a file, for development.
//!
//! The file is named after the operation. It is written under another name first and then linked to its own, so that it is
//! there in full or not at all, and never twice.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use mail_builder::MessageBuilder;
use mail_builder::headers::raw::Raw;

use super::{Error, Fate, Mail};
use crate::domain::notification::OperationId;
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
        let (root, path) = (self.root.clone(), self.path(operation_id));
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let unfinished = root.join(format!(".{operation_id}-{}-{number}", std::process::id()));
        let bytes = self.bytes(operation_id, mail);
        blocking(operation, move || {
            fs::create_dir_all(&root)?;
            let mut file = File::create(&unfinished)?;
            file.write_all(&bytes?)?;
            file.sync_all()?;
            let linked = fs::hard_link(&unfinished, &path);
            fs::remove_file(&unfinished)?;
            match linked {
                Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
                linked => linked,
            }
        })
        .await?;
        Ok(Fate::Taken)
    }

    pub(super) async fn ask(&self, operation_id: &OperationId) -> Result<Option<Fate>, Error> {
        let path = self.path(operation_id);
        let is_there = blocking(format!("look for mail {operation_id}"), move || path.try_exists()).await?;
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

/// Runs work with files on a thread that may block.
async fn blocking<T: Send + 'static>(
    operation: String,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    let done = tokio::task::spawn_blocking(work).await;
    let error = match done {
        Ok(Ok(value)) => return Ok(value),
        Ok(Err(error)) => error,
        Err(panicked) => io::Error::other(panicked),
    };
    match error.kind() {
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            Err(Error::Refused { operation, source: error.into() })
        }
        _ => Err(Error::Unavailable { operation, source: error.into() }),
    }
}
