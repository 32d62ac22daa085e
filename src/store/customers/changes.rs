//! What has become of customers since a place in their history: each who was written, once, as they are now.
//!
//! Does not know whom that concerns.

use std::num::NonZeroU32;

use serde_json::Value;

use super::{Customers, Record};
use crate::store::Error;
use crate::store::containers::Container;
use crate::store::cosmos::feed::{Feed, Start};

/// Customers who were written, from a place on.
#[derive(Debug)]
pub struct Changes(Feed);

impl Customers {
    /// Who was written from this place on, or ever; at most so many documents at once.
    ///
    /// # Errors
    /// [`Error`] when they cannot be read.
    pub async fn changes(&self, after: Option<&str>, count_max: NonZeroU32) -> Result<Changes, Error> {
        let start = after.map_or(Start::Beginning, Start::After);
        Feed::open(&self.cosmos, Container::Customers, start, count_max).await.map(Changes)
    }
}

impl Changes {
    /// Some of those who were written next, perhaps none; `None` when there are no more for now. One request for each range
    /// of partitions that is asked.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known; begin anew from the last [`Self::position`].
    pub async fn next(&mut self) -> Result<Option<Vec<Record>>, Error> {
        let Some(documents) = self.0.next().await? else { return Ok(None) };
        let records = documents.into_iter().filter_map(|document| record(document).transpose());
        records.collect::<Result<_, _>>().map(Some)
    }

    /// The place behind those who were told last.
    pub fn position(&self) -> &str {
        self.0.position()
    }
}

/// The customer in a document, or what is left of one; `None` when it is about nobody, such as a claim to an address.
fn record(document: Value) -> Result<Option<Record>, Error> {
    match document.get("type").and_then(Value::as_str) {
        Some("customer" | "erased") => {}
        Some(_) | None => return Ok(None),
    }
    let id = document.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
    serde_json::from_value(document).map(Some).map_err(|_| Error::Corrupt {
        operation: format!("read the changed customer {id}"),
        detail: "the document does not have the form of its type".to_owned(),
    })
}
