//! `GET /api/webhooks`: webhooks by page, in the order of their ids. For staff.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::WebhookId;
use crate::functions::api::{WEBHOOKS, paged};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::functions::webhook::WebhookResource;
use crate::host::{Answer, Operation, Problem};

const PATH: &str = "/api/webhooks";

/// Answers 200 or 304. One query.
///
/// # Errors
/// A [`Problem`].
pub async fn list_webhooks(
    _: By<Staff>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let request: PageRequest<WebhookId> = PageRequest::parse(query.as_deref())?;
    let found = app.store.webhooks.page(request.cursor.as_ref(), request.read_max()).await?;
    let page = request.page(PATH, &Filters::default(), found, |webhook| webhook.id.clone());
    let items = page.items.iter().map(WebhookResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let operation = Operation::new(
        WEBHOOKS,
        "List webhooks",
        "In the order of their ids, by page, without their secrets.",
    )
    .reads::<Page<WebhookResource<'_>>>("One page.", example::page(example::webhook()));
    paged(operation)
}
