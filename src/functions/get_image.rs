//! `GET /api/products/{id}/images/{imageId}`: the bytes of a picture as it was sent, without metadata.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method};
use axum::response::Response;

use crate::app::App;
use crate::functions::picture::{File, find, serve};
use crate::host::{NoQuery, Problem};

/// Answers 200, 206, 304, 307, 404 or 416.
///
/// # Errors
/// A [`Problem`].
pub async fn get_image(
    State(app): State<App>,
    Path((id, image)): Path<(String, String)>,
    _: NoQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (product, image) = find(&app, &id, &image).await?;
    serve(&app, &method, &headers, File::original(&product.id, &image)).await
}
