//! `RecordPoisonOrder`: what the queue gave up on is failed or recorded, and never rung for ever.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::domain::id::{OrderId, ProductId};
use widgetco::store::stock::Claim;

use crate::shop::TestShop;

#[tokio::test]
async fn bell_for_an_order_that_never_was_ends_in_orders_rejected() {
    let shop = TestShop::open(&[]).await;
    let text = json!({"orderId": "a".repeat(34)}).to_string();
    shop.put_message("orders", &text);
    shop.work().await;
    let rejected: Value = serde_json::from_str(&shop.messages("orders-rejected")[0]).unwrap();
    assert_eq!((&rejected["reason"], &rejected["message"]), (&json!("unknown-order"), &json!(text)));
}

#[tokio::test]
async fn poisoned_bell_fails_the_order_and_gives_back_what_it_held() {
    let shop = TestShop::open(&[("w", 10), ("v", 10)]).await;
    let id = shop.place("ada", &[("w", 3), ("v", 1)]).await;
    let bell = shop.drain("orders").remove(0);
    let order_id = OrderId::parse(&id).unwrap();
    let product_id = ProductId::parse("w").unwrap();
    let claim = Claim { order_id: &order_id, product_id: &product_id, quantity: 3 };
    shop.app.store.stock.hold(claim, shop.app.clock.now()).await.unwrap();
    shop.put_message("orders-poison", &bell);
    shop.work().await;
    shop.advance(Duration::from_secs(121));
    shop.tick("RecoverOrders").await;
    shop.work().await;
    let order = shop.order(&id).await;
    assert_eq!((&order["status"], &order["failure"]["code"]), (&json!("failed"), &json!("processingFailed")));
    assert_eq!(shop.counts("w").await, (10, 0, 10));
    for product in ["w", "v"] {
        shop.audit(product).await;
    }
}

#[tokio::test]
async fn poisoned_checkout_is_recorded_as_a_failed_order() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let text =
        json!({"checkoutId": "c-1", "customerId": "ada", "lines": [{"productId": "w", "quantity": 2}]})
            .to_string();
    shop.put_message("orders-poison", &text);
    shop.put_message("orders-poison", "garbage");
    shop.work().await;
    let orders = shop.get("/api/customers/ada/orders").await.body;
    assert_eq!(orders["items"][0]["failure"]["code"], "processingFailed");
    assert_eq!(shop.messages("orders-rejected").len(), 1);
    assert_eq!(shop.counts("w").await, (10, 0, 10));
}

/// A cancelled order that cannot be settled, because somebody broke the books: its reservation is for another quantity.
async fn unsettleable(shop: &TestShop) -> String {
    let id = shop.place("ada", &[("w", 3)]).await;
    shop.work().await;
    set_quantity(shop, &id, 99).await;
    shop.send("POST", &format!("/api/orders/{id}/cancellation"), &[], None).await;
    shop.work().await;
    id
}

async fn set_quantity(shop: &TestShop, order: &str, quantity: u32) {
    let documents = shop.documents("stock", "w").await;
    let mut reservation = documents.into_iter().find(|document| document["id"] == order).unwrap();
    reservation["quantity"] = json!(quantity);
    shop.container("stock").await.replace_item("w", order, &reservation, None).await.unwrap();
}

/// So many minutes of recovery; gives how often it rang.
async fn recover(shop: &TestShop, minutes: u32) -> usize {
    let mut rings = 0;
    for _ in 0..minutes / 60 {
        shop.advance(Duration::from_secs(3600));
        shop.tick("RecoverOrders").await;
        rings += shop.messages("orders").len();
        shop.work().await;
    }
    rings
}

const DAY: u32 = 24 * 60;

#[tokio::test]
async fn order_that_cannot_be_settled_is_rung_for_ever_more_rarely_and_then_left_alone() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = unsettleable(&shop).await;
    let (first, second) = (recover(&shop, DAY).await, recover(&shop, 9 * DAY).await);
    assert_eq!((first, second), (4, 5), "one more poisoning came from the cancellation's own bell");
    assert_eq!(recover(&shop, 5 * DAY).await, 0);
    assert_eq!(shop.status(&id).await, "cancelled");
}

#[tokio::test]
async fn order_is_settled_once_the_books_are_repaired() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = unsettleable(&shop).await;
    recover(&shop, DAY).await;
    set_quantity(&shop, &id, 3).await;
    recover(&shop, 2 * DAY).await;
    assert_eq!(shop.counts("w").await, (10, 0, 10));
    shop.audit("w").await;
}

#[tokio::test]
async fn order_that_cannot_be_read_is_recorded_and_keeps_no_other_waiting() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let unreadable = shop.place("ada", &[("w", 1)]).await;
    let bell = shop.drain("orders").remove(0);
    let container = shop.container("orders").await;
    let documents = shop.documents("orders", &unreadable[..8]).await;
    let mut order = documents.into_iter().find(|document| document["id"] == unreadable.as_str()).unwrap();
    order["status"] = json!("teleported");
    container.replace_item(unreadable[..8].to_owned(), &unreadable, &order, None).await.unwrap();
    let other = shop.place("bob", &[("w", 1)]).await;
    shop.drain("orders");
    shop.put_message("orders-poison", &bell);
    shop.advance(Duration::from_secs(121));
    assert_eq!(shop.tick("RecoverOrders").await.status, StatusCode::OK);
    shop.work().await;
    assert_eq!(shop.status(&other).await, "confirmed");
    let rejected: Value = serde_json::from_str(&shop.messages("orders-rejected")[0]).unwrap();
    assert_eq!((&rejected["reason"], &rejected["message"]), (&json!("unreadable-order"), &json!(bell)));
    let listed = shop.get("/api/customers/ada/orders").await;
    assert_eq!(listed.status, StatusCode::INTERNAL_SERVER_ERROR, "waiting would not help");
}
