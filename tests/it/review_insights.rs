//! Reports of what reviews say: the right figures for a product, a category and the shop, in three forms, from a bounded number
//! of documents, and without who wrote a review.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Answer, TestShop};

const DAY: Duration = Duration::from_secs(24 * 60 * 60);
const PATH: &str = "/api/review-insights";

impl TestShop {
    async fn review_of(&self, product: &str, customer: &str, rating: u32, title: &str, text: &str) {
        let body = json!({"rating": rating, "title": title, "text": text});
        let answer = self.put(&format!("/api/products/{product}/reviews/{customer}"), &[], body).await;
        assert!(answer.status.is_success(), "{}", answer.body);
    }

    async fn insights(&self, query: &str) -> Value {
        let answer = self.get(&format!("{PATH}?{query}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{query}: {}", answer.body);
        answer.body
    }
}

/// A shop in which `w` and `x` are mugs, the latter in a category below, and `y` is neither; with reviews from March to May 2026.
async fn reviewed() -> TestShop {
    let shop = TestShop::open(&[("w", 1), ("x", 1), ("y", 1)]).await;
    for (id, parent) in [("mugs", None), ("big-mugs", Some("mugs")), ("plates", None)] {
        let category = json!({"id": id, "kind": "category", "name": format!("All {id}"), "parentId": parent});
        assert_eq!(shop.post("/api/collections", &[], category).await.status, StatusCode::CREATED);
    }
    for (product, category) in [("w", "mugs"), ("x", "big-mugs")] {
        let patch = json!({"categoryIds": [category]}).to_string();
        let patched = shop.send("PATCH", &format!("/api/products/{product}"), &[], Some(patch)).await;
        assert_eq!(patched.status, StatusCode::OK, "{}", patched.body);
    }
    for customer in ["eve", "kim", "lou"] {
        shop.add_customer(customer).await;
    }
    shop.review_of("w", "ada", 1, "Broke", "The handle broke.").await;
    shop.review_of("y", "ada", 5, "Round", "").await;
    shop.advance(31 * DAY);
    shop.review_of("w", "bob", 4, "Nice handle", "").await;
    shop.review_of("x", "bob", 2, "Handle too small", "").await;
    shop.review_of("x", "eve", 2, "=HYPERLINK(\"x\")", "He said \"no\",\nthen left.").await;
    shop.advance(30 * DAY);
    shop.review_of("w", "eve", 5, "<b>Nice</b>", "").await;
    shop.review_of("x", "kim", 1, "Leaks", "").await;
    shop
}

fn code(answer: &Answer) -> (u16, &str, &str) {
    let body = &answer.body;
    let parameter = body["errors"][0]["parameter"].as_str().unwrap_or_default();
    (answer.status.as_u16(), body["code"].as_str().unwrap_or_default(), parameter)
}

async fn text_of(shop: &TestShop, query: &str, accept: &str) -> (String, String, String) {
    let path = format!("{PATH}?{query}");
    let (status, headers, body) = shop.exchange("GET", &path, &[("accept", accept)], "").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(headers["vary"], "Accept, Accept-Encoding");
    assert_eq!(headers["cache-control"], "private, no-store");
    let header = |name: &str| headers.get(name).map_or(String::new(), |value| value.to_str().unwrap().into());
    (
        header("content-type"),
        header(if accept == "text/csv" { "content-disposition" } else { "content-security-policy" }),
        String::from_utf8(body.to_vec()).unwrap(),
    )
}

#[tokio::test]
async fn product_is_told_by_month_with_its_course_words_and_worst_and_best_reviews() {
    let shop = reviewed().await;
    let report = shop.insights("product=w&from=2026-04&to=2026-05").await;
    assert_eq!(
        (&report["scope"], &report["id"], &report["name"]),
        (&json!("product"), &json!("w"), &json!("Product w"))
    );
    assert_eq!(report["total"], json!({"count": 2, "mean": 4.5, "histogram": [0, 0, 0, 1, 1]}));
    assert_eq!(
        report["previous"],
        json!({"from": "2026-02", "to": "2026-03", "count": 1, "mean": 1.0, "histogram": [1, 0, 0, 0, 0]})
    );
    assert_eq!(report["change"], json!({"count": 1, "mean": 3.5}));
    assert_eq!(
        report["months"],
        json!([
            {"month": "2026-04", "count": 1, "mean": 4.0, "histogram": [0, 0, 0, 1, 0]},
            {"month": "2026-05", "count": 1, "mean": 5.0, "histogram": [0, 0, 0, 0, 1]},
        ])
    );
    assert_eq!(report["terms"], json!([{"term": "nice", "count": 2}]));
    let best = report["reviews"]["best"].as_array().unwrap();
    let ratings: Vec<_> = best.iter().map(|one| one["rating"].as_u64().unwrap()).collect();
    assert_eq!((ratings, &report["reviews"]["worst"]), (vec![5, 4], &json!([])));
    assert!(report.get("products").is_none());

    let year = shop.insights("product=w").await;
    assert_eq!(
        (&year["from"], &year["to"]),
        (&json!("2025-06"), &json!("2026-05")),
        "a year, if nothing is said"
    );
    assert_eq!(year["reviews"]["worst"][0]["text"], "The handle broke.");
    assert_eq!(year["terms"], json!([{"term": "handle", "count": 2}, {"term": "nice", "count": 2}]));
    for customer in ["\"ada\"", "\"bob\"", "\"eve\"", "customerId"] {
        assert!(!year.to_string().contains(customer), "{customer} is told: {year}");
    }
}

#[tokio::test]
async fn category_is_its_products_and_those_below_it_and_the_shop_is_all() {
    let shop = reviewed().await;
    let mugs = shop.insights("category=mugs&from=2026-03&to=2026-05").await;
    assert_eq!((&mugs["scope"], &mugs["name"]), (&json!("category"), &json!("All mugs")));
    assert_eq!(mugs["total"], json!({"count": 6, "mean": 2.5, "histogram": [2, 2, 0, 1, 1]}));
    assert_eq!(mugs["terms"], json!([{"term": "handle", "count": 3}, {"term": "nice", "count": 2}]));
    let worst = json!([{"productId": "x", "name": "Product x", "count": 3, "mean": 1.67, "histogram": [1, 2, 0, 0, 0]}]);
    let best = json!([{"productId": "w", "name": "Product w", "count": 3, "mean": 3.33, "histogram": [1, 0, 0, 1, 1]}]);
    assert_eq!(mugs["products"], json!({"worst": worst, "best": best}));
    assert!(mugs.get("reviews").is_none());
    let big = shop.insights("category=big-mugs&from=2026-03&to=2026-05").await;
    assert_eq!((&big["total"]["count"], &big["products"]["worst"][0]["productId"]), (&json!(3), &json!("x")));
    assert_eq!(
        shop.insights("category=plates").await["total"],
        json!({"count": 0, "histogram": [0, 0, 0, 0, 0]})
    );
    let all = shop.insights("from=2026-03&to=2026-05").await;
    assert_eq!((&all["scope"], &all["total"]["count"], all.get("id")), (&json!("shop"), &json!(7), None));
}

#[tokio::test]
async fn report_is_of_this_moment_and_forgets_whom_it_must() {
    let shop = reviewed().await;
    let figures = async |query: &str| shop.insights(query).await["total"]["histogram"].clone();
    assert_eq!(figures("product=x").await, json!([1, 2, 0, 0, 0]));
    let hidden = json!({"status": "hidden", "reason": "advertises"});
    shop.put("/api/products/x/reviews/eve/moderation", &[], hidden).await;
    assert_eq!(figures("product=x").await, json!([1, 1, 0, 0, 0]));
    assert_eq!(shop.send("DELETE", "/api/customers/bob", &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(figures("product=x").await, json!([1, 0, 0, 0, 0]));
    assert_eq!(figures("").await, json!([2, 0, 0, 0, 2]));
    let all = shop.insights("product=w").await.to_string();
    assert!(!all.contains("handle\""), "only an erased customer and one other said so: {all}");
    for product in ["w", "x", "y"] {
        shop.audit_reviews(product).await;
    }
}

#[tokio::test]
async fn table_is_csv_that_no_spreadsheet_takes_for_formulas() {
    let shop = reviewed().await;
    let (content_type, disposition, text) =
        text_of(&shop, "product=x&from=2026-04&to=2026-05", "text/csv").await;
    assert_eq!(content_type, "text/csv; charset=utf-8");
    assert_eq!(disposition, "attachment; filename=\"review-insights-x-2026-04-2026-05.csv\"");
    let expected = [
        "section,key,name,count,mean,rating1,rating2,rating3,rating4,rating5,text",
        "total,2026-04/2026-05,Product x,3,1.67,1,2,0,0,0,",
        "previous,2026-02/2026-03,Product x,0,,0,0,0,0,0,",
        "month,2026-04,,2,2.00,0,2,0,0,0,",
        "month,2026-05,,1,1.00,1,0,0,0,0,",
        "worstReview,2026-05-02T09:15:00.000Z,Leaks,1,1.00,1,0,0,0,0,",
        "worstReview,2026-04-02T09:15:00.000Z,\"'=HYPERLINK(\"\"x\"\")\",1,2.00,0,1,0,0,0,\"He said \"\"no\"\",\nthen left.\"",
        "worstReview,2026-04-02T09:15:00.000Z,Handle too small,1,2.00,0,1,0,0,0,",
        "",
    ];
    assert_eq!(text, expected.join("\r\n"));
    let (.., text) = text_of(&shop, "category=mugs&from=2026-03&to=2026-05", "text/csv").await;
    for line in [
        "term,handle,,3,,,,,,,",
        "bestProduct,w,Product w,3,3.33,1,0,0,1,1,",
        "worstProduct,x,Product x,3,1.67,1,2,0,0,0,",
    ] {
        assert!(text.lines().any(|one| one == line), "{line} is not in {text}");
    }
}

#[tokio::test]
async fn page_shows_the_same_figures_without_script_and_with_all_texts_escaped() {
    let shop = reviewed().await;
    let browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
    let (content_type, policy, page) = text_of(&shop, "product=w&from=2026-03&to=2026-05", browser).await;
    assert_eq!(content_type, "text/html; charset=utf-8");
    assert!(policy.starts_with("default-src 'none'; ") && !policy.contains("unsafe"), "{policy}");
    assert!(page.contains("&lt;b&gt;Nice&lt;/b&gt;") && !page.contains("<b>Nice</b>"), "{page}");
    assert!(!page.contains("<script") && !page.contains("style=") && !page.contains("http"), "{page}");
    for figure in ["<h1>Reviews of Product w</h1>", "<th scope=\"row\">2026-04</th><td>1</td><td>4.00</td>"] {
        assert!(page.contains(figure), "{figure}");
    }
    let (.., page) = text_of(&shop, "category=plates", browser).await;
    assert!(page.contains("No product has 3 reviews."), "{page}");
}

#[tokio::test]
async fn what_cannot_be_told_is_refused_by_its_parameter() {
    let shop = reviewed().await;
    let collection = json!({"id": "sale", "kind": "collection", "name": "Sale"});
    shop.post("/api/collections", &[], collection).await;
    for (query, expected) in [
        ("from=2026", (400, "invalid-query", "from")),
        ("to=2026-13", (400, "invalid-query", "to")),
        ("product=W", (400, "invalid-query", "product")),
        ("category=", (400, "invalid-query", "category")),
        ("product=none", (422, "unprocessable-insights", "product")),
        ("category=none", (422, "unprocessable-insights", "category")),
        ("category=sale", (422, "unprocessable-insights", "category")),
        ("product=w&category=mugs", (422, "unprocessable-insights", "category")),
        ("from=2026-05&to=2026-04", (422, "unprocessable-insights", "to")),
        ("from=2023-05&to=2026-05", (422, "unprocessable-insights", "from")),
    ] {
        assert_eq!(code(&shop.get(&format!("{PATH}?{query}")).await), expected, "{query}");
    }
    for query in ["from=2023-06&to=2026-05", "to=9999-12", "from=0000-01&to=0000-01"] {
        shop.insights(query).await;
    }
}

#[tokio::test]
async fn report_of_a_product_costs_the_same_however_many_reviews_there_are() {
    let shop = reviewed().await;
    let cost = async || {
        shop.advance(Duration::from_secs(60));
        let before = shop.requests();
        shop.insights("product=w").await;
        shop.requests() - before
    };
    let few = cost().await;
    for number in 0..40 {
        let customer = format!("c{number}");
        shop.add_customer(&customer).await;
        shop.review_of("w", &customer, number % 5 + 1, "More of it", "").await;
    }
    // Look whether the product has changed; query its months, and its reviews rated 1 and 5: three of each are enough.
    assert_eq!((cost().await, few), (4, 5));
}
