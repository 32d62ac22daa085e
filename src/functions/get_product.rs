//! `GET /api/products/{id}`: one product, with the pieces that can be ordered now.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::functions::error::{no_such, product_id};
use crate::functions::resource::{Keep, ProductResource, read};
use crate::host::{Answer, NoQuery, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_product(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let (product, stock) =
        tokio::try_join!(app.store.products.read(&product_id), app.store.stock.read(&product_id))?;
    let product = product.ok_or_else(|| no_such("product", &id, None))?;
    let resource = ProductResource::new(product.value, stock.as_ref().map(|stock| &stock.value));
    read(&headers, &resource, Keep::Public, None)
}
