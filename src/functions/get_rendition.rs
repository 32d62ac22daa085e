//! `GET /api/products/{id}/images/{imageId}/{width}`: the bytes of a smaller copy of a picture.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, Method, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::app::App;
use crate::app::images::RENDITION_TYPE;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::{ImageId, ProductId};
use crate::domain::image::{RENDITION_WIDTHS_PX, SIDE_PX_MAX};
use crate::functions::api::IMAGES;
use crate::functions::kind::IMAGES_NOT_SET_UP;
use crate::functions::picture::{File, REDIRECTED, find, image_path, redirect, serve};
use crate::host::{Header, NoQuery, Operation, Problem, if_none_match};

/// Answers 200, 206, 304, 307, 404 or 416. A preset width that the picture does not have leads to what comes nearest: its
/// largest copy when it is narrower itself, the original when it has no copies.
///
/// # Errors
/// A [`Problem`].
pub async fn get_rendition(
    _: By<Anyone>,
    State(app): State<App>,
    Path((id, image, width)): Path<(String, String, String)>,
    _: NoQuery,
    method: Method,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    if_none_match(&headers)?;
    let (product, image) = find(&app, &id, &image).await?;
    let width_px = width.parse::<u32>().ok();
    if let Some(rendition) = image.renditions.iter().find(|rendition| Some(rendition.width_px) == width_px) {
        return serve(&app, &method, &headers, File::rendition(&product.id, &image, rendition)).await;
    }
    if width_px.is_some_and(|width_px| RENDITION_WIDTHS_PX.contains(&width_px)) {
        let path = image_path(&product.id, &image.id);
        return Ok(match image.renditions.last() {
            Some(largest) => redirect(&format!("{path}/{}", largest.width_px)),
            None => redirect(&path),
        });
    }
    let widths: Vec<_> = image.renditions.iter().map(|rendition| rendition.width_px.to_string()).collect();
    let detail = match widths.as_slice() {
        [] => "this picture has no smaller copies".to_owned(),
        widths => format!("this picture has copies of these widths: {}", widths.join(", ")),
    };
    Err(Problem::not_found("The picture has no copy of this width.").parameter("width", detail))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "400 and 1,200 pixels wide, or as wide as the picture is if that is less. A preset width that the picture does \
                       not have leads to what comes nearest.";
    let width =
        json!({"type": "integer", "minimum": 1, "maximum": SIDE_PX_MAX, "examples": RENDITION_WIDTHS_PX});
    Operation::new(IMAGES, "Fetch a smaller copy of a picture", description)
        .path::<ProductId>("id", "The product.")
        .path::<ImageId>("imageId", "The picture.")
        .path_as("width", "Its width in pixels.", width)
        .reads_bytes("The copy.", &[RENDITION_TYPE])
        .empty(StatusCode::TEMPORARY_REDIRECT, REDIRECTED, &[Header::Location])
        .problems(&[&IMAGES_NOT_SET_UP])
}
