//! `DELETE /api/webhooks/{id}`: nothing is sent there any more. For staff.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::app::catalogue::Changed;
use crate::auth::caller::{By, Staff};
use crate::domain::id::WebhookId;
use crate::functions::api::WEBHOOKS;
use crate::functions::error::{invalid_body, no_such};
use crate::functions::webhook::webhook_id;
use crate::host::{Answer, NoQuery, Operation, Problem, if_match};

/// Answers 204, 404, or 412 when `If-Match` names another version.
///
/// # Errors
/// A [`Problem`].
pub async fn delete_webhook(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let wanted = if_match(&headers)?;
    match app.delete_webhook(&webhook_id(&id)?, |etag| wanted.allows(etag.as_str())).await? {
        Changed::Done(_) => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound | Changed::Deleted => Err(no_such("webhook", &id, None)),
        Changed::Invalid(invalid) => Err(invalid_body(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Nothing is sent there any more, not even what is on its way.";
    Operation::new(WEBHOOKS, "Delete a webhook", description)
        .path::<WebhookId>("id", "The webhook.")
        .if_match()
        .empty(StatusCode::NO_CONTENT, "The webhook is deleted.", &[])
}
