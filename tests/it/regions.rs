//! A shop in a region that lags behind the one that takes the writes: what has not arrived there is found all the same, and
//! nothing is decided on what it still shows.
#![cfg(test)]

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::json;
use tokio::net::TcpListener;
use widgetco::app::App;
use widgetco::config::{CosmosConfig, Endpoint, Identity};
use widgetco::domain::id::OrderId;
use widgetco::domain::message::OrderMessage;
use widgetco::sources::Ids;
use widgetco::store::Store;
use widgetco::store::emulator::Emulator;

use crate::shop::{DATABASE, TestShop, order_body};

const REGIONS: [&str; 2] = ["East US", "West US"];

/// A shop where the writes are taken, and one far from there that learns nothing more from now on.
async fn near_and_far(stock: &[(&str, u32)]) -> (TestShop, TestShop) {
    let mut listeners = Vec::new();
    for _ in REGIONS {
        listeners.push(TcpListener::bind("127.0.0.1:0").await.unwrap());
    }
    let address = |listener: &TcpListener| format!("http://{}/", listener.local_addr().unwrap());
    let addresses: Vec<_> = listeners.iter().map(address).collect();
    let regions = [(REGIONS[0], addresses[0].as_str()), (REGIONS[1], addresses[1].as_str())];
    let emulator = Arc::new(Emulator::in_regions(&regions).unwrap());
    for listener in listeners {
        tokio::spawn(Arc::clone(&emulator).serve(listener, std::future::pending()));
    }
    let near = TestShop::open_in(Arc::clone(&emulator), stock).await;
    let config = CosmosConfig {
        endpoint: Endpoint::Loopback(addresses[0].clone()),
        database: DATABASE.to_owned(),
        region: Some(REGIONS[1].to_owned()),
        identity: Identity::Developer,
    };
    let app = App::new(Store::connect(&config), near.app.clock.clone(), Ids::seeded(7));
    let far = TestShop::over(app, Arc::clone(&emulator));
    emulator.pause_replication(REGIONS[1]);
    (near, far)
}

fn bell(id: &str) -> String {
    OrderMessage::doorbell(&OrderId::parse(id).unwrap())
}

#[tokio::test]
async fn order_that_has_not_arrived_is_found() {
    let (near, far) = near_and_far(&[("w", 3)]).await;
    let id = near.place("ada", &[("w", 2)]).await;
    assert_eq!(far.status(&id).await, "pending");
    assert_eq!(far.deliver("ProcessOrder", &bell(&id), 1).await.status, StatusCode::OK);
    assert_eq!(near.status(&id).await, "confirmed");
    assert_eq!(near.get("/api/products/w/stock").await.body["held"], 2);
}

#[tokio::test]
async fn partner_gets_nobody_whose_withdrawal_has_not_arrived() {
    let (near, far) = near_and_far(&[]).await;
    let contract = json!({"purpose": "flyers", "fields": ["/name"], "validUntil": "2030-01-01T00:00:00Z"});
    let agreed = near.put("/api/partners/willy", &[("If-None-Match", "*")], contract).await;
    assert_eq!(agreed.status, StatusCode::OK, "{:?}", agreed.body);
    let says = async |customer: &str, granted: bool| {
        let sharing = json!([{"partnerId": "willy", "granted": granted}]);
        let body = json!({"source": "test", "marketing": false, "sharing": sharing});
        let path = format!("/api/customers/{customer}/consents");
        assert_eq!(near.put(&path, &[("If-Match", "*")], body).await.status, StatusCode::OK);
    };
    says("ada", true).await;
    near.emulator.resume_replication(REGIONS[1]);
    says("bob", true).await;
    near.emulator.pause_replication(REGIONS[1]);
    says("bob", false).await;
    let pulled = far.get("/api/partners/willy/customers").await.body;
    let names: Vec<_> =
        pulled["items"].as_array().unwrap().iter().filter_map(|one| one["name"].as_str()).collect();
    assert_eq!(names, ["ADA"]);
}

#[tokio::test]
async fn poisoned_bell_for_an_order_that_has_not_arrived_fails_it_and_rejects_nothing() {
    let (near, far) = near_and_far(&[("w", 3)]).await;
    let id = near.place("ada", &[("w", 2)]).await;
    assert_eq!(far.deliver("RecordPoisonOrder", &bell(&id), 1).await.status, StatusCode::OK);
    assert!(far.messages("orders-rejected").is_empty());
    assert_eq!(near.status(&id).await, "failed");
}

#[tokio::test]
async fn nobody_is_refused_because_of_a_delivery_that_has_not_arrived() {
    let (near, far) = near_and_far(&[("w", 0)]).await;
    near.post("/api/products/w/stock/adjustments", &[], json!({"delta": 2, "reason": "delivered"})).await;
    assert_eq!(far.get("/api/products/w/stock").await.body["available"], 0, "it lags");
    let id = near.place("ada", &[("w", 2)]).await;
    far.deliver("ProcessOrder", &bell(&id), 1).await;
    assert_eq!(near.status(&id).await, "confirmed");
}

#[tokio::test]
async fn checkout_of_a_product_that_has_not_arrived_is_placed() {
    let (near, far) = near_and_far(&[]).await;
    near.add_product("w", 1).await;
    let mut checkout = order_body("ada", &[("w", 1)]);
    checkout["checkoutId"] = json!("c-1");
    assert_eq!(far.deliver("ProcessOrder", &checkout.to_string(), 1).await.status, StatusCode::OK);
    assert!(far.messages("orders-rejected").is_empty());
    let orders = near.get("/api/customers/ada/orders").await.body;
    assert_eq!(orders["items"][0]["status"], "confirmed");
}

#[tokio::test]
async fn creation_that_has_not_arrived_is_replayed_and_its_key_is_known() {
    let (near, far) = near_and_far(&[]).await;
    let key = [("Idempotency-Key", "k1")];
    let body = |sku: &str| json!({"sku": sku, "name": "A", "price": {"amountMinor": 1, "currency": "EUR"}});
    assert_eq!(near.post("/api/products", &key, body("A-1")).await.status, StatusCode::CREATED);
    assert_eq!(far.get("/api/products/a-1").await.status, StatusCode::NOT_FOUND, "it lags");
    let again = far.post("/api/products", &key, body("A-1")).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    let reused = far.post("/api/products", &key, body("A-2")).await;
    assert_eq!(reused.body["code"], "idempotency-key-reused");
}

#[tokio::test]
async fn product_that_has_not_arrived_or_is_an_old_one_is_changed_all_the_same() {
    let (near, far) = near_and_far(&[]).await;
    let body = json!({"sku": "A-1", "name": "A", "price": {"amountMinor": 1, "currency": "EUR"}});
    near.post("/api/products", &[], body).await;
    let patch = async |shop: &TestShop, name: &str| {
        let body = json!({"name": name}).to_string();
        shop.send("PATCH", "/api/products/a-1", &[], Some(body)).await.status
    };
    assert_eq!(patch(&far, "B").await, StatusCode::OK);
    assert_eq!(patch(&near, "C").await, StatusCode::OK);
    assert_eq!(patch(&far, "D").await, StatusCode::OK);
    assert_eq!(near.get("/api/products/a-1").await.body["name"], "D");
}

#[tokio::test]
async fn product_of_a_category_that_has_not_arrived_is_created() {
    let (near, far) = near_and_far(&[]).await;
    let lamps = json!({"id": "lamps", "kind": "category", "name": "Lamps"});
    assert_eq!(near.post("/api/collections", &[], lamps).await.status, StatusCode::CREATED);
    assert_eq!(far.get("/api/collections/lamps").await.status, StatusCode::NOT_FOUND, "it lags");
    let price = json!({"amountMinor": 1, "currency": "EUR"});
    let lamp = json!({"sku": "L-1", "name": "Lamp", "price": price, "categoryIds": ["lamps"]});
    assert_eq!(far.post("/api/products", &[], lamp).await.status, StatusCode::CREATED);
}
