//! `GetStock`, `SetStock` and `AdjustStock`: counts that are never below what orders hold, and a ledger that explains them.
#![cfg(test)]

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::json;

use crate::shop::TestShop;

const STOCK: &str = "/api/products/w/stock";
const ADJUSTMENTS: &str = "/api/products/w/stock/adjustments";

#[tokio::test]
async fn stock_is_set_at_the_version_that_was_read_and_only_there() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let read = shop.get(STOCK).await;
    let etag = read.header("etag").to_owned();
    let set = shop.put(STOCK, &[("If-Match", &etag)], json!({"onHand": 25})).await;
    assert_eq!(
        (set.status, &set.body["onHand"], &set.body["available"]),
        (StatusCode::OK, &json!(25), &json!(25))
    );
    assert_ne!(set.header("etag"), etag);
    let stale = shop.put(STOCK, &[("If-Match", &etag)], json!({"onHand": 5})).await;
    assert_eq!(
        (stale.status, &stale.body["code"]),
        (StatusCode::PRECONDITION_FAILED, &json!("precondition-failed"))
    );
    let next = shop.put(STOCK, &[("If-Match", set.header("etag"))], json!({"onHand": 5})).await;
    assert_eq!(next.status, StatusCode::OK);
    shop.audit("w").await;
}

#[tokio::test]
async fn setting_stock_needs_a_condition() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let answer = shop.put(STOCK, &[], json!({"onHand": 5})).await;
    assert_eq!(
        (answer.status, &answer.body["code"]),
        (StatusCode::PRECONDITION_REQUIRED, &json!("precondition-required"))
    );
    let first = shop.put(STOCK, &[("If-None-Match", "*")], json!({"onHand": 5})).await;
    assert_eq!(first.status, StatusCode::PRECONDITION_FAILED, "it has counts already");
    assert_eq!(shop.counts("w").await, (10, 0, 10));
}

#[tokio::test]
async fn stock_below_what_orders_hold_is_refused_with_the_number() {
    let shop = TestShop::open(&[("w", 10)]).await;
    shop.place("ada", &[("w", 6)]).await;
    shop.work().await;
    let set = shop.put(STOCK, &[("If-Match", "*")], json!({"onHand": 5})).await;
    assert_eq!((set.status, &set.body["held"]), (StatusCode::CONFLICT, &json!(6)));
    let adjusted = shop.post(ADJUSTMENTS, &[], json!({"delta": -5, "reason": "broken"})).await;
    assert_eq!((adjusted.status, &adjusted.body["held"]), (StatusCode::CONFLICT, &json!(6)));
    let more = shop.post(ADJUSTMENTS, &[], json!({"delta": -11, "reason": "broken"})).await;
    assert_eq!((more.status, &more.body["available"]), (StatusCode::CONFLICT, &json!(4)));
    assert_eq!(shop.counts("w").await, (10, 6, 4));
    shop.audit("w").await;
}

#[tokio::test]
async fn adjustment_is_made_once_per_key() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let key = [("Idempotency-Key", "delivery-7")];
    let first = shop.post(ADJUSTMENTS, &key, json!({"delta": 5, "reason": "delivery"})).await;
    assert_eq!((first.status, &first.body["onHandAfter"]), (StatusCode::CREATED, &json!(15)));
    shop.post(ADJUSTMENTS, &[], json!({"delta": -15, "reason": "fire"})).await;
    let again = shop.post(ADJUSTMENTS, &key, json!({"delta": 5, "reason": "delivery"})).await;
    assert_eq!((again.status, &again.body), (StatusCode::CREATED, &first.body));
    assert_eq!(again.header("idempotency-replayed"), "true");
    let other = shop.post(ADJUSTMENTS, &key, json!({"delta": 6, "reason": "delivery"})).await;
    assert_eq!(
        (other.status, &other.body["code"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("idempotency-key-reused"))
    );
    assert_eq!(shop.counts("w").await, (0, 0, 0));
    shop.audit("w").await;
}

#[tokio::test]
async fn replay_of_an_adjustment_that_is_no_longer_possible_is_still_a_replay() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let key = [("Idempotency-Key", "loss-1")];
    let first = shop.post(ADJUSTMENTS, &key, json!({"delta": -10, "reason": "lost"})).await;
    let again = shop.post(ADJUSTMENTS, &key, json!({"delta": -10, "reason": "lost"})).await;
    assert_eq!((again.status, again.body), (StatusCode::CREATED, first.body));
    assert_eq!(shop.counts("w").await, (0, 0, 0));
}

#[tokio::test]
async fn adjustments_at_once_are_all_counted() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let answers =
        join_all((0..20).map(|_| shop.post(ADJUSTMENTS, &[], json!({"delta": 3, "reason": "delivery"}))))
            .await;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED));
    assert_eq!(shop.counts("w").await, (70, 0, 70));
    shop.audit("w").await;
}

#[tokio::test]
async fn product_without_counts_gets_its_first_ones() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let container = shop.container("stock").await;
    container.delete_item("w", "stock", None).await.unwrap();
    assert_eq!(shop.get(STOCK).await.status, StatusCode::NOT_FOUND);
    assert_eq!(shop.get("/api/products/w").await.body["available"], 0);
    let id = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    assert_eq!(shop.order(&id).await["failure"]["shortages"][0]["available"], 0);
    let missing = shop.put(STOCK, &[("If-Match", "*")], json!({"onHand": 4})).await;
    assert_eq!(missing.status, StatusCode::PRECONDITION_FAILED);
    let both = shop.put(STOCK, &[("If-None-Match", "*"), ("If-Match", "\"x\"")], json!({"onHand": 4})).await;
    assert_eq!(both.status, StatusCode::PRECONDITION_FAILED, "both conditions must hold");
    let first = shop.put(STOCK, &[("If-None-Match", "*")], json!({"onHand": 4})).await;
    assert_eq!(first.status, StatusCode::OK);
    assert_eq!(shop.counts("w").await, (4, 0, 4));
}
