//! Mails: sent by Azure Communication Services, or kept as files in a folder. What they say is in [`letter`].
//!
//! A mail has the name of its operation. Whoever sends it again, because an answer was lost or a worker died, asks first
//! whether one of this name was taken: nothing that Azure documents says that it would not be sent twice. Does not know who
//! gets a mail, nor why.

mod azure;
#[cfg(feature = "emulator")]
mod folder;
pub mod letter;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use chrono::{DateTime, Utc};

use self::letter::Letter;
use crate::config::{MailConfig, MailPlace};
use crate::domain::notification::OperationId;

/// How long nobody else takes over from somebody who sends by Azure: longer than sending ever takes.
const LEASE: Duration = Duration::from_secs(120);

/// Who sends mails; a clone shares the connection.
#[derive(Clone, Debug)]
pub struct Mailer(Arc<Post>);

struct Post {
    place: Place,
    staff: Option<String>,
}

enum Place {
    Azure(azure::Service),
    #[cfg(feature = "emulator")]
    Folder(folder::Folder),
    Unset,
}

/// Without addresses.
impl fmt::Debug for Post {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Post").finish_non_exhaustive()
    }
}

/// One mail. Not printed, for it is to a person.
#[derive(Clone, PartialEq, Eq)]
pub struct Mail {
    /// The address of whoever gets it.
    pub to: String,
    /// What it says.
    pub letter: Letter,
    /// When it was written.
    pub written_at: DateTime<Utc>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Mail { .. }")
    }
}

/// What became of a mail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// It was taken, and is on its way.
    Taken,
    /// It is never taken, however often it is sent.
    Rejected {
        /// The reason, in one word of whoever rejects it.
        code: String,
    },
}

/// What the client says of an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a mail is not known to be taken. None names an address.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It was certainly not taken, this time. A retry helps, and nothing has to be asked before.
    #[error("cannot {operation}: the mail service is busy")]
    Busy {
        /// What was tried, for which operation.
        operation: String,
        /// What the service or the client says.
        source: Cause,
    },
    /// There was no answer, or none that tells: it may be taken. A retry helps, after asking.
    #[error("cannot {operation}: the mail service does not answer")]
    Unavailable {
        /// What was tried, for which operation.
        operation: String,
        /// What the service or the client says.
        source: Cause,
    },
    /// It was not taken, because settings or rights are wrong. A retry helps only after somebody has changed that.
    #[error("cannot {operation}: the mail service refuses")]
    Refused {
        /// What was tried, for which operation.
        operation: String,
        /// What the service or the client says.
        source: Cause,
    },
}

impl Mailer {
    /// The sender that the settings name; connects when it is first used.
    pub fn connect(config: &MailConfig) -> Self {
        Self::new(config, None)
    }

    /// The same, signed in by this credential.
    pub fn signed_in(config: &MailConfig, credential: Arc<dyn TokenCredential>) -> Self {
        Self::new(config, Some(credential))
    }

    /// Nobody.
    pub fn unset() -> Self {
        Self(Arc::new(Post { place: Place::Unset, staff: None }))
    }

    fn new(config: &MailConfig, credential: Option<Arc<dyn TokenCredential>>) -> Self {
        let MailConfig { place, identity, from, staff } = config;
        let place = match place {
            MailPlace::Azure { endpoint } => {
                Place::Azure(azure::Service::at(endpoint, from, identity, credential))
            }
            #[cfg(feature = "emulator")]
            MailPlace::Folder(path) => Place::Folder(folder::Folder::at(path, from)),
            MailPlace::Unset => Place::Unset,
        };
        Self(Arc::new(Post { place, staff: staff.clone() }))
    }

    /// Whether mails go anywhere at all.
    pub fn is_set(&self) -> bool {
        !matches!(self.0.place, Place::Unset)
    }

    /// The address of those who look after the stock, if they get mails.
    pub fn staff(&self) -> Option<&str> {
        self.0.staff.as_deref()
    }

    /// How long whoever sends a mail must be left alone before somebody else may. A folder keeps one mail of a name, whoever
    /// writes it, so nobody has to wait there.
    pub fn lease(&self) -> Duration {
        match &self.0.place {
            Place::Azure(_) => LEASE,
            #[cfg(feature = "emulator")]
            Place::Folder(_) => Duration::ZERO,
            Place::Unset => Duration::ZERO,
        }
    }

    /// Sends a mail under this name. It takes some 20 s at most, its retries included.
    ///
    /// # Errors
    /// [`Error`]; after [`Error::Unavailable`] ask before sending again.
    pub async fn send(&self, operation_id: &OperationId, mail: &Mail) -> Result<Fate, Error> {
        match &self.0.place {
            Place::Azure(service) => service.send(operation_id, mail).await,
            #[cfg(feature = "emulator")]
            Place::Folder(folder) => folder.keep(operation_id, mail).await,
            Place::Unset => Err(unset(operation_id)),
        }
    }

    /// What became of the mail of this name; `None` when none was taken.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn ask(&self, operation_id: &OperationId) -> Result<Option<Fate>, Error> {
        match &self.0.place {
            Place::Azure(service) => service.ask(operation_id).await,
            #[cfg(feature = "emulator")]
            Place::Folder(folder) => folder.ask(operation_id).await,
            Place::Unset => Err(unset(operation_id)),
        }
    }
}

fn unset(operation_id: &OperationId) -> Error {
    Error::Refused { operation: format!("send mail {operation_id}"), source: "MAIL is not set".into() }
}
