//! Lists of products: filters, orders, pages that stay right while others write, and what a page costs.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::domain::id::Sku;
use widgetco::domain::money::{Currency, Money};
use widgetco::domain::product::{Details, Product};

use crate::shop::TestShop;

async fn add(shop: &TestShop, sku: &str, name: &str, amount_minor: u64) {
    let price = Money { amount_minor, currency: Currency::parse("EUR").unwrap() };
    let product = Product::new(Sku::parse(sku).unwrap(), Details::on_sale(name, price), shop.app.clock.now());
    shop.app.store.products.create(&product).await.unwrap();
}

/// Four products, each a second younger than the one before.
async fn shop() -> TestShop {
    let shop = TestShop::open(&[]).await;
    for (sku, name, price) in
        [("A", "Red mug", 500), ("B", "blue Mug", 300), ("C", "Bowl", 500), ("D", "Plate", 900)]
    {
        add(&shop, sku, name, price).await;
        shop.advance(std::time::Duration::from_secs(1));
    }
    shop
}

fn page_ids(page: &Value) -> Vec<String> {
    page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

/// All pages of a list, one after the other.
async fn all(shop: &TestShop, path: &str) -> Vec<String> {
    let (mut seen, mut path) = (Vec::new(), path.to_owned());
    loop {
        let page = shop.get(&path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {:?}", page.body);
        seen.extend(page_ids(&page.body));
        match page.body["nextLink"].as_str() {
            Some(next) => path = next.to_owned(),
            None => return seen,
        }
    }
}

#[tokio::test]
async fn list_is_sorted_as_asked_on_every_page() {
    let shop = shop().await;
    for (sort, expected) in [
        ("name", ["b", "c", "d", "a"]),
        ("price", ["b", "a", "c", "d"]),
        ("-price", ["d", "c", "a", "b"]),
        ("newest", ["d", "c", "b", "a"]),
    ] {
        for limit in [1, 2, 3, 4, 5] {
            assert_eq!(
                all(&shop, &format!("/api/products?sort={sort}&limit={limit}")).await,
                expected,
                "{sort}"
            );
        }
    }
}

#[tokio::test]
async fn list_shows_what_the_filters_name() {
    let shop = shop().await;
    for (filters, expected) in [
        ("q=mug", vec!["b", "a"]),
        ("q=MUG&maxPrice=400", vec!["b"]),
        ("minPrice=500&maxPrice=500", vec!["c", "a"]),
        ("status=draft", vec![]),
        ("currency=USD", vec![]),
        ("currency=EUR&minPrice=600", vec!["d"]),
        ("q=%27%20OR%201%3D1", vec![]),
    ] {
        assert_eq!(all(&shop, &format!("/api/products?{filters}&limit=1")).await, expected, "{filters}");
    }
}

#[tokio::test]
async fn wrong_filters_are_named_and_the_right_ones_listed() {
    let shop = shop().await;
    for (query, parameter) in [
        ("sort=size", "sort"),
        ("minPrice=1.5", "minPrice"),
        ("inStock=yes", "inStock"),
        ("category=A", "category"),
        ("q=", "q"),
        ("status=gone", "status"),
    ] {
        let answer = shop.get(&format!("/api/products?{query}")).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(answer.body["errors"][0]["parameter"], parameter, "{query}");
    }
    let unknown = shop.get("/api/products?color=red").await;
    let detail = unknown.body["detail"].as_str().unwrap();
    assert!(detail.contains("inStock") && detail.contains("sort"), "{detail}");
    let next = shop.get("/api/products?limit=1").await.body["nextLink"].as_str().unwrap().to_owned();
    let mixed = shop.get(&format!("{next}&sort=price")).await;
    assert_eq!(
        (mixed.status, &mixed.body["errors"][0]["parameter"]),
        (StatusCode::BAD_REQUEST, &json!("cursor"))
    );
}

#[tokio::test]
async fn pages_go_on_where_they_stopped_whatever_is_written_meanwhile() {
    let shop = shop().await;
    let first = shop.get("/api/products?sort=price&limit=2").await.body;
    assert_eq!(page_ids(&first), ["b", "a"]);
    add(&shop, "B2", "Cheaper", 100).await;
    shop.send("DELETE", "/api/products/a", &[], None).await;
    assert_eq!(all(&shop, first["nextLink"].as_str().unwrap()).await, ["c", "d"]);
}

#[tokio::test]
async fn list_of_what_is_in_stock_is_right_the_moment_stock_changes() {
    let shop = TestShop::open(&[("a", 1), ("b", 0), ("c", 1), ("d", 0), ("e", 1)]).await;
    assert_eq!(all(&shop, "/api/products?inStock=true&limit=2").await, ["a", "c", "e"]);
    shop.place("ada", &[("c", 1)]).await;
    shop.work().await;
    assert_eq!(all(&shop, "/api/products?inStock=true&limit=2").await, ["a", "e"]);
    assert_eq!(all(&shop, "/api/products?limit=2").await.len(), 5);
}

#[tokio::test]
async fn page_costs_the_same_among_a_thousand_products_as_among_ten_thousand() {
    let mut costs = Vec::new();
    for count in [1_000, 10_000] {
        let shop = TestShop::open(&[]).await;
        for number in 0..count {
            add(&shop, &format!("P-{number}"), &format!("Product {number}"), number % 997).await;
        }
        let before = shop.emulator.requests();
        let page = shop.get("/api/products?q=1&minPrice=100&sort=-price&limit=20").await;
        assert_eq!(page_ids(&page.body).len(), 20);
        let in_stock = shop.get("/api/products?inStock=true&sort=newest&limit=20").await;
        assert_eq!((page_ids(&in_stock.body).len(), in_stock.body["nextLink"].is_string()), (0, true));
        costs.push(shop.emulator.requests() - before);
    }
    assert_eq!(costs[0], costs[1]);
    // A page: a query, which asks each of the account's four physical partitions, and 20 counts. A page of what is in
    // stock, when nothing is: four times that.
    assert_eq!(costs[1], (4 + 20) + 4 * (4 + 20));
}
