//! `DELETE /api/products/{id}/images/{imageId}`: takes a picture away for good.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::{ImageId, ProductId};
use crate::functions::api::IMAGES;
use crate::functions::error::product_id;
use crate::functions::picture::{image_etag, image_id, not_taken};
use crate::host::{Answer, NoQuery, Operation, Problem, if_match};

/// Answers 204, 404, or 412 when `If-Match` names another picture. Those who have fetched it may show it until they forget it.
///
/// # Errors
/// A [`Problem`].
pub async fn remove_image(
    _: By<Staff>,
    State(app): State<App>,
    Path((id, image)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (product_id, image_id) = (product_id(&id)?, image_id(&image)?);
    if !if_match(&headers)?.allows(&image_etag(&image_id)) {
        return Err(Problem::precondition_failed());
    }
    let removed = app.remove_image(&product_id, &image_id).await?;
    removed.map_err(|reason| not_taken(&product_id, &image, reason))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "For good; those who have fetched it may show it until they forget it.";
    Operation::new(IMAGES, "Remove a picture", description)
        .path::<ProductId>("id", "The product.")
        .path::<ImageId>("imageId", "The picture.")
        .if_match()
        .empty(StatusCode::NO_CONTENT, "The picture is gone.", &[])
}
