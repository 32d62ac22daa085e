//! `CancelOrder`: called off once, and the stock comes back.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::json;

use crate::shop::TestShop;

#[tokio::test]
async fn cancelled_order_gives_its_stock_back_whether_it_was_confirmed_or_not() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let confirmed = shop.place("ada", &[("w", 3)]).await;
    shop.work().await;
    let pending = shop.place("ada", &[("w", 4)]).await;
    for id in [&confirmed, &pending] {
        let path = format!("/api/orders/{id}/cancellation");
        let first = shop.post(&path, &[], json!({"reason": "changed my mind"})).await;
        assert_eq!((first.status, &first.body["status"]), (StatusCode::OK, &json!("cancelled")));
        let again = shop.send("POST", &path, &[], None).await;
        assert_eq!((again.status, again.body), (StatusCode::OK, first.body));
    }
    shop.work().await;
    assert_eq!(shop.counts("w").await, (10, 0, 10));
    assert_eq!(shop.timeline(&pending).await, ["orderPlaced", "orderCancelled"]);
    shop.audit("w").await;
    let answer = shop.send("PUT", &format!("/api/orders/{confirmed}/shipment"), &[], None).await;
    assert_eq!(answer.status, StatusCode::CONFLICT);
}
