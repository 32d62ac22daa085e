//! `GET /api/products/{id}/stock`: pieces on hand, held for orders, and available. Its `ETag` goes into `If-Match` of
//! the `PUT`.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::functions::error::{no_such, product_id};
use crate::functions::resource::{Keep, StockResource, read};
use crate::host::{Answer, NoQuery, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_stock(
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
