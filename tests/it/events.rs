//! What the shop announces: each thing that happens once, under an id of its own, in the form that the AsyncAPI document says; and
//! what hears of it and needs no mail.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;
use azure_data_cosmos::FeedScope;
use futures::TryStreamExt;
use serde_json::{Value, json};
use widgetco::domain::announcement::News;
use widgetco::functions::async_api::DOCUMENT;

use crate::npm::installed;
use crate::shop::{Answer, TestShop, order_body};

const PUBLISHERS: [(&str, &str); 4] = [
    ("PublishOrders", "orders"),
    ("PublishProducts", "products"),
    ("PublishReviews", "reviews"),
    ("PublishStock", "stock"),
];
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Every document of a container, as a change feed from the beginning has them.
async fn feed(shop: &TestShop, container: &str) -> Vec<Value> {
    let client = shop.container(container).await;
    let found = client.query_items("SELECT * FROM c", FeedScope::full_container(), None).await.unwrap();
    found.try_collect().await.unwrap()
}

/// What the function answers to these documents, as text in a string, which is how the host writes an array.
async fn published(shop: &TestShop, function: &str, documents: &[Value]) -> Vec<Value> {
    let answer = shop.invoke(function, json!({"documents": json!(documents).to_string()}), json!({})).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    events(&answer)
}

/// The events in an answer, each held to its message in the document.
fn events(answer: &Answer) -> Vec<Value> {
    let texts = answer.body["Outputs"]["events"].as_array().cloned().unwrap_or_default();
    let read = |text: &Value| {
        let event: Value = serde_json::from_str(text.as_str().unwrap()).unwrap();
        let name = event["type"].as_str().unwrap().strip_prefix("WidgetCo.").unwrap();
        hold(name, &event);
        event
    };
    texts.iter().map(read).collect()
}

/// Fails where an event is not what the document says of its kind.
fn hold(name: &str, event: &Value) {
    let payload = &DOCUMENT["components"]["messages"][name]["payload"];
    assert!(payload.is_object(), "the document has no message {name}");
    let schema = json!({"allOf": [payload], "components": DOCUMENT["components"]});
    let validator = jsonschema::draft7::options().should_validate_formats(true).build(&schema).unwrap();
    let mistakes: Vec<_> = validator.iter_errors(event).map(|error| error.to_string()).collect();
    assert!(mistakes.is_empty(), "{event}: {mistakes:?}");
}

/// All that the shop has announced so far, by id.
async fn announced(shop: &TestShop) -> BTreeMap<String, Value> {
    let mut all = BTreeMap::new();
    for (function, container) in PUBLISHERS {
        for event in published(shop, function, &feed(shop, container).await).await {
            let earlier = all.insert(event["id"].as_str().unwrap().to_owned(), event.clone());
            assert_eq!(earlier, None, "two events of one id");
        }
    }
    all
}

/// The kinds of what was announced about this, in the order of their ids.
fn kinds<'a>(announced: &'a BTreeMap<String, Value>, subject: &str) -> Vec<&'a str> {
    let about = announced.values().filter(|event| event["subject"] == subject);
    about.map(|event| event["type"].as_str().unwrap().strip_prefix("WidgetCo.").unwrap()).collect()
}

async fn hear(shop: &TestShop, function: &str, event: &Value) -> Answer {
    shop.invoke(function, json!({ "event": event }), json!({})).await
}

fn sorted<'a>(kinds: &[&'a str]) -> BTreeSet<&'a str> {
    kinds.iter().copied().collect()
}

#[tokio::test]
async fn every_step_of_an_order_is_announced_and_names_no_customer() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let shipped = shop.place("ada", &[("w", 2)]).await;
    let failed = shop.place("ada", &[("w", 50)]).await;
    let cancelled = shop.place("bob", &[("w", 1)]).await;
    shop.work().await;
    let body = json!({"carrier": "Parcel post", "trackingNumber": "PP-4711"});
    shop.put(&format!("/api/orders/{shipped}/shipment"), &[], body).await;
    let body = json!({"reason": "moved to the sea"});
    shop.post(&format!("/api/orders/{cancelled}/cancellation"), &[], body).await;
    shop.work().await;
    let announced = announced(&shop).await;
    for (id, expected) in [
        (&shipped, ["OrderPlaced", "OrderConfirmed", "OrderShipped"].as_slice()),
        (&failed, &["OrderPlaced", "OrderFailed"]),
        (&cancelled, &["OrderPlaced", "OrderConfirmed", "OrderCancelled"]),
    ] {
        assert_eq!(sorted(&kinds(&announced, &format!("orders/{id}"))), sorted(expected), "{id}");
    }
    assert_eq!(announced[&format!("{failed}-failed")]["data"]["code"], "outOfStock");
    assert_eq!(announced[&format!("{shipped}-shipped")]["data"]["carrier"], "Parcel post");
    let text = json!(announced).to_string();
    for personal in ["ada", "bob", "PP-4711", "moved to the sea", "example.com"] {
        assert!(!text.contains(personal), "{personal}");
    }
}

#[tokio::test]
async fn product_announces_itself_by_revision_and_what_changes_nothing_is_no_news() {
    let shop = TestShop::open(&[]).await;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let body = json!({"sku": "MUG", "name": "Mug", "price": {"amountMinor": 900, "currency": "EUR"}, "status": "draft"});
    shop.post("/api/products", &[("traceparent", &parent)], body).await;
    let announced_now = announced(&shop).await;
    let created = &announced_now["product:mug:1"];
    assert_eq!(
        (&created["type"], &created["data"]["status"]),
        (&json!("WidgetCo.ProductCreated"), &json!("draft"))
    );
    assert!(created["traceparent"].as_str().unwrap().contains(TRACE), "{created}");
    for name in ["Mug", "Cup", "Cup", "Bowl"] {
        let answer = shop
            .send(
                "PATCH",
                "/api/products/mug",
                &[("content-type", "application/merge-patch+json")],
                Some(json!({"name": name}).to_string()),
            )
            .await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    }
    assert_eq!(
        announced(&shop).await.into_keys().collect::<Vec<_>>(),
        ["product:mug:1", "product:mug:3"],
        "created, and as it is now"
    );
    shop.send("DELETE", "/api/products/mug", &[], None).await;
    let announced = announced(&shop).await;
    assert_eq!(announced["product:mug:4"]["type"], "WidgetCo.ProductDeleted");
}

#[tokio::test]
async fn new_product_gets_counts_once_and_what_is_there_stays() {
    let shop = TestShop::open(&[("old", 4)]).await;
    let body = json!({"sku": "MUG", "name": "Mug", "price": {"amountMinor": 900, "currency": "EUR"}});
    shop.post("/api/products", &[], body).await;
    let events = announced(&shop).await;
    for _ in 0..2 {
        for event in events.values() {
            assert_eq!(hear(&shop, "UpdateInventory", event).await.status, StatusCode::OK);
        }
    }
    let stock = shop.get("/api/products/mug/stock").await.body;
    assert_eq!((&stock["onHand"], &stock["lowWater"]), (&json!(0), &json!(10)));
    let old = shop.get("/api/products/old/stock").await.body;
    assert_eq!((&old["onHand"], &old["lowWater"]), (&json!(4), &json!(10)));
    // Nothing was ever counted, so the first count may say that it is the first.
    let path = "/api/products/mug/stock";
    let counted = shop.put(path, &[("If-None-Match", "*")], json!({"onHand": 25, "lowWater": 3})).await;
    assert_eq!(
        (counted.status, &counted.body["lowWater"]),
        (StatusCode::OK, &json!(3)),
        "{:?}",
        counted.body
    );
    hear(&shop, "UpdateInventory", &events["product:mug:1"]).await;
    assert_eq!(shop.get(path).await.body["lowWater"], 3);
    let again = shop.put(path, &[("If-None-Match", "*")], json!({"onHand": 5})).await;
    assert_eq!(again.status, StatusCode::PRECONDITION_FAILED);
    shop.audit("old").await;
    shop.audit("mug").await;
    // The old product was low when somebody began to watch it; the new one never had a piece to lose.
    let low = kinds(&announced(&shop).await, "products/old/stock").len();
    assert_eq!((low, kinds(&announced(&shop).await, "products/mug/stock").len()), (1, 0));
}

#[tokio::test]
async fn low_stock_is_announced_with_the_hold_that_reached_the_mark_and_again_after_a_delivery() {
    let shop = TestShop::open(&[("w", 12)]).await;
    let etag = shop.get("/api/products/w/stock").await.header("etag").to_owned();
    shop.put("/api/products/w/stock", &[("If-Match", &etag)], json!({"onHand": 12, "lowWater": 5})).await;
    for (quantity, expected) in [(6, 0), (1, 1), (2, 1)] {
        shop.place("ada", &[("w", quantity)]).await;
        shop.work().await;
        assert_eq!(kinds(&announced(&shop).await, "products/w/stock").len(), expected, "after {quantity}");
    }
    shop.post("/api/products/w/stock/adjustments", &[], json!({"delta": 9, "reason": "delivered"})).await;
    shop.post("/api/products/w/stock/adjustments", &[], json!({"delta": -8, "reason": "broken"})).await;
    let announced = announced(&shop).await;
    assert_eq!(announced["stock:w:1"]["data"], json!({"productId": "w", "available": 5, "lowWater": 5}));
    assert_eq!(announced["stock:w:2"]["data"]["available"], 4);
    shop.audit("w").await;
}

#[tokio::test]
async fn review_is_announced_when_it_says_something_new_and_not_for_votes() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let path = "/api/products/w/reviews/ada";
    let review = |rating: u8| json!({"rating": rating, "title": "Fine", "text": "Secret words of mine"});
    for rating in [5, 5, 2] {
        let answer = shop.put(path, &[], review(rating)).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
    }
    shop.put(&format!("{path}/votes/bob"), &[], json!({})).await;
    let announced = announced(&shop).await;
    let reviews: Vec<_> =
        announced.values().filter(|event| event["subject"] == "products/w/reviews").collect();
    let ratings: Vec<_> = reviews.iter().map(|event| event["data"]["rating"].as_u64().unwrap()).collect();
    assert_eq!(ratings, [5, 2]);
    let text = json!(reviews).to_string();
    assert!(!text.contains("ada") && !text.contains("Secret"), "{text}");
    shop.send("DELETE", path, &[], None).await;
    assert_eq!(super::events::announced(&shop).await.len(), announced.len());
}

#[tokio::test]
async fn document_that_cannot_be_read_is_named_and_the_others_are_announced() {
    let shop = TestShop::open(&[("w", 10)]).await;
    shop.place("ada", &[("w", 1)]).await;
    let mut documents = feed(&shop, "orders").await;
    documents.insert(0, json!({"id": "broken", "type": "event", "customerName": "Ada"}));
    // As an array that is one, this time.
    let answer = shop.invoke("PublishOrders", json!({ "documents": documents }), json!({})).await;
    assert_eq!((answer.status, events(&answer).len()), (StatusCode::OK, 1));
    let rejected = shop.messages("events-rejected");
    assert_eq!(rejected.len(), 1);
    assert!(
        rejected[0].contains("\"documentId\":\"broken\"") && !rejected[0].contains("Ada"),
        "{rejected:?}"
    );
    let none = shop.invoke("PublishOrders", json!({ "documents": 7 }), json!({})).await;
    assert_eq!(none.status, StatusCode::INTERNAL_SERVER_ERROR, "the host brings it again");
}

#[tokio::test]
async fn checkout_elsewhere_places_an_order_by_an_event_once() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let event = |data: Value| json!({"specversion": "1.0", "id": "1", "source": "urn:kiosk:7", "type": "Kiosk.OrderPlaced", "data": data});
    let line = json!([{"productId": "w", "quantity": 2}]);
    let good = event(json!({"checkoutId": "k-1", "customerId": "ada", "lines": line}));
    hold("CheckoutPlaced", &good);
    for _ in 0..2 {
        assert_eq!(hear(&shop, "StartOrder", &good).await.status, StatusCode::OK);
    }
    shop.work().await;
    assert_eq!(shop.counts("w").await, (10, 2, 8));
    let orders = shop.get("/api/customers/ada/orders").await.body;
    assert_eq!(orders["items"][0]["status"], "confirmed");
    // Our own events, and what is about something else, ring for nothing.
    for own in announced(&shop).await.into_values() {
        assert_eq!(hear(&shop, "StartOrder", &own).await.status, StatusCode::OK);
    }
    let mut other = good.clone();
    other["type"] = "Kiosk.OrderEaten".into();
    hear(&shop, "StartOrder", &other).await;
    assert!(shop.messages("orders").is_empty());
    for (data, reason) in [
        (json!({"checkoutId": "k-2", "customerId": "ada", "lines": []}), "invalid-order"),
        (json!("what is this?"), "invalid-message"),
        (json!({"orderId": orders["items"][0]["id"]}), "does not ring"),
        (json!({"checkoutId": "k-3", "note": "x".repeat(49 * 1024)}), "too-large"),
    ] {
        assert_eq!(hear(&shop, "StartOrder", &event(data)).await.status, StatusCode::OK);
        let rejected = shop.drain("orders-rejected");
        assert!(rejected[0].contains(reason), "{reason}: {}", &rejected[0][..200.min(rejected[0].len())]);
    }
    let mut bytes = event(Value::Null);
    bytes["data_base64"] = "bm8gb3JkZXI=".into();
    hear(&shop, "StartOrder", &bytes).await;
    assert!(shop.drain("orders-rejected")[0].contains("bm8gb3JkZXI="));
    let no_event = hear(&shop, "StartOrder", &json!({"id": "1"})).await;
    assert_eq!(no_event.status, StatusCode::INTERNAL_SERVER_ERROR);
}

#[tokio::test]
async fn batch_of_large_documents_is_taken_whole() {
    let shop = TestShop::open(&[]).await;
    let product = |number: u32| {
        json!({
            "id": format!("p-{number}"), "type": "product", "sku": format!("P-{number}"), "name": "Mug", "description": "\"".repeat(60_000),
            "price": {"amountMinor": 1, "currency": "EUR"}, "status": "active", "categoryIds": [], "collectionIds": [],
            "attributes": [], "images": [], "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": "2026-03-01T12:00:00.000Z",
        })
    };
    let documents: Vec<_> = (0..25).map(product).collect();
    assert_eq!(published(&shop, "PublishProducts", &documents).await.len(), 25);
}

#[tokio::test]
async fn order_is_announced_while_it_waits_for_its_worker() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let answer = shop.post("/api/orders", &[], order_body("ada", &[("w", 1)])).await;
    let id = answer.body["id"].as_str().unwrap();
    assert_eq!(kinds(&announced(&shop).await, &format!("orders/{id}")), ["OrderPlaced"]);
}

#[test]
fn document_of_what_is_announced_is_asyncapi_and_its_examples_are_right() {
    let folder = installed("tests/asyncapi", "the schema of AsyncAPI documents");
    let schema = folder.join("@asyncapi/specs/schemas/3.0.0-without-$id.json");
    let schema: Value = serde_json::from_str(&std::fs::read_to_string(schema).unwrap()).unwrap();
    let validator = jsonschema::draft7::new(&schema).unwrap();
    let mistakes: Vec<_> =
        validator.iter_errors(&DOCUMENT).map(|error| format!("{}: {error}", error.instance_path())).collect();
    assert!(mistakes.is_empty(), "{mistakes:#?}");
    let messages = DOCUMENT["components"]["messages"].as_object().unwrap();
    let names: BTreeSet<_> = messages.keys().map(String::as_str).collect();
    assert_eq!(names, News::KINDS.into_iter().chain(["CheckoutPlaced"]).collect());
    for (name, message) in messages {
        let examples = message["examples"].as_array().unwrap();
        assert_eq!(examples.len(), 1, "{name}");
        hold(name, &examples[0]["payload"]);
        assert!(!message["summary"].as_str().unwrap().is_empty(), "{name}");
    }
}
