//! `GET /api/products/{id}/images/{imageId}`: the bytes of a picture as it was sent, without metadata.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::{ImageId, ProductId};
use crate::functions::api::IMAGES;
use crate::functions::kind::IMAGES_NOT_SET_UP;
use crate::functions::picture::{File, REDIRECTED, find, serve};
use crate::host::{Header, NoQuery, Operation, Problem};

/// Answers 200, 206, 304, 307, 404 or 416.
///
/// # Errors
/// A [`Problem`].
pub async fn get_image(
    _: By<Anyone>,
    State(app): State<App>,
    Path((id, image)): Path<(String, String)>,
    _: NoQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let (product, image) = find(&app, &id, &image).await?;
    serve(&app, &method, &headers, File::original(&product.id, &image)).await
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(
        IMAGES,
        "Fetch a picture",
        "The bytes as they were sent, without metadata. They never change.",
    )
    .path::<ProductId>("id", "The product.")
    .path::<ImageId>("imageId", "The picture.")
    .reads_bytes("The picture.", &["image/png", "image/jpeg", "image/webp", "image/avif"])
    .empty(StatusCode::TEMPORARY_REDIRECT, REDIRECTED, &[Header::Location])
    .problems(&[&IMAGES_NOT_SET_UP])
}
