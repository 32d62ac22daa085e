//! `AuditStock` and `GetAudit`: broken books and late orders are found, reported, and not touched.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::TestShop;

async fn audit(shop: &TestShop) -> Value {
    assert_eq!(shop.tick("AuditStock").await.status, StatusCode::OK);
    let answer = shop.get("/api/audit").await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body
}

/// A shop in which everything has happened once.
async fn busy_shop() -> TestShop {
    let shop = TestShop::open(&[("w", 10), ("v", 5)]).await;
    let shipped = shop.place("ada", &[("w", 3), ("v", 1)]).await;
    let cancelled = shop.place("bob", &[("w", 2)]).await;
    shop.place("ada", &[("w", 1)]).await;
    shop.place("ada", &[("v", 9)]).await;
    shop.work().await;
    shop.send("PUT", &format!("/api/orders/{shipped}/shipment"), &[], None).await;
    shop.send("POST", &format!("/api/orders/{cancelled}/cancellation"), &[], None).await;
    shop.post("/api/products/w/stock/adjustments", &[], json!({"delta": -2, "reason": "broken"})).await;
    shop.work().await;
    shop
}

#[tokio::test]
async fn books_of_a_busy_shop_agree() {
    let shop = busy_shop().await;
    let report = audit(&shop).await;
    assert_eq!(report["products"], 2);
    for findings in ["differences", "late", "left", "busy"] {
        assert_eq!(report[findings], json!([]), "{findings}");
    }
    assert_eq!(shop.counts("w").await, (5, 1, 4));
}

#[tokio::test]
async fn books_still_agree_when_shipped_reservations_are_forgotten() {
    let shop = busy_shop().await;
    let container = shop.container("stock").await;
    for document in shop.documents("stock", "w").await {
        if document["state"] == "taken" {
            container.delete_item("w", document["id"].as_str().unwrap(), None).await.unwrap();
        }
    }
    assert_eq!(audit(&shop).await["differences"], json!([]));
}

#[tokio::test]
async fn difference_is_reported_and_left_as_it_is() {
    let shop = busy_shop().await;
    let container = shop.container("stock").await;
    let mut stock = shop.documents("stock", "w").await.into_iter().find(|one| one["id"] == "stock").unwrap();
    stock["held"] = json!(4);
    container.replace_item("w", "stock", &stock, None).await.unwrap();
    let report = audit(&shop).await;
    let found = json!([{"productId": "w", "onHand": 5, "onHandExplained": 5, "held": 4, "heldExplained": 1}]);
    assert_eq!(report["differences"], found);
    assert_eq!(shop.counts("w").await, (5, 4, 1));
}

#[tokio::test]
async fn order_that_waits_too_long_is_reported() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 1)]).await;
    assert_eq!(audit(&shop).await["late"], json!([]));
    shop.advance(Duration::from_secs(18 * 60));
    let report = audit(&shop).await;
    assert_eq!((&report["late"][0]["id"], &report["late"][0]["status"]), (&json!(id), &json!("pending")));
}

#[tokio::test]
async fn further_parts_can_be_audited_without_asking_for_the_orders_again() {
    let shop = TestShop::open(&[("w", 10)]).await;
    shop.place("ada", &[("w", 1)]).await;
    shop.advance(Duration::from_secs(18 * 60));
    let before = shop.requests();
    let report = shop.app.audit_products(None).await.unwrap();
    let products = shop.requests() - before;
    assert_eq!((report.products, report.late), (1, Vec::new()));
    let report = shop.app.audit(None).await.unwrap();
    assert_eq!((report.products, report.late.len()), (1, 1));
    let all = shop.requests() - before - products;
    assert_eq!(all - products, 8, "two queries, in each of the emulator's four partitions");
}

#[tokio::test]
async fn catalogue_is_audited_part_by_part() {
    let shop = TestShop::open(&[]).await;
    for index in 0..130 {
        shop.add_product(&format!("p{index:03}"), 1).await;
    }
    let first = audit(&shop).await;
    assert_eq!((&first["products"], &first["nextAfter"]), (&json!(100), &json!("p099")));
    let second = audit(&shop).await;
    assert_eq!((&second["products"], &second["nextAfter"]), (&json!(30), &Value::Null));
    assert_eq!(audit(&shop).await["products"], 100);
}

#[tokio::test]
async fn there_is_no_report_before_the_first_audit() {
    let shop = TestShop::open(&[]).await;
    assert_eq!(shop.get("/api/audit").await.status, StatusCode::NOT_FOUND);
}
