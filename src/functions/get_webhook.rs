//! `GET /api/webhooks/{id}`: one webhook, without its secret. For staff.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::WebhookId;
use crate::functions::api::WEBHOOKS;
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::webhook::{WebhookResource, webhook_id};
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404. One request.
///
/// # Errors
/// A [`Problem`].
pub async fn get_webhook(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = app.store.webhooks.newest(&webhook_id(&id)?).await?;
    let webhook = found.ok_or_else(|| no_such("webhook", &id, None))?;
    read(&headers, &WebhookResource::from(&webhook.value), Keep::Private, Some(webhook.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(WEBHOOKS, "Get a webhook", "A webhook as it is now, without its secret.")
        .path::<WebhookId>("id", "The webhook.")
        .reads::<WebhookResource<'_>>("The webhook.", example::webhook())
}
