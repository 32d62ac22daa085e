//! The interactive page of the API as bytes and headers: its files, packed and unpacked. How it looks in a browser is in
//! `browser`.
#![cfg(test)]

use std::io::Read;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, StatusCode};
use flate2::read::GzDecoder;
use serde_json::Value;

use crate::shop::TestShop;

const BUNDLE: &str = "/api/docs/swagger-ui-bundle.js";

async fn get(shop: &TestShop, path: &str, headers: &[(&str, &str)]) -> (StatusCode, HeaderMap, Bytes) {
    shop.exchange("GET", path, headers, Body::empty()).await
}

/// What the page and its files refer to, as a browser would ask for it.
fn references(page: &str) -> Vec<String> {
    let quoted = page.split(" src=\"").skip(1).chain(page.split(" href=\"").skip(1));
    let addresses = quoted.map(|rest| rest.split_once('"').unwrap().0);
    addresses
        .filter(|address| !address.starts_with("data:"))
        .map(|address| format!("/api/{address}"))
        .collect()
}

#[tokio::test]
async fn page_and_its_files_tell_a_browser_what_they_are_and_to_ask_nobody_else() {
    let shop = TestShop::open(&[]).await;
    let (_, _, page) = get(&shop, "/api/docs", &[]).await;
    let page = String::from_utf8(page.to_vec()).unwrap();
    assert!(page.contains("<title>Widget &amp; Co shop API</title>"), "{page}");
    let mut paths = references(&page);
    paths.retain(|path| path != "/api/openapi.json");
    assert_eq!(paths.len(), 3, "{paths:?}");
    paths.push("/api/docs".to_owned());
    for name in ["swagger-ui-bundle.js.LICENSE.txt", "swagger-ui.LICENSE.txt", "swagger-ui.NOTICE.txt"] {
        paths.push(format!("/api/docs/{name}"));
    }
    for path in paths {
        let (status, headers, body) = get(&shop, &path, &[]).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(!body.is_empty() && !headers.contains_key("content-encoding"), "{path}");
        let kind = match path.rsplit('.').next() {
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "text/html; charset=utf-8",
        };
        assert_eq!(headers["content-type"], kind, "{path}");
        assert_eq!(headers["cache-control"], "no-cache", "{path}");
        assert_eq!(headers["referrer-policy"], "no-referrer", "{path}");
        assert_eq!(headers["x-content-type-options"], "nosniff", "{path}");
        let policy = headers["content-security-policy"].to_str().unwrap();
        for part in
            ["default-src 'none'", "script-src 'self';", "connect-src 'self';", "frame-ancestors 'none'"]
        {
            assert!(policy.contains(part), "{path}: {policy}");
        }
    }
}

#[tokio::test]
async fn large_file_is_sent_packed_or_unpacked_each_under_its_own_etag() {
    let shop = TestShop::open(&[]).await;
    let gzip = ("Accept-Encoding", "gzip, br");
    let (_, packed_headers, packed) = get(&shop, BUNDLE, &[gzip]).await;
    let (_, plain_headers, plain) = get(&shop, BUNDLE, &[("Accept-Encoding", "identity")]).await;
    assert_eq!(packed_headers["content-encoding"], "gzip");
    assert!(!plain_headers.contains_key("content-encoding"));
    let mut unpacked = Vec::new();
    GzDecoder::new(packed.as_ref()).read_to_end(&mut unpacked).unwrap();
    assert!(unpacked == plain && packed.len() * 3 < plain.len(), "{} of {}", packed.len(), plain.len());
    for headers in [&packed_headers, &plain_headers] {
        assert_eq!(headers["vary"], "Accept-Encoding");
    }
    let (packed_etag, plain_etag) =
        (packed_headers["etag"].to_str().unwrap(), plain_headers["etag"].to_str().unwrap());
    for (etag, status) in [(packed_etag, StatusCode::NOT_MODIFIED), (plain_etag, StatusCode::OK)] {
        let (answered, headers, body) = get(&shop, BUNDLE, &[gzip, ("If-None-Match", etag)]).await;
        assert_eq!((answered, body.is_empty()), (status, status == StatusCode::NOT_MODIFIED), "{etag}");
        assert_eq!(headers["etag"], packed_etag);
    }
    let (status, _, _) = get(&shop, BUNDLE, &[("If-None-Match", plain_etag)]).await;
    assert_eq!(status, StatusCode::NOT_MODIFIED);
}

#[tokio::test]
async fn head_tells_the_length_without_the_file() {
    let shop = TestShop::open(&[]).await;
    let gzip = [("Accept-Encoding", "gzip")];
    let (_, _, body) = get(&shop, BUNDLE, &gzip).await;
    let (status, headers, nothing) = shop.exchange("HEAD", BUNDLE, &gzip, Body::empty()).await;
    assert_eq!((status, nothing.len()), (StatusCode::OK, 0));
    assert_eq!(headers["content-length"], body.len().to_string());
}

#[tokio::test]
async fn page_has_no_other_files_and_takes_no_parameters() {
    let shop = TestShop::open(&[]).await;
    for (path, status, place) in [
        ("/api/docs/index.html", StatusCode::NOT_FOUND, "file"),
        ("/api/docs/..%2F..%2FCargo.toml", StatusCode::NOT_FOUND, "file"),
        ("/api/docs?url=https://example.org", StatusCode::BAD_REQUEST, "url"),
        ("/api/docs/init.js?v=1", StatusCode::BAD_REQUEST, "v"),
    ] {
        let (answered, headers, body) = get(&shop, path, &[]).await;
        assert_eq!(
            (answered, &headers["content-type"]),
            (status, &"application/problem+json".parse().unwrap())
        );
        let problem: Value = serde_json::from_slice(&body).unwrap();
        assert_eq!(problem["errors"][0]["parameter"], place, "{path}: {problem}");
    }
}
