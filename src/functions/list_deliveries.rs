//! `GET /api/webhooks/{id}/deliveries`: what was sent to a webhook, newest first, by page. For staff.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::WebhookId;
use crate::functions::api::{WEBHOOKS, paged};
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::functions::webhook::{DeliveryResource, deliveries_path, webhook_id};
use crate::host::{Answer, Operation, Problem};
use crate::store::webhooks::deliveries::Place;

/// Answers 200, 304, or 404 for a webhook that does not exist. One query, and a request when it finds nothing.
///
/// # Errors
/// A [`Problem`].
pub async fn list_deliveries(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let webhook_id = webhook_id(&id)?;
    let request: PageRequest<Place> = PageRequest::parse(query.as_deref())?;
    let found = app.store.deliveries.page(&webhook_id, request.cursor.as_ref(), request.read_max()).await?;
    if found.is_empty() && app.store.webhooks.newest(&webhook_id).await?.is_none() {
        return Err(no_such("webhook", &id, None));
    }
    let page = request.page(&deliveries_path(&webhook_id), &Filters::default(), found, Place::behind);
    let items = page.items.iter().map(DeliveryResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Each event with the last attempts to deliver it, the newest event first, by page. They are kept for 30 days \
                       after their last attempt, also when the webhook is deleted.";
    let operation = Operation::new(WEBHOOKS, "List a webhook's deliveries", description)
        .path::<WebhookId>("id", "The webhook.")
        .reads::<Page<DeliveryResource<'_>>>("One page.", example::page(example::delivery()));
    paged(operation)
}
