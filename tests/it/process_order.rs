//! `ProcessOrder`: the order protocol, from doorbells and from a checkout's whole orders.
#![cfg(test)]

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::StatusCode;
use futures::future::join_all;
use serde_json::{Value, json};
use widgetco::domain::fulfil::Seen;
use widgetco::domain::id::{OrderId, ProductId};
use widgetco::store::stock::Claim;
use widgetco::store::{Error, Written};

use crate::shop::{TestShop, order_body};

#[tokio::test]
async fn order_with_enough_stock_is_confirmed_and_holds_its_pieces() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    assert_eq!(shop.status(&id).await, "pending");
    shop.work().await;
    let order = shop.order(&id).await;
    assert_eq!(order["status"], "confirmed");
    assert_eq!(order["total"], json!({"amountMinor": 750, "currency": "EUR"}));
    assert_eq!(shop.counts("w").await, (10, 3, 7));
    assert_eq!(shop.timeline(&id).await, ["orderPlaced", "orderConfirmed"]);
    shop.audit("w").await;
}

#[tokio::test]
async fn order_beyond_stock_fails_with_product_and_available_amount_and_holds_nothing() {
    let shop = TestShop::open(&[("w", 10), ("rare", 2)]).await;
    let id = shop.place("ada", &[("w", 3), ("rare", 5)]).await;
    shop.work().await;
    let order = shop.order(&id).await;
    assert_eq!(order["status"], "failed");
    let shortage = json!([{"productId": "rare", "requested": 5, "available": 2}]);
    assert_eq!(order["failure"], json!({"code": "outOfStock", "shortages": shortage}));
    assert_eq!(shop.counts("w").await, (10, 0, 10));
    assert_eq!(shop.counts("rare").await, (2, 0, 2));
    assert_eq!(shop.timeline(&id).await, ["orderPlaced", "orderFailed"]);
    for product in ["w", "rare"] {
        shop.audit(product).await;
        let tombstones = shop.documents("stock", product).await;
        let tombstone = tombstones.iter().find(|document| document["id"] == id.as_str()).unwrap();
        assert_eq!(
            (&tombstone["state"], &tombstone["ttl"]),
            (&json!("released"), &json!(2_592_000)),
            "{product}"
        );
    }
}

#[tokio::test]
async fn demand_in_two_lines_of_one_product_is_one_demand() {
    let shop = TestShop::open(&[("w", 5)]).await;
    let id = shop.place("ada", &[("w", 3), ("w", 3)]).await;
    shop.work().await;
    let order = shop.order(&id).await;
    assert_eq!(order["failure"]["shortages"][0], json!({"productId": "w", "requested": 6, "available": 5}));
}

#[tokio::test]
async fn late_worker_cannot_hold_for_an_order_that_was_cancelled_meanwhile() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    let bell = shop.drain("orders").remove(0);
    let order_id = OrderId::parse(&id).unwrap();
    let stale = shop.app.store.orders.read(&order_id).await.unwrap().unwrap();
    shop.send("POST", &format!("/api/orders/{id}/cancellation"), &[], None).await;
    shop.work().await;
    // The late worker still believes that the order is pending.
    let line = &stale.value.lines[0];
    let claim = Claim { order_id: &order_id, product_id: &line.product_id, quantity: 3 };
    let seen = shop.app.store.stock.hold(claim, shop.app.clock.now()).await.unwrap();
    assert_eq!(seen, Seen::Released);
    let confirmed = stale.value.confirm(shop.app.clock.now()).unwrap();
    let written = shop.app.store.orders.advance(&stale.etag, &confirmed).await.unwrap();
    assert_eq!(written, Written::Overtaken);
    assert_eq!(shop.deliver("ProcessOrder", &bell, 2).await.status, StatusCode::OK);
    assert_eq!(shop.status(&id).await, "cancelled");
    assert_eq!(shop.counts("w").await, (10, 0, 10));
}

#[tokio::test]
async fn repeated_doorbells_confirm_once() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    let bell = shop.drain("orders").remove(0);
    let deliveries = join_all((0..8).map(|_| shop.deliver("ProcessOrder", &bell, 1))).await;
    assert!(deliveries.iter().all(|answer| answer.status == StatusCode::OK));
    assert_eq!(shop.timeline(&id).await, ["orderPlaced", "orderConfirmed"]);
    assert_eq!(shop.counts("w").await, (10, 3, 7));
    shop.audit("w").await;
}

#[tokio::test]
async fn order_that_holds_the_last_piece_is_not_refused_by_its_own_hold() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let id = shop.place("ada", &[("w", 3)]).await;
    let order_id = OrderId::parse(&id).unwrap();
    let product_id = ProductId::parse("w").unwrap();
    let claim = Claim { order_id: &order_id, product_id: &product_id, quantity: 3 };
    // A worker was killed after holding and before confirming.
    shop.app.store.stock.hold(claim, shop.app.clock.now()).await.unwrap();
    assert_eq!(shop.counts("w").await, (3, 3, 0));
    shop.work().await;
    assert_eq!(shop.status(&id).await, "confirmed");
    assert_eq!(shop.counts("w").await, (3, 3, 0));
}

#[tokio::test]
async fn two_hundred_orders_for_one_hundred_pieces_sell_exactly_one_hundred() {
    let shop = TestShop::open(&[("w", 100)]).await;
    let ids = join_all((0..200).map(|_| shop.place("ada", &[("w", 1)]))).await;
    let bells = shop.drain("orders");
    let deliveries = join_all(bells.iter().map(|bell| shop.deliver("ProcessOrder", bell, 1))).await;
    for (bell, answer) in bells.iter().zip(deliveries) {
        if answer.status != StatusCode::OK {
            shop.put_message("orders", bell);
        }
    }
    shop.work().await;
    let mut decided = BTreeMap::new();
    for id in &ids {
        *decided.entry(shop.status(id).await).or_insert(0) += 1;
    }
    assert_eq!(decided, [("confirmed".to_owned(), 100), ("failed".to_owned(), 100)].into());
    assert_eq!(shop.counts("w").await, (100, 100, 0));
    shop.audit("w").await;
}

/// Requests of one delivery of the order's bell.
async fn requests_of_delivery(shop: &TestShop, order: &str) -> u64 {
    let bell = shop.drain("orders").remove(0);
    let before = shop.requests();
    assert_eq!(shop.deliver("ProcessOrder", &bell, 1).await.status, StatusCode::OK);
    assert_eq!(shop.status(order).await, "confirmed");
    shop.requests() - before - 1
}

#[tokio::test]
async fn confirming_a_one_line_order_takes_three_requests_and_later_two() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let first = shop.place("ada", &[("w", 1)]).await;
    assert_eq!(requests_of_delivery(&shop, &first).await, 3, "read counts, hold, confirm");
    let second = shop.place("ada", &[("w", 1)]).await;
    assert_eq!(requests_of_delivery(&shop, &second).await, 2, "the counts are remembered");
    shop.send("PUT", &format!("/api/orders/{first}/shipment"), &[], None).await;
    shop.work().await;
    let third = shop.place("ada", &[("w", 1)]).await;
    assert_eq!(requests_of_delivery(&shop, &third).await, 2, "those of the shipment, too");
    let fourth = shop.place("ada", &[("w", 1)]).await;
    shop.advance(Duration::from_secs(2 * 3600));
    assert_eq!(requests_of_delivery(&shop, &fourth).await, 3, "too old a bell is not worth a try");
}

#[tokio::test]
async fn old_bells_of_an_order_that_ended_change_nothing() {
    let shop = TestShop::open(&[("w", 10)]).await;
    for change in ["cancellation", "shipment"] {
        let id = shop.place("ada", &[("w", 3)]).await;
        let mut bells = shop.messages("orders");
        shop.work().await;
        let method = if change == "shipment" { "PUT" } else { "POST" };
        shop.send(method, &format!("/api/orders/{id}/{change}"), &[], None).await;
        bells.extend(shop.messages("orders"));
        shop.work().await;
        let (order, counts) = (shop.order(&id).await, shop.counts("w").await);
        assert_eq!(bells.len(), 2);
        for bell in &bells {
            assert_eq!(shop.deliver("ProcessOrder", bell, 1).await.status, StatusCode::OK);
            assert_eq!((shop.order(&id).await, shop.counts("w").await), (order.clone(), counts), "{bell}");
        }
        shop.audit("w").await;
    }
}

#[tokio::test]
async fn bell_whose_sight_cannot_be_used_is_a_bell_all_the_same() {
    let shop = TestShop::open(&[("w", 10)]).await;
    shop.place("ada", &[("w", 1)]).await;
    let other: Value = serde_json::from_str(&shop.drain("orders").remove(0)).unwrap();
    for sight in [json!("garbage"), json!({"etag": "*"}), other["sight"].clone()] {
        let id = shop.place("ada", &[("w", 1)]).await;
        shop.drain("orders");
        let bell = json!({"orderId": id, "sight": sight}).to_string();
        assert_eq!(shop.deliver("ProcessOrder", &bell, 1).await.status, StatusCode::OK);
        assert_eq!(shop.status(&id).await, "confirmed", "{bell}");
    }
    assert_eq!(shop.status(other["orderId"].as_str().unwrap()).await, "pending");
    assert_eq!(shop.messages("orders-rejected"), Vec::<String>::new());
    assert_eq!(shop.counts("w").await, (10, 3, 7));
}

#[tokio::test]
async fn reservation_of_another_quantity_is_never_taken_for_the_order_s_own() {
    // With pieces left, and with none.
    for on_hand in [10, 2] {
        let shop = TestShop::open(&[("w", on_hand)]).await;
        let id = shop.place("ada", &[("w", 3)]).await;
        let bell = shop.drain("orders").remove(0);
        let (order_id, product_id) = (OrderId::parse(&id).unwrap(), ProductId::parse("w").unwrap());
        let claim = |quantity| Claim { order_id: &order_id, product_id: &product_id, quantity };
        let (stock, now) = (&shop.app.store.stock, shop.app.clock.now());
        assert_eq!(stock.hold(claim(2), now).await.unwrap(), Seen::Held);
        for again in [
            stock.hold(claim(3), now).await,
            stock.take(claim(3), now).await,
            stock.release(claim(3), now).await,
        ] {
            assert!(matches!(again, Err(Error::Corrupt { .. })), "{again:?}");
        }
        // Nor for one that waits with another in the same batch.
        let (same, different) = tokio::join!(stock.hold(claim(2), now), stock.hold(claim(3), now));
        assert!(matches!((&same, &different), (Ok(Seen::Held), Err(Error::Corrupt { .. }))), "{same:?}");
        let answer = shop.deliver("ProcessOrder", &bell, 1).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(shop.status(&id).await, "pending");
        assert_eq!(shop.counts("w").await, (u64::from(on_hand), 2, u64::from(on_hand) - 2));
    }
}

#[tokio::test]
async fn counts_that_somebody_else_changed_are_read_again() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let first = shop.place("ada", &[("w", 10)]).await;
    requests_of_delivery(&shop, &first).await;
    // Another instance of the shop, which shares nothing but the store.
    let other = shop.another_instance();
    let product_id = ProductId::parse("w").unwrap();
    let order_id = OrderId::parse(&first).unwrap();
    shop.send("POST", &format!("/api/orders/{first}/cancellation"), &[], None).await;
    shop.drain("orders");
    let claim = Claim { order_id: &order_id, product_id: &product_id, quantity: 10 };
    other.store.stock.release(claim, other.clock.now()).await.unwrap();
    let second = shop.place("ada", &[("w", 10)]).await;
    assert_eq!(
        requests_of_delivery(&shop, &second).await,
        3,
        "nothing is left by what is remembered, so it is read again"
    );
    assert_eq!(shop.counts("w").await, (10, 10, 0));
    shop.audit("w").await;
}

#[tokio::test]
async fn checkout_message_becomes_an_order_under_the_id_of_its_checkout() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let text =
        json!({"checkoutId": "c-77", "customerId": "ada", "lines": [{"productId": "w", "quantity": 2}]})
            .to_string();
    shop.put_message("orders", &text);
    shop.put_message("orders", &text);
    shop.work().await;
    let orders = shop.get("/api/customers/ada/orders").await.body;
    let items = orders["items"].as_array().unwrap();
    assert_eq!((items.len(), &items[0]["status"]), (1, &json!("confirmed")));
    assert_eq!(shop.counts("w").await, (10, 2, 8));
    assert_eq!(shop.messages("orders-rejected"), Vec::<String>::new());
    // The same checkout over HTTP is the same order.
    let answer =
        shop.post("/api/orders", &[("Idempotency-Key", "c-77")], order_body("ada", &[("w", 2)])).await;
    assert_eq!(answer.body["id"], items[0]["id"]);
}

#[tokio::test]
async fn hopeless_messages_lie_in_orders_rejected_with_reason_and_text() {
    let shop = TestShop::open(&[("w", 10)]).await;
    shop.post("/api/orders", &[("Idempotency-Key", "taken")], order_body("ada", &[("w", 1)])).await;
    let line = json!([{"productId": "w", "quantity": 1}]);
    let hopeless = [
        ("garbage".to_owned(), "not-json"),
        (json!({"hello": "world"}).to_string(), "invalid-message"),
        (json!({"checkoutId": "c", "customerId": "nobody", "lines": line}).to_string(), "invalid-order"),
        (
            json!({"checkoutId": "c", "customerId": "ada", "lines": [{"productId": "x", "quantity": 1}]})
                .to_string(),
            "invalid-order",
        ),
        (
            json!({"checkoutId": "c", "customerId": "ada", "lines": [{"productId": "w", "quantity": 0}]})
                .to_string(),
            "invalid-order",
        ),
        (
            json!({"checkoutId": "taken", "customerId": "ada", "lines": [{"productId": "w", "quantity": 2}]})
                .to_string(),
            "checkout-id-reused",
        ),
    ];
    for (text, _) in &hopeless {
        shop.put_message("orders", text);
    }
    shop.work().await;
    let rejected: Vec<Value> =
        shop.messages("orders-rejected").iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    assert_eq!(rejected.len(), hopeless.len());
    for (rejected, (text, reason)) in rejected.iter().zip(&hopeless) {
        assert_eq!((&rejected["reason"], &rejected["message"]), (&json!(reason), &json!(text)));
        assert!(!rejected["detail"].as_str().unwrap().is_empty());
    }
    assert_eq!(shop.messages("orders-poison"), Vec::<String>::new());
}
