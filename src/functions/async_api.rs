//! What the shop announces and hears, as an AsyncAPI 3 document: kinds and their data come from the types that are sent.
//!
//! Does not know which function announces what, nor how a topic is reached.

use std::sync::LazyLock;

use chrono::{DateTime, Utc};
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::domain::announcement::{
    Announcement, News, OrderFailure, OrderNews, OrderShipment, ProductNews, ReviewNews, StockNews,
};
use crate::domain::id::{CustomerId, OrderId, ProductId};
use crate::domain::product::ProductStatus;
use crate::events::{SOURCE, TYPE_PREFIX, event};
use crate::host::event::SPEC_VERSION;

/// The version of the form of the document.
const ASYNCAPI: &str = "3.0.0";
/// The form of an event as a whole.
const CLOUD_EVENTS: &str = "application/cloudevents+json";
/// Where references between schemas point to.
const SCHEMAS: &str = "/components/schemas";
/// A trace in the examples.
const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The document. Made when it is first asked for, so that a cold start does not wait for it.
pub static DOCUMENT: LazyLock<Value> = LazyLock::new(document);

fn document() -> Value {
    let mut settings = SchemaSettings::draft07();
    settings.definitions_path = SCHEMAS.into();
    settings.meta_schema = None;
    let mut generator = settings.for_serialize().into_generator();
    let kinds = generator.subschema_for::<News>().to_value();
    let mut schemas = generator.take_definitions(true);
    let described = schemas.remove("News").unwrap_or(kinds);
    let mut messages: Map<String, Value> =
        described["oneOf"].as_array().into_iter().flatten().filter_map(announced).collect();
    let announced: Vec<String> = messages.keys().cloned().collect();
    messages.insert("CheckoutPlaced".to_owned(), heard());
    let all: Map<_, _> = announced.iter().map(|name| (name.clone(), reference("components", name))).collect();
    let sent: Vec<_> = announced.iter().map(|name| reference("channels/events", name)).collect();
    json!({
        "asyncapi": ASYNCAPI,
        "info": {
            "title": "Widget & Co shop events",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "What happens in the shop, as CloudEvents 1.0. Each event is sent at least once; `source` and `id` \
                together say that it is the same again. Events of one order are numbered by `sequence`, and may come in another \
                order. None names a customer: who may know more asks the API for the `subject`.",
            "license": {"name": "MIT"},
        },
        "defaultContentType": CLOUD_EVENTS,
        "channels": {
            "events": {
                "address": "events",
                "title": "Event Grid topic",
                "description": "All that the shop announces: the topic in Azure, and each webhook that asks for it.",
                "messages": all,
            },
            "checkouts": {
                "address": "events",
                "title": "Event Grid topic",
                "description": "What checkouts elsewhere announce on the same topic.",
                "messages": {"CheckoutPlaced": reference("components", "CheckoutPlaced")},
            },
        },
        "operations": {
            "announce": {
                "action": "send",
                "summary": "Tells what happened.",
                "channel": {"$ref": "#/channels/events"},
                "messages": sent,
            },
            "startOrder": {
                "action": "receive",
                "summary": "Places an order, as the same message in the queue `orders` does.",
                "channel": {"$ref": "#/channels/checkouts"},
                "messages": [reference("channels/checkouts", "CheckoutPlaced")],
            },
        },
        "components": {"messages": messages, "schemas": schemas},
    })
}

fn reference(place: &str, name: &str) -> Value {
    json!({"$ref": format!("#/{place}/messages/{name}")})
}

/// One kind of what is announced, from its place in the schema of all.
fn announced(kind: &Value) -> Option<(String, Value)> {
    let name = kind["properties"]["kind"]["const"].as_str()?;
    let summary = kind["description"].as_str().unwrap_or_default();
    let examples = examples().into_iter().filter(|example| example.news.kind() == name);
    let examples: Vec<_> = examples.map(|example| json!({"payload": event(&example)})).collect();
    let message = json!({
        "name": format!("{TYPE_PREFIX}{name}"),
        "title": name,
        "summary": summary,
        "contentType": CLOUD_EVENTS,
        "payload": envelope(
            &json!({"const": SOURCE}),
            &json!({"const": format!("{TYPE_PREFIX}{name}")}),
            &kind["properties"]["data"],
        ),
        "examples": examples,
    });
    Some((name.to_owned(), message))
}

/// The envelope of an event, with these schemas of its source, its type and its data.
fn envelope(source: &Value, kind: &Value, data: &Value) -> Value {
    json!({
        "type": "object",
        "required": ["specversion", "id", "source", "type", "data"],
        "properties": {
            "specversion": {"const": SPEC_VERSION},
            "id": {"type": "string", "description": "Its name within its source: the same id is the same event again."},
            "source": source,
            "type": kind,
            "subject": {"type": "string", "description": "To what it happened: the path of a resource below `/api/`."},
            "time": {"type": "string", "format": "date-time", "description": "When it happened."},
            "datacontenttype": {"const": "application/json"},
            "traceparent": {"type": "string", "description": "The trace in which it happened (W3C)."},
            "data": data,
        },
    })
}

/// What a checkout elsewhere announces.
fn heard() -> Value {
    let text = json!({"type": "string"});
    let data = json!({
        "type": "object",
        "required": ["checkoutId", "customerId", "lines"],
        "additionalProperties": false,
        "properties": {
            "checkoutId": {"type": "string", "description": "The idempotency key: the same one is the same order."},
            "customerId": text,
            "lines": {"type": "array", "items": {
                "type": "object",
                "required": ["productId", "quantity"],
                "additionalProperties": false,
                "properties": {"productId": text, "quantity": {"type": "integer", "minimum": 1}},
            }},
            "shippingAddress": {"type": "object", "description": "As in `POST /api/orders`."},
        },
    });
    let source = json!({"type": "string", "not": {"const": SOURCE}});
    let kind = json!({"type": "string", "pattern": r"(^|\.)OrderPlaced$"});
    json!({
        "name": "OrderPlaced",
        "title": "OrderPlaced from elsewhere",
        "summary": "A checkout that is not of this shop took an order.",
        "contentType": CLOUD_EVENTS,
        "payload": envelope(&source, &kind, &data),
        "examples": [{"payload": {
            "specversion": SPEC_VERSION, "id": "c-7", "source": "urn:kiosk:7", "type": "Kiosk.OrderPlaced",
            "data": {"checkoutId": "kiosk-7-1", "customerId": "c1", "lines": [{"productId": "widget-mini", "quantity": 1}]},
        }}],
    })
}

/// An announcement of each kind.
pub fn examples() -> Vec<Announcement> {
    let at = DateTime::<Utc>::UNIX_EPOCH;
    let (Ok(product_id), Ok(customer_id)) = (ProductId::parse("widget-classic"), CustomerId::parse("c1"))
    else {
        return Vec::new();
    };
    let order_id = OrderId::from_chance(&customer_id, [7; 16]);
    let order = |sequence| OrderNews { order_id: order_id.clone(), sequence };
    let product =
        |revision| ProductNews { product_id: product_id.clone(), revision, status: ProductStatus::Active };
    let failure = OrderFailure { order: order(2), code: "outOfStock".to_owned() };
    let shipment = OrderShipment { order: order(3), shipped_at: at, carrier: Some("Parcel post".to_owned()) };
    let stock = StockNews { product_id: product_id.clone(), available: 9, low_water: 10 };
    let review = ReviewNews { product_id: product_id.clone(), rating: 5, verified_purchase: true };
    let told =
        |id: &str, news| Announcement { id: id.to_owned(), at, traceparent: Some(TRACE.to_owned()), news };
    let of_order = |name: &str, news| told(&format!("{order_id}-{name}"), news);
    vec![
        told("product:widget-classic:1", News::ProductCreated(product(1))),
        told("product:widget-classic:2", News::ProductUpdated(product(2))),
        told("product:widget-classic:3", News::ProductDeleted(product(3))),
        of_order("placed", News::OrderPlaced(order(1))),
        of_order("confirmed", News::OrderConfirmed(order(2))),
        of_order("failed", News::OrderFailed(failure)),
        of_order("shipped", News::OrderShipped(shipment)),
        of_order("cancelled", News::OrderCancelled(order(2))),
        told("stock:widget-classic:1", News::StockLow(stock)),
        told("review:widget-classic:mfrggzdfmztwq2lk:1", News::ReviewPosted(review)),
    ]
}
