//! `GET /api/docs/{file}`: what the interactive page of the API is made of.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;
use serde_json::json;

use crate::auth::caller::{Anyone, By};
use crate::functions::api::OPERATIONS;
use crate::functions::docs::File;
use crate::host::{NoQuery, Operation, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_docs_file(
    _: By<Anyone>,
    Path(file): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    File::find(&file)?.answer(&headers)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let file = json!({"type": "string", "pattern": "^[A-Za-z.-]{1,64}$", "examples": ["init.js"]});
    Operation::new(OPERATIONS, "Fetch a part of the page of this API", "Scripts, styles and their licences.")
        .path_as("file", "The name of the file.", file)
        .reads_text(
            "The file.",
            &["text/javascript; charset=utf-8", "text/css; charset=utf-8", "text/plain; charset=utf-8"],
        )
}
