//! The books as an auditor reads them, and the auditor's last report, which lies in the container `stock` too.
//!
//! Reads only, apart from the report.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Deserialize;
use serde_json::Value;

use crate::domain::audit::{AuditReport, LateOrder, Ledger};
use crate::domain::id::ProductId;
use crate::domain::time;
use crate::store::Error;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::stock::StockLedger;

/// How often the sums are taken again when the counts change meanwhile.
const ATTEMPTS_MAX: u32 = 3;
/// Partition and id of the report; no product has such an id.
const REPORT: &str = "_audit";

/// The books of all products.
#[derive(Clone, Debug)]
pub struct Audits {
    cosmos: Arc<Cosmos>,
    stock: StockLedger,
}

/// A product's books at one moment, as far as one could be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Books {
    /// Counts and sums belong together.
    Still(Ledger),
    /// The counts changed whenever the sums were taken.
    Busy,
    /// The product has no counts yet.
    None,
}

impl Audits {
    pub(super) fn new(cosmos: Arc<Cosmos>, stock: StockLedger) -> Self {
        Self { cosmos, stock }
    }

    /// A product's books. Every change of a reservation or adjustment changes the counts with it, so that sums which
    /// were taken between two sights of the same version belong to it. Four requests when nobody writes.
    ///
    /// # Errors
    /// [`Error`] when they cannot be read.
    pub async fn books(&self, product_id: &ProductId) -> Result<Books, Error> {
        let Some(mut before) = self.stock.read(product_id).await? else { return Ok(Books::None) };
        for _ in 0..ATTEMPTS_MAX {
            let (adjusted, held) = tokio::try_join!(
                self.sum(product_id, "SELECT VALUE SUM(c.delta) FROM c WHERE c.type = 'adjustment'"),
                self.sum(
                    product_id,
                    "SELECT VALUE SUM(c.quantity) FROM c WHERE c.type = 'reservation' AND c.state = 'held'"
                ),
            )?;
            let Some(after) = self.stock.read(product_id).await? else { return Ok(Books::None) };
            if after.etag == before.etag {
                return Ok(Books::Still(Ledger { stock: after.value, adjusted, held }));
            }
            before = after;
        }
        Ok(Books::Busy)
    }

    /// Orders whose bell was due before this moment, those waiting longest first.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn late(&self, due_before: DateTime<Utc>, count_max: usize) -> Result<Vec<LateOrder>, Error> {
        self.late_by("ringAt", due_before, count_max).await
    }

    /// Orders that were left for a person before this moment, those left longest first.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn left(&self, left_before: DateTime<Utc>, count_max: usize) -> Result<Vec<LateOrder>, Error> {
        self.late_by("leftAt", left_before, count_max).await
    }

    /// The last report; `None` before the first.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn report(&self) -> Result<Option<AuditReport>, Error> {
        let report = self.cosmos.read(Container::Stock, REPORT, REPORT).await?;
        Ok(report.map(|report| report.value))
    }

    /// Keeps the report in place of the last one, whoever wrote that.
    ///
    /// # Errors
    /// [`Error`]; the next run writes one anyway.
    pub async fn keep(&self, report: &AuditReport) -> Result<(), Error> {
        let document = Document::new(Container::Stock, "audit", (REPORT, REPORT), None, report)?;
        self.cosmos.upsert(Container::Stock, (REPORT, REPORT), document).await
    }

    async fn sum(&self, product_id: &ProductId, text: &str) -> Result<i64, Error> {
        let sums: Vec<Sum> =
            self.cosmos.query(Container::Stock, Some(product_id.as_str()), (text, &[]), 1).await?;
        Ok(sums.first().map_or(0, |sum| sum.0))
    }

    /// An entry that cannot be read is logged and left out, so that it does not hide the others.
    async fn late_by(
        &self,
        field: &str,
        before: DateTime<Utc>,
        count_max: usize,
    ) -> Result<Vec<LateOrder>, Error> {
        let text = format!(
            "SELECT TOP {count_max} c.id, c.status, c.placedAt FROM c \
             WHERE c.type = 'order' AND c.{field} < @before ORDER BY c.{field}"
        );
        let before = time::text(before);
        let parameters = [("@before", before.as_str())];
        let found: Vec<Value> =
            self.cosmos.query(Container::Orders, None, (&text, &parameters), count_max).await?;
        let readable = found.into_iter().filter_map(|entry| {
            let id = entry["id"].as_str().unwrap_or_default().to_owned();
            let read = serde_json::from_value(entry);
            if read.is_err() {
                tracing::error!(id, "an order cannot be read: somebody must look at it");
            }
            read.ok()
        });
        Ok(readable.collect())
    }
}

/// A sum as the service writes it: a whole number, or nothing for the sum of nothing.
#[derive(Deserialize)]
#[serde(from = "Value")]
struct Sum(i64);

impl From<Value> for Sum {
    fn from(value: Value) -> Self {
        Self(value.as_i64().unwrap_or_default())
    }
}
