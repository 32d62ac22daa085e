//! Delivering events to webhooks: a record of each delivery first, then its bell, then attempts until the receiver has it.
//!
//! At least once: a receiver may get an event again, when a worker is killed between sending it and writing that down, or when two
//! workers hear the same bell. Every event keeps its id by which the receiver knows it.

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::json;
use tokio::time::Instant;

use crate::app::App;
use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::webhook::Webhook;
use crate::domain::webhook::delivery::{Attempt, Bell, Delivery, State};
use crate::domain::webhook::signature::sign;
use crate::events;
use crate::host::{CloudEvent, context};
use crate::outbound::Message;
use crate::store::{Error, Versioned, Written};

/// Records that are written at once for one event.
const WRITES_AT_ONCE_MAX: usize = 10;
/// Nobody is told of what happened longer ago: a feed that begins anew would tell all receivers of all orders.
const AGE_MAX: TimeDelta = TimeDelta::days(3);
/// Attempts against others who write the same document.
const ATTEMPTS_MAX: u32 = 4;

/// What came of the wish to deliver an event once more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Redelivery {
    /// It will be tried at once.
    Asked(Delivery),
    /// There is no such webhook.
    NoWebhook,
    /// The webhook has no such delivery, or it was too long ago.
    NoDelivery,
    /// The webhook is disabled.
    Disabled,
}

impl App {
    /// Writes down that an event of this shop goes to each webhook that wants it, and gives the bells to ring. An event that is
    /// heard again rings again, for records that are there; one of more than three days ago goes nowhere. One request for each webhook that wants it, and now and then
    /// a query.
    ///
    /// # Errors
    /// [`Error`]; some records may be written, and calling again is safe.
    pub async fn dispatch(&self, event: &CloudEvent) -> Result<Vec<Bell>, Error> {
        let Some(kind) = events::kind(event) else { return Ok(Vec::new()) };
        let Ok(id) = DeliveryId::parse(&event.id) else {
            tracing::error!(kind, "an event of ours has an id that no webhook can be told");
            return Ok(Vec::new());
        };
        let now = self.clock.now();
        let at = event.time.as_deref().and_then(|time| time.parse::<DateTime<Utc>>().ok());
        if at.is_some_and(|at| now - at > AGE_MAX) {
            return Ok(Vec::new());
        }
        let webhooks = self.store.webhooks.recent(now).await?;
        let wanted = webhooks.iter().filter(|webhook| webhook.wants(kind));
        let records = wanted.map(|webhook| Delivery::new(id.clone(), webhook.id.clone(), json!(event), now));
        let records: Vec<_> = records.collect();
        let bells = stream::iter(records.into_iter().map(|delivery| async move {
            // One that is there already was heard of before; its bell may have been lost.
            self.store.deliveries.create(&delivery).await?;
            Ok(Bell::of(&delivery, context::traceparent()))
        }));
        bells.buffered(WRITES_AT_ONCE_MAX).try_collect().await
    }

    /// Makes the attempt that is due, if one is, and writes down what came of it. Three requests, one to the receiver, and two more
    /// when that changes what is known of the webhook.
    ///
    /// # Errors
    /// [`Error`]; the attempt may have been made. It is rung for again within a minute after it was due.
    pub async fn deliver(&self, webhook_id: &WebhookId, id: &DeliveryId) -> Result<(), Error> {
        let Some(seen) = self.store.deliveries.find(webhook_id, id).await? else { return Ok(()) };
        if !seen.value.is_due(self.clock.now()) {
            return Ok(());
        }
        let webhook = self.store.webhooks.newest(webhook_id).await?;
        let Some(webhook) = webhook.filter(|webhook| webhook.value.is_active()) else {
            self.store.deliveries.replace(&seen.etag, &seen.value.given_up()).await?;
            return Ok(());
        };
        let attempt = self.attempt(&webhook.value, &seen.value).await;
        let next = seen.value.tried(attempt.clone(), self.clock.now());
        tracing::info!(
            webhook_id = %webhook_id, delivery_id = %id, status = attempt.status, error = ?attempt.error,
            state = ?next.state, duration_ms = attempt.duration_ms, "an event was sent to a webhook"
        );
        // Whoever was faster has sent it, too, and written that down.
        self.store.deliveries.replace(&seen.etag, &next).await?;
        self.learn(webhook, &attempt, next.state == State::Failed).await
    }

    async fn attempt(&self, webhook: &Webhook, delivery: &Delivery) -> Attempt {
        let (at, began) = (self.clock.now(), Instant::now());
        let (id, timestamp_s) = (delivery.id.as_str(), at.timestamp());
        let body = delivery.event.to_string();
        let signature = sign(webhook.secrets(at), id, timestamp_s, &body);
        let message = Message { id, timestamp_s, signature: &signature, body: &body };
        let result = self.outbound.post(&webhook.terms.url, message).await;
        Attempt::new(at, result, began.elapsed())
    }

    /// Keeps what an attempt says of the webhook. When others keep changing it, the next attempt will say it, too.
    async fn learn(
        &self,
        mut webhook: Versioned<Webhook>,
        attempt: &Attempt,
        is_given_up: bool,
    ) -> Result<(), Error> {
        let (id, url) = (webhook.value.id.clone(), webhook.value.terms.url.clone());
        for _ in 0..ATTEMPTS_MAX {
            let Some(next) = webhook.value.learned(attempt, is_given_up, self.clock.now()) else { break };
            if let Written::Done(_) = self.store.webhooks.replace(&webhook.etag, &next).await? {
                if let Some(disabled) = next.disabled {
                    tracing::warn!(webhook_id = %id, reason = ?disabled.reason, "a webhook was disabled");
                }
                break;
            }
            let Some(newest) = self.store.webhooks.newest(&id).await? else { break };
            if newest.value.terms.url != url {
                break;
            }
            webhook = newest;
        }
        Ok(())
    }

    /// Has an event delivered once more, whatever came of it before. Three requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be asked for, and calling again is safe.
    pub async fn redeliver(&self, webhook_id: &WebhookId, id: &DeliveryId) -> Result<Redelivery, Error> {
        let Some(webhook) = self.store.webhooks.newest(webhook_id).await? else {
            return Ok(Redelivery::NoWebhook);
        };
        if !webhook.value.is_active() {
            return Ok(Redelivery::Disabled);
        }
        for _ in 0..ATTEMPTS_MAX {
            let Some(seen) = self.store.deliveries.find(webhook_id, id).await? else {
                return Ok(Redelivery::NoDelivery);
            };
            let next = seen.value.asked_again(self.clock.now());
            if let Written::Done(asked) = self.store.deliveries.replace(&seen.etag, &next).await? {
                return Ok(Redelivery::Asked(asked.value));
            }
        }
        Err(Error::Contended { operation: format!("deliver {id} to webhook {webhook_id} once more") })
    }
}
