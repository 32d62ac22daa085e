//! `PUT /api/products/{id}`: what the back office maintains of a product, anew. Pictures and stock have addresses of their own.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::domain::catalogue::ProductDraft;
use crate::functions::product::{change_product, details_for};
use crate::host::{Answer, NoQuery, Problem, parse, require_if_match};

/// Answers 200 with the product, 404, 409 when it is deleted, 412, 422, or 428 without `If-Match`.
///
/// # Errors
/// A [`Problem`].
pub async fn replace_product(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    require_if_match(&headers)?;
    let draft: ProductDraft = parse(&headers, &body)?;
    change_product(&app, &id, &headers, |product| details_for(product, draft.clone())).await
}
