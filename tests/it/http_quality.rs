//! HTTP quality, everywhere: a table with one row per HTTP function, and walks over all rows that apply one rule each. A
//! function without a row fails, and a row that is exempt from a rule says why.
#![cfg(test)]

use std::io::Read;

use axum::body::Body;
use axum::http::{HeaderMap, StatusCode};
use flate2::read::GzDecoder;
use serde_json::{Value, json};
use widgetco::app::images::Images;
use widgetco::domain::image::FILE_BYTES_MAX;
use widgetco::host::{BODY_BYTES_MAX, ENVELOPE_BYTES_MAX};

use crate::blobs::Folder;
use crate::images::png;
use crate::shop::{TestShop, order_body};
use crate::webhooks;

/// Products beside `w`, so that lists and the order are long.
const OTHERS: usize = 24;
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const REQUEST_ID: &str = "walk:1";
const GZIP: (&str, &str) = ("accept-encoding", "gzip");
/// A tag that nothing has.
const STALE: (&str, &str) = ("if-match", "\"stale\"");

/// What a function does, which decides the rules that it follows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Does {
    /// `GET` and `HEAD`.
    Read,
    /// `POST`.
    Make,
    /// `PUT` of a whole document.
    Replace,
    /// Anything else, also at a version if one is named.
    Change,
}

/// A rule that a row may be exempt from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    /// It has an `ETag`, and 304 for those who know it.
    Tag,
    /// It is kept by those who vary it by `Accept-Encoding`.
    Vary,
    /// It takes a body, which has a type and a limit.
    Body,
    /// The same request under one key is answered once more; another one is refused.
    Key,
    /// It is done at a version.
    IfMatch,
}

struct Row {
    function: &'static str,
    does: Does,
    /// Below `/api/`; `{order}`, `{image}` and `{webhook}` are filled in.
    address: &'static str,
    /// A body that is right, and another one.
    bodies: [&'static str; 2],
    content_type: &'static str,
    /// Most bytes of a body.
    body_bytes_max: usize,
    exempt: &'static [(Rule, &'static str)],
}

const ROW: Row = Row {
    function: "",
    does: Does::Read,
    address: "",
    bodies: ["", ""],
    content_type: "application/json",
    body_bytes_max: BODY_BYTES_MAX,
    exempt: &[],
};
const ONE_FORM: (Rule, &str) = (Rule::Vary, "a picture is packed already and sent in one form");
const NO_BODY: (Rule, &str) = (Rule::Body, "what is to go away is named by its address");
const NO_VERSION: (Rule, &str) = (Rule::IfMatch, "it is said of the review, whatever its version");

/// Every HTTP function.
const TABLE: &[Row] = &[
    Row { function: "GetAudit", address: "audit", ..ROW },
    Row { function: "GetCategoryTree", address: "category-tree", ..ROW },
    Row { function: "GetCollection", address: "collections/mugs", ..ROW },
    Row { function: "ExportCustomer", address: "customers/ada/export", ..ROW },
    Row { function: "GetCustomer", address: "customers/ada", ..ROW },
    Row { function: "ListCustomers", address: "customers", ..ROW },
    Row { function: "GetDocs", address: "docs", ..ROW },
    Row { function: "GetDocsFile", address: "docs/init.js", ..ROW },
    Row { function: "GetImage", address: "products/w/images/{image}", exempt: &[ONE_FORM], ..ROW },
    Row { function: "GetAsyncApi", address: "asyncapi.json", ..ROW },
    Row { function: "GetOpenApi", address: "openapi.json", ..ROW },
    Row { function: "GetOrder", address: "orders/{order}", ..ROW },
    Row { function: "GetOrderEvents", address: "orders/{order}/events", ..ROW },
    Row { function: "GetPartner", address: "partners/willy", ..ROW },
    Row { function: "GetProduct", address: "products/w", ..ROW },
    Row { function: "GetRendition", address: "products/w/images/{image}/20", exempt: &[ONE_FORM], ..ROW },
    Row { function: "GetReview", address: "products/w/reviews/ada", ..ROW },
    Row { function: "GetReviewInsights", address: "review-insights", ..ROW },
    Row { function: "GetReviewSummary", address: "products/w/review-summary", ..ROW },
    Row { function: "GetShippingAddress", address: "orders/{order}/shipping-address", ..ROW },
    Row { function: "GetStock", address: "products/w/stock", ..ROW },
    Row { function: "GetWebhook", address: "webhooks/{webhook}", ..ROW },
    Row {
        function: "Heartbeat",
        address: "heartbeat",
        exempt: &[(Rule::Tag, "it tells of this moment, which nobody keeps")],
        ..ROW
    },
    Row { function: "ListCollections", address: "collections", ..ROW },
    Row { function: "ListCustomerDisclosures", address: "customers/ada/disclosures", ..ROW },
    Row { function: "ListCustomerOrders", address: "customers/ada/orders", ..ROW },
    Row { function: "ListDeliveries", address: "webhooks/{webhook}/deliveries", ..ROW },
    Row { function: "ListDisclosures", address: "partners/willy/disclosures", ..ROW },
    Row { function: "ListImages", address: "products/w/images", ..ROW },
    Row { function: "ListPartners", address: "partners", ..ROW },
    Row { function: "ListProducts", address: "products", ..ROW },
    Row { function: "ListReportedReviews", address: "reported-reviews", ..ROW },
    Row { function: "ListReviews", address: "products/w/reviews", ..ROW },
    Row { function: "ListWebhooks", address: "webhooks", ..ROW },
    Row {
        function: "PullCustomers",
        address: "partners/willy/customers",
        exempt: &[(Rule::Tag, "each pull goes on record, so none is spared")],
        ..ROW
    },
    Row {
        function: "AddImage",
        does: Does::Make,
        address: "products/w/images",
        body_bytes_max: FILE_BYTES_MAX,
        exempt: &[(Rule::Key, "the same file is the same picture")],
        ..ROW
    },
    Row {
        function: "AdjustStock",
        does: Does::Make,
        address: "products/w/stock/adjustments",
        bodies: [r#"{"delta":1,"reason":"found"}"#, r#"{"delta":2,"reason":"found"}"#],
        ..ROW
    },
    Row {
        function: "CancelOrder",
        does: Does::Make,
        address: "orders/{order}/cancellation",
        bodies: [r#"{"reason":"late"}"#, ""],
        exempt: &[(Rule::Key, "an order is cancelled once, whatever the reason")],
        ..ROW
    },
    Row {
        function: "CreateCollection",
        does: Does::Make,
        address: "collections",
        bodies: [
            r#"{"id":"new","kind":"collection","name":"New"}"#,
            r#"{"id":"other","kind":"collection","name":"New"}"#,
        ],
        ..ROW
    },
    Row {
        function: "CreateCustomer",
        does: Does::Make,
        address: "customers",
        bodies: [
            r#"{"id":"new","email":"new@example.com","name":"New"}"#,
            r#"{"id":"new","email":"other@example.com","name":"New"}"#,
        ],
        ..ROW
    },
    Row {
        function: "CreateProduct",
        does: Does::Make,
        address: "products",
        bodies: [
            r#"{"sku":"NEW","name":"New","price":{"amountMinor":1,"currency":"EUR"},"status":"active"}"#,
            r#"{"sku":"NEW","name":"Old","price":{"amountMinor":1,"currency":"EUR"},"status":"active"}"#,
        ],
        ..ROW
    },
    Row {
        function: "CreateWebhook",
        does: Does::Make,
        address: "webhooks",
        bodies: [r#"{"url":"https://example.com/new"}"#, r#"{"url":"https://example.com/other"}"#],
        ..ROW
    },
    Row {
        function: "RotateWebhookSecret",
        does: Does::Make,
        address: "webhooks/{webhook}/secret",
        exempt: &[(Rule::Key, "each call draws another secret"), (Rule::Body, "it says all by its address")],
        ..ROW
    },
    Row {
        function: "RedeliverWebhook",
        does: Does::Make,
        address: "webhooks/{webhook}/deliveries/event-1/redelivery",
        exempt: &[
            (Rule::Key, "the receiver knows what comes again"),
            (Rule::Body, "it says all by its address"),
        ],
        ..ROW
    },
    Row {
        function: "ImportProducts",
        does: Does::Make,
        address: "product-imports",
        bodies: ["sku,name,priceMinor,currency\nNEW,New,1,EUR\n", ""],
        content_type: "text/csv",
        body_bytes_max: ENVELOPE_BYTES_MAX,
        exempt: &[(Rule::Key, "the same file again changes nothing")],
    },
    Row {
        function: "PlaceOrder",
        does: Does::Make,
        address: "orders",
        bodies: [
            r#"{"customerId":"ada","lines":[{"productId":"w","quantity":1}]}"#,
            r#"{"customerId":"ada","lines":[{"productId":"w","quantity":2}]}"#,
        ],
        ..ROW
    },
    Row {
        function: "ArrangeImages",
        does: Does::Replace,
        address: "products/w/images",
        bodies: [r#"{"items":[]}"#, ""],
        ..ROW
    },
    Row {
        function: "ReplaceCollection",
        does: Does::Replace,
        address: "collections/mugs",
        bodies: [r#"{"id":"mugs","kind":"category","name":"Mugs"}"#, ""],
        ..ROW
    },
    Row {
        function: "ReplaceCustomer",
        does: Does::Replace,
        address: "customers/ada",
        bodies: [r#"{"id":"ada","email":"ada@example.com","name":"Ada"}"#, ""],
        ..ROW
    },
    Row {
        function: "ReplacePartner",
        does: Does::Replace,
        address: "partners/willy",
        bodies: [r#"{"purpose":"parcels","validUntil":"2030-01-01T00:00:00Z"}"#, ""],
        ..ROW
    },
    Row {
        function: "ReplaceWebhook",
        does: Does::Replace,
        address: "webhooks/{webhook}",
        bodies: [r#"{"url":"https://example.com/moved"}"#, ""],
        ..ROW
    },
    Row {
        function: "SetConsents",
        does: Does::Replace,
        address: "customers/ada/consents",
        bodies: [r#"{"source":"account page","marketing":true}"#, ""],
        ..ROW
    },
    Row {
        function: "ReplaceProduct",
        does: Does::Replace,
        address: "products/w",
        bodies: [
            r#"{"sku":"W","name":"W","price":{"amountMinor":1,"currency":"EUR"},"status":"active"}"#,
            "",
        ],
        ..ROW
    },
    Row {
        function: "SetStock",
        does: Does::Replace,
        address: "products/w/stock",
        bodies: [r#"{"onHand":500}"#, ""],
        ..ROW
    },
    Row {
        function: "MarkShipped",
        does: Does::Change,
        address: "orders/{order}/shipment",
        bodies: [r#"{"carrier":"Parcel post"}"#, ""],
        ..ROW
    },
    Row {
        function: "DescribeImage",
        does: Does::Change,
        address: "products/w/images/{image}",
        bodies: [r#"{"alt":"A mug"}"#, ""],
        ..ROW
    },
    Row {
        function: "PatchProduct",
        does: Does::Change,
        address: "products/w",
        bodies: [r#"{"name":"Mug"}"#, ""],
        ..ROW
    },
    Row {
        function: "WriteReview",
        does: Does::Change,
        address: "products/w/reviews/ada",
        bodies: [r#"{"rating":2,"title":"Broke","text":"After a day."}"#, ""],
        ..ROW
    },
    Row {
        function: "ModerateReview",
        does: Does::Change,
        address: "products/w/reviews/ada/moderation",
        bodies: [r#"{"status":"published","reason":"it is true"}"#, ""],
        ..ROW
    },
    Row {
        function: "VoteReview",
        does: Does::Change,
        address: "products/w/reviews/ada/votes/bob",
        exempt: &[NO_VERSION, (Rule::Body, "who votes for what is said by the address")],
        ..ROW
    },
    Row {
        function: "UnvoteReview",
        does: Does::Change,
        address: "products/w/reviews/ada/votes/bob",
        exempt: &[NO_VERSION, NO_BODY],
        ..ROW
    },
    Row {
        function: "ReportReview",
        does: Does::Change,
        address: "products/w/reviews/ada/reports/bob",
        bodies: [r#"{"reason":"spam"}"#, ""],
        exempt: &[NO_VERSION],
        ..ROW
    },
    Row {
        function: "DeleteReview",
        does: Does::Change,
        address: "products/w/reviews/ada",
        exempt: &[NO_BODY],
        ..ROW
    },
    Row {
        function: "DeleteCustomer",
        does: Does::Change,
        address: "customers/bob",
        exempt: &[NO_BODY],
        ..ROW
    },
    Row {
        function: "DeleteWebhook",
        does: Does::Change,
        address: "webhooks/{webhook}",
        exempt: &[NO_BODY],
        ..ROW
    },
    Row { function: "DeleteProduct", does: Does::Change, address: "products/w", exempt: &[NO_BODY], ..ROW },
    Row {
        function: "RemoveImage",
        does: Does::Change,
        address: "products/w/images/{image}",
        exempt: &[NO_BODY],
        ..ROW
    },
];

impl Row {
    fn follows(&self, rule: Rule) -> bool {
        let of_its_kind = match rule {
            Rule::Tag | Rule::Vary => self.does == Does::Read,
            Rule::Key => self.does == Does::Make,
            Rule::IfMatch => matches!(self.does, Does::Replace | Does::Change),
            Rule::Body => self.does != Does::Read,
        };
        of_its_kind && !self.exempt.iter().any(|(exempt, _)| *exempt == rule)
    }

    /// A body that is right; the one of a picture is no text.
    fn body(&self) -> Vec<u8> {
        if self.function == "AddImage" { png(9, 20, 10) } else { self.bodies[0].into() }
    }
}

fn rows(rule: Rule) -> impl Iterator<Item = &'static Row> {
    TABLE.iter().filter(move |row| row.follows(rule))
}

/// A shop in which every address of the table leads to something.
struct Walk {
    shop: TestShop,
    order: String,
    image: String,
    webhook: String,
    _folder: Folder,
}

/// What came back.
#[derive(Debug)]
struct Reply {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Reply {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }

    /// The part of the request that the first error names.
    fn place(&self) -> String {
        let error = &self.json()["errors"][0];
        let named = ["header", "parameter", "pointer"].iter().find_map(|kind| error[*kind].as_str());
        named.unwrap_or("(none)").to_owned()
    }

    /// What holds of every answer to a request of this walk.
    fn assert_signed(&self, context: &str) {
        assert_eq!(self.header("x-request-id"), REQUEST_ID, "{context}");
        let parts: Vec<_> = self.header("traceparent").split('-').collect();
        let is_span = |id: &str| id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
        assert!(
            matches!(parts.as_slice(), ["00", TRACE, span, "01"] if is_span(span)),
            "{context}: {parts:?}"
        );
        assert!(!self.header("traceparent").contains("00f067aa0ba902b7"), "{context}: not a span of ours");
        assert_ne!(self.header("cache-control"), "", "{context}");
        assert!(self.header("access-control-expose-headers").contains("ETag"), "{context}");
        if !self.body.is_empty() {
            assert_eq!(self.header("x-content-type-options"), "nosniff", "{context}");
        }
    }

    fn assert_problem(&self, status: StatusCode, context: &str) {
        let body = self.json();
        assert_eq!(self.status, status, "{context}: {body}");
        self.assert_signed(context);
        assert_eq!(self.header("content-type"), "application/problem+json", "{context}");
        assert_eq!(self.header("cache-control"), "no-store", "{context}");
        assert_eq!(
            (&body["status"], &body["traceId"]),
            (&json!(status.as_u16()), &json!(TRACE)),
            "{context}"
        );
        let code = body["code"].as_str().unwrap_or_default();
        assert!(!code.is_empty() && body["type"].as_str().unwrap().ends_with(code), "{context}: {body}");
        assert!(body["title"].is_string(), "{context}: {body}");
    }
}

impl Walk {
    async fn open(name: &str) -> Self {
        let folder = Folder::new(name);
        let mut shop = TestShop::open(&[("w", 100)]).await;
        shop.show_images(Images::connect(&folder.settings()));
        let products: Vec<_> = (0..OTHERS).map(|number| format!("p{number}")).collect();
        for product in &products {
            shop.add_product(product, 100).await;
        }
        let contract =
            json!({"purpose": "flyers", "fields": ["/name"], "validUntil": "2030-01-01T00:00:00Z"});
        let added = shop.put("/api/partners/willy", &[("If-None-Match", "*")], contract).await;
        assert_eq!(added.status, StatusCode::OK);
        let category = json!({"id": "mugs", "kind": "category", "name": "Mugs"});
        shop.post("/api/collections", &[], category).await;
        let review = json!({"rating": 4, "title": "Does what it should"});
        shop.put("/api/products/w/reviews/ada", &[], review).await;
        let lines: Vec<_> = products.iter().map(|product| (product.as_str(), 1)).collect();
        let mut order = order_body("ada", &lines);
        order["shippingAddress"] = json!({"lines": ["Quay 1"], "city": "Kiel", "country": "DE"});
        let order = shop.post("/api/orders", &[], order).await.body["id"].as_str().unwrap().to_owned();
        shop.work().await;
        shop.tick("AuditStock").await;
        let picture = shop.exchange("POST", "/api/products/w/images", &[], png(1, 20, 10)).await;
        assert_eq!(picture.0, StatusCode::CREATED);
        let picture: Value = serde_json::from_slice(&picture.2).unwrap();
        let webhook = webhooks::with_a_delivery(&shop, "event-1").await;
        Self { shop, order, image: picture["id"].as_str().unwrap().to_owned(), webhook, _folder: folder }
    }

    /// Path of a row, perhaps with a query.
    fn path(&self, row: &Row) -> String {
        let address = row.address.replace("{order}", &self.order).replace("{image}", &self.image);
        let address = address.replace("{webhook}", &self.webhook);
        format!("/api/{address}")
    }

    fn method(&self, row: &Row) -> String {
        let functions = self.shop.http_functions();
        let found = functions.iter().find(|(name, ..)| *name == row.function);
        found.unwrap_or_else(|| panic!("functions/{} is not there", row.function)).1.to_uppercase()
    }

    /// Calls a function as a caller outside does, under this walk's names.
    async fn call(&self, row: &Row, query: &str, headers: &[(&str, &str)], body: &[u8]) -> Reply {
        self.send(row, &self.method(row), query, headers, body).await
    }

    async fn send(
        &self,
        row: &Row,
        method: &str,
        query: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Reply {
        let path = format!("{}{query}", self.path(row));
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        let mut sent = vec![("x-request-id", REQUEST_ID), ("traceparent", &parent)];
        if !headers.iter().any(|(name, _)| *name == "content-type") && !body.is_empty() {
            sent.push(("content-type", row.content_type));
        }
        sent.extend(headers);
        if !["CancelOrder", "MarkShipped", "PlaceOrder", "RedeliverWebhook"].contains(&row.function) {
            let (status, headers, body) =
                self.shop.exchange(method, &path, &sent, Body::from(body.to_vec())).await;
            return Reply { status, headers, body: body.into() };
        }
        // These come in an envelope, which carries text.
        let body = String::from_utf8(body.to_vec()).unwrap();
        let answer = self.shop.send(method, &path, &sent, Some(body)).await;
        Reply { status: answer.status, headers: answer.headers, body: answer.body.to_string().into_bytes() }
    }

    /// The headers that let a request through to the check of its body.
    fn conditions(row: &Row) -> &'static [(&'static str, &'static str)] {
        if row.does == Does::Replace { &[("if-match", "*")] } else { &[] }
    }
}

#[tokio::test]
async fn every_http_function_has_a_row_and_every_row_its_address() {
    let walk = Walk::open("quality-table").await;
    for (function, _, route) in walk.shop.http_functions() {
        let row = TABLE.iter().find(|row| row.function == function);
        let row =
            row.unwrap_or_else(|| panic!("{function} has no row in the table of tests/it/http_quality.rs"));
        let (route, address): (Vec<_>, Vec<_>) =
            (route.split('/').collect(), row.address.split('/').collect());
        let fits = route.iter().zip(&address).all(|(part, given)| part.starts_with('{') || part == given);
        assert!(route.len() == address.len() && fits, "{function} answers at {route:?}, not at {address:?}");
    }
    for row in TABLE {
        walk.method(row);
        for (rule, why) in row.exempt {
            assert!(why.contains(' '), "{} says why it is exempt from {rule:?}", row.function);
        }
    }
}

#[tokio::test]
async fn read_has_a_tag_and_is_not_sent_again_to_those_who_know_it() {
    let walk = Walk::open("quality-tags").await;
    for row in TABLE.iter().filter(|row| row.does == Does::Read) {
        let context = row.function;
        let whole = walk.call(row, "", &[], b"").await;
        assert_eq!(whole.status, StatusCode::OK, "{context}");
        whole.assert_signed(context);
        if !row.follows(Rule::Tag) {
            continue;
        }
        let tag = whole.header("etag");
        assert!(tag.starts_with('"'), "{context}: {tag:?} is no strong tag");
        for known in [tag, &format!("\"other\", W/{tag}"), "*"] {
            let same = walk.call(row, "", &[("if-none-match", known)], b"").await;
            assert_eq!(
                (same.status, same.header("etag")),
                (StatusCode::NOT_MODIFIED, tag),
                "{context} {known}"
            );
            assert!(same.body.is_empty(), "{context}");
            same.assert_signed(context);
            for name in ["cache-control", "vary"] {
                assert_eq!(same.header(name), whole.header(name), "{context}: {name}");
            }
            assert_eq!(same.headers.get("content-length"), None, "{context}");
        }
        let changed = walk.call(row, "", &[("if-none-match", "\"other\"")], b"").await;
        assert_eq!(changed.status, StatusCode::OK, "{context}");
        let malformed = walk.call(row, "", &[("if-none-match", "other")], b"").await;
        malformed.assert_problem(StatusCode::BAD_REQUEST, context);
        assert_eq!(malformed.place(), "If-None-Match", "{context}");
    }
}

#[tokio::test]
async fn head_is_get_without_its_body() {
    let walk = Walk::open("quality-head").await;
    for row in TABLE.iter().filter(|row| row.does == Does::Read) {
        for (query, headers) in [("", vec![]), ("", vec![GZIP]), ("?surprise=1", vec![])] {
            let get = walk.send(row, "GET", query, &headers, b"").await;
            let head = walk.send(row, "HEAD", query, &headers, b"").await;
            let context = format!("{}{query} {headers:?}", row.function);
            assert_eq!((head.status, head.body.len()), (get.status, 0), "{context}");
            // A span is of one request, and each counts.
            let without_span = |reply: Reply| {
                let mut headers = reply.headers;
                headers.remove("traceparent");
                headers.remove("ratelimit");
                headers
            };
            assert_eq!(head.header("content-length"), get.body.len().to_string(), "{context}");
            assert_eq!(without_span(head), without_span(get), "{context}");
        }
    }
}

#[tokio::test]
async fn long_text_is_packed_under_a_tag_of_its_own() {
    let walk = Walk::open("quality-gzip").await;
    let mut packed_rows = Vec::new();
    for row in TABLE.iter().filter(|row| row.does == Does::Read) {
        let context = row.function;
        let (plain, packed) = (walk.call(row, "", &[], b"").await, walk.call(row, "", &[GZIP], b"").await);
        assert_eq!(plain.header("content-encoding"), "", "{context}");
        let varies = plain.header("vary").to_ascii_lowercase().contains("accept-encoding");
        assert_eq!(varies, row.follows(Rule::Vary), "{context}");
        assert_eq!(packed.header("vary"), plain.header("vary"), "{context}");
        let (tag, form) = (plain.header("etag"), packed.header("etag"));
        if plain.body.len() < 1024 || !row.follows(Rule::Vary) {
            assert_eq!((packed.header("content-encoding"), form), ("", tag), "{context}");
            continue;
        }
        packed_rows.push(row.function);
        assert_eq!(packed.header("content-encoding"), "gzip", "{context}");
        let mut unpacked = Vec::new();
        GzDecoder::new(packed.body.as_slice()).read_to_end(&mut unpacked).unwrap();
        assert_eq!(unpacked, plain.body, "{context}");
        assert_eq!(form, format!("{}-gzip\"", tag.strip_suffix('"').unwrap()), "{context}");

        for (accepted, known, status, answered) in [
            (GZIP, form, StatusCode::NOT_MODIFIED, form),
            (GZIP, tag, StatusCode::NOT_MODIFIED, tag),
            (("accept-encoding", "br"), form, StatusCode::OK, tag),
        ] {
            let reply = walk.call(row, "", &[accepted, ("if-none-match", known)], b"").await;
            assert_eq!(
                (reply.status, reply.header("etag")),
                (status, answered),
                "{context} {accepted:?} {known}"
            );
        }
    }
    for long in ["GetOrder", "ListCustomerOrders", "ListProducts"] {
        assert!(packed_rows.contains(&long), "{long} is too short to see anything here");
    }
}

#[tokio::test]
async fn either_form_of_a_tag_is_a_version_that_can_be_changed() {
    let walk = Walk::open("quality-forms").await;
    let row = |function: &str| TABLE.iter().find(|row| row.function == function).unwrap();
    let order = walk.call(row("GetOrder"), "", &[GZIP], b"").await;
    assert!(order.header("etag").ends_with("-gzip\""));
    let condition = [("if-match", order.header("etag"))];
    assert_eq!(walk.call(row("CancelOrder"), "", &condition, b"").await.status, StatusCode::OK);
    let stock = walk.call(row("GetStock"), "", &[], b"").await.header("etag").replace("\"", "");
    let condition = [("if-match", format!("\"{stock}-gzip\""))];
    let condition = condition.each_ref().map(|(name, value)| (*name, value.as_str()));
    let set = walk.call(row("SetStock"), "", &condition, &row("SetStock").body()).await;
    assert_eq!(set.status, StatusCode::OK);
}

#[tokio::test]
async fn unknown_parameter_is_refused_by_name_with_what_is_allowed() {
    let walk = Walk::open("quality-query").await;
    for row in TABLE {
        let reply = walk.call(row, "?surprise=1", Walk::conditions(row), &row.body()).await;
        reply.assert_problem(StatusCode::BAD_REQUEST, row.function);
        assert_eq!(reply.place(), "surprise", "{}", row.function);
        let detail = reply.json()["detail"].as_str().unwrap().to_owned();
        let lists =
            detail.starts_with("Allowed parameters") || detail == "This resource takes no query parameters.";
        assert!(lists, "{}: {detail}", row.function);
        if row.follows(Rule::Vary) {
            assert!(reply.header("vary").contains("Accept-Encoding"), "{}", row.function);
        }
    }
}

#[tokio::test]
async fn body_of_another_type_and_one_that_is_too_long_are_refused() {
    let walk = Walk::open("quality-bodies").await;
    for row in rows(Rule::Body) {
        let mut headers = Walk::conditions(row).to_vec();
        let long = vec![b' '; row.body_bytes_max + 1];
        let reply = walk.call(row, "", &headers, &long).await;
        reply.assert_problem(StatusCode::PAYLOAD_TOO_LARGE, row.function);
        headers.push(("content-type", "text/plain"));
        let reply = walk.call(row, "", &headers, b"what is this?").await;
        reply.assert_problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, row.function);
    }
}

#[tokio::test]
async fn malformed_key_is_refused_by_the_name_of_its_header() {
    let walk = Walk::open("quality-keys").await;
    for row in TABLE.iter().filter(|row| row.does == Does::Make) {
        for key in ["two words", "", &"x".repeat(256)] {
            let reply = walk.call(row, "", &[("idempotency-key", key)], &row.body()).await;
            reply.assert_problem(StatusCode::BAD_REQUEST, row.function);
            assert_eq!(reply.place(), "Idempotency-Key", "{}", row.function);
        }
    }
}

#[tokio::test]
async fn same_key_and_body_replays_and_another_body_is_refused() {
    let walk = Walk::open("quality-replays").await;
    for row in rows(Rule::Key) {
        let key = [("idempotency-key", "walk-1")];
        let first = walk.call(row, "", &key, &row.body()).await;
        assert!(first.status.is_success(), "{}: {}", row.function, first.json());
        first.assert_signed(row.function);
        assert_eq!(first.header("idempotency-replayed"), "", "{}", row.function);
        let second = walk.call(row, "", &key, &row.body()).await;
        assert_eq!((second.status, second.json()), (first.status, first.json()), "{}", row.function);
        assert_eq!(second.header("location"), first.header("location"), "{}", row.function);
        assert_eq!(second.header("idempotency-replayed"), "true", "{}", row.function);
        let other = walk.call(row, "", &key, row.bodies[1].as_bytes()).await;
        other.assert_problem(StatusCode::UNPROCESSABLE_ENTITY, row.function);
        assert_eq!(other.place(), "Idempotency-Key", "{}", row.function);
    }
}

#[tokio::test]
async fn change_is_made_only_at_the_version_that_is_named() {
    let walk = Walk::open("quality-versions").await;
    for row in rows(Rule::IfMatch) {
        if row.does == Does::Replace {
            let blind = walk.call(row, "", &[], &row.body()).await;
            blind.assert_problem(StatusCode::PRECONDITION_REQUIRED, row.function);
        }
        let stale = walk.call(row, "", &[STALE], &row.body()).await;
        stale.assert_problem(StatusCode::PRECONDITION_FAILED, row.function);
        let malformed = walk.call(row, "", &[("if-match", "stale")], &row.body()).await;
        malformed.assert_problem(StatusCode::BAD_REQUEST, row.function);
        assert_eq!(malformed.place(), "If-Match", "{}", row.function);
    }
    let cancel = TABLE.iter().find(|row| row.function == "CancelOrder").unwrap();
    walk.call(cancel, "", &[STALE], b"").await.assert_problem(StatusCode::PRECONDITION_FAILED, "CancelOrder");
}

/// What a success of each row says of keeping it.
#[tokio::test]
async fn every_success_says_who_may_keep_it() {
    let walk = Walk::open("quality-keeping").await;
    // What takes away comes last in the table.
    for row in TABLE {
        let reply = walk.call(row, "", Walk::conditions(row), &row.body()).await;
        let refused = row.function == "ArrangeImages" || row.function == "MarkShipped";
        assert!(reply.status.is_success() || refused, "{}: {} {}", row.function, reply.status, reply.json());
        reply.assert_signed(row.function);
        let is_personal =
            ["orders", "customers", "partners"].iter().any(|room| row.address.starts_with(room));
        let keeping = reply.header("cache-control");
        if is_personal && reply.status.is_success() {
            assert_eq!(keeping, "private, no-store", "{}", row.function);
        } else if row.does != Does::Read {
            assert!(
                ["no-cache", "no-store", "private, no-store"].contains(&keeping),
                "{}: {keeping}",
                row.function
            );
        }
    }
}

#[tokio::test]
async fn cost_is_told_in_development_and_to_nobody_else() {
    let mut walk = Walk::open("quality-timing").await;
    for row in TABLE {
        let reply = walk.call(row, "?surprise=1", &[], &row.body()).await;
        assert_eq!(reply.header("server-timing"), "", "{}", row.function);
    }
    walk.shop.develop();
    for row in TABLE {
        let before = walk.shop.requests();
        let reply = walk.call(row, "", Walk::conditions(row), &row.body()).await;
        let requests = walk.shop.requests() - before;
        let told = reply.header("server-timing");
        let noun = if requests == 1 { "request" } else { "requests" };
        assert!(
            told.starts_with(&format!("cosmos;desc=\"{requests} {noun}, ")),
            "{}: {requests}, {told}",
            row.function
        );
        let charge = told.split([',', ' ']).filter_map(|word| word.parse::<f64>().ok()).next_back().unwrap();
        // The emulator charges nothing for what is not there, which Heartbeat asks for.
        let is_charged = requests > 0 && row.function != "Heartbeat";
        assert_eq!(charge > 0.0, is_charged, "{}: {told}", row.function);
        assert!(told.contains("RU\", total;dur="), "{}: {told}", row.function);
    }
    let lost =
        walk.shop.send("POST", "/api/orders", &[], Some(order_body("ada", &[("none", 1)]).to_string())).await;
    assert_eq!(lost.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(lost.header("server-timing").contains("RU"), "a refusal has its price, too");
}
