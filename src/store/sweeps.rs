//! How far the sweep of the pictures has come: one document in the container `products`, which no product's id can name.
//!
//! Knows nothing of blobs. Losing the document only makes the sweep begin anew.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::store::Error;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};

const SWEEP: &str = "_sweep";

/// The sweep's memory.
#[derive(Clone, Debug)]
pub struct Sweeps {
    cosmos: Arc<Cosmos>,
}

#[derive(Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Stored {
    place: Option<String>,
}

impl Sweeps {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// Where the next run goes on; `None` for the beginning. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn place(&self) -> Result<Option<String>, Error> {
        let stored = self.cosmos.read::<Stored>(Container::Products, SWEEP, SWEEP).await?;
        Ok(stored.and_then(|stored| stored.value.place))
    }

    /// Keeps where the next run goes on. One request.
    ///
    /// # Errors
    /// [`Error`]; the next run then looks at the same again.
    pub async fn keep(&self, place: Option<String>) -> Result<(), Error> {
        let document = Document::new(Container::Products, "sweep", (SWEEP, SWEEP), None, &Stored { place })?;
        self.cosmos.upsert(Container::Products, (SWEEP, SWEEP), document).await
    }
}
