//! Checking the books: whether counts and the documents that explain them agree, and which orders wait too long.
//!
//! Finds, and repairs nothing. Does not know how the sums were read, only that they belong to the counts.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::id::{OrderId, ProductId};
use crate::domain::order::Status;
use crate::domain::stock::Stock;

/// How long after its bell was due an order may still wait before that is reported.
pub const WAIT_MAX: TimeDelta = TimeDelta::minutes(15);

/// Most products of one run.
pub const PRODUCTS_MAX: usize = 100;
/// Most orders that a report lists of each kind.
pub const ORDERS_MAX: usize = 100;

/// The counts of a product, and what its documents sum up to at the same moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ledger {
    /// The counts.
    pub stock: Stock,
    /// Sum of all adjustments.
    pub adjusted: i64,
    /// Sum of the held reservations.
    pub held: i64,
}

/// Counts that their documents do not explain.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Difference {
    /// Whose counts.
    pub product_id: ProductId,
    /// Pieces on hand, as counted.
    pub on_hand: u32,
    /// Pieces on hand, as explained: what was adjusted less what was taken.
    pub on_hand_explained: i64,
    /// Pieces held, as counted.
    pub held: u32,
    /// Pieces held, as explained.
    pub held_explained: i64,
}

/// An order that should have come further.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LateOrder {
    /// Which order.
    pub id: OrderId,
    /// How far it has come.
    pub status: Status,
    /// When it was placed.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub placed_at: DateTime<Utc>,
}

/// What one run found.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AuditReport {
    /// When it ran.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
    /// How many products it looked at.
    #[schemars(range(max = PRODUCTS_MAX))]
    pub products: usize,
    /// After which product the next run goes on; absent when this one came to the end of the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_after: Option<ProductId>,
    /// Products that changed all the while, so that nothing can be said of them this time.
    #[schemars(length(max = PRODUCTS_MAX))]
    pub busy: Vec<ProductId>,
    /// Counts that their documents do not explain.
    #[schemars(length(max = PRODUCTS_MAX))]
    pub differences: Vec<Difference>,
    /// Orders that have been due for longer than 15 minutes.
    #[schemars(length(max = ORDERS_MAX))]
    pub late: Vec<LateOrder>,
    /// Orders that cannot be settled and are left for a person.
    #[schemars(length(max = ORDERS_MAX))]
    pub left: Vec<LateOrder>,
}

impl Ledger {
    /// What the documents do not explain, if anything.
    pub fn difference(&self) -> Option<Difference> {
        let stock = &self.stock;
        let on_hand_explained = self.adjusted.saturating_sub_unsigned(stock.taken);
        let explained = i64::from(stock.on_hand) == on_hand_explained && i64::from(stock.held) == self.held;
        let difference = Difference {
            product_id: stock.product_id.clone(),
            on_hand: stock.on_hand,
            on_hand_explained,
            held: stock.held,
            held_explained: self.held,
        };
        (!explained || stock.held > stock.on_hand).then_some(difference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ledger(on_hand: u32, held: u32, taken: u64, adjusted: i64, reserved: i64) -> Ledger {
        let product_id = ProductId::parse("w").unwrap();
        let stock = Stock { on_hand, held, taken, ..Stock::none(&product_id, DateTime::UNIX_EPOCH) };
        Ledger { stock, adjusted, held: reserved }
    }

    #[test]
    fn books_agree_when_both_sums_explain_the_counts() {
        assert_eq!(ledger(7, 2, 3, 10, 2).difference(), None);
    }

    #[test]
    fn every_kind_of_difference_is_found() {
        for wrong in
            [ledger(8, 2, 3, 10, 2), ledger(7, 3, 3, 10, 2), ledger(7, 2, 4, 10, 2), ledger(1, 2, 0, 1, 2)]
        {
            assert!(wrong.difference().is_some(), "{wrong:?}");
        }
    }
}
