//! `GET /api/asyncapi.json`: what the shop announces and hears, as an AsyncAPI 3 document.

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::auth::caller::{Anyone, By};
use crate::functions::api::OPERATIONS;
use crate::functions::async_api::DOCUMENT;
use crate::functions::keep::{Keep, content_etag, read};
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Computed once, as that of the API's document.
static ETAG: LazyLock<String> = LazyLock::new(|| content_etag(&Answer::json(StatusCode::OK, &*DOCUMENT)));

/// Answers 200 or 304.
///
/// # Errors
/// A [`Problem`].
pub async fn get_async_api(_: By<Anyone>, _: NoQuery, headers: HeaderMap) -> Result<Answer, Problem> {
    read(&headers, &*DOCUMENT, Keep::Public, Some(&ETAG))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description =
        "The events that the shop announces and those that it hears, as an AsyncAPI 3 document.";
    Operation::new(OPERATIONS, "Read what is announced", description)
        .reads::<Map<String, Value>>("The document.", json!({"asyncapi": "3.0.0"}))
}
