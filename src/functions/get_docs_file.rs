//! `GET /api/docs/{file}`: what the interactive page of the API is made of.

use axum::extract::Path;
use axum::http::HeaderMap;
use axum::response::Response;

use crate::functions::docs::File;
use crate::host::{NoQuery, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_docs_file(
    Path(file): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    File::find(&file)?.answer(&headers)
}
