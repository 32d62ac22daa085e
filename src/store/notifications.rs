//! The container `notifications`: one document for each event about which there is a mail, under the event's id, in the
//! partition of the order or product that it is about.
//!
//! Holds nothing personal. Does not know what a mail says.

use std::sync::Arc;

use crate::domain::notification::Notification;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Etag, Versioned, Written};

/// How long it is known that a mail was sent: far longer than its event can come again.
pub const NOTIFICATION_TTL_S: u32 = 90 * 24 * 60 * 60;

/// Which mails were sent.
#[derive(Clone, Debug)]
pub struct Notifications {
    cosmos: Arc<Cosmos>,
}

impl Notifications {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The mail about this event, as it is now. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn newest(&self, subject_id: &str, id: &str) -> Result<Option<Versioned<Notification>>, Error> {
        self.cosmos.read_newest(Container::Notifications, subject_id, id).await
    }

    /// Writes the record of a mail, if it still has the version that was seen, or if there still is none. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn write(
        &self,
        seen: Option<&Etag>,
        notification: &Notification,
    ) -> Result<Written<Notification>, Error> {
        let (id, subject_id) = (notification.id.as_str(), notification.subject_id.as_str());
        let ttl_s = Some(NOTIFICATION_TTL_S);
        let place = (id, subject_id);
        let document = Document::new(Container::Notifications, "notification", place, ttl_s, notification)?;
        let written = match seen {
            Some(etag) => {
                self.cosmos.replace(Container::Notifications, (subject_id, id), document, etag).await?
            }
            None => self.cosmos.create(Container::Notifications, subject_id, document).await?,
        };
        Ok(written.map(|()| notification.clone()))
    }
}
