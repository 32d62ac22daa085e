//! `PATCH /api/products/{id}/images/{imageId}`: what a picture shows, for those who cannot see it.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::{ImageId, ProductId};
use crate::domain::image::{ALT_CHARS_MAX, ALT_PATTERN};
use crate::functions::api::IMAGES;
use crate::functions::error::product_id;
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::PRODUCT_DELETED;
use crate::functions::picture::{check_alt, image_etag, image_id, not_taken};
use crate::functions::resource::ImageResource;
use crate::host::{Answer, NoQuery, Operation, Problem, if_match, parse};

/// What a picture shows.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ImageDescription")]
struct Body {
    /// What it shows, for those who cannot see it; may be empty.
    #[schemars(length(max = ALT_CHARS_MAX), regex(pattern = ALT_PATTERN), example = &"a red mug")]
    alt: String,
}

/// Answers 200 with the picture, 404, or 412 when `If-Match` names another picture. Needs no `If-Match`: it replaces one text,
/// and the last one counts.
///
/// # Errors
/// A [`Problem`].
pub async fn describe_image(
    _: By<Staff>,
    State(app): State<App>,
    Path((id, image)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (product_id, image_id) = (product_id(&id)?, image_id(&image)?);
    if !if_match(&headers)?.allows(&image_etag(&image_id)) {
        return Err(Problem::precondition_failed());
    }
    let Body { alt } = parse(&headers, &body)?;
    check_alt(&alt, "/alt")?;
    let described = app.describe_image(&product_id, &image_id, &alt).await?;
    let image = described.map_err(|reason| not_taken(&product_id, &image, reason))?;
    Ok(with_keep(Answer::json(StatusCode::OK, &ImageResource::from(&image)), Keep::Validate))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(IMAGES, "Describe a picture", "What it shows, for those who cannot see it.")
        .path::<ProductId>("id", "The product.")
        .path::<ImageId>("imageId", "The picture.")
        .if_match()
        .body::<Body>(json!({"alt": "a red mug"}))
        .answers::<ImageResource<'_>>(StatusCode::OK, "The picture.", &[], example::image())
        .problems(&[&PRODUCT_DELETED])
}
