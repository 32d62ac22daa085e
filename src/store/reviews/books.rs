//! The books of a product, as they were last seen or written: its summary, and the month that a change concerns.
//!
//! Says what is to be written of them beside a review. Does not know whether that will succeed.

use serde::Deserialize;

use super::{Reviews, write};
use crate::domain::id::ProductId;
use crate::domain::month::Month;
use crate::domain::review::Content;
use crate::domain::review::summary::{Contradiction, Monthly, Summary};
use crate::store::containers::Container;
use crate::store::cosmos::{Document, Write};
use crate::store::{Error, Etag, Versioned};

/// Document id of the summary in each product's partition. No customer's id begins like that.
pub(super) const SUMMARY_ID: &str = "_summary";

/// A document as it was last seen or written; without a version there is none yet.
#[derive(Debug)]
struct Seen<T> {
    value: T,
    etag: Option<Etag>,
}

/// Summary and one month.
#[derive(Debug)]
pub(super) struct Books {
    summary: Seen<Summary>,
    monthly: Seen<Monthly>,
}

/// What changes of the books.
#[derive(Debug)]
pub(super) struct Revision {
    summary: Option<Summary>,
    monthly: Option<Monthly>,
}

/// Either document, as it is stored.
#[derive(Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
enum Book {
    Summary(Summary),
    Month(Monthly),
}

impl Books {
    /// Whether they hold this month.
    pub(super) fn are_of(&self, month: Month) -> bool {
        self.monthly.value.month == month
    }

    /// What changes when a review of the month changes what it says, as far as it is listed.
    pub(super) fn revision(
        &self,
        before: Option<&Content>,
        after: Option<&Content>,
    ) -> Result<Revision, Contradiction> {
        let summary = self.summary.value.revised(before, after)?;
        let monthly = self.monthly.value.revised(before, after)?;
        Ok(Revision {
            summary: (summary != self.summary.value).then_some(summary),
            monthly: (monthly != self.monthly.value).then_some(monthly),
        })
    }

    /// The writes of what changes.
    pub(super) fn writes(&self, revision: &Revision) -> Result<Vec<Write>, Error> {
        let mut writes = Vec::new();
        if let Some(summary) = &revision.summary {
            writes.push(write(SUMMARY_ID, summary_document(summary)?, self.summary.etag.as_ref()));
        }
        if let Some(monthly) = &revision.monthly {
            let id = month_id(monthly.month);
            writes.push(write(&id, month_document(monthly)?, self.monthly.etag.as_ref()));
        }
        Ok(writes)
    }

    /// The books after these writes, in the versions that they gave.
    pub(super) fn written(mut self, revision: Revision, etags: &[Etag]) -> Self {
        let mut etags = etags.iter().cloned();
        if let Some(value) = revision.summary {
            self.summary = Seen { value, etag: etags.next() };
        }
        if let Some(value) = revision.monthly {
            self.monthly = Seen { value, etag: etags.next() };
        }
        self
    }
}

impl Reviews {
    /// The books where they are newest, both at one moment. One request, two for a month without a document.
    pub(super) async fn newest_books(&self, product_id: &ProductId, month: Month) -> Result<Books, Error> {
        const SUMMARY_AT: usize = 0;
        let partition = product_id.as_str();
        let month_id = month_id(month);
        let ids = [SUMMARY_ID, month_id.as_str()];
        let found = self.cosmos.read_newest_together(Container::Reviews, partition, &ids).await?;
        let mut books = Books {
            summary: Seen { value: Summary::empty(product_id), etag: None },
            monthly: Seen { value: Monthly::empty(product_id, month), etag: None },
        };
        let found = match found {
            Ok(found) => found,
            // Where there is no summary, there is no month either.
            Err(SUMMARY_AT) => Vec::new(),
            Err(_) => self.newest(product_id, SUMMARY_ID).await?.into_iter().collect(),
        };
        for Versioned { value, etag } in found {
            match value {
                Book::Summary(value) => books.summary = Seen { value, etag: Some(etag) },
                Book::Month(value) => books.monthly = Seen { value, etag: Some(etag) },
            }
        }
        Ok(books)
    }
}

/// No id of a customer begins with an underscore.
fn month_id(month: Month) -> String {
    format!("_{month}")
}

fn summary_document(summary: &Summary) -> Result<Document, Error> {
    Document::new(Container::Reviews, "summary", (SUMMARY_ID, summary.product_id.as_str()), None, summary)
}

fn month_document(monthly: &Monthly) -> Result<Document, Error> {
    let place = (month_id(monthly.month), monthly.product_id.as_str());
    Document::new(Container::Reviews, "month", (&place.0, place.1), None, monthly)
}
