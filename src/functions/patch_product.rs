//! `PATCH /api/products/{id}`: a merge patch (RFC 7396) of what the back office maintains of a product.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::domain::catalogue::{ProductDraft, merge_patch};
use crate::functions::product::{change_product, details_for};
use crate::host::{Answer, NoQuery, Problem, parse, parse_value};

/// Answers 200 with the product, 404, 409 when it is deleted, 412 when `If-Match` names another version, or 422. Without
/// `If-Match` the patch is made to whatever version there is.
///
/// # Errors
/// A [`Problem`].
pub async fn patch_product(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let patch: Map<String, Value> = parse(&headers, &body)?;
    change_product(&app, &id, &headers, |product| {
        let patched = merge_patch(json!(ProductDraft::from(product)), Value::Object(patch.clone()));
        details_for(product, parse_value(patched)?)
    })
    .await
}
