//! Idempotency keys that are in use: one document each, in the container of what is created under them, with an id that
//! nothing created there can have.
//!
//! A key is taken before anything is created, so that a request that is cut off in between goes on when it comes again.
//! Does not know what was created: that tells its own [`Creation`].

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::domain::creation::Creation;
use crate::domain::id::Fingerprint;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Written};

/// How long a key belongs to its request: a day, far longer than a client goes on trying.
pub const KEY_TTL_S: u32 = 24 * 60 * 60;

/// The keys in use.
#[derive(Clone, Debug)]
pub struct Keys {
    cosmos: Arc<Cosmos>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    request: Fingerprint,
}

impl Keys {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// Takes the key of a request that creates something in this container; `false` when another request has it. One
    /// request, or two when the key is in use.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] the key may be taken, and calling again is safe.
    pub async fn take(&self, container: Container, creation: &Creation) -> Result<bool, Error> {
        let id = format!("_key-{}", creation.key.as_str());
        let stored = Stored { request: creation.request.clone() };
        let document = Document::new(container, "key", (&id, &id), Some(KEY_TTL_S), &stored)?;
        if let Written::Done(_) = self.cosmos.create(container, &id, document).await? {
            return Ok(true);
        }
        match self.cosmos.read_newest::<Stored>(container, &id, &id).await? {
            Some(earlier) => Ok(earlier.value.request == creation.request),
            // It expired at this very moment.
            None => Err(Error::Contended { operation: format!("take the key {id}") }),
        }
    }
}
