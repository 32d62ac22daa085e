//! What lies in the queues: doorbells, whole orders from a checkout, and what could never be processed.
//!
//! Does not know how a queue carries text.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::draft::{Invalid, LineDraft, OrderDraft, OrderRequest, objects};
use crate::domain::id::{Fingerprint, IdempotencyKey, OrderId};

/// Most bytes of original text in one rejection. JSON escapes take at most six bytes for one, so that the whole stays
/// below the 48 KiB that a storage queue can carry.
const REJECTED_PART_BYTES_MAX: usize = 7 * 1024;
/// Longest explanation in a rejection, in characters.
const DETAIL_CHARS_MAX: usize = 1000;

/// A message in the queue `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderMessage {
    /// Somebody rang: look at this order.
    Doorbell(OrderId),
    /// A checkout's whole order; its checkout id is the idempotency key.
    Checkout {
        /// Under which key it is placed.
        key: IdempotencyKey,
        /// What is ordered.
        request: OrderRequest,
    },
}

/// Why a message can never be processed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// In one word, for programs.
    pub reason: &'static str,
    /// In a sentence, for people.
    pub detail: String,
}

impl Rejection {
    /// A rejection for this reason.
    pub fn new(reason: &'static str, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into() }
    }

    /// A rejection that lists what is wrong where.
    pub fn invalid(invalid: &[Invalid]) -> Self {
        let list: Vec<_> = invalid.iter().map(|one| format!("{} {}", one.pointer, one.detail)).collect();
        Self::new("invalid-order", list.join("; "))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct DoorbellText {
    order_id: OrderId,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckoutText {
    checkout_id: String,
    customer_id: String,
    #[serde(deserialize_with = "objects")]
    lines: Vec<LineDraft>,
}

impl OrderMessage {
    /// Reads a message of the queue `orders`.
    ///
    /// # Errors
    /// A [`Rejection`] when it is neither a doorbell nor a whole order; a retry does not help.
    pub fn parse(text: &str) -> Result<Self, Rejection> {
        let not_json = |error: serde_json::Error| {
            Rejection::new("not-json", format!("the message is not JSON: {error}"))
        };
        let value: Value = serde_json::from_str(text).map_err(not_json)?;
        let unknown = |error: serde_json::Error| Rejection::new("invalid-message", error.to_string());
        if value.get("checkoutId").is_some() {
            let checkout: CheckoutText = serde_json::from_str(text).map_err(unknown)?;
            return checkout.check();
        }
        if value.get("orderId").is_some() {
            let doorbell: DoorbellText = serde_json::from_str(text).map_err(unknown)?;
            return Ok(Self::Doorbell(doorbell.order_id));
        }
        let detail = "the message is neither {\"orderId\"} nor {\"checkoutId\", \"customerId\", \"lines\"}";
        Err(Rejection::new("invalid-message", detail))
    }

    /// The text of a doorbell.
    pub fn doorbell(id: &OrderId) -> String {
        serde_json::json!({ "orderId": id }).to_string()
    }
}

impl CheckoutText {
    fn check(self) -> Result<OrderMessage, Rejection> {
        let key = IdempotencyKey::parse(&self.checkout_id)
            .map_err(|error| Invalid::new("/checkoutId", error.to_string()));
        let draft = OrderDraft { customer_id: self.customer_id, lines: self.lines };
        match (key, draft.check()) {
            (Ok(key), Ok(request)) => Ok(OrderMessage::Checkout { key, request }),
            (key, request) => {
                let mut invalid: Vec<_> = key.err().into_iter().collect();
                invalid.extend(request.err().unwrap_or_default());
                Err(Rejection::invalid(&invalid))
            }
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct RejectedText<'a> {
    /// The same for all parts of one message, and for the same message when it is rejected again.
    id: &'a Fingerprint,
    reason: &'a str,
    detail: String,
    #[serde(with = "crate::domain::time")]
    rejected_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<Part>,
    message: &'a str,
}

#[derive(Serialize, Clone, Copy)]
struct Part {
    number: usize,
    of: usize,
}

/// What goes into the queue `orders-rejected`: the reason and the original text, in one message, or in several numbered
/// ones when the text is long.
pub fn rejected(rejection: &Rejection, text: &str, now: DateTime<Utc>) -> Vec<String> {
    let pieces = pieces(text);
    let (of, id) = (pieces.len(), Fingerprint::of([text]));
    let write = |(index, message): (usize, &&str)| {
        let detail = rejection.detail.chars().take(DETAIL_CHARS_MAX).collect();
        let part = (of > 1).then_some(Part { number: index + 1, of });
        serde_json::json!(RejectedText {
            id: &id,
            reason: rejection.reason,
            detail,
            rejected_at: now,
            part,
            message
        })
        .to_string()
    };
    pieces.iter().enumerate().map(write).collect()
}

/// The text in pieces of at most [`REJECTED_PART_BYTES_MAX`], never cut within a character.
fn pieces(text: &str) -> Vec<&str> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while rest.len() > REJECTED_PART_BYTES_MAX {
        let mut end = REJECTED_PART_BYTES_MAX;
        while !rest.is_char_boundary(end) {
            end -= 1;
        }
        let (piece, after) = rest.split_at(end);
        pieces.push(piece);
        rest = after;
    }
    pieces.push(rest);
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doorbell_and_checkout_are_told_apart() {
        let id = OrderId::parse(&"a".repeat(34)).unwrap();
        assert_eq!(OrderMessage::parse(&OrderMessage::doorbell(&id)), Ok(OrderMessage::Doorbell(id)));
        let text = r#"{"checkoutId":"c-1","customerId":"ada","lines":[{"productId":"w","quantity":2}]}"#;
        let Ok(OrderMessage::Checkout { key, request }) = OrderMessage::parse(text) else { panic!() };
        assert_eq!((key.as_str(), request.lines[0].quantity), ("c-1", 2));
    }

    #[test]
    fn garbage_is_rejected_with_its_reason() {
        for (text, reason) in [
            ("garbage", "not-json"),
            ("[1]", "invalid-message"),
            ("{}", "invalid-message"),
            (r#"{"orderId":"short"}"#, "invalid-message"),
            (r#"{"checkoutId":"","customerId":"","lines":[]}"#, "invalid-order"),
            (r#"{"checkoutId":"c","customerId":"ada","lines":[],"coupon":1}"#, "invalid-message"),
        ] {
            assert_eq!(OrderMessage::parse(text).unwrap_err().reason, reason, "{text}");
        }
        let rejection = OrderMessage::parse(r#"{"checkoutId":"","customerId":"","lines":[]}"#).unwrap_err();
        for place in ["/checkoutId", "/customerId", "/lines"] {
            assert!(rejection.detail.contains(place), "{place} in {}", rejection.detail);
        }
    }

    #[test]
    fn rejected_text_survives_whole_and_fits_a_queue() {
        let rejection = Rejection::new("not-json", "x");
        for text in ["short".to_owned(), "\u{1}".repeat(40_000), "ä".repeat(20_000)] {
            let messages = rejected(&rejection, &text, DateTime::UNIX_EPOCH);
            assert!(messages.iter().all(|message| message.len() <= 48 * 1024));
            let parts = messages.iter().map(|message| serde_json::from_str::<Value>(message).unwrap());
            let whole: String = parts.map(|part| part["message"].as_str().unwrap().to_owned()).collect();
            assert_eq!(whole, text);
        }
    }
}
