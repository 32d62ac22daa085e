//! `PATCH /api/products/{id}/images/{imageId}`: what a picture shows, for those who cannot see it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;

use crate::app::App;
use crate::functions::error::product_id;
use crate::functions::picture::{check_alt, image_id, not_taken};
use crate::functions::resource::{ImageResource, Keep, with_keep};
use crate::host::{Answer, NoQuery, Problem, parse};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    alt: String,
}

/// Answers 200 with the picture, or 404. Needs no `If-Match`: it replaces one text, and the last one counts.
///
/// # Errors
/// A [`Problem`].
pub async fn describe_image(
    State(app): State<App>,
    Path((id, image)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (product_id, image_id) = (product_id(&id)?, image_id(&image)?);
    let Body { alt } = parse(&headers, &body)?;
    check_alt(&alt, "/alt")?;
    let described = app.describe_image(&product_id, &image_id, &alt).await?;
    let image = described.map_err(|reason| not_taken(&product_id, &image, reason))?;
    Ok(with_keep(Answer::json(StatusCode::OK, &ImageResource::from(&image)), Keep::Validate))
}
