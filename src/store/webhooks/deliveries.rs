//! Deliveries, in the partition of their webhook, until 30 days after their last change.
//!
//! Does not know when one is tried again.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::id::{DeliveryId, WebhookId};
use crate::domain::time;
use crate::domain::webhook::delivery::{Bell, Delivery};
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Etag, Versioned, Written};

/// How long a delivery is kept after its last change: 30 days.
pub const DELIVERY_TTL_S: u32 = 30 * 24 * 60 * 60;

/// The deliveries.
#[derive(Clone, Debug)]
pub struct Deliveries {
    cosmos: Arc<Cosmos>,
}

/// A place in a list of deliveries, newest first: behind this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(#[serde(with = "crate::domain::time")] DateTime<Utc>, DeliveryId);

impl Place {
    /// The place behind this delivery.
    pub fn behind(delivery: &Delivery) -> Self {
        Self(delivery.created_at, delivery.id.clone())
    }
}

impl Deliveries {
    pub(in crate::store) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The delivery, looked for where it is newest before it is called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(
        &self,
        webhook_id: &WebhookId,
        id: &DeliveryId,
    ) -> Result<Option<Versioned<Delivery>>, Error> {
        self.cosmos.find(Container::Webhooks, webhook_id.as_str(), id.as_str()).await
    }

    /// Adds the delivery; `Overtaken` when the event is known there. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, delivery: &Delivery) -> Result<Written<Delivery>, Error> {
        let partition = delivery.webhook_id.as_str();
        let created = self.cosmos.create(Container::Webhooks, partition, document(delivery)?).await?;
        Ok(created.map(|()| delivery.clone()))
    }

    /// Replaces the delivery if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn replace(&self, seen: &Etag, delivery: &Delivery) -> Result<Written<Delivery>, Error> {
        let place = (delivery.webhook_id.as_str(), delivery.id.as_str());
        let replaced = self.cosmos.replace(Container::Webhooks, place, document(delivery)?, seen).await?;
        Ok(replaced.map(|()| delivery.clone()))
    }

    /// The deliveries of a webhook, newest first. One query in one partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn page(
        &self,
        webhook_id: &WebhookId,
        after: Option<&Place>,
        count_max: usize,
    ) -> Result<Vec<Delivery>, Error> {
        let mut parameters = vec![("@webhook", webhook_id.to_string())];
        let mut beyond = "";
        if let Some(Place(at, id)) = after {
            beyond = " AND (c.createdAt < @at OR (c.createdAt = @at AND c.id < @id))";
            parameters.extend([("@at", time::text(*at)), ("@id", id.to_string())]);
        }
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.webhookId = @webhook AND c.type = 'delivery'{beyond} \
             ORDER BY c.createdAt DESC, c.id DESC"
        );
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let partition = Some(webhook_id.as_str());
        self.cosmos.query(Container::Webhooks, partition, (&text, &parameters), count_max).await
    }

    /// Bells for the deliveries that were to be tried by now, those waiting longest first. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn due(&self, now: DateTime<Utc>, count_max: usize) -> Result<Vec<Bell>, Error> {
        let text = format!(
            "SELECT TOP {count_max} c.webhookId, c.id AS deliveryId, c.event.traceparent FROM c \
             WHERE c.type = 'delivery' AND c.nextAttemptAt <= @now ORDER BY c.nextAttemptAt"
        );
        let now = time::text(now);
        self.cosmos.query(Container::Webhooks, None, (&text, &[("@now", &now)]), count_max).await
    }
}

fn document(delivery: &Delivery) -> Result<Document, Error> {
    let place = (delivery.id.as_str(), delivery.webhook_id.as_str());
    Document::new(Container::Webhooks, "delivery", place, Some(DELIVERY_TTL_S), delivery)
}
