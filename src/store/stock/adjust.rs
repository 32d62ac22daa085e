//! Pieces that come and go for other reasons than orders: each change an adjustment in the ledger, together with the counts.

use chrono::{DateTime, Utc};

use super::{ATTEMPTS_MAX, StockLedger, pause, stock_document};
use crate::domain::stock::{Adjustment, Stock, StockRefusal};
use crate::store::containers::Container;
use crate::store::cosmos::{Batch, Document, Write};
use crate::store::{Error, Etag, Versioned};

/// What came of an adjustment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Adjusted {
    /// It is in the ledger.
    Done(Adjustment),
    /// It was in the ledger already: the request is a replay.
    Replayed(Adjustment),
    /// Another adjustment has its key.
    KeyReused,
    /// The counts do not allow it.
    Refused(StockRefusal),
    /// The product has no counts yet.
    Unknown,
}

/// What came of setting the pieces on hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Counted {
    /// The counts are as asked.
    Done(Versioned<Stock>),
    /// The counts have another version than was named.
    Changed,
    /// The counts do not allow it.
    Refused(StockRefusal),
}

impl StockLedger {
    /// Adds a delivery, a loss or a correction to the ledger. `adjustment.on_hand_after` is filled in here.
    /// Two requests when nobody else writes to the product.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be in the ledger. Calling again under the same id is safe.
    pub async fn adjust(&self, adjustment: &Adjustment, now: DateTime<Utc>) -> Result<Adjusted, Error> {
        let product_id = &adjustment.product_id;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt, &adjustment.id).await;
            let Some(stock) = self.read(product_id).await? else { return Ok(Adjusted::Unknown) };
            let next = match stock.value.adjust(adjustment.delta, now) {
                Ok(next) => next,
                Err(refusal) => {
                    let earlier = self.earlier(adjustment).await?;
                    return Ok(earlier.unwrap_or(Adjusted::Refused(refusal)));
                }
            };
            let adjustment = Adjustment { on_hand_after: next.on_hand, ..adjustment.clone() };
            let create = Write::Create(adjustment_document(&adjustment)?);
            match self.batch(product_id, create, &next, &stock.etag).await? {
                Batch::Done(_) => return Ok(Adjusted::Done(adjustment)),
                Batch::Exists(_) => {
                    if let Some(earlier) = self.earlier(&adjustment).await? {
                        return Ok(earlier);
                    }
                }
                Batch::Changed(_) => {}
            }
        }
        Err(Error::Contended { operation: format!("adjust the stock of {product_id}") })
    }

    /// Sets the pieces on hand if `allows` accepts the version of the counts (`None`: there are none yet), and records
    /// the difference as an adjustment. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be done.
    pub async fn count(
        &self,
        allows: impl FnOnce(Option<&Etag>) -> bool,
        adjustment: Adjustment,
        on_hand: u32,
        now: DateTime<Utc>,
    ) -> Result<Counted, Error> {
        let product_id = adjustment.product_id.clone();
        let stock = self.read(&product_id).await?;
        if !allows(stock.as_ref().map(|stock| &stock.etag)) {
            return Ok(Counted::Changed);
        }
        let old = match &stock {
            Some(stock) => stock.value.clone(),
            None => Stock { product_id: product_id.clone(), on_hand: 0, held: 0, taken: 0, updated_at: now },
        };
        let delta = i64::from(on_hand) - i64::from(old.on_hand);
        let next = match old.adjust(delta, now) {
            Ok(next) => next,
            Err(refusal) => return Ok(Counted::Refused(refusal)),
        };
        let adjustment = Adjustment { delta, on_hand_after: on_hand, ..adjustment };
        let create = Write::Create(adjustment_document(&adjustment)?);
        let written = match stock {
            Some(stock) => self.batch(&product_id, create, &next, &stock.etag).await?,
            None => {
                let first = Write::Create(stock_document(&next)?);
                self.write(&product_id, vec![create, first]).await?
            }
        };
        match written {
            Batch::Done(mut etags) => {
                Ok(Counted::Done(Versioned { value: next, etag: etags.swap_remove(1) }))
            }
            // The adjustment's id was drawn for this call alone: if it is there, our own attempt has succeeded.
            Batch::Exists(0) => match self.read(&product_id).await? {
                Some(stock) => Ok(Counted::Done(stock)),
                None => Ok(Counted::Changed),
            },
            Batch::Exists(_) | Batch::Changed(_) => Ok(Counted::Changed),
        }
    }

    /// What is known of an earlier adjustment under the same id.
    async fn earlier(&self, adjustment: &Adjustment) -> Result<Option<Adjusted>, Error> {
        let earlier: Option<Versioned<Adjustment>> = self.get(&adjustment.product_id, &adjustment.id).await?;
        Ok(earlier.map(|earlier| match earlier.value.fingerprint == adjustment.fingerprint {
            true => Adjusted::Replayed(earlier.value),
            false => Adjusted::KeyReused,
        }))
    }
}

fn adjustment_document(adjustment: &Adjustment) -> Result<Document, Error> {
    let place = (adjustment.id.as_str(), adjustment.product_id.as_str());
    Document::new(Container::Stock, "adjustment", place, None, adjustment)
}
