//! What people wrote to orders, which must go when the customer does: it lies in the order and in the event that tells the same.

use serde::Deserialize;

use crate::domain::event::Event;
use crate::domain::id::{CustomerId, OrderId, Partition};
use crate::domain::order::Order;
use crate::store::containers::Container;
use crate::store::cosmos::{Batch, Document, Write};
use crate::store::orders::{Orders, order_document};
use crate::store::{Error, Versioned};

impl Orders {
    /// The customer's orders to which somebody wrote what [`Order::without_words`] leaves out, at most so many. One query within a
    /// partition, which looks at no more than the customer's own orders.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn with_words_of(
        &self,
        customer_id: &CustomerId,
        count_max: usize,
    ) -> Result<Vec<OrderId>, Error> {
        #[derive(Deserialize)]
        struct Found {
            id: OrderId,
        }
        let text = format!(
            "SELECT TOP {count_max} c.id FROM c WHERE c.type = 'order' AND c.customerId = @customerId \
             AND (IS_DEFINED(c.cancellation.reason) OR IS_DEFINED(c.shipment.trackingNumber))"
        );
        let parameters = [("@customerId", customer_id.as_str())];
        let partition = Partition::of(customer_id);
        let found =
            self.cosmos.query(Container::Orders, Some(partition.as_str()), (&text, &parameters), count_max);
        let found: Vec<Found> = found.await?;
        Ok(found.into_iter().map(|Found { id }| id).collect())
    }

    /// Forgets what [`Order::without_words`] leaves out, in the order and in its event, unless the order changes meanwhile. Three
    /// requests.
    ///
    /// # Errors
    /// [`Error`]; with any, it may be left, and calling again is safe.
    pub async fn forget_words(&self, id: &OrderId) -> Result<(), Error> {
        let Some(seen) = self.find(id).await? else { return Ok(()) };
        let order: Order = seen.value.without_words();
        let partition = id.partition();
        let mut writes = Vec::new();
        let event_id = Event::id(id, if order.shipment.is_some() { "shipped" } else { "cancelled" });
        let event: Option<Versioned<Event>> =
            self.cosmos.find(Container::Orders, partition.as_str(), &event_id).await?;
        if let Some(Versioned { value: event, etag }) = event {
            let place = (event_id.as_str(), partition.as_str());
            let document = Document::new(Container::Orders, "event", place, None, &event.retold(&order))?;
            writes.push(Write::Replace(event_id, document, etag));
        }
        writes.push(Write::Replace(id.to_string(), order_document(&order)?, seen.etag));
        // One that somebody else changed meanwhile is found again.
        let _: Batch = self.cosmos.batch(Container::Orders, partition.as_str(), writes).await?;
        Ok(())
    }
}
