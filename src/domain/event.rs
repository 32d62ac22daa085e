//! What happened to an order: written in the same batch as the change, so that neither exists without the other.
//!
//! The events of an order are its timeline and its outbox. Does not know who listens.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::id::OrderId;
use crate::domain::order::{Cancellation, Failure, Order, Shipment};

/// One entry in an order's timeline.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Order id and kind: an order is confirmed at most once, so there is at most one such id.
    #[schemars(length(max = 50), example = &"hjv6k3mmabcdefghijklmnopqrstuvwxyz-placed")]
    pub id: String,
    /// Whose timeline it is in.
    pub order_id: OrderId,
    /// 1 for the first event of the order, and so on without gaps.
    #[schemars(range(min = 1))]
    pub sequence: u32,
    /// When it happened.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What can happen to an order.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum EventKind {
    /// It was accepted, and is not decided yet.
    OrderPlaced,
    /// All its pieces are held.
    OrderConfirmed,
    /// It came to nothing.
    OrderFailed {
        /// Why.
        failure: Failure,
    },
    /// It left the house.
    OrderShipped {
        /// When and how.
        shipment: Shipment,
    },
    /// Somebody called it off.
    OrderCancelled {
        /// Why, if they said.
        cancellation: Cancellation,
    },
}

impl Event {
    /// The event of this kind in the order's timeline.
    pub fn new(order_id: &OrderId, sequence: u32, kind: EventKind, at: DateTime<Utc>) -> Self {
        Self { id: Self::id(order_id, kind.name()), order_id: order_id.clone(), sequence, at, kind }
    }

    /// The id of the event of this name in the order's timeline.
    pub fn id(order_id: &OrderId, name: &str) -> String {
        format!("{order_id}-{name}")
    }

    /// The event as the order tells it by now.
    pub fn retold(&self, order: &Order) -> Self {
        let kind = match (&self.kind, &order.shipment, &order.cancellation) {
            (EventKind::OrderShipped { .. }, Some(shipment), _) => {
                EventKind::OrderShipped { shipment: shipment.clone() }
            }
            (EventKind::OrderCancelled { .. }, _, Some(cancellation)) => {
                EventKind::OrderCancelled { cancellation: cancellation.clone() }
            }
            (kind, _, _) => kind.clone(),
        };
        Self { kind, ..self.clone() }
    }
}

impl EventKind {
    /// The last part of the event's id.
    pub fn name(&self) -> &'static str {
        match self {
            Self::OrderPlaced => "placed",
            Self::OrderConfirmed => "confirmed",
            Self::OrderFailed { .. } => "failed",
            Self::OrderShipped { .. } => "shipped",
            Self::OrderCancelled { .. } => "cancelled",
        }
    }

    /// Why it came to nothing, in one word for programs; `None` when it did not.
    pub fn failure_code(&self) -> Option<&'static str> {
        match self {
            Self::OrderFailed { failure } => Some(failure.code()),
            Self::OrderPlaced
            | Self::OrderConfirmed
            | Self::OrderShipped { .. }
            | Self::OrderCancelled { .. } => None,
        }
    }
}
