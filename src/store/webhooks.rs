//! The container `webhooks`: a partition for each webhook, with the webhook itself and its deliveries, see [`deliveries`].
//!
//! Does not know what is sent, nor how.

pub mod deliveries;

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use serde_json::Value;

use crate::domain::id::WebhookId;
use crate::domain::webhook::{WEBHOOKS_MAX, Webhook};
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::recent::{Known, Recent};
use crate::store::{Error, Etag, Versioned, Written};

/// The id of a webhook in its partition; no delivery has one that begins like this.
const WEBHOOK: &str = "_webhook";
/// How long a change of the webhooks may stay unknown to events. Each of them looks through all webhooks.
pub const RECENT_LIFETIME: TimeDelta = TimeDelta::seconds(10);
/// Most webhooks that are looked through: some more than there may be, for those that were created at the same moment.
const READ_MAX: usize = 2 * WEBHOOKS_MAX;

/// The webhooks.
#[derive(Clone, Debug)]
pub struct Webhooks {
    cosmos: Arc<Cosmos>,
    recent: Arc<Recent<(), Arc<Vec<Webhook>>>>,
}

impl Webhooks {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos, recent: Arc::new(Recent::new(NonZeroUsize::MIN, RECENT_LIFETIME)) }
    }

    /// The webhook as it is now: one that was disabled must be sent nothing. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn newest(&self, id: &WebhookId) -> Result<Option<Versioned<Webhook>>, Error> {
        self.cosmos.read_newest(Container::Webhooks, id.as_str(), WEBHOOK).await
    }

    /// Adds the webhook; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, webhook: &Webhook) -> Result<Written<Webhook>, Error> {
        let created = self.cosmos.create(Container::Webhooks, webhook.id.as_str(), document(webhook)?).await;
        self.recent.forget(&());
        Ok(created?.map(|()| webhook.clone()))
    }

    /// Replaces the webhook if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn replace(&self, seen: &Etag, webhook: &Webhook) -> Result<Written<Webhook>, Error> {
        let place = (webhook.id.as_str(), WEBHOOK);
        let replaced = self.cosmos.replace(Container::Webhooks, place, document(webhook)?, seen).await;
        self.recent.forget(&());
        Ok(replaced?.map(|()| webhook.clone()))
    }

    /// Deletes the webhook if it still has this version; `false` when it has not, or is gone. What was sent to it stays until
    /// its time is over. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been deleted.
    pub async fn delete(&self, id: &WebhookId, seen: &Etag) -> Result<bool, Error> {
        let deleted = self.cosmos.delete(Container::Webhooks, (id.as_str(), WEBHOOK), seen).await;
        self.recent.forget(&());
        deleted
    }

    /// The webhooks after this one, in the order of their ids. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn page(&self, after: Option<&WebhookId>, count_max: usize) -> Result<Vec<Webhook>, Error> {
        let after = after.map_or("", WebhookId::as_str);
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.type = 'webhook' AND c.webhookId > @after ORDER BY c.webhookId"
        );
        self.cosmos.query(Container::Webhooks, None, (&text, &[("@after", after)]), count_max).await
    }

    /// All webhooks, as they were [`RECENT_LIFETIME`] ago at most. One that cannot be read is logged and left out, so that it
    /// does not keep the others from their events. One query across partitions, or nothing.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn recent(&self, now: DateTime<Utc>) -> Result<Arc<Vec<Webhook>>, Error> {
        let reading = match self.recent.look_up(&(), now) {
            Known::Still(all) => return Ok(all.value),
            Known::Once(_, reading) | Known::Nothing(reading) => reading,
        };
        let text = format!("SELECT TOP {READ_MAX} * FROM c WHERE c.type = 'webhook'");
        let found: Vec<Value> = self.cosmos.query(Container::Webhooks, None, (&text, &[]), READ_MAX).await?;
        let webhooks = found.into_iter().filter_map(|one| {
            let webhook_id = one["webhookId"].as_str().unwrap_or_default().to_owned();
            serde_json::from_value(one)
                .inspect_err(|_| tracing::error!(webhook_id, "a webhook cannot be read"))
                .ok()
        });
        // The list as such has no version; it is never written.
        let all = Versioned { value: Arc::new(webhooks.collect()), etag: Etag::new("") };
        self.recent.keep(&(), &all, reading, now);
        Ok(all.value)
    }
}

fn document(webhook: &Webhook) -> Result<Document, Error> {
    Document::new(Container::Webhooks, "webhook", (WEBHOOK, webhook.id.as_str()), None, webhook)
}
