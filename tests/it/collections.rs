//! Categories and collections: the tree, the references to it, and names that cost one write.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::domain::collection::{COLLECTIONS_MAX, CollectionDraft};

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

#[tokio::test]
async fn there_are_no_more_than_there_may_be() {
    let shop = TestShop::open(&[]).await;
    let now = shop.app.clock.now();
    for number in 0..COLLECTIONS_MAX {
        let draft = json!({"id": format!("c{number}"), "kind": "collection", "name": "C"});
        let draft: CollectionDraft = serde_json::from_value(draft).unwrap();
        shop.app.store.collections.create(&draft.check(now).unwrap()).await.unwrap();
    }
    let more = json!({"id": "more", "kind": "collection", "name": "More"});
    let refused = shop.post("/api/collections", &[], more).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        refused.body["errors"][0]["detail"].as_str().unwrap().contains("1000 already"),
        "{}",
        refused.body
    );
}

#[tokio::test]
async fn key_belongs_to_one_request_whatever_its_id() {
    let shop = shop().await;
    let key = [("Idempotency-Key", "k1")];
    let body = |id: &str| json!({"id": id, "kind": "collection", "name": "Autumn"});
    let before = shop.requests();
    let created = shop.post("/api/collections", &key, body("autumn")).await;
    assert_eq!((created.status, created.header("idempotency-replayed")), (StatusCode::CREATED, ""));
    assert_eq!(shop.requests() - before, 6, "a query in four partitions, the key and the collection");
    let reused = shop.post("/api/collections", &key, body("fall")).await;
    assert_eq!(
        (reused.status, reused.body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("idempotency-key-reused"))
    );
    assert_eq!(shop.get("/api/collections/fall").await.status, StatusCode::NOT_FOUND);
    assert_eq!(ids(&shop, "/api/collections?kind=collection").await, ["autumn", "summer"]);
    // The key of a product is another one.
    let product = json!({"sku": "A-1", "name": "A", "price": {"amountMinor": 1, "currency": "EUR"}});
    assert_eq!(shop.post("/api/products", &key, product).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn collection_that_was_cut_off_after_its_key_is_created_by_the_next_attempt() {
    let shop = shop().await;
    let key = [("Idempotency-Key", "k1")];
    let body = json!({"id": "autumn", "kind": "collection", "name": "Autumn"});
    shop.post("/api/collections", &key, body.clone()).await;
    // Of what it wrote, only the key is left.
    shop.container("collections").await.delete_item("autumn", "autumn", None).await.unwrap();
    let again = shop.post("/api/collections", &key, body).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, ""));
    assert_eq!(shop.get("/api/collections/autumn").await.status, StatusCode::OK);
}

#[tokio::test]
async fn replay_finds_its_category_wherever_it_is_now() {
    let shop = shop().await;
    let key = [("Idempotency-Key", "k1")];
    let body = json!({"id": "bulbs", "kind": "category", "name": "Bulbs", "parentId": "garden"});
    let created = shop.post("/api/collections", &key, body.clone()).await;
    let expected = json!({
        "id": "bulbs",
        "kind": "category",
        "name": "Bulbs",
        "description": "",
        "parentId": "garden",
        "createdAt": "2026-03-02T09:15:00.000Z",
        "updatedAt": "2026-03-02T09:15:00.000Z",
    });
    assert_eq!((created.status, &created.body), (StatusCode::CREATED, &expected));
    // It goes to the top, and what it was created under goes below it.
    for (id, parent) in [("bulbs", None), ("garden", Some("bulbs"))] {
        let moved = json!({"id": id, "kind": "category", "name": id.to_uppercase(), "parentId": parent});
        let moved = shop.put(&format!("/api/collections/{id}"), &[("If-Match", "*")], moved).await;
        assert_eq!(moved.status, StatusCode::OK, "{:?}", moved.body);
    }
    let again = shop.post("/api/collections", &key, body.clone()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(again.body["name"], "BULBS");
    let unkeyed = shop.post("/api/collections", &[], body).await;
    assert_eq!(unkeyed.status, StatusCode::UNPROCESSABLE_ENTITY, "{:?}", unkeyed.body);
}
