//! `GET /api/orders/{id}`: one order, as far as it has come.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, OwnerOrCourier};
use crate::domain::id::OrderId;
use crate::functions::api::ORDERS;
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::order::visible_id;
use crate::functions::resource::OrderResource;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_order(
    By(OwnerOrCourier(scope)): By<OwnerOrCourier>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = app.store.orders.find(&visible_id(&scope, &id)?).await?;
    let order = found.filter(|order| scope.covers(&order.value.customer_id));
    let order = order.ok_or_else(|| no_such("order", &id, None))?;
    read(&headers, &OrderResource::from(&order.value), Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(ORDERS, "Read an order", "How far it has come, and why it failed if it did.")
        .path::<OrderId>("id", "The order.")
        .reads::<OrderResource<'_>>("The order.", example::order())
}
