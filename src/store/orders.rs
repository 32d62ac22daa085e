//! The container `orders`: orders, and in the same partition the events that they announced.
//!
//! Every transition is one batch: create the event, replace the order at the version that was read. Does not know which
//! transition is right.

mod shipping;
mod words;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::domain::event::Event;
use crate::domain::id::{CustomerId, OrderId, Partition, ProductId};
use crate::domain::order::{Order, Transition};
use crate::domain::shipping::ShippingAddress;
use crate::domain::time;
use crate::host::context::traceparent;
use crate::measure;
use crate::store::containers::Container;
use crate::store::cosmos::{Batch, Cosmos, Document, Write};
use crate::store::{Error, Etag, Versioned, Written};

/// Most events that an order announces: placed, confirmed, and one end.
pub const EVENTS_MAX: usize = 8;

/// Orders and their timelines.
#[derive(Clone, Debug)]
pub struct Orders {
    cosmos: Arc<Cosmos>,
}

/// Where the next page of a customer's orders begins: after this order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderCursor {
    /// When the last order of the page was placed.
    pub placed_at: DateTime<Utc>,
    /// Its id.
    pub id: OrderId,
}

impl Orders {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// Stores a new order with its first event and the address that it goes to; `Overtaken` when the id is taken. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been stored.
    pub async fn place(
        &self,
        transition: &Transition,
        address: Option<&ShippingAddress>,
    ) -> Result<Written<Order>, Error> {
        let order = Write::Create(order_document(&transition.order)?);
        let mut writes = vec![order, event_write(&transition.event)?];
        if let Some(address) = address {
            writes.push(Write::Create(shipping::document(address)?));
        }
        self.write_batch(transition, writes, 0).await
    }

    /// A mistake on show: whether this id was stored before, and stores it, in a document of its own.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been stored.
    #[cfg(feature = "museum")]
    pub async fn knows(&self, id: &OrderId) -> Result<bool, Error> {
        let key =
            Document::new(Container::Orders, "key", (id.as_str(), "keys"), None, &serde_json::json!({}))?;
        let stored = self.cosmos.create(Container::Orders, "keys", key).await?;
        Ok(stored == Written::Overtaken)
    }

    /// The order; `None` when there is none, or none yet in the region that is asked. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read(&self, id: &OrderId) -> Result<Option<Versioned<Order>>, Error> {
        self.cosmos.read(Container::Orders, id.partition().as_str(), id.as_str()).await
    }

    /// The order, looked for where it is newest before it is called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, id: &OrderId) -> Result<Option<Versioned<Order>>, Error> {
        self.cosmos.find(Container::Orders, id.partition().as_str(), id.as_str()).await
    }

    /// Writes a transition with its event, if the order still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn advance(&self, seen: &Etag, transition: &Transition) -> Result<Written<Order>, Error> {
        let order = &transition.order;
        // The event first: a retry of our own success then finds it there, which cannot be taken for another's change.
        let replace = Write::Replace(order.id.to_string(), order_document(order)?, seen.clone());
        self.write_batch(transition, vec![event_write(&transition.event)?, replace], 1).await
    }

    /// Writes bookkeeping that announces nothing, if the order still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn note(&self, seen: &Etag, order: &Order) -> Result<Written<Order>, Error> {
        let place = order.id.partition();
        let place = (place.as_str(), order.id.as_str());
        let written = self.cosmos.replace(Container::Orders, place, order_document(order)?, seen).await?;
        Ok(written.map(|()| order.clone()))
    }

    /// A customer's orders, newest first, after the cursor. One query within a partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn of_customer(
        &self,
        customer_id: &CustomerId,
        after: Option<&OrderCursor>,
        count_max: usize,
    ) -> Result<Vec<Order>, Error> {
        let partition = Partition::of(customer_id);
        let rest = match after {
            Some(_) => " AND (c.placedAt < @placedAt OR (c.placedAt = @placedAt AND c.id < @id))",
            None => "",
        };
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.type = 'order' AND c.customerId = @customerId{rest} \
             ORDER BY c.placedAt DESC, c.id DESC"
        );
        let placed_at = after.map(|after| time::text(after.placed_at));
        let mut parameters = vec![("@customerId", customer_id.as_str())];
        if let (Some(after), Some(placed_at)) = (after, &placed_at) {
            parameters.extend([("@placedAt", placed_at.as_str()), ("@id", after.id.as_str())]);
        }
        self.cosmos.query(Container::Orders, Some(partition.as_str()), (&text, &parameters), count_max).await
    }

    /// Whether an order of the customer is pending or confirmed. One query within a partition, which looks at no more than the
    /// customer's own orders.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn has_open(&self, customer_id: &CustomerId) -> Result<bool, Error> {
        let text = "SELECT TOP 1 c.id FROM c WHERE c.type = 'order' AND c.customerId = @customerId \
                    AND c.status IN ('pending', 'confirmed')";
        let parameters = [("@customerId", customer_id.as_str())];
        let partition = Partition::of(customer_id);
        let found: Vec<serde_json::Value> =
            self.cosmos.query(Container::Orders, Some(partition.as_str()), (text, &parameters), 1).await?;
        Ok(!found.is_empty())
    }

    /// Whether an order of the customer with this product has shipped. One query within a partition, which looks at no more
    /// than the customer's own orders.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn has_shipped(&self, customer_id: &CustomerId, product_id: &ProductId) -> Result<bool, Error> {
        let text = "SELECT TOP 1 c.id FROM c JOIN line IN c.lines WHERE c.type = 'order' AND c.customerId = @customerId \
                    AND c.status = 'shipped' AND line.productId = @productId";
        let parameters = [("@customerId", customer_id.as_str()), ("@productId", product_id.as_str())];
        let partition = Partition::of(customer_id);
        let found: Vec<serde_json::Value> =
            self.cosmos.query(Container::Orders, Some(partition.as_str()), (text, &parameters), 1).await?;
        Ok(!found.is_empty())
    }

    /// The order's timeline, oldest first. One query within a partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn events(&self, id: &OrderId) -> Result<Vec<Event>, Error> {
        let text = "SELECT * FROM c WHERE c.type = 'event' AND c.orderId = @orderId";
        let parameters = [("@orderId", id.as_str())];
        let partition = id.partition();
        let found =
            self.cosmos.query(Container::Orders, Some(partition.as_str()), (text, &parameters), EVENTS_MAX);
        let mut events: Vec<Event> = found.await?;
        events.sort_by_key(|event| event.sequence);
        Ok(events)
    }

    async fn write_batch(
        &self,
        Transition { order, event }: &Transition,
        writes: Vec<Write>,
        index: usize,
    ) -> Result<Written<Order>, Error> {
        let partition = order.id.partition();
        Ok(match self.cosmos.batch(Container::Orders, partition.as_str(), writes).await? {
            Batch::Done(mut etags) => {
                measure::order(event.kind.name(), event.kind.failure_code(), event.at - order.placed_at);
                Written::Done(Versioned { value: order.clone(), etag: etags.swap_remove(index) })
            }
            Batch::Exists(_) | Batch::Changed(_) => Written::Overtaken,
        })
    }
}

fn order_document(order: &Order) -> Result<Document, Error> {
    let partition = order.id.partition();
    Document::new(Container::Orders, "order", (order.id.as_str(), partition.as_str()), None, order)
}

/// An event as it is stored: with the trace in which it happened, for those who announce it.
#[derive(Serialize)]
struct TracedEvent<'a> {
    #[serde(flatten)]
    event: &'a Event,
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

fn event_write(event: &Event) -> Result<Write, Error> {
    let (partition, traceparent) = (event.order_id.partition(), traceparent());
    let traced = TracedEvent { event, traceparent };
    Document::new(Container::Orders, "event", (&event.id, partition.as_str()), None, &traced)
        .map(Write::Create)
}
