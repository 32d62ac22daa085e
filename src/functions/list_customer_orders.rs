//! `GET /api/customers/{id}/orders`: a customer's orders by page, newest first.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::id::{CustomerId, OrderId};
use crate::functions::api::{ORDERS, paged};
use crate::functions::customer::owned_id;
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::functions::resource::OrderResource;
use crate::host::{Answer, Operation, Problem};
use crate::store::orders::OrderCursor;

#[derive(Serialize, Deserialize)]
struct Cursor(DateTime<Utc>, OrderId);

/// Answers 200, 304, or 404 for a customer who does not exist.
///
/// # Errors
/// A [`Problem`].
pub async fn list_customer_orders(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let customer_id = owned_id(&scope, &id)?;
    let request: PageRequest<Cursor> = PageRequest::parse(query.as_deref())?;
    let after = request
        .cursor
        .as_ref()
        .map(|Cursor(placed_at, id)| OrderCursor { placed_at: *placed_at, id: id.clone() });
    let orders = app.store.orders.of_customer(&customer_id, after.as_ref(), request.read_max()).await?;
    if orders.is_empty() && app.store.customers.find(&customer_id).await?.is_none() {
        return Err(no_such("customer", &id, None));
    }
    let path = format!("/api/customers/{customer_id}/orders");
    let page =
        request.page(&path, &Filters::default(), orders, |order| Cursor(order.placed_at, order.id.clone()));
    let items = page.items.iter().map(OrderResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let operation = Operation::new(ORDERS, "List a customer's orders", "The newest first, by page.")
        .path::<CustomerId>("id", "The customer.")
        .reads::<Page<OrderResource<'_>>>("One page.", example::page(example::order()));
    paged(operation)
}
