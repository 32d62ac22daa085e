//! `PUT /api/products/{id}/images`: the order of a product's pictures, and what each shows.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::draft::Invalid;
use crate::domain::id::{ImageId, ProductId};
use crate::domain::image::{ALT_CHARS_MAX, ALT_PATTERN, IMAGES_MAX, Placement};
use crate::functions::api::IMAGES;
use crate::functions::error::{invalid_body, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, with_content_etag};
use crate::functions::kind::{INCOMPLETE_ARRANGEMENT, PRODUCT_DELETED};
use crate::functions::picture::{ImageList, check_alt, list_etag, not_taken};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, require_if_match};

/// The pictures of a product, in the order in which they are to be shown.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "Arrangement")]
struct Body {
    /// Each picture once.
    #[schemars(length(max = IMAGES_MAX))]
    items: Vec<Item>,
}

/// A picture's place.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "ArrangedImage")]
struct Item {
    /// Which picture.
    #[schemars(with = "ImageId")]
    id: String,
    /// What it shows, for those who cannot see it; may be empty.
    #[schemars(length(max = ALT_CHARS_MAX), regex(pattern = ALT_PATTERN), example = &"a red mug")]
    alt: String,
}

/// Answers 200 with the pictures, 404, 412, 422 unless each picture is named once, or 428 without `If-Match`. That takes
/// the `ETag` of `GET` at the same address.
///
/// # Errors
/// A [`Problem`].
pub async fn arrange_images(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let wanted = require_if_match(&headers)?;
    let Body { items } = parse(&headers, &body)?;
    if items.len() > IMAGES_MAX {
        let detail = format!("must have at most {IMAGES_MAX} entries");
        return Err(invalid_body(vec![Invalid::new("/items", detail)]));
    }
    let mut placements = Vec::with_capacity(items.len());
    for (place, Item { id, alt }) in items.into_iter().enumerate() {
        check_alt(&alt, &format!("/items/{place}/alt"))?;
        let id = ImageId::parse(&id).map_err(|error| {
            invalid_body(vec![Invalid::new(format!("/items/{place}/id"), error.to_string())])
        })?;
        placements.push(Placement { id, alt });
    }
    let arranged =
        app.arrange_images(&product_id, |images| wanted.allows(&list_etag(images)), &placements).await?;
    let images = arranged.map_err(|reason| not_taken(&product_id, "", reason))?;
    let answer = Answer::json(StatusCode::OK, &ImageList::from(images.as_slice()));
    Ok(with_content_etag(answer, Keep::Validate))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Their order, and what each shows. Each picture of the product is named once.";
    Operation::new(IMAGES, "Arrange a product's pictures", description)
        .path::<ProductId>("id", "The product.")
        .if_match_required()
        .body::<Body>(example::arrangement())
        .answers::<ImageList<'_>>(
            StatusCode::OK,
            "The pictures.",
            &[Header::Etag],
            example::page(example::image()),
        )
        .problems(&[&PRODUCT_DELETED, &INCOMPLETE_ARRANGEMENT])
}
