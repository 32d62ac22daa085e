//! Where an order goes: copied when it is placed, for those who bring it, and gone before the order is.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::auth::development::Bearer;
use widgetco::domain::id::CustomerId;

use crate::shop::{Answer, TestShop, order_body};

fn address(city: &str) -> Value {
    json!({"lines": ["Secret Street 7"], "postalCode": "10115", "city": city, "country": "DE"})
}

fn to(city: &str, quantity: u32) -> Value {
    let mut body = order_body("ada", &[("w", quantity)]);
    body["shippingAddress"] = address(city);
    body
}

async fn place(shop: &TestShop, key: &str, body: Value) -> Answer {
    shop.post("/api/orders", &[("Idempotency-Key", key)], body).await
}

async fn goes_to(shop: &TestShop, placed: &Answer) -> Answer {
    assert_eq!(placed.status, StatusCode::ACCEPTED, "{:?}", placed.body);
    shop.get(&format!("/api/orders/{}/shipping-address", placed.body["id"].as_str().unwrap())).await
}

/// Gives Ada these addresses.
async fn ada_lives_at(shop: &TestShop, addresses: &[Value]) {
    let ada = json!({"id": "ada", "email": "ada@example.com", "name": "Ada", "addresses": addresses});
    let replaced = shop.put("/api/customers/ada", &[("If-Match", "*")], ada).await;
    assert_eq!(replaced.status, StatusCode::OK, "{:?}", replaced.body);
}

#[tokio::test]
async fn order_goes_where_it_says_or_else_to_the_customers_first_address() {
    let shop = TestShop::open(&[("w", 9)]).await;
    let nowhere = place(&shop, "k0", order_body("ada", &[("w", 1)])).await;
    assert_eq!(goes_to(&shop, &nowhere).await.status, StatusCode::NOT_FOUND);
    ada_lives_at(&shop, &[address("Bonn"), address("Kiel")]).await;
    let home = place(&shop, "k1", order_body("ada", &[("w", 1)])).await;
    let away = place(&shop, "k2", to("Rome", 1)).await;
    ada_lives_at(&shop, &[]).await;
    assert_eq!(goes_to(&shop, &home).await.body, address("Bonn"), "as it was then");
    let answer = goes_to(&shop, &away).await;
    assert_eq!((answer.header("cache-control"), &answer.body), ("private, no-store", &address("Rome")));
}

#[tokio::test]
async fn courier_reads_it_and_other_customers_do_not() {
    let shop = TestShop::open(&[("w", 9)]).await;
    let placed = place(&shop, "k", to("Rome", 1)).await;
    let path = format!("/api/orders/{}/shipping-address", placed.body["id"].as_str().unwrap());
    let customer = |id: &str| Bearer::Customer(CustomerId::parse(id).unwrap());
    for (bearer, status) in [(customer("ada"), 200), (customer("bob"), 404), (Bearer::Courier, 200)] {
        let token = shop.token(&bearer);
        let answer = shop.send("GET", &path, &[("authorization", &token)], None).await;
        assert_eq!(answer.status.as_u16(), status, "{bearer:?}");
    }
}

#[tokio::test]
async fn same_key_with_another_address_is_another_request() {
    let shop = TestShop::open(&[("w", 9)]).await;
    let placed = place(&shop, "k", to("Rome", 1)).await;
    let again = place(&shop, "k", to("Rome", 1)).await;
    assert_eq!((again.status, again.header("idempotency-replayed")), (StatusCode::ACCEPTED, "true"));
    assert_eq!(again.body, placed.body);
    let other = place(&shop, "k", to("Oslo", 1)).await;
    assert_eq!((other.status.as_u16(), &other.body["code"]), (422, &json!("idempotency-key-reused")));
    assert_eq!(goes_to(&shop, &placed).await.body, address("Rome"));
    // To name none is another request than to name one, either way round.
    let none = place(&shop, "k", order_body("ada", &[("w", 1)])).await;
    assert_eq!(none.body["code"], "idempotency-key-reused");
    place(&shop, "n", order_body("ada", &[("w", 1)])).await;
    assert_eq!(place(&shop, "n", to("Rome", 1)).await.body["code"], "idempotency-key-reused");
}

#[tokio::test]
async fn mistakes_in_it_are_named_with_all_others() {
    let shop = TestShop::open(&[("w", 9)]).await;
    let mut body = to("Rome", 0);
    body["shippingAddress"]["lines"] = json!(["a", " "]);
    body["shippingAddress"]["country"] = "Germany".into();
    let refused = place(&shop, "k", body).await;
    let pointers: Vec<_> =
        refused.body["errors"].as_array().unwrap().iter().map(|one| one["pointer"].clone()).collect();
    assert_eq!(pointers, ["/lines/0/quantity", "/shippingAddress/lines/1", "/shippingAddress/country"]);
    let mut body = to("Rome", 1);
    body["shippingAddress"] = json!([["Quay 1"], null, "Kiel", "DE"]);
    assert_eq!(place(&shop, "k", body).await.status, StatusCode::BAD_REQUEST, "a list is no object");
    let mut body = to("Rome", 1);
    body["shippingAddress"]["colour"] = "red".into();
    assert_eq!(place(&shop, "k", body).await.body["errors"][0]["pointer"], "/shippingAddress/colour");
}

#[tokio::test]
async fn checkout_may_say_where_its_order_goes() {
    let shop = TestShop::open(&[("w", 9)]).await;
    let mut message = to("Rome", 1);
    message["checkoutId"] = "c-1".into();
    shop.put_message("orders", &message.to_string());
    shop.work().await;
    let order =
        shop.get("/api/customers/ada/orders").await.body["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(shop.get(&format!("/api/orders/{order}/shipping-address")).await.body, address("Rome"));
    let exported = shop.get("/api/customers/ada/export").await.body;
    assert_eq!(exported["shippingAddresses"], json!([{"orderId": order, "address": address("Rome")}]));
}

#[tokio::test]
async fn address_is_in_no_order_event_or_bell() {
    let shop = TestShop::open(&[("w", 9)]).await;
    let placed = place(&shop, "k", to("Rome", 1)).await;
    let id = placed.body["id"].as_str().unwrap();
    let bells = shop.messages("orders").join("");
    assert!(bells.contains(id) && !bells.contains("Secret"), "{bells}");
    shop.work().await;
    let documents = shop.documents("orders", &id[..8]).await;
    let with: Vec<_> = documents.iter().filter(|one| one.to_string().contains("Secret")).collect();
    assert_eq!(with.len(), 1);
    assert_eq!((&with[0]["type"], &with[0]["ttl"]), (&json!("shippingAddress"), &json!(180 * 86_400)));
}
