//! The container `customers`: the only place with personal data. Documents: one customer each.

use std::sync::Arc;

use crate::domain::customer::Customer;
use crate::domain::id::CustomerId;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Versioned, Written};

/// Who may order.
#[derive(Clone, Debug)]
pub struct Customers {
    cosmos: Arc<Cosmos>,
}

impl Customers {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The customer, looked for where they are newest before they are called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, id: &CustomerId) -> Result<Option<Versioned<Customer>>, Error> {
        self.cosmos.find(Container::Customers, id.as_str(), id.as_str()).await
    }

    /// Adds the customer; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, customer: &Customer) -> Result<Written<()>, Error> {
        let id = customer.id.as_str();
        let document = Document::new(Container::Customers, "customer", (id, id), None, customer)?;
        self.cosmos.create(Container::Customers, id, document).await
    }
}
