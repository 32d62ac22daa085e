//! `RecordPoisonOrder`: what the queue gave up on is failed or recorded, and never rung for ever.
#![cfg(test)]

use std::time::Duration;

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

#[tokio::test]
async fn order_that_cannot_be_settled_is_rung_for_a_few_times_and_then_left_alone() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    shop.work().await;
    // Somebody breaks the books: the reservation is for another quantity than the order's.
    let container = shop.container("stock").await;
    let mut reservation =
        shop.documents("stock", "w").await.into_iter().find(|one| one["id"] == id.as_str()).unwrap();
    reservation["quantity"] = json!(99);
    container.replace_item("w", &id, &reservation, None).await.unwrap();
    shop.send("POST", &format!("/api/orders/{id}/cancellation"), &[], None).await;
    shop.work().await;
    let mut rings = 0;
    for _ in 0..10 {
        shop.advance(Duration::from_secs(180));
        shop.tick("RecoverOrders").await;
        rings += shop.messages("orders").len();
        shop.work().await;
    }
    assert_eq!(rings, 2, "the first poisoning came from the cancellation's own bell");
    assert_eq!(shop.status(&id).await, "cancelled");
}
