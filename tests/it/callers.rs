//! Who may call what: every route with every kind of caller, and the tokens of issuers that err.
#![cfg(test)]

use axum::http::StatusCode;
use chrono::TimeDelta;
use serde_json::{Value, json};
use widgetco::app::images::Images;
use widgetco::auth::development::{Bearer, token};
use widgetco::domain::id::{CustomerId, PartnerId};
use widgetco::functions::described;

use crate::blobs::Folder;
use crate::images::png;
use crate::shop::{NOBODY, TestShop, order_body};
use crate::webhooks;

/// The callers of the table, in the order of its columns.
const CALLERS: [&str; 8] =
    ["nobody", "customer", "other customer", "staff", "courier", "partner", "other partner", "expired token"];

/// What everybody gets.
const ANYONE: [u16; 8] = [200; 8];

/// A route, and what each caller gets there. `{order}`, `{image}` and `{webhook}` are filled in; what is looked at belongs to the customer
/// `ada` and to the partner `willy`. Each caller meets a shop of their own.
struct Rule {
    function: &'static str,
    path: &'static str,
    body: &'static str,
    answers: [u16; 8],
}

const fn rule(function: &'static str, path: &'static str, body: &'static str, answers: [u16; 8]) -> Rule {
    Rule { function, path, body, answers }
}

/// Those who work in the shop.
const fn staff(answer: u16) -> [u16; 8] {
    [401, 403, 403, answer, 403, 403, 403, 401]
}

/// A customer in their own affairs, and staff; `other` is what another customer gets.
const fn owner(answer: u16, other: u16) -> [u16; 8] {
    [401, answer, other, answer, 403, 403, 403, 401]
}

const REVIEW: &str = r#"{"rating":4,"title":"Does what it should"}"#;
const DETAILS: &str = r#"{"id":"ada","email":"ada@example.com","name":"Ada"}"#;
const CONTRACT: &str = r#"{"purpose":"flyers","validUntil":"2030-01-01T00:00:00Z"}"#;
const PRODUCT: &str =
    r#"{"sku":"W","name":"W","price":{"amountMinor":1,"currency":"EUR"},"status":"active"}"#;

const RULES: &[Rule] = &[
    rule("AddImage", "products/w/images", "(a picture)", staff(201)),
    rule("AdjustStock", "products/w/stock/adjustments", r#"{"delta":1,"reason":"found"}"#, staff(201)),
    rule("ArrangeImages", "products/w/images", r#"{"items":[]}"#, staff(422)),
    rule("CancelOrder", "orders/{order}/cancellation", "", owner(200, 404)),
    rule("CreateCollection", "collections", r#"{"id":"new","kind":"collection","name":"New"}"#, staff(201)),
    rule(
        "CreateCustomer",
        "customers",
        r#"{"id":"ada","email":"ada@example.com","name":"ADA"}"#,
        owner(201, 403),
    ),
    rule("CreateProduct", "products", NEW_PRODUCT, staff(201)),
    rule("CreateWebhook", "webhooks", WEBHOOK, staff(201)),
    // An order of theirs is not done.
    rule("DeleteCustomer", "customers/ada", "", owner(409, 404)),
    rule("DeleteProduct", "products/w", "", staff(204)),
    rule("DeleteReview", "products/w/reviews/ada", "", owner(204, 404)),
    rule("DeleteWebhook", "webhooks/{webhook}", "", staff(204)),
    rule("DescribeImage", "products/w/images/{image}", r#"{"alt":"A mug"}"#, staff(200)),
    rule("ExportCustomer", "customers/ada/export", "", owner(200, 404)),
    rule("GetAudit", "audit", "", staff(200)),
    rule("GetCategoryTree", "category-tree", "", ANYONE),
    rule("GetCollection", "collections/mugs", "", ANYONE),
    rule("GetCustomer", "customers/ada", "", owner(200, 404)),
    rule("GetDocs", "docs", "", ANYONE),
    rule("GetDocsFile", "docs/init.js", "", ANYONE),
    rule("GetImage", "products/w/images/{image}", "", ANYONE),
    rule("GetAsyncApi", "asyncapi.json", "", ANYONE),
    rule("GetOpenApi", "openapi.json", "", ANYONE),
    rule("GetOrder", "orders/{order}", "", [401, 200, 404, 200, 200, 403, 403, 401]),
    rule("GetOrderEvents", "orders/{order}/events", "", [401, 200, 404, 200, 200, 403, 403, 401]),
    rule("GetPartner", "partners/willy", "", staff(200)),
    rule("GetProduct", "products/w", "", ANYONE),
    rule("GetRendition", "products/w/images/{image}/20", "", ANYONE),
    rule("GetReview", "products/w/reviews/ada", "", owner(200, 404)),
    rule("GetReviewInsights", "review-insights", "", staff(200)),
    rule("GetReviewSummary", "products/w/review-summary", "", ANYONE),
    rule(
        "GetShippingAddress",
        "orders/{order}/shipping-address",
        "",
        [401, 200, 404, 200, 200, 403, 403, 401],
    ),
    rule("GetStock", "products/w/stock", "", staff(200)),
    rule("GetWebhook", "webhooks/{webhook}", "", staff(200)),
    rule("Heartbeat", "heartbeat", "", ANYONE),
    rule("ImportProducts", "product-imports", "sku,name,priceMinor,currency\nNEW,New,1,EUR\n", staff(200)),
    rule("ListCollections", "collections", "", ANYONE),
    rule("ListCustomerDisclosures", "customers/ada/disclosures", "", owner(200, 404)),
    rule("ListCustomerOrders", "customers/ada/orders", "", owner(200, 404)),
    rule("ListCustomers", "customers", "", staff(200)),
    rule("ListDeliveries", "webhooks/{webhook}/deliveries", "", staff(200)),
    rule("ListDisclosures", "partners/willy/disclosures", "", staff(200)),
    rule("ListImages", "products/w/images", "", ANYONE),
    rule("ListPartners", "partners", "", staff(200)),
    rule("ListProducts", "products", "", ANYONE),
    rule("ListReportedReviews", "reported-reviews", "", staff(200)),
    rule("ListReviews", "products/w/reviews", "", ANYONE),
    rule("ListWebhooks", "webhooks", "", staff(200)),
    rule("MarkShipped", "orders/{order}/shipment", "", [401, 403, 403, 200, 200, 403, 403, 401]),
    rule(
        "ModerateReview",
        "products/w/reviews/ada/moderation",
        r#"{"status":"hidden","reason":"rude"}"#,
        staff(200),
    ),
    rule("PatchProduct", "products/w", r#"{"name":"Mug"}"#, staff(200)),
    rule(
        "PlaceOrder",
        "orders",
        r#"{"customerId":"ada","lines":[{"productId":"w","quantity":1}]}"#,
        owner(202, 422),
    ),
    rule("PullCustomers", "partners/willy/customers", "", [401, 403, 403, 403, 403, 200, 404, 401]),
    rule("RedeliverWebhook", "webhooks/{webhook}/deliveries/event-1/redelivery", "", staff(202)),
    rule("RemoveImage", "products/w/images/{image}", "", staff(204)),
    rule(
        "ReplaceCollection",
        "collections/mugs",
        r#"{"id":"mugs","kind":"category","name":"Mugs"}"#,
        staff(200),
    ),
    rule("ReplaceCustomer", "customers/ada", DETAILS, owner(200, 404)),
    rule("ReplacePartner", "partners/willy", CONTRACT, staff(200)),
    rule("ReplaceProduct", "products/w", PRODUCT, staff(200)),
    rule("ReplaceWebhook", "webhooks/{webhook}", WEBHOOK, staff(200)),
    rule(
        "ReportReview",
        "products/w/reviews/bob/reports/ada",
        r#"{"reason":"spam"}"#,
        [401, 204, 404, 403, 403, 403, 403, 401],
    ),
    rule("RotateWebhookSecret", "webhooks/{webhook}/secret", "", staff(200)),
    rule(
        "SetConsents",
        "customers/ada/consents",
        r#"{"source":"account page","marketing":true}"#,
        owner(200, 404),
    ),
    rule("SetStock", "products/w/stock", r#"{"onHand":500}"#, staff(200)),
    rule("UnvoteReview", "products/w/reviews/bob/votes/ada", "", [401, 204, 404, 403, 403, 403, 403, 401]),
    rule("VoteReview", "products/w/reviews/bob/votes/ada", "", [401, 204, 404, 403, 403, 403, 403, 401]),
    rule("WriteReview", "products/w/reviews/ada", REVIEW, [401, 200, 404, 403, 403, 403, 403, 401]),
];
const WEBHOOK: &str = r#"{"url":"https://example.com/hook"}"#;
const NEW_PRODUCT: &str =
    r#"{"sku":"NEW","name":"New","price":{"amountMinor":1,"currency":"EUR"},"status":"active"}"#;

/// The header of this caller.
fn authorization(shop: &TestShop, caller: &str) -> String {
    let customer = |id: &str| Bearer::Customer(CustomerId::parse(id).unwrap());
    let partner = |id: &str| Bearer::Partner(PartnerId::parse(id).unwrap());
    let bearer = match caller {
        "nobody" => return NOBODY.1.to_owned(),
        "customer" => customer("ada"),
        "other customer" => customer("bob"),
        "staff" => Bearer::Staff,
        "courier" => Bearer::Courier,
        "partner" => partner("willy"),
        "other partner" => partner("wanda"),
        "expired token" => {
            let expired = token(&Bearer::Staff, shop.app.clock.now(), TimeDelta::minutes(-2));
            return format!("Bearer {}", expired.unwrap());
        }
        other => panic!("{other} is no caller"),
    };
    shop.token(&bearer)
}

/// A shop in which every address of the table leads to something.
struct Scene {
    shop: TestShop,
    order: String,
    image: String,
    webhook: String,
    _folder: Folder,
}

impl Scene {
    async fn open(name: &str) -> Self {
        let folder = Folder::new(&format!("callers-{name}"));
        let mut shop = TestShop::open(&[("w", 100)]).await;
        shop.show_images(Images::connect(&folder.settings()));
        let contract: Value = serde_json::from_str(CONTRACT).unwrap();
        shop.put("/api/partners/willy", &[("if-none-match", "*")], contract).await;
        let category = json!({"id": "mugs", "kind": "category", "name": "Mugs"});
        shop.post("/api/collections", &[], category).await;
        for author in ["ada", "bob"] {
            let review: Value = serde_json::from_str(REVIEW).unwrap();
            shop.put(&format!("/api/products/w/reviews/{author}"), &[], review).await;
        }
        let mut order = order_body("ada", &[("w", 1)]);
        order["shippingAddress"] = json!({"lines": ["Quay 1"], "city": "Kiel", "country": "DE"});
        let order = shop.post("/api/orders", &[], order).await;
        let order = order.body["id"].as_str().unwrap().to_owned();
        shop.work().await;
        shop.tick("AuditStock").await;
        let (status, _, picture) = shop.exchange("POST", "/api/products/w/images", &[], png(1, 20, 10)).await;
        assert_eq!(status, StatusCode::CREATED);
        let picture: Value = serde_json::from_slice(&picture).unwrap();
        let image = picture["id"].as_str().unwrap().to_owned();
        let webhook = webhooks::with_a_delivery(&shop, "event-1").await;
        Self { shop, order, image, webhook, _folder: folder }
    }

    async fn call(&self, rule: &Rule, caller: &str) -> (u16, String) {
        let functions = self.shop.http_functions();
        let method = functions.iter().find(|(name, ..)| *name == rule.function).unwrap().1.to_uppercase();
        let path = rule.path.replace("{order}", &self.order).replace("{image}", &self.image);
        let path = path.replace("{webhook}", &self.webhook);
        let path = format!("/api/{path}");
        let content_type = match rule.function {
            "ImportProducts" => "text/csv",
            "AddImage" => "image/png",
            _ => "application/json",
        };
        let authorization = authorization(&self.shop, caller);
        let headers =
            [("authorization", authorization.as_str()), ("content-type", content_type), ("if-match", "*")];
        let headers = match rule.function {
            "ReplaceCustomer" | "SetConsents" | "SetStock" | "ReplaceProduct" | "ReplaceCollection"
            | "ArrangeImages" | "ReplacePartner" | "ReplaceWebhook" => &headers[..],
            _ => &headers[..2],
        };
        if ["CancelOrder", "MarkShipped", "PlaceOrder", "RedeliverWebhook"].contains(&rule.function) {
            let answer = self.shop.send(&method, &path, headers, Some(rule.body.to_owned())).await;
            return (answer.status.as_u16(), answer.header("www-authenticate").to_owned());
        }
        let body = match rule.body {
            "(a picture)" => png(2, 20, 10),
            text => text.into(),
        };
        let (status, headers, _) = self.shop.exchange(&method, &path, headers, body).await;
        let challenge = headers.get("www-authenticate").map_or("", |value| value.to_str().unwrap());
        (status.as_u16(), challenge.to_owned())
    }
}

#[tokio::test]
async fn every_route_has_its_rule_for_every_caller() {
    let mut wrong = Vec::new();
    for (column, caller) in CALLERS.iter().enumerate() {
        // What this one does is undone by nobody, so that each request that changes something meets a shop of its own.
        let mut scene = Scene::open(&column.to_string()).await;
        for rule in RULES {
            let expected = rule.answers[column];
            let (status, challenge) = scene.call(rule, caller).await;
            if status != expected {
                wrong.push(format!("{} to {caller}: {status}, not {expected}", rule.function));
            }
            let wanted = match (status, *caller) {
                (401, "nobody") => "Bearer realm=\"widgetco\"",
                (401, _) => "Bearer realm=\"widgetco\", error=\"invalid_token\"",
                _ => "",
            };
            assert_eq!(challenge, wanted, "{} to {caller}", rule.function);
            let is_read =
                rule.body.is_empty() && expected == 200 && rule.function.starts_with(['G', 'L', 'H', 'E']);
            if expected < 300 && !is_read {
                scene = Scene::open(&format!("{column}-{}", rule.function)).await;
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[tokio::test]
async fn every_route_is_in_the_table_with_the_rule_that_its_handler_states() {
    let shop = TestShop::open(&[]).await;
    let described = described();
    for (function, ..) in shop.http_functions() {
        if function == "ZFallback" {
            continue;
        }
        let rule = RULES.iter().find(|rule| rule.function == function);
        let rule = rule.unwrap_or_else(|| panic!("{function} has no rule in tests/it/callers.rs"));
        let stated = described.iter().find(|one| one.name == function).unwrap().access;
        let may: Vec<_> = (0..CALLERS.len())
            .filter(|&at| ![401, 403].contains(&rule.answers[at]))
            .map(|at| CALLERS[at])
            .collect();
        let wanted: &[&str] = match stated.who {
            "anybody" => &CALLERS,
            "staff" => &["staff"],
            "staff and couriers" => &["staff", "courier"],
            "the customer" => &["customer", "other customer"],
            "the customer, and staff" => &["customer", "other customer", "staff"],
            "the customer, staff and couriers" => &["customer", "other customer", "staff", "courier"],
            "the partner" => &["partner", "other partner"],
            other => panic!("{function} states an unknown rule: {other}"),
        };
        // To add somebody else is refused for what it asks, not for who asks.
        let wanted = if function == "CreateCustomer" { &["customer", "staff"] } else { wanted };
        assert_eq!(may, wanted, "{function}");
    }
}

#[tokio::test]
async fn others_orders_look_as_if_they_were_not_there() {
    let shop = TestShop::open(&[("w", 5)]).await;
    let order = shop.place("ada", &[("w", 1)]).await;
    let bob = shop.token(&Bearer::Customer(CustomerId::parse("bob").unwrap()));
    let bob = [("authorization", bob.as_str())];
    let missing = "a".repeat(order.len());
    for (method, path) in
        [("GET", ""), ("GET", "/events"), ("GET", "/shipping-address"), ("POST", "/cancellation")]
    {
        let [theirs, none] = [&order, &missing].map(|id| format!("/api/orders/{id}{path}"));
        let theirs = shop.send(method, &theirs, &bob, None).await;
        let none = shop.send(method, &none, &bob, None).await;
        let shape = |body: &Value, id: &str| {
            let body = body.to_string().replace(id, "ID");
            body.split("\"traceId\"").next().unwrap().to_owned()
        };
        assert_eq!(theirs.status, StatusCode::NOT_FOUND, "{method} {path}");
        assert_eq!(shape(&theirs.body, &order), shape(&none.body, &missing), "{method} {path}");
    }
    assert_eq!(shop.status(&order).await, "pending");
}

#[tokio::test]
async fn answers_say_what_is_left_and_one_too_many_waits() {
    let config = widgetco::config::AuthConfig {
        requests_per_minute: 3,
        ..widgetco::config::AuthConfig::development()
    };
    let mut shop = TestShop::open(&[("w", 5)]).await;
    shop.admit(&config);
    let ada = shop.token(&Bearer::Customer(CustomerId::parse("ada").unwrap()));
    let ada = [("authorization", ada.as_str())];
    let bob = shop.token(&Bearer::Customer(CustomerId::parse("bob").unwrap()));
    for left in ["2", "1"] {
        let answer = shop.send("GET", "/api/customers/ada", &ada, None).await;
        assert_eq!(answer.header("ratelimit-policy"), "\"caller\";q=3;w=60");
        assert!(answer.header("ratelimit").starts_with(&format!("\"caller\";r={left};t=")), "{answer:?}");
    }
    // An answer in an envelope says so, too.
    let placed =
        shop.send("POST", "/api/orders", &ada, Some(order_body("ada", &[("w", 1)]).to_string())).await;
    assert_eq!((placed.status.as_u16(), placed.header("ratelimit")), (202, "\"caller\";r=0;t=60"));
    for path in ["/api/customers/ada", "/api/orders"] {
        let method = if path.ends_with("orders") { "POST" } else { "GET" };
        let refused = shop.send(method, path, &ada, None).await;
        assert_eq!(refused.status, StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(
            (refused.header("retry-after"), &refused.body["code"]),
            ("20", &json!("too-many-requests"))
        );
    }
    let other = shop.send("GET", "/api/customers/bob", &[("authorization", &bob)], None).await;
    assert_eq!(other.status, StatusCode::OK);
    shop.advance(std::time::Duration::from_secs(20));
    assert_eq!(shop.send("GET", "/api/customers/ada", &ada, None).await.status, StatusCode::OK);
    let anybody = shop.send("GET", "/api/products/w", &[NOBODY], None).await;
    assert_eq!(anybody.header("ratelimit"), "");
}
