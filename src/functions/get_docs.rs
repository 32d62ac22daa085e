//! `GET /api/docs`: the interactive page of the API.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::functions::docs::PAGE;
use crate::host::{NoQuery, Problem};

/// Answers 200 or 304.
///
/// # Errors
/// A [`Problem`].
pub async fn get_docs(_: NoQuery, headers: HeaderMap) -> Result<Response, Problem> {
    PAGE.answer(&headers)
}
