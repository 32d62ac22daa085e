//! Where an order goes: the one address that it needs, copied when it is placed, in a document of its own, so that the address can
//! go while the order stays.
//!
//! Does not know how it is kept.

use serde::{Deserialize, Serialize};

use crate::domain::customer::Address;
use crate::domain::id::{CustomerId, OrderId};

/// How long the address of an order is kept: long enough for a parcel that comes back. 180 days, in seconds.
pub const KEPT_S: u32 = 180 * 24 * 60 * 60;

/// The address of an order. Personal; printed for debugging it shows only what logs may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ShippingAddress {
    /// Which order.
    pub order_id: OrderId,
    /// Whose it is.
    pub customer_id: CustomerId,
    /// Where it goes.
    pub address: Address,
}
