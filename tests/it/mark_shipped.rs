//! `MarkShipped`: the shipping date, once, and the pieces leave the stock.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::shop::{TestShop, time};

#[tokio::test]
async fn shipped_order_takes_its_pieces_and_repeats_its_answer() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    shop.work().await;
    let path = format!("/api/orders/{id}/shipment");
    let body =
        json!({"shippedAt": "2026-03-02T08:00:00.000Z", "carrier": "Parcel post", "trackingNumber": "X-1"});
    let first = shop.put(&path, &[], body.clone()).await;
    assert_eq!((first.status, &first.body["status"]), (StatusCode::OK, &json!("shipped")));
    assert_eq!(first.body["shipment"], body);
    shop.work().await;
    assert_eq!(shop.counts("w").await, (7, 0, 7));
    shop.advance(Duration::from_secs(60));
    let again = shop.put(&path, &[], body).await;
    assert_eq!((again.status, again.body), (StatusCode::OK, first.body));
    let otherwise = shop.put(&path, &[], json!({"carrier": "Bicycle"})).await;
    assert_eq!(
        (otherwise.status, &otherwise.body["code"]),
        (StatusCode::CONFLICT, &json!("shipped-otherwise"))
    );
    shop.work().await;
    assert_eq!(shop.counts("w").await, (7, 0, 7));
    assert_eq!(shop.timeline(&id).await, ["orderPlaced", "orderConfirmed", "orderShipped"]);
    shop.audit("w").await;
}

#[tokio::test]
async fn shipment_without_a_date_gets_the_present_one_and_keeps_it() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    let path = format!("/api/orders/{id}/shipment");
    let first = shop.send("PUT", &path, &[], None).await;
    assert_eq!(time(&first.body["shipment"]["shippedAt"]), shop.app.clock.now());
    shop.advance(Duration::from_secs(3600));
    assert_eq!(shop.send("PUT", &path, &[], None).await.body, first.body);
}

#[tokio::test]
async fn pending_or_failed_order_cannot_ship() {
    let shop = TestShop::open(&[("w", 1)]).await;
    let pending = shop.place("ada", &[("w", 1)]).await;
    let answer = shop.send("PUT", &format!("/api/orders/{pending}/shipment"), &[], None).await;
    assert_eq!((answer.status, &answer.body["orderStatus"]), (StatusCode::CONFLICT, &json!("pending")));
    shop.work().await;
    let failed = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    let answer = shop.send("PUT", &format!("/api/orders/{failed}/shipment"), &[], None).await;
    assert_eq!((answer.status, &answer.body["code"]), (StatusCode::CONFLICT, &json!("wrong-status")));
}

#[tokio::test]
async fn change_of_an_order_that_is_no_longer_as_expected_is_refused() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 1)]).await;
    let old = shop.get(&format!("/api/orders/{id}")).await.header("etag").to_owned();
    shop.work().await;
    let new = shop.get(&format!("/api/orders/{id}")).await.header("etag").to_owned();
    for path in ["shipment", "cancellation"] {
        let method = if path == "shipment" { "PUT" } else { "POST" };
        let answer =
            shop.send(method, &format!("/api/orders/{id}/{path}"), &[("If-Match", &old)], None).await;
        assert_eq!(
            (answer.status, &answer.body["code"]),
            (StatusCode::PRECONDITION_FAILED, &json!("precondition-failed"))
        );
    }
    let path = format!("/api/orders/{id}/shipment");
    let shipped = shop.send("PUT", &path, &[("If-Match", &new)], None).await;
    assert_eq!(shipped.status, StatusCode::OK);
    let read = shop.get(&format!("/api/orders/{id}")).await;
    assert_eq!(shipped.header("etag"), read.header("etag"));
    let again = shop.send("PUT", &path, &[("If-Match", &new)], None).await;
    assert_eq!(again.status, StatusCode::OK, "what is done is done");
}
