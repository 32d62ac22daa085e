//! Reads of a product that many ask for: what they cost, and how old an answer may be.
#![cfg(test)]

use std::time::Duration;

use serde_json::json;

use crate::shop::TestShop;

/// The name and the available pieces that this shop shows.
async fn shown(shop: &TestShop) -> (String, u64) {
    let body = shop.get("/api/products/w").await.body;
    (body["name"].as_str().unwrap().to_owned(), body["available"].as_u64().unwrap())
}

async fn rename(shop: &TestShop, name: &str) {
    let patch = json!({ "name": name }).to_string();
    let patched = shop.send("PATCH", "/api/products/w", &[], Some(patch)).await;
    assert_eq!(patched.status.as_u16(), 200, "{:?}", patched.body);
}

#[tokio::test]
async fn product_that_was_just_read_costs_no_request() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let cost = async |after: Duration| {
        shop.advance(after);
        let before = shop.emulator.requests();
        assert_eq!(shown(&shop).await, ("Product w".to_owned(), 3));
        shop.emulator.requests() - before
    };
    assert_eq!(cost(Duration::ZERO).await, 2, "the product and its counts");
    assert_eq!(cost(Duration::from_millis(999)).await, 0);
    assert_eq!(cost(Duration::from_millis(1)).await, 1, "the counts are old after a second");
    assert_eq!(cost(Duration::from_secs(5)).await, 2, "whether the product changed is asked after five");
    assert_eq!(cost(Duration::from_millis(999)).await, 0);
}

#[tokio::test]
async fn write_through_the_same_process_is_seen_at_once() {
    let shop = TestShop::open(&[("w", 3)]).await;
    assert_eq!(shown(&shop).await, ("Product w".to_owned(), 3));
    rename(&shop, "New").await;
    shop.place("ada", &[("w", 2)]).await;
    shop.work().await;
    assert_eq!(shown(&shop).await, ("New".to_owned(), 1));
    shop.post("/api/products/w/stock/adjustments", &[], json!({"delta": 5, "reason": "came"})).await;
    assert_eq!(shown(&shop).await, ("New".to_owned(), 6));
}

#[tokio::test]
async fn write_through_another_process_is_seen_within_the_lifetime() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let other = TestShop::over(shop.another_instance(), shop.emulator.clone());
    assert_eq!(shown(&shop).await, ("Product w".to_owned(), 3));
    rename(&other, "New").await;
    other.place("ada", &[("w", 2)]).await;
    other.work().await;
    shop.advance(Duration::from_millis(999));
    assert_eq!(shown(&shop).await, ("Product w".to_owned(), 3));
    shop.advance(Duration::from_millis(1));
    assert_eq!(shown(&shop).await, ("Product w".to_owned(), 1));
    shop.advance(Duration::from_secs(4));
    assert_eq!(shown(&shop).await, ("New".to_owned(), 1));
}
