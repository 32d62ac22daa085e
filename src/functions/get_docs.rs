//! `GET /api/docs`: the interactive page of the API.

use axum::http::HeaderMap;
use axum::response::Response;

use crate::auth::caller::{Anyone, By};
use crate::functions::api::OPERATIONS;
use crate::functions::docs::PAGE;
use crate::host::{NoQuery, Operation, Problem};

/// Answers 200 or 304.
///
/// # Errors
/// A [`Problem`].
pub async fn get_docs(_: By<Anyone>, _: NoQuery, headers: HeaderMap) -> Result<Response, Problem> {
    PAGE.answer(&headers)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description =
        "This document as a page on which every request can be tried out. It needs nothing from elsewhere.";
    Operation::new(OPERATIONS, "Open the page of this API", description)
        .reads_text("The page.", &["text/html; charset=utf-8"])
}
