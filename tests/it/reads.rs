//! What is read: the catalogue with its stock, the heartbeat, and the headers that let others keep or check an answer.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::shop::TestShop;

#[tokio::test]
async fn catalogue_comes_in_order_by_page_with_available_stock() {
    let shop = TestShop::open(&[("c", 3), ("a", 1), ("e", 5), ("b", 2), ("d", 4)]).await;
    shop.place("ada", &[("b", 2)]).await;
    shop.work().await;
    let (mut seen, mut path) = (Vec::new(), "/api/products?limit=2".to_owned());
    loop {
        let page = shop.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{:?}", page.body);
        for product in page.body["items"].as_array().unwrap() {
            seen.push((product["id"].as_str().unwrap().to_owned(), product["available"].as_u64().unwrap()));
        }
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    let seen: Vec<_> = seen.iter().map(|(id, available)| (id.as_str(), *available)).collect();
    assert_eq!(seen, [("a", 1), ("b", 0), ("c", 3), ("d", 4), ("e", 5)]);
}

#[tokio::test]
async fn product_tells_what_it_is_and_how_many_there_are() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let answer = shop.get("/api/products/w").await;
    let shown = ["id", "sku", "name", "price", "available"].map(|field| &answer.body[field]);
    let price = json!({"amountMinor": 250, "currency": "EUR"});
    assert_eq!(shown, [&json!("w"), &json!("W"), &json!("Product w"), &price, &json!(3)]);
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn every_read_can_be_checked_by_its_etag() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let id = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    let (order, events) = (format!("/api/orders/{id}"), format!("/api/orders/{id}/events"));
    for (path, keep) in [
        ("/api/products", "public, max-age=10, stale-while-revalidate=30"),
        ("/api/products/w", "public, max-age=10, stale-while-revalidate=30"),
        ("/api/products/w/stock", "no-cache"),
        (&order, "private, no-store"),
        (&events, "private, no-store"),
        ("/api/customers/ada/orders", "private, no-store"),
    ] {
        let first = shop.get(path).await;
        assert_eq!((first.status, first.header("cache-control")), (StatusCode::OK, keep), "{path}");
        let etag = first.header("etag");
        assert!(etag.starts_with('"') && etag.ends_with('"') && etag.len() > 2, "{path}: {etag}");
        let again = shop.send("GET", path, &[("If-None-Match", etag)], None).await;
        assert_eq!((again.status, again.header("etag")), (StatusCode::NOT_MODIFIED, etag), "{path}");
        let other = shop.send("GET", path, &[("If-None-Match", "\"other\"")], None).await;
        assert_eq!(other.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn timeline_tells_what_happened_and_when() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let id = shop.place("ada", &[("w", 1)]).await;
    shop.advance(Duration::from_millis(1500));
    shop.work().await;
    let events = shop.get(&format!("/api/orders/{id}/events")).await.body;
    let expected = json!([
        {"id": format!("{id}-placed"), "orderId": id, "sequence": 1, "at": "2026-03-02T09:15:00.000Z", "kind": "orderPlaced"},
        {"id": format!("{id}-confirmed"), "orderId": id, "sequence": 2, "at": "2026-03-02T09:15:01.500Z", "kind": "orderConfirmed"},
    ]);
    assert_eq!(events["items"], expected);
}

#[tokio::test]
async fn heartbeat_tells_version_uptime_and_store() {
    let shop = TestShop::open(&[]).await;
    shop.advance(Duration::from_secs(90));
    let answer = shop.get("/api/heartbeat").await;
    let version = env!("CARGO_PKG_VERSION");
    let expected = json!({"status": "ok", "version": version, "uptimeSeconds": 90, "store": "reachable"});
    assert_eq!((answer.status, answer.body), (StatusCode::OK, expected));
}
