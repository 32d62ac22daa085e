//! `POST /api/webhooks`: a new webhook, and its secret. For staff.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::catalogue::Created;
use crate::auth::caller::{By, Staff};
use crate::domain::creation::Creation;
use crate::domain::webhook::Webhook;
use crate::domain::webhook::draft::WebhookDraft;
use crate::functions::api::{WEBHOOKS, keyed};
use crate::functions::error::{IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, taken};
use crate::functions::example;
use crate::functions::kind::{ID_TAKEN, UNPROCESSABLE_BODY};
use crate::functions::webhook::{WebhookWithSecretResource, with_secret};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse};
use crate::store::Versioned;

/// Answers 201 with the webhook and its `Location`, the same again for the same request under its `Idempotency-Key`: who has lost
/// the answer still needs the secret in it.
///
/// # Errors
/// A [`Problem`].
pub async fn create_webhook(
    _: By<Staff>,
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let key = idempotency_key(&headers)?;
    let draft: WebhookDraft = parse(&headers, &body)?;
    let creation = key.map(|key| Creation::of(&key, &draft));
    let (terms, status) = draft.check(app.outbound.reach()).map_err(invalid_body)?;
    match app.create_webhook(terms, status, creation).await? {
        Created::Done(webhook) => Ok(created(&webhook)),
        Created::Replayed(webhook) => Ok(created(&webhook).header(IDEMPOTENCY_REPLAYED, "true")),
        Created::KeyReused => Err(key_reused()),
        Created::Exists => Err(taken("", "asks for a webhook that another request created")),
        Created::Invalid(invalid) => Err(invalid_body(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Events are sent to its address from now on, each signed with the secret in this answer, by the \
                       specification Standard Webhooks. Keep the secret: it is shown once. A shop has 100 webhooks at most.";
    keyed(
        Operation::new(WEBHOOKS, "Create a webhook", description)
            .body::<WebhookDraft>(example::webhook_draft())
            .answers::<WebhookWithSecretResource<'_>>(
                StatusCode::CREATED,
                "The webhook was created.",
                &[Header::Location, Header::Etag],
                example::webhook_with_secret(),
            )
            .leads_to("GetWebhook", &[("id", "$response.body#/id")])
            .problems(&[&ID_TAKEN, &UNPROCESSABLE_BODY]),
    )
}

fn created(webhook: &Versioned<Webhook>) -> Answer {
    let path = format!("/api/webhooks/{}", webhook.value.id);
    with_secret(StatusCode::CREATED, webhook).header(header::LOCATION, path)
}
