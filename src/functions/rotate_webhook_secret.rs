//! `POST /api/webhooks/{id}/secret`: another secret, beside which the old one signs for a day. For staff.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::app::catalogue::Changed;
use crate::auth::caller::{By, Staff};
use crate::domain::id::{IdempotencyKey, WebhookId};
use crate::functions::api::WEBHOOKS;
use crate::functions::error::{idempotency_key, invalid_body, no_such};
use crate::functions::example;
use crate::functions::webhook::{WebhookWithSecretResource, webhook_id, with_secret};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, if_match};

/// Answers 200 with the webhook and the new secret, 404 or 412. Each call draws another secret.
///
/// # Errors
/// A [`Problem`].
pub async fn rotate_webhook_secret(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    idempotency_key(&headers)?;
    let wanted = if_match(&headers)?;
    match app.rotate_webhook_secret(&webhook_id(&id)?, |etag| wanted.allows(etag.as_str())).await? {
        Changed::Done(webhook) => Ok(with_secret(StatusCode::OK, &webhook)),
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound | Changed::Deleted => Err(no_such("webhook", &id, None)),
        Changed::Invalid(invalid) => Err(invalid_body(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Draws a new secret and shows it once. For a day deliveries are signed with the old one, too, so that the \
                       receiver has time to change over: `webhook-signature` then holds several signatures.";
    let key = "Checked for its form and not needed: the same call again draws another secret, and the old ones still sign.";
    Operation::new(WEBHOOKS, "Rotate a webhook's secret", description)
        .path::<WebhookId>("id", "The webhook.")
        .if_match()
        .idempotency_key::<IdempotencyKey>(key)
        .answers::<WebhookWithSecretResource<'_>>(
            StatusCode::OK,
            "The webhook has a new secret.",
            &[Header::Etag],
            example::webhook_with_secret(),
        )
}
