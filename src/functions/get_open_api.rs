//! `GET /api/openapi.json`: what this API is, as an OpenAPI 3.1 document.

use std::sync::LazyLock;

use axum::http::{HeaderMap, StatusCode};
use serde_json::{Map, Value, json};

use crate::auth::caller::{Anyone, By};
use crate::functions::api::{DOCUMENT, OPERATIONS};
use crate::functions::keep::{Keep, content_etag, read};
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Computed once: the document is long, and anybody may ask for it.
static ETAG: LazyLock<String> =
    LazyLock::new(|| content_etag(&Answer::json(StatusCode::OK, &DOCUMENT.as_ref().ok())));

/// Answers 200 or 304.
///
/// # Errors
/// A [`Problem`].
pub async fn get_open_api(_: By<Anyone>, _: NoQuery, headers: HeaderMap) -> Result<Answer, Problem> {
    match &*DOCUMENT {
        Ok(document) => read(&headers, document, Keep::Public, Some(&ETAG)),
        Err(error) => {
            tracing::error!(%error, "the API's document cannot be made");
            Err(Problem::internal())
        }
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "The API as an OpenAPI 3.1 document; `/api/docs` shows it as a page.";
    Operation::new(OPERATIONS, "Read this document", description)
        .reads::<Map<String, Value>>("The document.", json!({"openapi": "3.1.0"}))
}
