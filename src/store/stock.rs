//! The container `stock`: each product's counts, and the reservations and adjustments that explain them.
//!
//! Counts never change alone: every write is one batch of the explaining document and the counts at the version that was
//! read. Does not know why an order holds or lets go.

mod adjust;
mod desk;

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde::de::DeserializeOwned;

pub use self::adjust::{Adjusted, Counted};
use self::desk::Desks;
use crate::domain::fulfil::Seen;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::stock::{Reservation, ReservationState, Stock};
use crate::store::announced;
use crate::store::containers::Container;
use crate::store::cosmos::{Batch, Cosmos, Document, Write};
use crate::store::pause::{ATTEMPTS_MAX, pause};
use crate::store::recent::{Known, Recent};
use crate::store::{Error, Versioned, Written};

/// Attempts after which counts that contradict a reservation are not just an old sight of them.
const OLD_SIGHTS_MAX: u32 = 3;
/// How long an ended reservation is remembered: 30 days, longer than any message lives (7 days in a storage queue).
const TOMBSTONE_TTL_S: u32 = 30 * 24 * 60 * 60;
/// How long counts that were read may be shown without reading them again.
pub const RECENT_LIFETIME: TimeDelta = TimeDelta::seconds(1);
/// Counts that are kept to be shown.
const RECENT_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// Document id of the counts in each product's partition; no order or adjustment has it.
const STOCK_ID: &str = "stock";

/// Counts, reservations and adjustments of all products.
#[derive(Clone, Debug)]
pub struct StockLedger {
    cosmos: Arc<Cosmos>,
    desks: Arc<Desks>,
    recent: Arc<Recent<ProductId, Stock>>,
}

/// One order's claim on one product.
#[derive(Debug, Clone, Copy)]
pub struct Claim<'a> {
    /// Which order.
    pub order_id: &'a OrderId,
    /// Which product.
    pub product_id: &'a ProductId,
    /// How many pieces.
    pub quantity: u32,
}

impl StockLedger {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        let recent = Arc::new(Recent::new(RECENT_MAX, RECENT_LIFETIME));
        Self { cosmos, desks: Arc::default(), recent }
    }

    /// The same counts with desks of its own, whose batches carry at most so many holds. With 1 there is no group commit:
    /// that is for measuring what it brings.
    pub fn with_group_max(&self, holds_max: usize) -> Self {
        Self { desks: Arc::new(Desks::new(holds_max)), ..self.clone() }
    }

    /// The same counts, shown for another time than [`RECENT_LIFETIME`] after they were read. With none, nothing is cached:
    /// that is for measuring what it brings.
    pub fn with_recent_lifetime(&self, lifetime: TimeDelta) -> Self {
        Self { recent: Arc::new(Recent::new(RECENT_MAX, lifetime)), ..self.clone() }
    }

    /// The counts; `None` when the product has none yet. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read(&self, product_id: &ProductId) -> Result<Option<Versioned<Stock>>, Error> {
        self.get(product_id, STOCK_ID).await
    }

    /// The counts as they are, or as they were at most [`RECENT_LIFETIME`] ago if another process has written them since:
    /// to be shown, not to be decided on. No request, or one.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn recent(
        &self,
        product_id: &ProductId,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<Stock>>, Error> {
        let reading = match self.recent.look_up(product_id, now) {
            Known::Still(stock) => return Ok(Some(stock)),
            // They change with every order, so asking whether they did would hardly ever save anything.
            Known::Once(_, reading) | Known::Nothing(reading) => reading,
        };
        // Boxed: the client's futures are large, and most who ask need none.
        let found = Box::pin(self.read(product_id)).await?;
        if let Some(stock) = &found {
            self.recent.keep(product_id, stock, reading, now);
        }
        Ok(found)
    }

    /// Ends a held reservation by shipping its pieces. Three requests when nobody else writes to the product.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be ended. Calling again is always safe.
    pub async fn take(&self, claim: Claim<'_>, now: DateTime<Utc>) -> Result<Seen, Error> {
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt, claim.order_id.as_str()).await;
            let Some(reservation) = self.reservation(claim).await? else { return Ok(Seen::Absent) };
            if let Some(seen) = self.end(&reservation, ReservationState::Taken, attempt, now).await? {
                return Ok(seen);
            }
        }
        Err(contended("take", claim))
    }

    /// Puts held pieces back on sale; where there is no reservation, leaves a tombstone, so that none can come late.
    /// Three requests when the pieces are held, two when there was no reservation.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be ended. Calling again is always safe.
    pub async fn release(&self, claim: Claim<'_>, now: DateTime<Utc>) -> Result<Seen, Error> {
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt, claim.order_id.as_str()).await;
            let Some(reservation) = self.reservation(claim).await? else {
                #[cfg(feature = "museum")]
                if crate::museum::Mistake::LeavesNoTombstone.is_on_show() {
                    return Ok(Seen::Released);
                }
                let held = Reservation::held(claim.order_id, claim.product_id, claim.quantity, now);
                let tombstone = reservation_document(&held.ended(ReservationState::Released, now))?;
                let partition = claim.product_id.as_str();
                match self.cosmos.create(Container::Stock, partition, tombstone).await? {
                    Written::Done(_) => return Ok(Seen::Released),
                    Written::Overtaken => continue,
                }
            };
            if let Some(seen) = self.end(&reservation, ReservationState::Released, attempt, now).await? {
                return Ok(seen);
            }
        }
        Err(contended("release", claim))
    }

    /// Ends the reservation and moves the counts with it; `None` when somebody else wrote first.
    async fn end(
        &self,
        reservation: &Versioned<Reservation>,
        state: ReservationState,
        attempt: u32,
        now: DateTime<Utc>,
    ) -> Result<Option<Seen>, Error> {
        let old = &reservation.value;
        if old.state != ReservationState::Held {
            return Ok(Some(seen(old)));
        }
        let operation =
            || format!("end the reservation of order {} for product {}", old.order_id, old.product_id);
        let corrupt = |detail: String| Error::Corrupt { operation: operation(), detail };
        let stock = self.read(&old.product_id).await?;
        let stock = stock.ok_or_else(|| corrupt("the product has no counts".to_owned()))?;
        let next = match state {
            ReservationState::Taken => stock.value.take(old.quantity, now),
            ReservationState::Released => stock.value.release(old.quantity, now),
            ReservationState::Held => Ok(stock.value.clone()),
        };
        let next = match next {
            Ok(next) => next,
            // Not necessarily broken: the counts may be an older sight than the reservation.
            Err(_) if attempt < OLD_SIGHTS_MAX => return Ok(None),
            Err(refusal) => return Err(corrupt(refusal.to_string())),
        };
        let ended = old.ended(state, now);
        let id = old.order_id.to_string();
        let explanation = Write::Replace(id, reservation_document(&ended)?, reservation.etag.clone());
        #[cfg(feature = "museum")]
        let explanation = match explanation {
            Write::Replace(id, _, etag)
                if crate::museum::Mistake::DeletesAfterTheSale.is_on_show()
                    && state == ReservationState::Taken =>
            {
                Write::Delete(id, etag)
            }
            tombstone => tombstone,
        };
        match self.batch(explanation, next, &stock).await?.1 {
            Batch::Done(_) => Ok(Some(seen(&ended))),
            Batch::Exists(_) | Batch::Changed(_) => Ok(None),
        }
    }

    /// The order's reservation, after comparing that it is for what the order asks.
    async fn reservation(&self, claim: Claim<'_>) -> Result<Option<Versioned<Reservation>>, Error> {
        Self::compared(self.get(claim.product_id, claim.order_id.as_str()).await?, claim)
    }

    /// The counts as they are where they are newest. One request.
    async fn newest(&self, product_id: &ProductId) -> Result<Option<Versioned<Stock>>, Error> {
        self.cosmos.read_newest(Container::Stock, product_id.as_str(), STOCK_ID).await
    }

    /// The order's reservation as it is where it is newest, compared likewise. One request.
    async fn newest_reservation(&self, claim: Claim<'_>) -> Result<Option<Versioned<Reservation>>, Error> {
        let (partition, id) = (claim.product_id.as_str(), claim.order_id.as_str());
        Self::compared(self.cosmos.read_newest(Container::Stock, partition, id).await?, claim)
    }

    fn compared(
        found: Option<Versioned<Reservation>>,
        claim: Claim<'_>,
    ) -> Result<Option<Versioned<Reservation>>, Error> {
        #[cfg(feature = "museum")]
        if crate::museum::Mistake::DemandPerLine.is_on_show() {
            return Ok(found);
        }
        match &found {
            Some(found)
                if found.value.quantity != claim.quantity || found.value.order_id != *claim.order_id =>
            {
                let operation = format!("reserve {} for order {}", claim.product_id, claim.order_id);
                let detail = format!("a reservation of {} pieces has its id", found.value.quantity);
                Err(Error::Corrupt { operation, detail })
            }
            _ => Ok(found),
        }
    }

    async fn get<T: DeserializeOwned>(
        &self,
        product_id: &ProductId,
        id: &str,
    ) -> Result<Option<Versioned<T>>, Error> {
        self.cosmos.read(Container::Stock, product_id.as_str(), id).await
    }

    /// Writes to the product's partition, all or none. Whatever comes of it, the counts that were shown may be old now.
    async fn write(&self, product_id: &ProductId, writes: Vec<Write>) -> Result<Batch, Error> {
        let written = self.cosmos.batch(Container::Stock, product_id.as_str(), writes).await;
        self.recent.forget(product_id);
        written
    }

    /// The explaining document, the counts, and what is announced of these, all or none. Gives the counts as they are written.
    async fn batch(
        &self,
        explanation: Write,
        next: Stock,
        seen: &Versioned<Stock>,
    ) -> Result<(Stock, Batch), Error> {
        let (next, announcement) = next.following(&seen.value);
        let product_id = &next.product_id;
        let counts = Write::Replace(STOCK_ID.to_owned(), stock_document(&next)?, seen.etag.clone());
        let announcement = announcement.map(|one| announced::write(Container::Stock, product_id, &one));
        let writes = [explanation, counts].into_iter().chain(announcement.transpose()?);
        let written = self.write(product_id, writes.collect()).await?;
        if let Batch::Done(etags) = &written {
            self.desks.remember(product_id, &next, etags.get(1));
        }
        Ok((next, written))
    }
}

fn seen(reservation: &Reservation) -> Seen {
    match reservation.state {
        ReservationState::Held => Seen::Held,
        ReservationState::Taken => Seen::Taken,
        ReservationState::Released => Seen::Released,
    }
}

fn stock_document(stock: &Stock) -> Result<Document, Error> {
    Document::new(Container::Stock, "stock", (STOCK_ID, stock.product_id.as_str()), None, stock)
}

fn reservation_document(reservation: &Reservation) -> Result<Document, Error> {
    let place = (reservation.order_id.as_str(), reservation.product_id.as_str());
    let ttl_s = (reservation.state != ReservationState::Held).then_some(TOMBSTONE_TTL_S);
    Document::new(Container::Stock, "reservation", place, ttl_s, reservation)
}

fn contended(verb: &str, claim: Claim<'_>) -> Error {
    Error::Contended { operation: format!("{verb} {} for order {}", claim.product_id, claim.order_id) }
}
