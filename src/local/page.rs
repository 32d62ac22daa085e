//! A page with links, for whoever looks at the host in a browser.
//!
//! Knows nothing of what it shows; every text is escaped, and nothing on a page may run.

use std::fmt::Write;

use axum::http::HeaderMap;
use axum::http::header::{ACCEPT, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse, Response};

/// Whether a browser asks.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    headers
        .get(ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"))
}

/// A page with a text and, below it, links: where each leads and what it says.
pub(super) fn html(title: &str, text: &str, links: impl IntoIterator<Item = (String, String)>) -> Response {
    let mut page = format!(
        "<!doctype html>\n<meta charset=\"utf-8\">\n<title>{0}</title>\n<pre>{1}</pre>\n<ul>\n",
        escaped(title),
        escaped(text)
    );
    for (target, name) in links {
        // Writing into a String cannot fail.
        let _ = writeln!(page, "<li><a href=\"{}\">{}</a></li>", escaped(&target), escaped(&name));
    }
    page.push_str("</ul>\n");
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CONTENT_SECURITY_POLICY, "default-src 'none'"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
    ];
    (headers, page).into_response()
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;")
}
