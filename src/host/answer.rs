//! A finished HTTP answer with a text body, usable both as a response of our own (proxied functions) and as an output
//! of a JSON invocation ([`super::reply::Reply::http`]), which can carry neither binary bodies nor repeated headers.
//!
//! It deliberately does not know what the body means, nor which of the two ways it will travel.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::problem::Problem;

/// The media type of all bodies that do not say otherwise.
pub(super) const JSON: &str = "application/json";

/// A status, headers (each at most once, ASCII) and a body that is text or nothing.
#[derive(Debug, Clone)]
pub struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    /// `body` as compact JSON. A body that cannot be serialised is our mistake: it is logged and the answer is a 500.
    pub fn json(status: StatusCode, body: &impl Serialize) -> Self {
        match serde_json::to_string(body) {
            Ok(text) => Self::text(status, JSON, text),
            Err(error) => {
                tracing::error!(%error, "an answer could not be written as JSON");
                Problem::internal().into()
            }
        }
    }

    /// No body and no content type, as for 204 and 304.
    pub fn empty(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: String::new() }
    }

    /// A body that is already text.
    pub fn text(status: StatusCode, content_type: &'static str, body: String) -> Self {
        let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static(content_type))]);
        Self { status, headers, body }
    }

    /// Sets a header, replacing an earlier value. A value that is not visible ASCII is dropped and its name logged.
    pub fn header(mut self, name: HeaderName, value: impl Into<String>) -> Self {
        match HeaderValue::try_from(value.into()) {
            Ok(value) if value.to_str().is_ok() => {
                self.headers.insert(name, value);
            }
            Ok(_) | Err(_) => tracing::error!(%name, "a header value was not valid and was dropped"),
        }
        self
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.status
    }

    /// The headers set so far, the content type included.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The body; empty when there is none.
    pub fn body(&self) -> &str {
        &self.body
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = Response::new(self.body.into());
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use serde_json::json;

    use super::*;

    #[test]
    fn json_is_compact_and_typed() {
        let answer = Answer::json(StatusCode::CREATED, &json!({"id": "a", "n": 1}))
            .header(header::LOCATION, "/api/orders/a");
        assert_eq!(answer.status(), StatusCode::CREATED);
        assert_eq!(answer.body(), r#"{"id":"a","n":1}"#);
        assert_eq!(answer.headers()["content-type"], "application/json");
        assert_eq!(answer.headers()["location"], "/api/orders/a");
    }

    #[test]
    fn body_that_is_not_json_becomes_an_internal_problem() {
        let keyed_by_list = HashMap::from([(vec![1], 1)]);
        let answer = Answer::json(StatusCode::OK, &keyed_by_list);
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(answer.headers()["content-type"], "application/problem+json");
    }

    #[test]
    fn header_value_that_could_split_a_response_is_dropped() {
        let answer = Answer::empty(StatusCode::NO_CONTENT)
            .header(header::ETAG, "\"a\"\r\nset-cookie: x=1")
            .header(header::LOCATION, "/naïve");
        assert!(answer.headers().is_empty());
    }
}
