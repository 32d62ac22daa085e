//! Keeping products: create, replace, patch, delete, with every mistake at once and no change made blindly.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::TestShop;

fn mug() -> Value {
    json!({
        "sku": "MUG-1",
        "name": "Mug",
        "description": "Holds tea.",
        "price": {"amountMinor": 900, "currency": "EUR"},
        "status": "active",
        "attributes": [{"name": "weight", "value": 300, "unit": "g"}, {"name": "dishwasher", "value": true}],
    })
}

/// The problem's pointers, in their order.
fn pointers(problem: &Value) -> Vec<&str> {
    problem["errors"].as_array().unwrap().iter().map(|error| error["pointer"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn created_product_is_found_at_its_location() {
    let shop = TestShop::open(&[]).await;
    let created = shop.post("/api/products", &[], mug()).await;
    assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    assert_eq!(created.header("location"), "/api/products/mug-1");
    let expected = json!({
        "id": "mug-1",
        "sku": "MUG-1",
        "name": "Mug",
        "description": "Holds tea.",
        "price": {"amountMinor": 900, "currency": "EUR"},
        "status": "active",
        "categoryIds": [],
        "collectionIds": [],
        "attributes": [{"name": "weight", "value": 300, "unit": "g"}, {"name": "dishwasher", "value": true}],
        "images": [],
        "available": 0,
        "createdAt": "2026-03-02T09:15:00.000Z",
        "updatedAt": "2026-03-02T09:15:00.000Z",
    });
    assert_eq!(created.body, expected);
    let found = shop.get("/api/products/mug-1").await;
    assert_eq!((found.status, &found.body), (StatusCode::OK, &expected));
    assert_eq!(found.header("etag"), created.header("etag"));
}

#[tokio::test]
async fn same_request_under_one_key_makes_one_product() {
    let shop = TestShop::open(&[]).await;
    let key = [("Idempotency-Key", "k1")];
    let first = shop.post("/api/products", &key, mug()).await;
    let second = shop.post("/api/products", &key, mug()).await;
    assert_eq!((second.status, &second.body), (StatusCode::CREATED, &first.body));
    assert_eq!(second.header("idempotency-replayed"), "true");
    let mut other = mug();
    other["name"] = json!("Cup");
    let reused = shop.post("/api/products", &key, other.clone()).await;
    assert_eq!(
        (reused.status, reused.body["code"].as_str()),
        (StatusCode::UNPROCESSABLE_ENTITY, Some("idempotency-key-reused"))
    );
    let taken = shop.post("/api/products", &[], other).await;
    assert_eq!((taken.status, pointers(&taken.body)), (StatusCode::CONFLICT, vec!["/sku"]));
}

#[tokio::test]
async fn every_mistake_is_reported_at_once() {
    let shop = TestShop::open(&[]).await;
    let wrong = shop
        .post(
            "/api/products",
            &[],
            json!({"sku": "mug", "name": "", "price": {"amountMinor": 1, "currency": "EUR"}}),
        )
        .await;
    assert_eq!((wrong.status, pointers(&wrong.body)), (StatusCode::BAD_REQUEST, vec!["/sku", "/name"]));
    let mut adrift = mug();
    adrift["categoryIds"] = json!(["none"]);
    adrift["collectionIds"] = json!(["neither"]);
    let adrift = shop.post("/api/products", &[], adrift).await;
    assert_eq!(adrift.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(pointers(&adrift.body), ["/categoryIds/0", "/collectionIds/0"]);
}

#[tokio::test]
async fn product_is_not_replaced_blindly() {
    let shop = TestShop::open(&[]).await;
    let etag = shop.post("/api/products", &[], mug()).await.header("etag").to_owned();
    let mut dearer = mug();
    dearer["price"]["amountMinor"] = json!(1100);
    assert_eq!(
        shop.put("/api/products/mug-1", &[], dearer.clone()).await.status,
        StatusCode::PRECONDITION_REQUIRED
    );
    let replaced = shop.put("/api/products/mug-1", &[("If-Match", &etag)], dearer.clone()).await;
    assert_eq!((replaced.status, &replaced.body["price"]["amountMinor"]), (StatusCode::OK, &json!(1100)));
    assert_ne!(replaced.header("etag"), etag);
    let stale = shop.put("/api/products/mug-1", &[("If-Match", &etag)], mug()).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
    let mut renamed = dearer;
    renamed["sku"] = json!("MUG-2");
    let renamed = shop.put("/api/products/mug-1", &[("If-Match", "*")], renamed).await;
    assert_eq!((renamed.status, pointers(&renamed.body)), (StatusCode::UNPROCESSABLE_ENTITY, vec!["/sku"]));
    assert_eq!(
        shop.put("/api/products/cup", &[("If-Match", "*")], mug()).await.status,
        StatusCode::NOT_FOUND
    );
}

#[tokio::test]
async fn pieces_that_come_or_go_do_not_make_an_etag_stale() {
    let shop = TestShop::open(&[("w", 3)]).await;
    let before = shop.get("/api/products/w").await;
    shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    let after = shop.get("/api/products/w").await;
    assert_ne!(before.header("etag"), after.header("etag"), "a cache must see that fewer are available");
    let body = json!({"sku": "W", "name": "Widget", "price": {"amountMinor": 5, "currency": "EUR"}, "status": "active"});
    let replaced = shop.put("/api/products/w", &[("If-Match", before.header("etag"))], body).await;
    assert_eq!((replaced.status, &replaced.body["available"]), (StatusCode::OK, &json!(2)));
}

#[tokio::test]
async fn patch_changes_what_it_names() {
    let shop = TestShop::open(&[]).await;
    let etag = shop.post("/api/products", &[], mug()).await.header("etag").to_owned();
    let merge = ("Content-Type", "application/merge-patch+json");
    let patch = async |headers: &[(&str, &str)], body: Value| {
        shop.send("PATCH", "/api/products/mug-1", &[&[merge], headers].concat(), Some(body.to_string())).await
    };
    let patched = patch(&[], json!({"price": {"amountMinor": 800}, "description": null})).await;
    assert_eq!(patched.status, StatusCode::OK, "{:?}", patched.body);
    assert_eq!(patched.body["price"], json!({"amountMinor": 800, "currency": "EUR"}));
    assert_eq!((&patched.body["description"], &patched.body["name"]), (&json!(""), &json!("Mug")));
    let wrong = patch(&[], json!({"price": {"amountMinor": -1}})).await;
    assert_eq!((wrong.status, pointers(&wrong.body)), (StatusCode::BAD_REQUEST, vec!["/price/amountMinor"]));
    let unknown = patch(&[], json!({"colour": "red"})).await;
    assert_eq!((unknown.status, pointers(&unknown.body)), (StatusCode::BAD_REQUEST, vec!["/colour"]));
    let missing = patch(&[], json!({"name": null})).await;
    assert_eq!((missing.status, pointers(&missing.body)), (StatusCode::BAD_REQUEST, vec!["/name"]));
    let stale = patch(&[("If-Match", &etag)], json!({"name": "Cup"})).await;
    assert_eq!(stale.status, StatusCode::PRECONDITION_FAILED);
}

#[tokio::test]
async fn deleted_product_is_gone_from_lists_but_not_from_old_orders() {
    let shop = TestShop::open(&[("w", 3), ("v", 1)]).await;
    let order = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    for _ in 0..2 {
        assert_eq!(shop.send("DELETE", "/api/products/w", &[], None).await.status, StatusCode::NO_CONTENT);
    }
    let found = shop.get("/api/products/w").await;
    assert_eq!(
        (found.status, &found.body["deletedAt"]),
        (StatusCode::OK, &json!("2026-03-02T09:15:00.000Z"))
    );
    let list = shop.get("/api/products").await.body;
    assert_eq!(list["items"].as_array().unwrap().len(), 1);
    assert_eq!(shop.order(&order).await["lines"][0]["name"], "Product w");
    let body = json!({"sku": "W", "name": "W", "price": {"amountMinor": 5, "currency": "EUR"}});
    let put = shop.put("/api/products/w", &[("If-Match", "*")], body).await;
    assert_eq!((put.status, put.body["code"].as_str()), (StatusCode::CONFLICT, Some("product-deleted")));
    let lines = json!({"customerId": "ada", "lines": [{"productId": "w", "quantity": 1}]});
    let refused = shop.post("/api/orders", &[], lines).await;
    assert_eq!(
        (refused.status, pointers(&refused.body)),
        (StatusCode::UNPROCESSABLE_ENTITY, vec!["/lines/0/productId"])
    );
    assert_eq!(shop.send("DELETE", "/api/products/x", &[], None).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn draft_cannot_be_ordered() {
    let shop = TestShop::open(&[]).await;
    let mut draft = mug();
    draft["status"] = json!("draft");
    shop.post("/api/products", &[], draft).await;
    let lines = json!({"customerId": "ada", "lines": [{"productId": "mug-1", "quantity": 1}]});
    let refused = shop.post("/api/orders", &[], lines).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(refused.body["errors"][0]["detail"], "there is nothing on sale under mug-1");
}
