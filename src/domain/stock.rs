//! Stock of one product: pieces on hand, pieces held for orders, and the records that explain both.
//!
//! The ledger: on hand = sum of adjustments - taken; held = sum of held reservations; 0 <= held <= on hand, always.
//! Does not know why an order holds what it holds.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::announcement::{Announcement, StockNews};
use crate::domain::id::{Fingerprint, IdempotencyKey, OrderId, ProductId, base32};

/// The low-water mark of a product for which nobody has set another.
pub const LOW_WATER_DEFAULT: u32 = 10;
/// Most pieces of one product that the shop can have on hand.
pub const ON_HAND_MAX: u32 = 1_000_000_000;
/// Longest reason for an adjustment, in characters.
pub const REASON_CHARS_MAX: usize = 200;

/// The counts of one product. Changed only together with the reservation or adjustment that explains the change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Stock {
    /// Whose stock it is.
    pub product_id: ProductId,
    /// Pieces in the warehouse, those held for orders included.
    pub on_hand: u32,
    /// Pieces that confirmed or pending orders hold.
    pub held: u32,
    /// Pieces that ever left the house. Reservations are forgotten some time after they were taken; this is not.
    #[serde(default)]
    pub taken: u64,
    /// The number of available pieces at which somebody should order more; absent while nobody watches the product.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub low_water: Option<u32>,
    /// How often it was announced that the pieces have come down to the mark.
    #[serde(default)]
    pub warnings: u32,
    /// When the counts last changed.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
}

/// Why the counts cannot be changed as asked. A business refusal, not a fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum StockRefusal {
    /// Fewer pieces are available than asked for.
    #[error("only {available} available")]
    Short {
        /// Pieces that are on hand and not held.
        available: u32,
    },
    /// Orders hold more pieces than would remain.
    #[error("{held} pieces are held for orders, so no fewer can be on hand")]
    Held {
        /// Pieces held for orders.
        held: u32,
    },
    /// More than [`ON_HAND_MAX`].
    #[error("at most {ON_HAND_MAX} pieces can be on hand")]
    TooMany,
    /// The counts contradict the reservation: the ledger is broken and nobody should build on it.
    #[error("the counts contradict the reservation")]
    Contradiction,
}

impl Stock {
    /// Whether nothing is known that a first count could overlook.
    pub fn is_blank(&self) -> bool {
        self.on_hand == 0 && self.held == 0 && self.taken == 0
    }

    /// Pieces that can still be sold.
    pub fn available(&self) -> u32 {
        self.on_hand.saturating_sub(self.held)
    }

    /// The counts of a product of which there never was a piece.
    pub fn none(product_id: &ProductId, now: DateTime<Utc>) -> Self {
        Self {
            product_id: product_id.clone(),
            on_hand: 0,
            held: 0,
            taken: 0,
            low_water: None,
            warnings: 0,
            updated_at: now,
        }
    }

    /// These counts as they follow others, and what is to be announced of that: whether only now no more pieces are available
    /// than the low-water mark says.
    pub fn following(self, before: &Self) -> (Self, Option<Announcement>) {
        let mark = |stock: &Self| stock.low_water.filter(|mark| stock.available() <= *mark);
        let Some(low_water) = mark(&self).filter(|_| mark(before).is_none()) else { return (self, None) };
        let warnings = self.warnings.saturating_add(1);
        let news = StockNews { product_id: self.product_id.clone(), available: self.available(), low_water };
        let announcement = Announcement::of_low_stock(news, warnings, self.updated_at);
        (Self { warnings, ..self }, Some(announcement))
    }

    /// The counts after so many pieces were set aside for an order.
    ///
    /// # Errors
    /// [`StockRefusal::Short`].
    pub fn hold(&self, quantity: u32, now: DateTime<Utc>) -> Result<Self, StockRefusal> {
        if quantity > self.available() {
            return Err(StockRefusal::Short { available: self.available() });
        }
        let held = self.held.checked_add(quantity).ok_or(StockRefusal::TooMany)?;
        Ok(Self { held, updated_at: now, ..self.clone() })
    }

    /// The counts after held pieces went back on sale.
    ///
    /// # Errors
    /// [`StockRefusal::Contradiction`] when fewer are held.
    pub fn release(&self, quantity: u32, now: DateTime<Utc>) -> Result<Self, StockRefusal> {
        let held = self.held.checked_sub(quantity).ok_or(StockRefusal::Contradiction)?;
        Ok(Self { held, updated_at: now, ..self.clone() })
    }

    /// The counts after held pieces left the house.
    ///
    /// # Errors
    /// [`StockRefusal::Contradiction`] when fewer are held or on hand.
    pub fn take(&self, quantity: u32, now: DateTime<Utc>) -> Result<Self, StockRefusal> {
        let on_hand = self.on_hand.checked_sub(quantity).ok_or(StockRefusal::Contradiction)?;
        let taken = self.taken.saturating_add(u64::from(quantity));
        Ok(Self { on_hand, taken, ..self.release(quantity, now)? })
    }

    /// The counts after goods arrived, were lost or were counted again.
    ///
    /// # Errors
    /// [`StockRefusal::Short`] below nothing, [`StockRefusal::Held`] below what orders hold, [`StockRefusal::TooMany`].
    pub fn adjust(&self, delta: i64, now: DateTime<Utc>) -> Result<Self, StockRefusal> {
        let on_hand = i64::from(self.on_hand).saturating_add(delta);
        let on_hand = match u32::try_from(on_hand) {
            Ok(on_hand) if on_hand > ON_HAND_MAX => return Err(StockRefusal::TooMany),
            Ok(on_hand) => on_hand,
            Err(_) if on_hand < 0 => return Err(StockRefusal::Short { available: self.available() }),
            Err(_) => return Err(StockRefusal::TooMany),
        };
        if on_hand < self.held {
            return Err(StockRefusal::Held { held: self.held });
        }
        Ok(Self { on_hand, updated_at: now, ..self.clone() })
    }
}

/// What an order has of one product. Never goes backwards: held, then taken or released, for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reservation {
    /// Whose it is.
    pub order_id: OrderId,
    /// What is reserved.
    pub product_id: ProductId,
    /// How many pieces the order asks for; never counted in `held` when it was made as a tombstone.
    pub quantity: u32,
    /// How far it has come.
    pub state: ReservationState,
    /// When it was made.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When it was taken or released.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<DateTime<Utc>>,
}

/// How far a reservation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReservationState {
    /// The pieces are counted in `held`.
    Held,
    /// The pieces were shipped.
    Taken,
    /// The pieces are on sale again, or were never held; kept as a tombstone against a late hold.
    Released,
}

impl Reservation {
    /// Pieces set aside now.
    pub fn held(order_id: &OrderId, product_id: &ProductId, quantity: u32, now: DateTime<Utc>) -> Self {
        let (order_id, product_id) = (order_id.clone(), product_id.clone());
        Self {
            order_id,
            product_id,
            quantity,
            state: ReservationState::Held,
            created_at: now,
            ended_at: None,
        }
    }

    /// The same reservation at its end.
    pub fn ended(&self, state: ReservationState, now: DateTime<Utc>) -> Self {
        Self { state, ended_at: Some(now), ..self.clone() }
    }
}

/// A change of the pieces on hand that no order explains: a delivery, a loss, a count.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Adjustment {
    /// Its document id: derived from the idempotency key, or by chance.
    pub id: String,
    /// Which product.
    pub product_id: ProductId,
    /// Pieces that came (positive) or went (negative).
    pub delta: i64,
    /// Why, in the words of whoever made it.
    pub reason: String,
    /// Pieces on hand afterwards.
    pub on_hand_after: u32,
    /// When it was made.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// What the request was, so that a replay can be told from a reused key.
    pub fingerprint: Fingerprint,
}

impl Adjustment {
    /// The id of the adjustment under this key.
    pub fn id_for(key: &IdempotencyKey) -> String {
        format!("adjustment-{}", base32(&sha2::Digest::finalize(key_hash(key))))
    }

    /// The id of an adjustment without a key, from 16 random bytes.
    pub fn id_from_chance(bytes: [u8; 16]) -> String {
        format!("adjustment-{}", base32(&bytes))
    }
}

fn key_hash(key: &IdempotencyKey) -> sha2::Sha256 {
    <sha2::Sha256 as sha2::Digest>::new_with_prefix(key.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::announcement::News;
    use proptest::prelude::{prop_assert, prop_assert_eq, proptest};

    fn stock(on_hand: u32, held: u32) -> Stock {
        let product_id = ProductId::parse("w").unwrap();
        Stock { on_hand, held, ..Stock::none(&product_id, NOW) }
    }

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn hold_refuses_one_more_than_available() {
        assert_eq!(stock(5, 3).hold(3, NOW), Err(StockRefusal::Short { available: 2 }));
        assert_eq!(stock(5, 3).hold(2, NOW).unwrap().available(), 0);
    }

    #[test]
    fn adjustment_cannot_undercut_what_orders_hold() {
        assert_eq!(stock(5, 3).adjust(-3, NOW), Err(StockRefusal::Held { held: 3 }));
        assert_eq!(stock(5, 0).adjust(-6, NOW), Err(StockRefusal::Short { available: 5 }));
        assert_eq!(stock(5, 0).adjust(i64::MAX, NOW), Err(StockRefusal::TooMany));
        assert_eq!(stock(5, 3).adjust(-2, NOW).unwrap().on_hand, 3);
    }

    #[test]
    fn low_stock_is_announced_once_until_there_is_enough_again() {
        let watched = |available: u32| Stock { low_water: Some(3), ..stock(available, 0) };
        let told = |before: u32, after: u32| watched(after).following(&watched(before));
        let (counts, announced) = told(4, 3);
        let announced = announced.unwrap();
        assert_eq!((counts.warnings, announced.id.as_str()), (1, "stock:w:1"));
        let news = StockNews { product_id: ProductId::parse("w").unwrap(), available: 3, low_water: 3 };
        assert_eq!(announced.news, News::StockLow(news));
        for (before, after) in [(3, 0), (0, 3), (3, 4), (5, 4)] {
            assert_eq!(told(before, after), (watched(after), None), "{before} to {after}");
        }
        // A mark that is set above what is there has been reached.
        assert!(watched(2).following(&stock(2, 0)).1.is_some());
        assert_eq!(stock(0, 0).following(&stock(9, 0)).1, None);
    }

    proptest! {
        #[test]
        fn counts_stay_ordered_whatever_happens(on_hand in 0..1000_u32, moves in proptest::collection::vec((0..4_u8, 0..50_u32), 0..60)) {
            let mut now = stock(on_hand, 0);
            for (kind, quantity) in moves {
                let next = match kind {
                    0 => now.hold(quantity, NOW),
                    1 => now.release(quantity, NOW),
                    2 => now.take(quantity, NOW),
                    _ => now.adjust(i64::from(quantity) - 25, NOW),
                };
                if let Ok(next) = next {
                    prop_assert!(next.held <= next.on_hand);
                    prop_assert_eq!(next.available(), next.on_hand - next.held);
                    now = next;
                }
            }
        }
    }
}
