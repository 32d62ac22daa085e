//! Bad input, endpoint by endpoint: each answers a problem that names the field, and changes nothing.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};
use widgetco::host::{BODY_BYTES_MAX, ENVELOPE_BYTES_MAX};

use crate::shop::{Answer, TestShop, order_body};

type Headers = &'static [(&'static str, &'static str)];

/// The endpoints that take a body: method, path, headers that let a request through, and a body that is right.
fn endpoints(order: &str) -> Vec<(&'static str, String, Headers, Value)> {
    vec![
        ("POST", "/api/orders".into(), &[], order_body("ada", &[("w", 1)])),
        ("PUT", format!("/api/orders/{order}/shipment"), &[], json!({"carrier": "Parcel post"})),
        ("POST", format!("/api/orders/{order}/cancellation"), &[], json!({"reason": "changed my mind"})),
        ("PUT", "/api/products/w/stock".into(), &[("If-Match", "*")], json!({"onHand": 7})),
        ("POST", "/api/products/w/stock/adjustments".into(), &[], json!({"delta": 1, "reason": "found"})),
    ]
}

fn assert_problem(answer: &Answer, status: StatusCode, context: &str) {
    assert_eq!(answer.status, status, "{context}: {:?}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json", "{context}");
    assert_eq!(answer.body["status"], status.as_u16(), "{context}");
    for member in ["type", "title", "code", "traceId"] {
        assert!(answer.body[member].is_string(), "{member} in {context}: {:?}", answer.body);
    }
}

/// The place that the first error points at.
fn place(answer: &Answer) -> &str {
    let error = &answer.body["errors"][0];
    error["pointer"].as_str().or(error["parameter"].as_str()).or(error["header"].as_str()).unwrap_or("(none)")
}

async fn shop_with_order() -> (TestShop, String) {
    let shop = TestShop::open(&[("w", 10)]).await;
    let id = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    (shop, id)
}

#[tokio::test]
async fn malformed_body_is_refused_with_its_position() {
    let (shop, order) = shop_with_order().await;
    for (method, path, headers, _) in endpoints(&order) {
        for text in ["{", "not json", "[]", "\"text\""] {
            let answer = shop.send(method, &path, headers, Some(text.into())).await;
            assert_problem(&answer, StatusCode::BAD_REQUEST, &format!("{method} {path} {text}"));
            assert_eq!(
                (&answer.body["code"], place(&answer)),
                (&json!("invalid-body"), ""),
                "{method} {path} {text}"
            );
        }
    }
}

#[tokio::test]
async fn unknown_field_is_refused_by_name() {
    let (shop, order) = shop_with_order().await;
    for (method, path, headers, mut body) in endpoints(&order) {
        body["surprise"] = json!(1);
        let answer = shop.send(method, &path, headers, Some(body.to_string())).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, &path);
        assert_eq!(place(&answer), "/surprise", "{path}");
    }
    let line = json!({"customerId": "ada", "lines": [{"productId": "w", "quantity": 1, "price": 0}]});
    let answer = shop.post("/api/orders", &[], line).await;
    assert_eq!(place(&answer), "/lines/0/price");
}

#[tokio::test]
async fn over_long_body_is_refused_with_the_limit() {
    let (shop, order) = shop_with_order().await;
    for (method, path, headers, mut body) in endpoints(&order) {
        body["surprise"] = json!("x".repeat(BODY_BYTES_MAX));
        let answer = shop.send(method, &path, headers, Some(body.to_string())).await;
        assert_problem(&answer, StatusCode::PAYLOAD_TOO_LARGE, &path);
        assert!(answer.body["detail"].as_str().unwrap().contains(&BODY_BYTES_MAX.to_string()), "{path}");
    }
}

#[tokio::test]
async fn body_beyond_every_limit_is_refused_to_its_caller_too() {
    let (shop, order) = shop_with_order().await;
    for (method, path, headers, _) in endpoints(&order) {
        let answer = shop.send(method, &path, headers, Some("x".repeat(2 * ENVELOPE_BYTES_MAX))).await;
        assert_problem(&answer, StatusCode::PAYLOAD_TOO_LARGE, &path);
    }
}

#[tokio::test]
async fn array_is_no_order_line() {
    let (shop, _) = shop_with_order().await;
    let answer = shop.post("/api/orders", &[], json!({"customerId": "ada", "lines": [["w", 1]]})).await;
    assert_problem(&answer, StatusCode::BAD_REQUEST, "array");
    assert_eq!(place(&answer), "/lines/0");
}

#[tokio::test]
async fn function_key_in_the_query_is_no_unknown_parameter() {
    let (shop, order) = shop_with_order().await;
    for path in [
        "/api/products",
        "/api/products/w",
        "/api/products/w/stock",
        "/api/heartbeat",
        "/api/customers/ada/orders",
        &format!("/api/orders/{order}"),
        &format!("/api/orders/{order}/events"),
    ] {
        assert_eq!(shop.get(&format!("{path}?code=k3y")).await.status, StatusCode::OK, "{path}");
        let answer = shop.get(&format!("{path}?code=k3y&surprise=1")).await;
        assert_eq!((answer.status, place(&answer)), (StatusCode::BAD_REQUEST, "surprise"), "{path}");
    }
    for (method, path, headers, body) in endpoints(&order) {
        let answer = shop.send(method, &format!("{path}?surprise=1"), headers, Some(body.to_string())).await;
        assert_eq!((answer.status, place(&answer)), (StatusCode::BAD_REQUEST, "surprise"), "{path}");
    }
}

#[tokio::test]
async fn body_of_another_type_is_refused() {
    let (shop, order) = shop_with_order().await;
    for (method, path, headers, body) in endpoints(&order) {
        let mut sent = vec![("Content-Type", "text/plain")];
        sent.extend(headers);
        let answer = shop.send(method, &path, &sent, Some(body.to_string())).await;
        assert_problem(&answer, StatusCode::UNSUPPORTED_MEDIA_TYPE, &path);
    }
}

#[tokio::test]
async fn unknown_id_is_a_404_that_names_it() {
    let (shop, _) = shop_with_order().await;
    let unknown = "a".repeat(34);
    let mut paths: Vec<(&str, String, Headers, Option<Value>)> = Vec::new();
    for order in [unknown.as_str(), "not-an-id"] {
        paths.push(("GET", format!("/api/orders/{order}"), &[], None));
        paths.push(("GET", format!("/api/orders/{order}/events"), &[], None));
        let bodies = endpoints(order).into_iter().filter(|(_, path, ..)| path.contains(order));
        paths.extend(bodies.map(|(method, path, headers, body)| (method, path, headers, Some(body))));
    }
    for product in ["nothing", "NOT-AN-ID"] {
        paths.push(("GET", format!("/api/products/{product}"), &[], None));
        paths.push(("GET", format!("/api/products/{product}/stock"), &[], None));
        paths.push((
            "PUT",
            format!("/api/products/{product}/stock"),
            &[("If-Match", "*")],
            Some(json!({"onHand": 1})),
        ));
        let body = json!({"delta": 1, "reason": "found"});
        paths.push(("POST", format!("/api/products/{product}/stock/adjustments"), &[], Some(body)));
    }
    for customer in ["nobody", "-"] {
        paths.push(("GET", format!("/api/customers/{customer}/orders"), &[], None));
    }
    for (method, path, headers, body) in paths {
        let answer = shop.send(method, &path, headers, body.map(|body| body.to_string())).await;
        assert_problem(&answer, StatusCode::NOT_FOUND, &format!("{method} {path}"));
        assert_eq!(place(&answer), "id", "{method} {path}");
    }
}

#[tokio::test]
async fn every_wrong_value_is_reported_at_once_with_its_place() {
    let (shop, order) = shop_with_order().await;
    let cases: [(&str, String, Headers, Value, &[&str]); 7] = [
        (
            "POST",
            "/api/orders".into(),
            &[],
            json!({"customerId": "", "lines": [{"productId": "W!", "quantity": 0}, {"productId": "w", "quantity": 10_001}]}),
            &["/customerId", "/lines/0/productId", "/lines/0/quantity", "/lines/1/quantity"],
        ),
        ("POST", "/api/orders".into(), &[], json!({"customerId": "ada", "lines": []}), &["/lines"]),
        (
            "PUT",
            format!("/api/orders/{order}/shipment"),
            &[],
            json!({"shippedAt": "yesterday", "carrier": "", "trackingNumber": "x".repeat(201)}),
            &["/shippedAt", "/carrier", "/trackingNumber"],
        ),
        (
            "PUT",
            format!("/api/orders/{order}/shipment"),
            &[],
            json!({"shippedAt": "2027-01-01T00:00:00Z", "carrier": " \u{0}"}),
            &["/shippedAt", "/carrier"],
        ),
        ("POST", format!("/api/orders/{order}/cancellation"), &[], json!({"reason": ""}), &["/reason"]),
        ("PUT", "/api/products/w/stock".into(), &[("If-Match", "*")], json!({"onHand": -1}), &["/onHand"]),
        (
            "POST",
            "/api/products/w/stock/adjustments".into(),
            &[],
            json!({"delta": 0, "reason": " "}),
            &["/delta", "/reason"],
        ),
    ];
    for (method, path, headers, body, pointers) in cases {
        let answer = shop.send(method, &path, headers, Some(body.to_string())).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, &format!("{method} {path} {body}"));
        let errors = answer.body["errors"].as_array().unwrap();
        let found: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
        assert_eq!(found, pointers, "{method} {path} {body}");
    }
    assert_eq!(shop.status(&order).await, "confirmed");
    assert_eq!(shop.counts("w").await, (10, 1, 9));
}

#[tokio::test]
async fn what_is_well_formed_and_cannot_be_is_another_refusal() {
    let (shop, order) = shop_with_order().await;
    let shipment = format!("/api/orders/{order}/shipment");
    let line = json!({"productId": "w", "quantity": 10_000});
    for (method, path, body, pointer) in [
        ("PUT", shipment.as_str(), json!({"shippedAt": "0001-01-01T00:00:00Z"}), "/shippedAt"),
        ("PUT", &shipment, json!({"shippedAt": "2027-01-01T00:00:00Z"}), "/shippedAt"),
        ("POST", "/api/orders", json!({"customerId": "ada", "lines": [line, line]}), "/lines/1/quantity"),
    ] {
        let answer = shop.send(method, path, &[], Some(body.to_string())).await;
        assert_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, &body.to_string());
        assert_eq!((&answer.body["code"], place(&answer)), (&json!("unprocessable-body"), pointer));
    }
}

#[tokio::test]
async fn missing_and_mistyped_fields_are_named() {
    let (shop, _) = shop_with_order().await;
    for (body, pointer) in [
        (json!({"lines": []}), "/customerId"),
        (json!({"customerId": "ada"}), "/lines"),
        (json!({"customerId": "ada", "lines": [{"productId": "w"}]}), "/lines/0/quantity"),
        (json!({"customerId": "ada", "lines": [{"productId": "w", "quantity": "2"}]}), "/lines/0/quantity"),
        (json!({"customerId": "ada", "lines": [{"productId": "w", "quantity": 1.5}]}), "/lines/0/quantity"),
    ] {
        let answer = shop.post("/api/orders", &[], body.clone()).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, &body.to_string());
        assert_eq!(place(&answer), pointer, "{body}");
    }
}

#[tokio::test]
async fn order_for_what_does_not_exist_is_refused_by_name() {
    let (shop, _) = shop_with_order().await;
    let answer = shop.post("/api/orders", &[], order_body("nobody", &[("w", 1), ("x", 1)])).await;
    assert_problem(&answer, StatusCode::UNPROCESSABLE_ENTITY, "unknown customer and product");
    let errors = answer.body["errors"].as_array().unwrap();
    let pointers: Vec<_> = errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect();
    assert_eq!(pointers, ["/customerId", "/lines/1/productId"]);
}

#[tokio::test]
async fn malformed_headers_are_named() {
    let (shop, _) = shop_with_order().await;
    let long = "k".repeat(256);
    for key in ["", "with space", &long] {
        let answer =
            shop.post("/api/orders", &[("Idempotency-Key", key)], order_body("ada", &[("w", 1)])).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, key);
        assert_eq!(place(&answer), "Idempotency-Key");
    }
    let twice = [("Idempotency-Key", "a"), ("Idempotency-Key", "b")];
    let answer = shop.post("/api/orders", &twice, order_body("ada", &[("w", 1)])).await;
    assert_eq!((answer.status, place(&answer)), (StatusCode::BAD_REQUEST, "Idempotency-Key"));
    let answer = shop.put("/api/products/w/stock", &[("If-Match", "abc")], json!({"onHand": 1})).await;
    assert_problem(&answer, StatusCode::BAD_REQUEST, "If-Match: abc");
    assert!(place(&answer).eq_ignore_ascii_case("if-match"));
}

#[tokio::test]
async fn unknown_query_parameters_are_refused() {
    let (shop, _) = shop_with_order().await;
    for path in ["/api/products", "/api/customers/ada/orders"] {
        let answer = shop.get(&format!("{path}?page=2")).await;
        assert_problem(&answer, StatusCode::BAD_REQUEST, path);
        assert_eq!(place(&answer), "page");
        let answer = shop.get(&format!("{path}?limit=0")).await;
        assert_eq!((answer.status, place(&answer)), (StatusCode::BAD_REQUEST, "limit"));
        let answer = shop.get(&format!("{path}?cursor=nonsense")).await;
        assert_eq!((answer.status, place(&answer)), (StatusCode::BAD_REQUEST, "cursor"));
    }
}
