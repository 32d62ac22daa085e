//! A product of the catalogue: what it is and what it costs.
//!
//! Does not know how many there are; that is stock, which changes far more often.

use serde::{Deserialize, Serialize};

use crate::domain::id::ProductId;
use crate::domain::money::Money;

/// Something that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The product's id, readable and unchangeable.
    pub id: ProductId,
    /// What it is called; copied into an order when that is placed.
    pub name: String,
    /// What it is, in a few sentences.
    pub description: String,
    /// What one piece costs; copied into an order when that is placed.
    pub price: Money,
}
