//! `RecoverOrders`: lost bells are rung again, and what is far too old comes to an end.
#![cfg(test)]

use std::time::Duration;

use serde_json::json;

use crate::shop::TestShop;

#[tokio::test]
async fn lost_bell_is_rung_again_by_recovery() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    shop.drain("orders");
    shop.tick("RecoverOrders").await;
    assert_eq!(shop.messages("orders").len(), 0, "not overdue yet");
    shop.advance(Duration::from_secs(121));
    shop.tick("RecoverOrders").await;
    assert_eq!(shop.messages("orders"), [json!({"orderId": id}).to_string()], "the id alone");
    shop.work().await;
    assert_eq!(shop.status(&id).await, "confirmed");
    shop.advance(Duration::from_secs(121));
    shop.tick("RecoverOrders").await;
    assert_eq!(shop.messages("orders").len(), 0, "a confirmed order waits for its courier, not for a bell");
}

#[tokio::test]
async fn unsettled_cancellation_is_finished_by_recovery() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    shop.work().await;
    shop.send("POST", &format!("/api/orders/{id}/cancellation"), &[], None).await;
    shop.drain("orders");
    assert_eq!(shop.counts("w").await, (10, 3, 7));
    shop.advance(Duration::from_secs(121));
    shop.tick("RecoverOrders").await;
    shop.work().await;
    assert_eq!(shop.counts("w").await, (10, 0, 10));
}

#[tokio::test]
async fn order_that_nobody_decided_for_a_day_is_failed() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    shop.drain("orders");
    shop.advance(Duration::from_secs(24 * 3600 + 1));
    shop.tick("RecoverOrders").await;
    let order = shop.order(&id).await;
    assert_eq!((&order["status"], &order["failure"]["code"]), (&json!("failed"), &json!("expired")));
    shop.work().await;
    assert_eq!(shop.counts("w").await, (10, 0, 10));
    assert_eq!(shop.timeline(&id).await, ["orderPlaced", "orderFailed"]);
}
