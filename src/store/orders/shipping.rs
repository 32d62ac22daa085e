//! The addresses that orders go to: documents of their own, beside the orders, that vanish by themselves.

use serde_json::Value;

use crate::domain::id::{CustomerId, OrderId, Partition};
use crate::domain::shipping::{KEPT_S, ShippingAddress};
use crate::store::containers::Container;
use crate::store::cosmos::Document;
use crate::store::orders::Orders;
use crate::store::{Error, Etag, Versioned};

impl Orders {
    /// Where the order goes; `None` when nobody said, or when it is forgotten. One request, two when there is none.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn shipping_address(&self, id: &OrderId) -> Result<Option<ShippingAddress>, Error> {
        let partition = id.partition();
        let found: Option<Versioned<ShippingAddress>> =
            self.cosmos.find(Container::Orders, partition.as_str(), &document_id(id)).await?;
        Ok(found.map(|found| found.value))
    }

    /// The addresses that the customer's orders go to and that are not forgotten yet, at most so many. One query within a
    /// partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn shipping_addresses_of(
        &self,
        customer_id: &CustomerId,
        count_max: usize,
    ) -> Result<Vec<ShippingAddress>, Error> {
        let found = self.addresses(customer_id, count_max).await?;
        let read = |document| serde_json::from_value(document).map_err(corrupt);
        found.into_iter().map(read).collect()
    }

    /// Forgets the addresses that the customer's orders go to, at most so many, and says how many there were. One query within a
    /// partition, and one request for each.
    ///
    /// # Errors
    /// [`Error`]; with any, some may be left, and calling again is safe.
    pub async fn forget_addresses_of(
        &self,
        customer_id: &CustomerId,
        count_max: usize,
    ) -> Result<usize, Error> {
        let partition = Partition::of(customer_id);
        let found = self.addresses(customer_id, count_max).await?;
        for document in &found {
            let member = |name: &str| document.get(name).and_then(Value::as_str).unwrap_or_default();
            let place = (partition.as_str(), member("id"));
            // Whoever was faster has deleted it, too: nothing ever changes one.
            let _: bool = self.cosmos.delete(Container::Orders, place, &Etag::new(member("_etag"))).await?;
        }
        Ok(found.len())
    }

    async fn addresses(&self, customer_id: &CustomerId, count_max: usize) -> Result<Vec<Value>, Error> {
        let partition = Partition::of(customer_id);
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.type = 'shippingAddress' AND c.customerId = @customerId"
        );
        let parameters = [("@customerId", customer_id.as_str())];
        self.cosmos.query(Container::Orders, Some(partition.as_str()), (&text, &parameters), count_max).await
    }
}

fn corrupt(error: serde_json::Error) -> Error {
    Error::Corrupt { operation: "read shipping addresses".to_owned(), detail: error.to_string() }
}

/// Under its own id, which no order has.
fn document_id(id: &OrderId) -> String {
    format!("{id}-ship")
}

pub(super) fn document(address: &ShippingAddress) -> Result<Document, Error> {
    let partition = address.order_id.partition();
    let id = document_id(&address.order_id);
    Document::new(Container::Orders, "shippingAddress", (&id, partition.as_str()), Some(KEPT_S), address)
}
