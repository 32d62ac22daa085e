//! `GET /api/products/{id}/images`: a product's pictures, in the order in which they are shown.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::ProductId;
use crate::functions::api::IMAGES;
use crate::functions::error::{no_such, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::picture::ImageList;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404. There are at most [`crate::domain::image::IMAGES_MAX`], so there are no pages.
///
/// # Errors
/// A [`Problem`].
pub async fn list_images(
    _: By<Anyone>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let product = app.store.products.read(&product_id).await?;
    let product = product.ok_or_else(|| no_such("product", &id, None))?;
    read(&headers, &ImageList::from(product.value.images.as_slice()), Keep::Validate, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "In the order in which they are shown. The `ETag` is for `If-Match` of the PUT.";
    Operation::new(IMAGES, "List a product's pictures", description)
        .path::<ProductId>("id", "The product.")
        .reads::<ImageList<'_>>("The pictures.", example::page(example::image()))
}
