//! What the functions for webhooks share: the ids in a path, a webhook and a delivery as JSON.
//!
//! Does not know how events get there.

use axum::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value;

use crate::domain::announcement::News;
use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::webhook::delivery::{ATTEMPTS_MAX, Attempt, Delivery, State};
use crate::domain::webhook::draft::{EventType, Status};
use crate::domain::webhook::{DESCRIPTION_CHARS_MAX, Disabled, URL_CHARS_MAX, Webhook};
use crate::functions::error::no_such;
use crate::functions::keep::{Keep, with_keep};
use crate::host::{Answer, Problem};
use crate::store::Versioned;

/// A webhook, without its secret.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Webhook")]
pub struct WebhookResource<'a> {
    /// Its id.
    id: &'a WebhookId,
    /// Where events are sent.
    #[schemars(length(max = URL_CHARS_MAX), example = &"https://example.com/widgets?shop=1")]
    url: &'a str,
    /// The kinds of events that are sent; absent for all.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<EventType>>", length(min = 1, max = News::KINDS.len()))]
    event_types: Option<&'a [String]>,
    /// What it is for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = DESCRIPTION_CHARS_MAX))]
    description: Option<&'a str>,
    /// Whether events are sent.
    status: Status,
    /// Since when and why none are; present exactly when it is disabled.
    #[serde(skip_serializing_if = "Option::is_none")]
    disabled: Option<&'a Disabled>,
    /// Since when every attempt has failed; absent when the last one did not.
    #[schemars(with = "Option<DateTime<Utc>>")]
    #[serde(with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    failing_since: Option<DateTime<Utc>>,
    /// When it was created.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    /// When somebody last changed it.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Webhook> for WebhookResource<'a> {
    fn from(webhook: &'a Webhook) -> Self {
        let status = if webhook.is_active() { Status::Active } else { Status::Disabled };
        Self {
            id: &webhook.id,
            url: webhook.terms.url.as_str(),
            event_types: webhook.terms.event_types.as_deref(),
            description: webhook.terms.description.as_deref(),
            status,
            disabled: webhook.disabled.as_ref(),
            failing_since: webhook.failing_since,
            created_at: webhook.created_at,
            updated_at: webhook.updated_at,
        }
    }
}

/// A webhook with its new secret, which is shown nowhere else.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookWithSecret")]
pub struct WebhookWithSecretResource<'a> {
    #[serde(flatten)]
    webhook: WebhookResource<'a>,
    /// What its deliveries are signed with from now on: `whsec_`, and the key as base64.
    #[schemars(length(max = 100), example = &"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")]
    secret: &'a str,
}

impl<'a> From<&'a Webhook> for WebhookWithSecretResource<'a> {
    fn from(webhook: &'a Webhook) -> Self {
        Self { webhook: webhook.into(), secret: webhook.secret.as_str() }
    }
}

/// An event on its way to a webhook.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Delivery")]
pub struct DeliveryResource<'a> {
    /// The event's id, which the receiver sees as `webhook-id`.
    id: &'a DeliveryId,
    /// Where it goes.
    webhook_id: &'a WebhookId,
    /// How far it has come.
    state: State,
    /// The event as it is sent, a CloudEvent.
    event: &'a Value,
    /// The last attempts, oldest first.
    #[schemars(length(max = ATTEMPTS_MAX))]
    attempts: &'a [Attempt],
    /// When it is tried next, or a little later; present exactly while it is pending.
    #[schemars(with = "Option<DateTime<Utc>>")]
    #[serde(with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<DateTime<Utc>>,
    /// When the shop heard of the event.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
}

impl<'a> From<&'a Delivery> for DeliveryResource<'a> {
    fn from(delivery: &'a Delivery) -> Self {
        Self {
            id: &delivery.id,
            webhook_id: &delivery.webhook_id,
            state: delivery.state,
            event: &delivery.event,
            attempts: &delivery.attempts,
            next_attempt_at: delivery.next_attempt_at,
            created_at: delivery.created_at,
        }
    }
}

/// The webhook id in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn webhook_id(text: &str) -> Result<WebhookId, Problem> {
    WebhookId::parse(text).map_err(|error| no_such("webhook", text, Some(&error)))
}

/// 404: the webhook has no such delivery.
pub fn no_such_delivery() -> Problem {
    let detail = "is no event that was sent to this webhook in the last 30 days";
    Problem::not_found("There is no such delivery.").parameter("deliveryId", detail)
}

/// The path of a webhook's deliveries.
pub fn deliveries_path(id: &WebhookId) -> String {
    format!("/api/webhooks/{id}/deliveries")
}

/// The webhook with its secret.
pub fn with_secret(status: StatusCode, webhook: &Versioned<Webhook>) -> Answer {
    let answer = Answer::json(status, &WebhookWithSecretResource::from(&webhook.value));
    with_keep(answer, Keep::Private).header(header::ETAG, webhook.etag.as_str())
}
