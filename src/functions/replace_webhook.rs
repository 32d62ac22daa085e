//! `PUT /api/webhooks/{id}`: another address, other kinds of events, or whether any are sent. For staff.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::catalogue::Changed;
use crate::auth::caller::{By, Staff};
use crate::domain::id::WebhookId;
use crate::domain::webhook::draft::WebhookDraft;
use crate::functions::api::WEBHOOKS;
use crate::functions::error::{invalid_body, no_such};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::UNPROCESSABLE_BODY;
use crate::functions::webhook::{WebhookResource, webhook_id};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, require_if_match};

/// Answers 200 with the webhook, 404, 412, or 428 without a condition.
///
/// # Errors
/// A [`Problem`].
pub async fn replace_webhook(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let webhook_id = webhook_id(&id)?;
    let wanted = require_if_match(&headers)?;
    let draft: WebhookDraft = parse(&headers, &body)?;
    let (terms, status) = draft.check(app.outbound.reach()).map_err(invalid_body)?;
    match app.change_webhook(&webhook_id, |etag| wanted.allows(etag.as_str()), &terms, status).await? {
        Changed::Done(webhook) => {
            let answer = Answer::json(StatusCode::OK, &WebhookResource::from(&webhook.value));
            Ok(with_keep(answer, Keep::Private).header(header::ETAG, webhook.etag.as_str()))
        }
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound | Changed::Deleted => Err(no_such("webhook", &id, None)),
        Changed::Invalid(invalid) => Err(invalid_body(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Where events are sent, and which, from now on; what is on its way goes to the new address. With `status` \
                       `active` a webhook is enabled again, also one that was disabled because it failed. Events that it has \
                       missed meanwhile are not sent later. Its secret stays.";
    Operation::new(WEBHOOKS, "Replace a webhook", description)
        .path::<WebhookId>("id", "The webhook.")
        .if_match_required()
        .body::<WebhookDraft>(example::webhook_draft())
        .answers::<WebhookResource<'_>>(StatusCode::OK, "The webhook.", &[Header::Etag], example::webhook())
        .problems(&[&UNPROCESSABLE_BODY])
}
