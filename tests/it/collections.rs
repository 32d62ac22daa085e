//! Categories and collections: the tree, the references to it, and names that cost one write.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Answer, TestShop};

async fn category(shop: &TestShop, id: &str, parent: Option<&str>) -> Answer {
    let body = json!({"id": id, "kind": "category", "name": id.to_uppercase(), "parentId": parent});
    shop.post("/api/collections", &[], body).await
}

/// A category tree: `home` over `lamps` over `desk`, and `garden`.
async fn shop() -> TestShop {
    let shop = TestShop::open(&[("a", 1), ("b", 1), ("c", 0)]).await;
    for (id, parent) in [("home", None), ("lamps", Some("home")), ("desk", Some("lamps")), ("garden", None)] {
        let created = category(&shop, id, parent).await;
        assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    }
    let body = json!({"id": "summer", "kind": "collection", "name": "Summer"});
    assert_eq!(shop.post("/api/collections", &[], body).await.status, StatusCode::CREATED);
    shop
}

async fn put_into(shop: &TestShop, product: &str, categories: Value, collections: Value) -> Answer {
    let patch = json!({"categoryIds": categories, "collectionIds": collections});
    shop.send("PATCH", &format!("/api/products/{product}"), &[], Some(patch.to_string())).await
}

async fn ids(shop: &TestShop, path: &str) -> Vec<String> {
    let page = shop.get(path).await;
    assert_eq!(page.status, StatusCode::OK, "{path}: {:?}", page.body);
    page.body["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test]
async fn category_lists_products_of_those_below_it() {
    let shop = shop().await;
    for (product, category) in [("a", "desk"), ("b", "garden"), ("c", "home")] {
        let put = put_into(&shop, product, json!([category]), json!(["summer"])).await;
        assert_eq!(put.status, StatusCode::OK, "{:?}", put.body);
    }
    assert_eq!(ids(&shop, "/api/products?category=home").await, ["a", "c"]);
    assert_eq!(ids(&shop, "/api/products?category=lamps").await, ["a"]);
    assert_eq!(ids(&shop, "/api/products?collection=summer&inStock=true").await, ["a", "b"]);
    assert_eq!(ids(&shop, "/api/products?category=garden&collection=summer").await, ["b"]);
}

#[tokio::test]
async fn reference_to_the_wrong_kind_is_refused() {
    let shop = shop().await;
    let refused = put_into(&shop, "a", json!(["summer"]), json!(["home"])).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["errors"][0]["pointer"], "/categoryIds/0");
    assert_eq!(refused.body["errors"][1]["pointer"], "/collectionIds/0");
}

#[tokio::test]
async fn tree_shows_every_category_under_its_parent() {
    let shop = shop().await;
    let expected = json!({"items": [
        {"id": "garden", "name": "GARDEN", "children": []},
        {"id": "home", "name": "HOME", "children": [
            {"id": "lamps", "name": "LAMPS", "children": [{"id": "desk", "name": "DESK", "children": []}]},
        ]},
    ]});
    assert_eq!(shop.get("/api/category-tree").await.body, expected);
    assert_eq!(ids(&shop, "/api/collections?kind=category&parent=home").await, ["lamps"]);
    assert_eq!(ids(&shop, "/api/collections?limit=2").await, ["desk", "garden"]);
    let next = shop.get("/api/collections?kind=category&limit=3").await.body["nextLink"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(ids(&shop, &next).await, ["lamps"]);
}

#[tokio::test]
async fn category_cannot_be_moved_below_itself() {
    let shop = shop().await;
    let home = shop.get("/api/collections/home").await;
    let body = json!({"id": "home", "kind": "category", "name": "Home", "parentId": "desk"});
    let refused = shop.put("/api/collections/home", &[("If-Match", home.header("etag"))], body).await;
    assert_eq!(
        (refused.status, &refused.body["errors"][0]["pointer"]),
        (StatusCode::UNPROCESSABLE_ENTITY, &json!("/parentId"))
    );
    assert_eq!(category(&shop, "x", Some("summer")).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn new_name_costs_one_write() {
    let shop = shop().await;
    put_into(&shop, "a", json!(["desk"]), json!([])).await;
    let desk = shop.get("/api/collections/desk").await;
    let product = shop.get("/api/products/a").await;
    let before = shop.emulator.requests();
    let body = json!({"id": "desk", "kind": "category", "name": "Desk lamps", "parentId": "lamps"});
    let renamed = shop.put("/api/collections/desk", &[("If-Match", desk.header("etag"))], body).await;
    assert_eq!((renamed.status, &renamed.body["name"]), (StatusCode::OK, &json!("Desk lamps")));
    assert_eq!(shop.emulator.requests() - before, 2, "a read and a write");
    assert_eq!(shop.get("/api/products/a").await.header("etag"), product.header("etag"));
    let stale = json!({"id": "desk", "kind": "category", "name": "Desks"});
    let stale = shop.put("/api/collections/desk", &[("If-Match", desk.header("etag"))], stale).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn same_request_twice_makes_one_collection() {
    let shop = shop().await;
    let again = category(&shop, "garden", None).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    let other = json!({"id": "garden", "kind": "category", "name": "Other"});
    assert_eq!(shop.post("/api/collections", &[], other).await.status, StatusCode::CONFLICT);
}
