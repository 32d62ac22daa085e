//! Event `OrderPlaced` from elsewhere: a checkout that speaks events instead of messages. What it says goes into the queue
//! `orders` as it is, with the trace that it comes in, and is worked on from there.
//!
//! The shop's own events of that name are passed over: whoever placed the order has rung already.

use axum::extract::State;
use serde_json::Value;

use crate::app::App;
use crate::domain::message::{BELL_BYTES_MAX, OrderMessage, Rejection, rejected};
use crate::events::SOURCE;
use crate::host::{Failure, Invocation, Reply, context};

/// How the types end of the events that are heard; what stands before says who announces.
const KIND: &str = "OrderPlaced";

/// Answers with the message to queue, or with the reason why it cannot be.
///
/// # Errors
/// A [`Failure`] when it is no event.
pub async fn start_order(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let event = invocation.event("event")?;
    let kind = event.r#type.rsplit('.').next();
    if event.source == SOURCE || kind != Some(KIND) {
        return Ok(Reply::new());
    }
    // What is no JSON is no order either, but what it was must not be lost.
    let mut data = match event.data_base64 {
        Some(bytes) => Value::String(bytes),
        None => event.data,
    };
    if let (Value::Object(said), Some(traceparent)) = (&mut data, context::traceparent()) {
        said.entry("traceparent").or_insert(traceparent.into());
    }
    let text = data.to_string();
    let parsed = match text.len() {
        0..=BELL_BYTES_MAX => match OrderMessage::parse(&text) {
            Ok(OrderMessage::Checkout { .. }) => Ok(()),
            // What a bell says of its order is believed, so nobody but the shop may ring.
            Ok(OrderMessage::Doorbell { .. }) => {
                Err(Rejection::new("invalid-message", "an event places an order and does not ring for one"))
            }
            Err(rejection) => Err(rejection),
        },
        _ => Err(Rejection::new(
            "too-large",
            format!("the event has more than {BELL_BYTES_MAX} bytes of data"),
        )),
    };
    Ok(match parsed {
        Ok(()) => Reply::new().queue("orders", [text]),
        Err(rejection) => {
            tracing::warn!(reason = rejection.reason, "an event was rejected");
            Reply::new().queue("rejected", rejected(&rejection, &text, app.clock.now()))
        }
    })
}
