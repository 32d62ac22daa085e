//! `PlaceOrder`: accepted once per key, with the catalogue's names and prices.
#![cfg(test)]

use std::collections::BTreeSet;
use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};

use crate::shop::{TestShop, order_body};

#[tokio::test]
async fn same_idempotency_key_twice_is_one_order_and_the_same_answer() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let key = [("Idempotency-Key", "attempt-1")];
    let first = shop.post("/api/orders", &key, order_body("ada", &[("w", 3)])).await;
    assert_eq!(first.status, StatusCode::ACCEPTED);
    assert_eq!(first.header("location"), format!("/api/orders/{}", first.body["id"].as_str().unwrap()));
    assert_eq!((first.header("retry-after"), first.header("idempotency-replayed")), ("1", ""));
    shop.work().await;
    shop.advance(Duration::from_secs(60));
    let again = shop.post("/api/orders", &key, order_body("ada", &[("w", 3)])).await;
    assert_eq!((again.status, &again.body), (first.status, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    shop.work().await;
    assert_eq!(shop.counts("w").await, (10, 3, 7));
    let other = shop.post("/api/orders", &key, order_body("ada", &[("w", 4)])).await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency-key-reused"))
    );
    let orders = shop.get("/api/customers/ada/orders").await.body;
    assert_eq!(orders["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn bell_carries_the_order_in_its_version() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    let bell: Value = serde_json::from_str(&shop.drain("orders").remove(0)).unwrap();
    let documents = shop.documents("orders", &id[..8]).await;
    let mut stored = documents.into_iter().find(|document| document["id"] == id.as_str()).unwrap();
    assert_eq!(bell["sight"]["etag"], stored["_etag"]);
    // What is about the document and not about the order stays out.
    let kept = |name: &String| {
        !name.starts_with('_') && !["type", "partition", "schemaVersion"].contains(&name.as_str())
    };
    stored.as_object_mut().unwrap().retain(|name, _| kept(name));
    let sight = json!({"etag": bell["sight"]["etag"], "order": stored});
    assert_eq!(bell, json!({"orderId": id, "sight": sight, "traceparent": bell["traceparent"]}));
}

#[tokio::test]
async fn caller_bell_and_every_event_of_the_order_are_of_one_trace() {
    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
    let shop = TestShop::open(&[("w", 10)]).await;
    let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
    let answer = shop.post("/api/orders", &[("traceparent", &parent)], order_body("ada", &[("w", 3)])).await;
    let id = answer.body["id"].as_str().unwrap();
    let bell: Value = serde_json::from_str(&shop.messages("orders")[0]).unwrap();
    assert_eq!(bell["traceparent"], answer.header("traceparent"));
    shop.work().await;
    assert_eq!(shop.timeline(id).await, ["orderPlaced", "orderConfirmed"]);
    let events = shop.documents("orders", &id[..8]).await;
    let traces: Vec<_> = events.iter().filter_map(|event| event["traceparent"].as_str()).collect();
    assert_eq!(traces.len(), 2);
    assert!(traces.iter().all(|trace| trace.contains(TRACE)), "{traces:?}");
    let told = shop.get(&format!("/api/orders/{id}/events")).await.body;
    assert!(!told.to_string().contains("traceparent"), "{told}");
}

#[tokio::test]
async fn one_key_at_once_from_many_clients_is_one_order() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let requests = (0..16)
        .map(|_| shop.post("/api/orders", &[("Idempotency-Key", "k")], order_body("ada", &[("w", 1)])));
    let answers = join_all(requests).await;
    let ids: BTreeSet<_> = answers.iter().map(|answer| answer.body["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), 1);
    assert!(answers.iter().all(|answer| answer.status == StatusCode::ACCEPTED));
    shop.work().await;
    assert_eq!(shop.counts("w").await, (10, 1, 9));
}
