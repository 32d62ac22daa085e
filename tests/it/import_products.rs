//! Bringing products in from a file: a report of every row, and the same file again without harm.
#![cfg(test)]

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Answer, TestShop};

const CSV: &str = "sku,name,priceMinor,currency,status,attribute:weight [g]\n\
                   MUG-1,Mug,900,EUR,active,300\n\
                   mug-2,Mug,900,EUR,active,\n\
                   BOWL-1,Bowl,x,EUR,,\n\
                   PLATE-1,\"Plate, flat\",700,EUR,draft,\n";

async fn import(shop: &TestShop, content_type: &str, text: &str) -> Answer {
    let headers = [("Content-Type", content_type)];
    shop.send("POST", "/api/product-imports", &headers, Some(text.to_owned())).await
}

fn counts(report: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "failed"].map(|name| report[name].as_u64().unwrap())
}

#[tokio::test]
async fn every_row_is_reported_and_the_right_ones_are_there() {
    let shop = TestShop::open(&[]).await;
    let report = import(&shop, "text/csv; charset=utf-8", CSV).await;
    assert_eq!(report.status, StatusCode::OK, "{:?}", report.body);
    assert_eq!(counts(&report.body), [2, 0, 0, 2]);
    let rows = report.body["rows"].as_array().unwrap();
    assert_eq!(rows[0], json!({"row": 1, "productId": "mug-1", "outcome": "created"}));
    assert_eq!((&rows[1]["outcome"], &rows[1]["errors"][0]["pointer"]), (&json!("invalid"), &json!("/sku")));
    assert_eq!(rows[2]["errors"][0]["pointer"], "/price/amountMinor");
    let mug = shop.get("/api/products/mug-1").await.body;
    assert_eq!(mug["attributes"], json!([{"name": "weight", "value": 300, "unit": "g"}]));
    assert_eq!(shop.get("/api/products/plate-1").await.body["name"], "Plate, flat");
}

#[tokio::test]
async fn same_file_again_changes_nothing_and_a_changed_row_one_product() {
    let shop = TestShop::open(&[]).await;
    import(&shop, "text/csv", CSV).await;
    assert_eq!(counts(&import(&shop, "text/csv", CSV).await.body), [0, 0, 2, 2]);
    let dearer = CSV.replace("Mug,900,EUR,active,300", "Mug,950,EUR,active,300");
    assert_eq!(counts(&import(&shop, "text/csv", &dearer).await.body), [0, 1, 1, 2]);
    assert_eq!(shop.get("/api/products/mug-1").await.body["price"]["amountMinor"], 950);
    shop.send("DELETE", "/api/products/mug-1", &[], None).await;
    let after = import(&shop, "text/csv", CSV).await.body;
    assert_eq!((counts(&after), &after["rows"][0]["outcome"]), ([0, 0, 1, 3], &json!("invalid")));
}

#[tokio::test]
async fn file_that_is_none_is_refused_whole() {
    let shop = TestShop::open(&[]).await;
    for (content_type, text, status, named) in [
        ("application/json", "{}", StatusCode::UNSUPPORTED_MEDIA_TYPE, "text/csv"),
        ("text/csv", "name,price\n", StatusCode::BAD_REQUEST, "sku"),
        ("text/csv", "sku,name,priceMinor,currency\n", StatusCode::BAD_REQUEST, "1 to 1000 rows"),
        ("application/x-ndjson", &"{}\n".repeat(1001), StatusCode::BAD_REQUEST, "1 to 1000 rows"),
    ] {
        let answer = import(&shop, content_type, text).await;
        assert_eq!(answer.status, status, "{content_type}: {:?}", answer.body);
        assert!(answer.body.to_string().contains(named), "{:?}", answer.body);
    }
}
