//! What is asked of the shop: by customers, the courier and the warehouse over HTTP, and by the host's queues and timer.
//!
//! Does not know when, or how often.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::json;
use widgetco::domain::id::{CustomerId, IdempotencyKey, OrderId};

use crate::shop::{Answer, TestShop, order_body};

/// An order that somebody wants.
#[derive(Debug, Clone)]
pub(super) struct Wish {
    pub(super) customer: &'static str,
    /// Its idempotency key, or its checkout's id.
    pub(super) key: Option<String>,
    pub(super) lines: Vec<(&'static str, u32)>,
}

impl Wish {
    /// The id that its key derives.
    pub(super) fn derived_id(&self) -> Option<String> {
        let key = IdempotencyKey::parse(self.key.as_deref()?).unwrap();
        Some(OrderId::derive(&CustomerId::parse(self.customer).unwrap(), &key).to_string())
    }

    /// The whole order as a checkout puts it into the queue.
    pub(super) fn checkout(&self) -> String {
        let mut body = order_body(self.customer, &self.lines);
        body["checkoutId"] = json!(self.key);
        body.to_string()
    }
}

/// A message on its way.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) text: String,
    pub(super) poison: bool,
    pub(super) dequeues: u32,
}

/// One delivery to the handler.
#[derive(Debug, Clone)]
pub(super) enum Job {
    Place(Wish),
    Cancel(String),
    Ship(String),
    Adjust { product: &'static str, delta: i64, name: String, keyed: bool },
    Count { product: &'static str, on_hand: u32 },
    Message(Message),
    Recover,
}

impl Job {
    pub(super) async fn perform(self, shop: &TestShop) -> Answer {
        match self {
            Self::Place(wish) => {
                let key = wish.key.as_deref().map(|key| ("Idempotency-Key", key));
                shop.post("/api/orders", key.as_slice(), order_body(wish.customer, &wish.lines)).await
            }
            Self::Cancel(id) => {
                shop.post(&format!("/api/orders/{id}/cancellation"), &[], json!({"reason": "changed"})).await
            }
            Self::Ship(id) => {
                shop.put(&format!("/api/orders/{id}/shipment"), &[], json!({"carrier": "Parcel post"})).await
            }
            Self::Adjust { product, delta, name, keyed } => {
                let key = keyed.then_some(("Idempotency-Key", name.as_str()));
                let path = format!("/api/products/{product}/stock/adjustments");
                shop.post(&path, key.as_slice(), json!({"delta": delta, "reason": name})).await
            }
            Self::Count { product, on_hand } => {
                let path = format!("/api/products/{product}/stock");
                let seen = shop.get(&path).await;
                if seen.status != StatusCode::OK {
                    return seen;
                }
                shop.put(&path, &[("If-Match", seen.header("etag"))], json!({"onHand": on_hand})).await
            }
            Self::Message(message) => {
                let function = if message.poison { "RecordPoisonOrder" } else { "ProcessOrder" };
                shop.deliver(function, &message.text, message.dequeues).await
            }
            Self::Recover => shop.tick("RecoverOrders").await,
        }
    }

    /// Whether this is among the answers that the shop may give while its store fails.
    pub(super) fn allows(&self, status: StatusCode) -> bool {
        let allowed: &[u16] = match self {
            Self::Place(_) => &[202, 503],
            Self::Cancel(_) | Self::Ship(_) => &[200, 404, 409, 503],
            Self::Adjust { .. } => &[201, 409, 503],
            Self::Count { .. } => &[200, 409, 412, 503],
            Self::Message(_) | Self::Recover => &[200, 500],
        };
        allowed.contains(&status.as_u16())
    }

    /// A few words for the log.
    pub(super) fn words(&self) -> String {
        let short = |id: &str| id.chars().skip(id.len().saturating_sub(4)).collect::<String>();
        match self {
            Self::Place(wish) => format!("place {:?} for {} {:?}", wish.key, wish.customer, wish.lines),
            Self::Cancel(id) => format!("cancel ..{}", short(id)),
            Self::Ship(id) => format!("ship ..{}", short(id)),
            Self::Adjust { product, delta, name, keyed } => {
                format!("adjust {product} by {delta}, {name}{}", if *keyed { ", keyed" } else { "" })
            }
            Self::Count { product, on_hand } => format!("count {on_hand} of {product}"),
            Self::Message(Message { text, poison, dequeues }) => {
                format!("message{} #{dequeues} {text}", if *poison { " from poison" } else { "" })
            }
            Self::Recover => "recover".to_owned(),
        }
    }
}
