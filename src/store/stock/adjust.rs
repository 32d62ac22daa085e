//! Pieces that come and go for other reasons than orders: each change an adjustment in the ledger, together with the counts.

use chrono::{DateTime, Utc};

use super::{ATTEMPTS_MAX, STOCK_ID, StockLedger, pause, stock_document};
use crate::domain::id::ProductId;
use crate::domain::stock::{Adjustment, Stock, StockRefusal};
use crate::store::announced;
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
            match self.batch(create, next, &stock).await?.1 {
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

    /// Sets the pieces on hand, and the low-water mark if one is given, if `allows` accepts the version of the counts (`None`:
    /// there are none yet, or nothing was ever counted), and records the difference as an adjustment. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be done.
    pub async fn count(
        &self,
        allows: impl Fn(Option<&Etag>) -> bool,
        adjustment: Adjustment,
        (on_hand, low_water): (u32, Option<u32>),
        now: DateTime<Utc>,
    ) -> Result<Counted, Error> {
        let product_id = adjustment.product_id.clone();
        let stock = self.read(&product_id).await?;
        let is_blank = stock.as_ref().is_some_and(|stock| stock.value.is_blank());
        if !(allows(stock.as_ref().map(|stock| &stock.etag)) || is_blank && allows(None)) {
            return Ok(Counted::Changed);
        }
        let old = match &stock {
            Some(stock) => stock.value.clone(),
            None => Stock::none(&product_id, now),
        };
        let delta = i64::from(on_hand) - i64::from(old.on_hand);
        let next = match old.adjust(delta, now) {
            Ok(next) => Stock { low_water: low_water.or(next.low_water), ..next },
            Err(refusal) => return Ok(Counted::Refused(refusal)),
        };
        let adjustment = Adjustment { delta, on_hand_after: on_hand, ..adjustment };
        let create = Write::Create(adjustment_document(&adjustment)?);
        let (next, written) = match stock {
            Some(stock) => self.batch(create, next, &stock).await?,
            None => {
                let first = Write::Create(stock_document(&next)?);
                let written = self.write(&product_id, vec![create, first]).await?;
                (next, written)
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

    /// Sees to it that the product has counts, and a low-water mark: this one, unless it has another. What is there stays. One
    /// request when nothing is missing, else two.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be done. Calling again is always safe.
    pub async fn watch(
        &self,
        product_id: &ProductId,
        low_water: u32,
        now: DateTime<Utc>,
    ) -> Result<(), Error> {
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt, product_id.as_str()).await;
            let seen = self.newest(product_id).await?;
            let old = match &seen {
                Some(seen) if seen.value.low_water.is_some() => return Ok(()),
                Some(seen) => seen.value.clone(),
                None => Stock::none(product_id, now),
            };
            let marked = Stock { low_water: Some(low_water), updated_at: now, ..old.clone() };
            let (next, announcement) = match &seen {
                Some(_) => marked.following(&old),
                // It has just come into the catalogue: nobody has to be told that there is nothing yet.
                None => (marked, None),
            };
            let document = stock_document(&next)?;
            let counts = match &seen {
                Some(seen) => Write::Replace(STOCK_ID.to_owned(), document, seen.etag.clone()),
                None => Write::Create(document),
            };
            let announcement = announcement.map(|one| announced::write(Container::Stock, product_id, &one));
            let writes = [counts].into_iter().chain(announcement.transpose()?);
            match self.write(product_id, writes.collect()).await? {
                Batch::Done(etags) => {
                    self.desks.remember(product_id, &next, etags.first());
                    return Ok(());
                }
                Batch::Exists(_) | Batch::Changed(_) => {}
            }
        }
        Err(Error::Contended { operation: format!("watch the stock of {product_id}") })
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
