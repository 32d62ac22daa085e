//! `GET /api/products/{id}/stock`: pieces on hand, held for orders, and available. Its `ETag` goes into `If-Match` of
//! the `PUT`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::ProductId;
use crate::functions::api::STOCK;
use crate::functions::error::{no_such, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::resource::StockResource;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_stock(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let stock = app
        .store
        .stock
        .read(&product_id(&id)?)
        .await?
        .ok_or_else(|| no_such("stock of a product", &id, None))?;
    read(&headers, &StockResource::from(&stock.value), Keep::Validate, Some(stock.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description =
        "Pieces on hand, held for orders, and available. The `ETag` is for `If-Match` of the PUT.";
    Operation::new(STOCK, "Read a product's stock", description)
        .path::<ProductId>("id", "The product.")
        .reads::<StockResource<'_>>("The counts.", example::stock())
}
