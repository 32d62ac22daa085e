//! `GET /api/products`: the catalogue by page, in the order of the ids, with the pieces that can be ordered now.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use futures::future::try_join_all;

use crate::app::App;
use crate::domain::id::ProductId;
use crate::functions::page::{Page, PageRequest};
use crate::functions::resource::{Keep, ProductResource, read};
use crate::host::{Answer, Problem};

/// Answers 200 or 304. One query, and one point read of the counts for each product of the page, at once.
///
/// # Errors
/// A [`Problem`].
pub async fn list_products(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let request: PageRequest<ProductId> = PageRequest::parse(query.as_deref())?;
    let products = app.store.products.page(request.cursor.as_ref(), request.read_max()).await?;
    let page = request.page("/api/products", products, |product| product.id.clone());
    let stocks = try_join_all(page.items.iter().map(|product| app.store.stock.read(&product.id))).await?;
    let items = page.items.into_iter().zip(&stocks);
    let items = items
        .map(|(product, stock)| ProductResource::new(product, stock.as_ref().map(|stock| &stock.value)))
        .collect();
    let page = Page { items, next_link: page.next_link };
    read(&headers, &page, Keep::Public, None)
}
