//! `GET /api/orders/{id}/events`: the order's timeline, oldest first, whole (an order has at most four events).

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, OwnerOrCourier};
use crate::domain::event::Event;
use crate::domain::id::OrderId;
use crate::functions::api::ORDERS;
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::order::{is_within, visible_id};
use crate::functions::page::Page;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_order_events(
    By(OwnerOrCourier(scope)): By<OwnerOrCourier>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let order_id = visible_id(&scope, &id)?;
    let items = app.store.orders.events(&order_id).await?;
    if items.is_empty() || !is_within(&app, &scope, &order_id).await? {
        return Err(no_such("order", &id, None));
    }
    read(&headers, &Page { items, next_link: None }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "What happened to it, oldest first, all on one page: an order has four events at most.";
    Operation::new(ORDERS, "Read an order's timeline", description)
        .path::<OrderId>("id", "The order.")
        .reads::<Page<Event>>("The events.", example::page(example::event()))
}
