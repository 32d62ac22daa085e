//! `GET /api/products/{id}`: one product, with the pieces that can be ordered now. A deleted one can still be read.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::ProductId;
use crate::functions::api::PRODUCTS;
use crate::functions::error::{no_such, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::resource::{ProductResource, product_etag};
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_product(
    _: By<Anyone>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let now = app.clock.now();
    let (product, stock) = tokio::try_join!(
        app.store.products.recent(&product_id, now),
        app.store.stock.recent(&product_id, now)
    )?;
    let product = product.ok_or_else(|| no_such("product", &id, None))?;
    let stock = stock.map(|stock| stock.value);
    let etag = product_etag(&product.etag, stock.as_ref());
    let resource = ProductResource::new(&product.value, stock.as_ref());
    read(&headers, &resource, Keep::Public, Some(&etag))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "With the pieces that can be ordered now. What another instance of this program has changed is seen after \
                       five seconds at the latest. A deleted product can still be read, for the sake of old orders.";
    Operation::new(PRODUCTS, "Read a product", description)
        .path::<ProductId>("id", "The product.")
        .reads::<ProductResource<'_>>("The product.", example::product())
}
