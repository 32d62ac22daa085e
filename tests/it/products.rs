//! Keeping products: create, replace, patch, delete, with every mistake at once and no change made blindly.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::domain::id::Fingerprint;
use widgetco::store::containers::Container;

use crate::shop::{Answer, TestShop};

const KEY: [(&str, &str); 1] = [("Idempotency-Key", "k1")];

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

fn assert_reused(answer: &Answer) {
    let reused = (StatusCode::UNPROCESSABLE_ENTITY, Some("idempotency-key-reused"));
    assert_eq!((answer.status, answer.body["code"].as_str()), reused);
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
    let first = shop.post("/api/products", &KEY, mug()).await;
    let second = shop.post("/api/products", &KEY, mug()).await;
    assert_eq!((second.status, &second.body), (StatusCode::CREATED, &first.body));
    assert_eq!(second.header("idempotency-replayed"), "true");
    let mut other = mug();
    other["name"] = json!("Cup");
    assert_reused(&shop.post("/api/products", &KEY, other.clone()).await);
    let taken = shop.post("/api/products", &[], other).await;
    assert_eq!((taken.status, pointers(&taken.body)), (StatusCode::CONFLICT, vec!["/sku"]));
}

#[tokio::test]
async fn key_belongs_to_one_request_whatever_its_sku() {
    let shop = TestShop::open(&[]).await;
    let before = shop.requests();
    assert_eq!(shop.post("/api/products", &KEY, mug()).await.status, StatusCode::CREATED);
    assert_eq!(shop.requests() - before, 2, "the key and the product");
    let mut other = mug();
    other["sku"] = json!("MUG-2");
    assert_reused(&shop.post("/api/products", &KEY, other.clone()).await);
    assert_eq!(shop.get("/api/products/mug-2").await.status, StatusCode::NOT_FOUND);
    let unkeyed = shop.post("/api/products", &[], other).await;
    assert_eq!(unkeyed.status, StatusCode::CREATED, "without the key nothing stands against it");
}

#[tokio::test]
async fn replay_finds_its_product_as_it_is_now() {
    let shop = TestShop::open(&[]).await;
    shop.post("/api/products", &KEY, mug()).await;
    let patch = json!({"name": "Cup"}).to_string();
    let patched = shop.send("PATCH", "/api/products/mug-1", &[], Some(patch)).await;
    shop.put("/api/products/mug-1/stock", &[("If-None-Match", "*")], json!({"onHand": 12})).await;
    let before = shop.requests();
    let again = shop.post("/api/products", &KEY, mug()).await;
    assert_eq!(shop.requests() - before, 5, "the key and the product, each refused and read, and its counts");
    assert_eq!(again.body["available"], 12);
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    assert_eq!(again.body["name"], "Cup");
    let version = |tag: &str| tag.rsplit_once('.').unwrap().0.to_owned();
    assert_eq!(version(again.header("etag")), version(patched.header("etag")));
}

#[tokio::test]
async fn request_that_was_cut_off_after_taking_its_key_goes_on() {
    let shop = TestShop::open(&[]).await;
    shop.post("/api/products", &KEY, mug()).await;
    // Of what it wrote, only the key is left.
    shop.container("products").await.delete_item("mug-1", "mug-1", None).await.unwrap();
    let mut other = mug();
    other["sku"] = json!("MUG-2");
    assert_reused(&shop.post("/api/products", &KEY, other).await);
    let again = shop.post("/api/products", &KEY, mug()).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::CREATED, ""));
    assert_eq!(shop.get("/api/products/mug-1").await.status, StatusCode::OK);
}

#[tokio::test]
async fn product_of_another_request_is_never_a_replay() {
    let shop = TestShop::open(&[]).await;
    shop.post("/api/products", &[("Idempotency-Key", "k2")], mug()).await;
    for _ in 0..2 {
        let taken = shop.post("/api/products", &KEY, mug()).await;
        assert_eq!((taken.status, pointers(&taken.body)), (StatusCode::CONFLICT, vec!["/sku"]));
    }
}

#[tokio::test]
async fn refused_request_leaves_its_key_free() {
    let shop = TestShop::open(&[]).await;
    let mut adrift = mug();
    adrift["categoryIds"] = json!(["none"]);
    let refused = shop.post("/api/products", &KEY, adrift).await;
    assert_eq!(refused.body["code"], "unprocessable-product");
    assert_eq!(shop.post("/api/products", &KEY, mug()).await.status, StatusCode::CREATED);
}

#[tokio::test]
async fn same_request_twice_at_once_makes_one_product() {
    let shop = TestShop::open(&[]).await;
    let (one, two) =
        tokio::join!(shop.post("/api/products", &KEY, mug()), shop.post("/api/products", &KEY, mug()));
    assert_eq!((one.status, two.status), (StatusCode::CREATED, StatusCode::CREATED));
    assert_eq!((&one.body, one.header("etag")), (&two.body, two.header("etag")));
}

#[tokio::test]
async fn of_two_requests_at_once_under_one_key_one_is_refused() {
    let shop = TestShop::open(&[]).await;
    let mut other = mug();
    other["sku"] = json!("MUG-2");
    let (one, two) =
        tokio::join!(shop.post("/api/products", &KEY, mug()), shop.post("/api/products", &KEY, other));
    let (created, refused) = if one.status == StatusCode::CREATED { (one, two) } else { (two, one) };
    assert_eq!(created.status, StatusCode::CREATED, "{:?}", created.body);
    assert_reused(&refused);
    assert_eq!(shop.get("/api/products").await.body["items"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn key_is_kept_for_a_day_and_seen_by_nobody() {
    let shop = TestShop::open(&[]).await;
    shop.post("/api/products", &KEY, mug()).await;
    let key = format!("_key-{}", Fingerprint::of(["k1"]).as_str());
    let documents = shop.documents("products", &key).await;
    assert_eq!((documents.len(), &documents[0]["type"]), (1, &json!("key")));
    assert_eq!(documents[0]["ttl"], 24 * 60 * 60);
    assert!(Container::Products.definition().expires && Container::Collections.definition().expires);
    for path in ["/api/products", "/api/products?status=draft", "/api/products?sort=newest"] {
        let list = shop.get(path).await.body;
        assert!(list["items"].as_array().unwrap().iter().all(|one| one["id"] == "mug-1"), "{list}");
    }
    assert_eq!(shop.app.audit(None).await.unwrap().products, 1);
    assert_eq!(shop.get(&format!("/api/products/{key}")).await.status, StatusCode::NOT_FOUND);
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
    let nothing = patch(&[], json!({"colour": null, "price": {"tax/vat": null}})).await;
    assert_eq!(
        (nothing.status, pointers(&nothing.body)),
        (StatusCode::BAD_REQUEST, vec!["/colour", "/price/tax~1vat"])
    );
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
