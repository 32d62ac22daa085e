//! Examples of requests and resources for the API's document; `cargo run` has the products and customers in them.

use serde_json::{Value, json};

const ORDER_ID: &str = "hjv6k3mmmfrggzdfmztwq2lknnwg23tpoa";
const IMAGE_ID: &str = "mfrggzdfmztwq2lknnwg23tpoa";
const WEBHOOK_ID: &str = "nbswy3dpo5xxe3deonxw2zjamq";
const TIME: &str = "2026-05-04T09:30:00.000Z";

/// An order as somebody asks for it.
pub fn order_draft() -> Value {
    json!({"customerId": "c1", "lines": [{"productId": "widget-classic", "quantity": 2}]})
}

/// An order as it was placed.
pub fn placed_order() -> Value {
    json!({
        "id": ORDER_ID,
        "customerId": "c1",
        "status": "pending",
        "lines": [{"productId": "widget-classic", "name": "Classic widget", "quantity": 2, "unitPrice": euros(1999)}],
        "total": euros(3998),
        "placedAt": TIME,
    })
}

/// An order that waits for its courier.
pub fn order() -> Value {
    with(placed_order(), json!({"status": "confirmed", "updatedAt": TIME}))
}

/// An order that left the house.
pub fn shipped_order() -> Value {
    let shipment = with(shipment(), json!({"shippedAt": TIME}));
    with(order(), json!({"status": "shipped", "shipment": shipment}))
}

/// An order that was called off.
pub fn cancelled_order() -> Value {
    let cancellation = with(json!({"cancelledAt": TIME}), cancellation());
    with(order(), json!({"status": "cancelled", "cancellation": cancellation}))
}

/// What a courier says.
pub fn shipment() -> Value {
    json!({"carrier": "Parcel Express", "trackingNumber": "PX-2026-0042"})
}

/// Why somebody calls an order off.
pub fn cancellation() -> Value {
    json!({"reason": "ordered twice"})
}

/// The first event of an order.
pub fn event() -> Value {
    json!({
        "id": format!("{ORDER_ID}-placed"), "orderId": ORDER_ID, "sequence": 1, "at": TIME, "kind": "orderPlaced",
    })
}

/// A product as somebody asks for it.
pub fn product_draft() -> Value {
    json!({
        "sku": "MUG-RED",
        "name": "Mug, red",
        "description": "Holds 300 ml.",
        "price": euros(900),
        "status": "active",
        "categoryIds": [],
        "collectionIds": [],
        "attributes": [{"name": "weight", "value": 310, "unit": "g"}, {"name": "dishwasher", "value": true}],
    })
}

/// A product.
pub fn product() -> Value {
    let more = json!({
        "id": "mug-red", "images": [image()], "available": 12, "createdAt": TIME, "updatedAt": TIME,
    });
    with(product_draft(), more)
}

/// What came of the rows of a file.
pub fn import_report() -> Value {
    json!({
        "created": 1, "updated": 0, "unchanged": 0, "failed": 1,
        "rows": [
            {"row": 1, "productId": "mug-red", "outcome": "created"},
            {"row": 2, "outcome": "invalid", "errors": [{"pointer": "/name", "detail": "missing field `name`"}]},
        ],
    })
}

/// A category as somebody asks for it.
pub fn collection_draft() -> Value {
    json!({"id": "mugs", "kind": "category", "name": "Mugs", "description": "For hot drinks."})
}

/// A category.
pub fn collection() -> Value {
    with(collection_draft(), json!({"createdAt": TIME, "updatedAt": TIME}))
}

/// A customer as somebody asks for it.
pub fn customer_draft() -> Value {
    json!({
        "id": "ada", "email": "ada@example.com", "name": "Ada Lovelace", "phone": "+4930123456",
        "addresses": [address()],
    })
}

/// A place where parcels can go.
pub fn address() -> Value {
    json!({"lines": ["Unter den Linden 1"], "postalCode": "10115", "city": "Berlin", "country": "DE"})
}

/// All that a customer agrees to.
pub fn consents_draft() -> Value {
    json!({
        "source": "account page", "marketing": false,
        "sharing": [{"partnerId": "parcel-post", "granted": true}],
    })
}

/// A customer.
pub fn customer() -> Value {
    let consent = |granted: bool| json!({"granted": granted, "at": TIME, "source": "account page"});
    let sharing = with(consent(true), json!({"partnerId": "parcel-post"}));
    let consents = json!({"marketing": consent(false), "sharing": [sharing]});
    with(customer_draft(), json!({"consents": consents, "createdAt": TIME, "updatedAt": TIME}))
}

/// All about a customer.
pub fn customer_export() -> Value {
    json!({
        "customer": customer(), "orders": [{"order": order(), "events": [event()]}], "reviews": [kept_review()],
        "shippingAddresses": [{"orderId": ORDER_ID, "address": address()}], "disclosures": [disclosure()],
    })
}

/// A contract as staff write it.
pub fn contract_draft() -> Value {
    json!({
        "purpose": "delivers flyers", "fields": ["/name", "/addresses/*/city"], "consent": ["sharing"],
        "validUntil": "2027-01-01T00:00:00.000Z",
    })
}

/// A partner.
pub fn partner() -> Value {
    let more = json!({"id": "parcel-post", "version": 1, "createdAt": TIME, "updatedAt": TIME});
    with(contract_draft(), more)
}

/// One page of a partner's pull, which is the last.
pub fn pull_page() -> Value {
    let ada = json!({
        "id": "k5zw4ztjmrqxi2lpnyxgk3tdmu", "name": "Ada Lovelace", "addresses": [{"city": "Berlin"}],
    });
    let removed = json!({"id": "mzxw6ytboi2dknrxha4tembrgi", "removed": true});
    let link = format!("/api/partners/parcel-post/customers?limit=100&cursor={IMAGE_ID}");
    json!({"items": [ada, removed], "deltaLink": link})
}

/// A pull of a partner, on record.
pub fn pull() -> Value {
    json!({
        "id": IMAGE_ID, "at": TIME, "form": "json", "contractVersion": 1, "purpose": "delivers flyers",
        "fields": ["/name", "/addresses/*/city"], "count": {"customers": 1, "removed": 1},
    })
}

/// What a customer sees of a pull that they were in.
pub fn disclosure() -> Value {
    json!({
        "id": IMAGE_ID, "at": TIME, "partnerId": "parcel-post", "contractVersion": 1, "purpose": "delivers flyers",
        "fields": ["/name", "/addresses/*/city"],
    })
}

/// The tree of categories.
pub fn category_tree() -> Value {
    let mugs = json!({"id": "mugs", "name": "Mugs", "children": []});
    json!({"items": [{"id": "kitchen", "name": "Kitchen", "children": [mugs]}]})
}

/// A picture.
pub fn image() -> Value {
    json!({
        "id": IMAGE_ID, "alt": "a red mug", "format": "jpeg", "widthPx": 2000, "heightPx": 1500, "sizeBytes": 481_230,
        "renditions": [
            {"widthPx": 400, "heightPx": 300, "sizeBytes": 9_120},
            {"widthPx": 1200, "heightPx": 900, "sizeBytes": 51_466},
        ],
        "createdAt": TIME,
    })
}

/// The order of a product's pictures.
pub fn arrangement() -> Value {
    json!({"items": [{"id": IMAGE_ID, "alt": "a red mug"}]})
}

/// The counts of a product.
pub fn stock() -> Value {
    json!({"productId": "widget-classic", "onHand": 250, "held": 2, "available": 248, "lowWater": 10, "updatedAt": TIME})
}

/// A change of the pieces on hand.
pub fn adjustment() -> Value {
    json!({
        "id": "adjustment-mfrggzdfmztwq2lknnwg23tpoa", "productId": "widget-classic", "delta": -3,
        "reason": "broken in the warehouse", "onHandAfter": 247, "createdAt": TIME,
    })
}

/// A review as somebody writes it.
pub fn review_draft() -> Value {
    json!({"rating": 4, "title": "Does what it should", "text": "In use every day, for a year now."})
}

/// A review as everybody sees it.
pub fn review() -> Value {
    let more = json!({
        "productId": "widget-classic", "customerId": "c1", "verifiedPurchase": true, "helpful": 7, "createdAt": TIME,
        "updatedAt": TIME,
    });
    with(review_draft(), more)
}

/// A review as its author and staff see it.
pub fn kept_review() -> Value {
    with(review(), json!({"status": "published", "reports": 0}))
}

/// A review that staff have hidden.
pub fn moderated_review() -> Value {
    let moderation = json!({"status": "hidden", "reason": "names a person", "decidedAt": TIME});
    with(kept_review(), json!({"status": "hidden", "reports": 2, "moderation": moderation}))
}

/// A review that somebody has reported.
pub fn reported_review() -> Value {
    let reasons = json!([{"reason": "offTopic", "count": 2}]);
    with(kept_review(), json!({"reports": 2, "reasons": reasons, "reportedAt": TIME}))
}

/// What all reviews of a product say together.
pub fn review_summary() -> Value {
    json!({"productId": "widget-classic", "count": 12, "mean": 4.33, "histogram": [0, 1, 1, 3, 7]})
}

/// What reviews say over a period.
pub fn review_insights() -> Value {
    let ranked = json!({"productId": "widget-classic", "name": "Classic widget", "count": 3, "mean": 4.67, "histogram": [0, 0, 0, 1, 2]});
    json!({
        "scope": "category", "id": "widgets", "name": "Widgets", "from": "2026-10", "to": "2026-11",
        "total": {"count": 3, "mean": 4.67, "histogram": [0, 0, 0, 1, 2]},
        "previous": {"from": "2026-08", "to": "2026-09", "count": 1, "mean": 4.0, "histogram": [0, 0, 0, 1, 0]},
        "change": {"count": 2, "mean": 0.67},
        "months": [
            {"month": "2026-10", "count": 0, "histogram": [0, 0, 0, 0, 0]},
            {"month": "2026-11", "count": 3, "mean": 4.67, "histogram": [0, 0, 0, 1, 2]},
        ],
        "terms": [{"term": "quiet", "count": 2}],
        "products": {"worst": [], "best": [ranked]},
    })
}

/// A webhook as staff ask for it.
pub fn webhook_draft() -> Value {
    json!({
        "url": "https://example.com/widgets?shop=1", "eventTypes": ["OrderConfirmed", "OrderCancelled"],
        "description": "the warehouse's label printer",
    })
}

/// A webhook.
pub fn webhook() -> Value {
    let more = json!({"id": WEBHOOK_ID, "status": "active", "createdAt": TIME, "updatedAt": TIME});
    with(webhook_draft(), more)
}

/// A webhook with its secret.
pub fn webhook_with_secret() -> Value {
    with(webhook(), json!({"secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"}))
}

/// An event on its way to a webhook, after an attempt.
pub fn delivery() -> Value {
    let id = format!("{ORDER_ID}-confirmed");
    let event = json!({
        "specversion": "1.0", "id": id, "source": "urn:widgetco:shop", "type": "WidgetCo.OrderConfirmed",
        "subject": format!("orders/{ORDER_ID}"), "time": TIME, "datacontenttype": "application/json",
        "data": {"orderId": ORDER_ID, "sequence": 2},
    });
    json!({
        "id": id, "webhookId": WEBHOOK_ID, "state": "pending", "event": event,
        "attempts": [{"at": TIME, "status": 503, "durationMs": 120}], "nextAttemptAt": TIME, "createdAt": TIME,
    })
}

/// What an audit found.
pub fn audit() -> Value {
    json!({"at": TIME, "products": 20, "busy": [], "differences": [], "late": [], "left": []})
}

/// One page of these items, which is the last.
pub fn page(item: Value) -> Value {
    json!({"items": [item]})
}

fn euros(amount_minor: u64) -> Value {
    json!({"amountMinor": amount_minor, "currency": "EUR"})
}

/// An object with more members, or others.
fn with(mut object: Value, more: Value) -> Value {
    if let (Value::Object(members), Value::Object(more)) = (&mut object, more) {
        members.extend(more);
    }
    object
}
