//! What lies in the queues: doorbells, whole orders from a checkout, and what could never be processed.
//!
//! Does not know how a queue carries text.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::customer::draft::AddressDraft;
use crate::domain::draft::{Demand, Invalid, LineDraft, OrderDraft, OrderRequest, objects, optional_object};
use crate::domain::id::{Fingerprint, IdempotencyKey, OrderId};
use crate::domain::order::{Line, Order};

/// Most bytes of original text in one rejection. JSON escapes take at most six bytes for one, so that the whole stays
/// below the 48 KiB that a storage queue can carry.
const REJECTED_PART_BYTES_MAX: usize = 7 * 1024;
/// Most bytes of a bell: what a storage queue carries in 64 KiB of base64. A longer one rings with the id alone.
pub const BELL_BYTES_MAX: usize = 48 * 1024;
/// How long a sight is worth a try. It must be far shorter than a tombstone lives (30 days): until then a hold for an order
/// that has ended meanwhile is refused.
const SIGHT_AGE_MAX: TimeDelta = TimeDelta::hours(1);
/// Longest version of an order that is believed to be one, in characters.
const ETAG_CHARS_MAX: usize = 128;
/// Longest explanation in a rejection, in characters.
const DETAIL_CHARS_MAX: usize = 1000;

/// A message in the queue `orders`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum OrderMessage {
    /// Somebody rang: look at this order.
    Doorbell {
        /// Which one.
        order_id: OrderId,
        /// How the order was when somebody rang, if the bell says so in a form that can be used.
        sight: Option<Box<Sight>>,
        /// The trace that whoever rang is part of, if the bell says so.
        traceparent: Option<String>,
    },
    /// A checkout's whole order; its checkout id is the idempotency key.
    Checkout {
        /// Under which key it is placed.
        key: IdempotencyKey,
        /// What is ordered.
        request: OrderRequest,
        /// The trace that the checkout is part of, if it says so.
        traceparent: Option<String>,
    },
}

/// An order as it was when somebody rang for it, so that the worker may begin without reading it.
///
/// By the time the worker hears the bell the order may have any other state: a sight is good for trying and for nothing
/// else. Whatever an order holds travels in the bell, and lies in the queue and among what was rejected: today the
/// customer's id, and the words that came with a cancellation or a shipment. Who adds personal data to the order must leave
/// it out of here.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Sight {
    /// Its version, as the store names it.
    pub etag: String,
    /// The order in that version.
    pub order: Order,
}

impl Sight {
    /// Whether it is so young that nothing the order has left behind can be forgotten.
    pub fn is_young(&self, now: DateTime<Utc>) -> bool {
        now - self.order.updated_at <= SIGHT_AGE_MAX
    }

    /// Whether it is a sight of this order that a worker can build on: one version and no pattern, with the lines that
    /// were asked for, and with something to do, so that no worker is done before the store has confirmed it.
    fn is_usable(&self, order_id: &OrderId) -> bool {
        let version = self.etag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
        let is_version =
            |text: &str| (1..=ETAG_CHARS_MAX).contains(&text.len()) && text.bytes().all(is_plain);
        let demand = |line: &Line| Demand { product_id: line.product_id.clone(), quantity: line.quantity };
        let lines = self.order.lines.iter().map(demand).collect();
        let request =
            OrderRequest { customer_id: self.order.customer_id.clone(), lines, shipping_address: None };
        self.order.id == *order_id
            && version.is_some_and(is_version)
            && request.fingerprint() == self.order.fingerprint
            && self.order.has_work()
    }
}

/// Whether it may stand in a version: visible, and neither a quote nor a pattern.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'"' && byte != b'*'
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
    sight: Option<Value>,
    traceparent: Option<Value>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct BellText<'a> {
    order_id: &'a OrderId,
    sight: SightText<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<&'a str>,
}

#[derive(Serialize)]
struct SightText<'a> {
    etag: &'a str,
    order: &'a Order,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct CheckoutText {
    checkout_id: String,
    customer_id: String,
    #[serde(deserialize_with = "objects")]
    lines: Vec<LineDraft>,
    #[serde(default, deserialize_with = "optional_object")]
    shipping_address: Option<AddressDraft>,
    traceparent: Option<Value>,
}

impl OrderMessage {
    /// Reads a message of the queue `orders`. A bell with a sight that cannot be used is a bell without one, and a trace that
    /// is no text is none.
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
            let DoorbellText { order_id, sight, traceparent } =
                serde_json::from_str(text).map_err(unknown)?;
            let sight: Option<Sight> = sight.and_then(|sight| serde_json::from_value(sight).ok());
            let sight = sight.filter(|sight| sight.is_usable(&order_id)).map(Box::new);
            return Ok(Self::Doorbell { order_id, sight, traceparent: text_in(traceparent) });
        }
        let detail = "the message is neither {\"orderId\"} nor {\"checkoutId\", \"customerId\", \"lines\"}";
        Err(Rejection::new("invalid-message", detail))
    }

    /// The text of a doorbell.
    pub fn doorbell(id: &OrderId) -> String {
        serde_json::json!({ "orderId": id }).to_string()
    }

    /// The text of a doorbell that says how the order is now and of which trace this is a part, unless that is more than
    /// [`BELL_BYTES_MAX`].
    pub fn doorbell_with_sight(order: &Order, etag: &str, traceparent: Option<&str>) -> String {
        let bell = BellText { order_id: &order.id, sight: SightText { etag, order }, traceparent };
        let text = serde_json::to_string(&bell).ok().filter(|text| text.len() <= BELL_BYTES_MAX);
        text.unwrap_or_else(|| Self::doorbell(&order.id))
    }
}

/// A trace is a help to those who look, never a reason to refuse a message.
fn text_in(traceparent: Option<Value>) -> Option<String> {
    let Some(Value::String(text)) = traceparent else { return None };
    Some(text)
}

impl CheckoutText {
    fn check(self) -> Result<OrderMessage, Rejection> {
        let key = IdempotencyKey::parse(&self.checkout_id)
            .map_err(|error| Invalid::new("/checkoutId", error.to_string()));
        let draft = OrderDraft {
            customer_id: self.customer_id,
            lines: self.lines,
            shipping_address: self.shipping_address,
        };
        match (key, draft.check()) {
            (Ok(key), Ok(request)) => {
                Ok(OrderMessage::Checkout { key, request, traceparent: text_in(self.traceparent) })
            }
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
    use serde_json::json;

    use super::*;
    use crate::domain::order::tests::{NOW, pending};

    #[test]
    fn doorbell_and_checkout_are_told_apart() {
        let id = OrderId::parse(&"a".repeat(34)).unwrap();
        let bell = OrderMessage::Doorbell { order_id: id.clone(), sight: None, traceparent: None };
        assert_eq!(OrderMessage::parse(&OrderMessage::doorbell(&id)), Ok(bell));
        let text = r#"{"checkoutId":"c-1","customerId":"ada","lines":[{"productId":"w","quantity":2}]}"#;
        let Ok(OrderMessage::Checkout { key, request, .. }) = OrderMessage::parse(text) else { panic!() };
        assert_eq!((key.as_str(), request.lines[0].quantity), ("c-1", 2));
    }

    const ETAG: &str = r#""0a-1""#;

    /// The sight in a bell for this order, after a change to its text.
    fn sight_of(order: &Order, change: impl FnOnce(&mut Value)) -> Option<Box<Sight>> {
        let mut text = serde_json::from_str(&OrderMessage::doorbell_with_sight(order, ETAG, None)).unwrap();
        change(&mut text);
        match OrderMessage::parse(&text.to_string()) {
            Ok(OrderMessage::Doorbell { order_id, sight, .. }) if order_id == order.id => sight,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn bell_carries_the_order_as_it_is() {
        let order = pending(&[("a", 2), ("b", 1)]);
        let sight = sight_of(&order, |_| {}).unwrap();
        assert_eq!((&sight.order, sight.etag.as_str()), (&order, ETAG));
        assert!(sight.is_young(NOW + SIGHT_AGE_MAX));
        assert!(!sight.is_young(NOW + SIGHT_AGE_MAX + TimeDelta::milliseconds(1)));
    }

    #[test]
    fn sight_that_cannot_be_used_leaves_a_bell_without_one() {
        let order = pending(&[("a", 2)]);
        let changes: [(&str, Value); 10] = [
            ("/sight", Value::Null),
            ("/sight", json!("garbage")),
            ("/sight/etag", json!("*")),
            ("/sight/etag", json!(r#""*""#)),
            ("/sight/etag", json!("\"line\nbreak\"")),
            ("/sight/order/id", json!("b".repeat(34))),
            ("/sight/order/status", json!("teleported")),
            ("/sight/order/status", json!("confirmed")),
            ("/sight/order/lines/0/quantity", json!(3)),
            ("/sight/order/customerId", json!("bob")),
        ];
        for (pointer, value) in changes {
            let words = format!("{pointer} {value}");
            let sight = sight_of(&order, |text| *text.pointer_mut(pointer).unwrap() = value);
            assert_eq!(sight, None, "{words}");
        }
    }

    #[test]
    fn bell_and_checkout_say_of_which_trace_they_are_and_nonsense_is_none() {
        let traced = |text: &str| match OrderMessage::parse(text).unwrap() {
            OrderMessage::Doorbell { traceparent, .. } | OrderMessage::Checkout { traceparent, .. } => {
                traceparent
            }
        };
        let order = pending(&[("a", 2)]);
        assert_eq!(traced(&OrderMessage::doorbell_with_sight(&order, ETAG, Some("00-ab"))).unwrap(), "00-ab");
        assert_eq!(traced(&OrderMessage::doorbell(&order.id)), None);
        for (value, wanted) in [(json!("00-ab"), Some("00-ab")), (json!(7), None), (Value::Null, None)] {
            let bell = json!({"orderId": order.id, "traceparent": value});
            assert_eq!(traced(&bell.to_string()).as_deref(), wanted);
            let lines = [json!({"productId": "w", "quantity": 2})];
            let checkout =
                json!({"checkoutId": "c", "customerId": "ada", "lines": lines, "traceparent": value});
            assert_eq!(traced(&checkout.to_string()).as_deref(), wanted);
        }
    }

    #[test]
    fn order_that_no_queue_can_carry_is_rung_for_by_its_id() {
        let mut order = pending(&[("a", 1)]);
        order.lines[0].name = "\u{1}".repeat(BELL_BYTES_MAX / 6);
        assert_eq!(OrderMessage::doorbell_with_sight(&order, ETAG, None), OrderMessage::doorbell(&order.id));
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
