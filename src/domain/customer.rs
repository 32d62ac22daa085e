//! A customer, as far as orders need one: that they exist.
//!
//! Personal data lives in the customer's document and nowhere else; orders, events and logs carry the id only.

use serde::{Deserialize, Serialize};

use crate::domain::id::CustomerId;

/// Somebody who may place orders.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// Who it is.
    pub id: CustomerId,
    /// What they want to be called. Personal data.
    pub name: String,
}
