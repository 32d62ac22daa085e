//! `GET /api/orders/{id}/events`: the order's timeline, oldest first, whole (an order has at most four events).

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::functions::error::{no_such, order_id};
use crate::functions::page::Page;
use crate::functions::resource::{Keep, read};
use crate::host::{Answer, NoQuery, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_order_events(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let items = app.store.orders.events(&order_id(&id)?).await?;
    if items.is_empty() {
        return Err(no_such("order", &id, None));
    }
    read(&headers, &Page { items, next_link: None }, Keep::Private, None)
}
