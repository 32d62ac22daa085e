//! `ListCustomerOrders`: newest first, by page, and only the customer's own.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;

use crate::shop::TestShop;

#[tokio::test]
async fn orders_of_a_customer_come_newest_first_by_page() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let mut placed = Vec::new();
    for index in 0..5 {
        placed.insert(0, shop.place("ada", &[("w", 1)]).await);
        // Two at the same moment: the id breaks the tie.
        shop.advance(Duration::from_millis(if index == 2 { 0 } else { 1 }));
    }
    shop.place("bob", &[("w", 1)]).await;
    placed[1..=2].sort_by(|one, other| other.cmp(one));
    let (mut seen, mut path) = (Vec::new(), "/api/customers/ada/orders?limit=2".to_owned());
    loop {
        let page = shop.get(&path).await;
        assert_eq!((page.status, page.header("cache-control")), (StatusCode::OK, "private, no-store"));
        let items = page.body["items"].as_array().unwrap();
        seen.extend(items.iter().map(|order| order["id"].as_str().unwrap().to_owned()));
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => break,
        }
    }
    assert_eq!(seen, placed);
    assert_eq!(shop.get("/api/customers/nobody/orders").await.status, StatusCode::NOT_FOUND);
}
