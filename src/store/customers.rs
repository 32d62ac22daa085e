//! The container `customers`: personal data is here and in the addresses that orders go to. Documents: one customer each, or
//! what an erased one has left; and the claims to their email addresses, see [`claims`]. What has been written since is told by
//! [`changes`].

pub mod changes;
pub mod claims;

use std::sync::Arc;

use serde::Deserialize;
use serde_json::Value;

use crate::domain::customer::{Customer, Tombstone};
use crate::domain::id::CustomerId;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Etag, Versioned, Written};

/// Who may order.
#[derive(Clone, Debug)]
pub struct Customers {
    cosmos: Arc<Cosmos>,
}

/// What lies under a customer's id.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "type", rename_all = "camelCase")]
pub enum Record {
    /// A customer.
    Customer(Box<Customer>),
    /// What erasure left of one.
    Erased(Tombstone),
    /// Nobody: somebody else took the address that a request for this id had claimed, see [`claims`].
    Vacant,
}

impl Customers {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The customer, looked for where they are newest before they are called missing; none who was erased. One request, or
    /// two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, id: &CustomerId) -> Result<Option<Versioned<Customer>>, Error> {
        Ok(match self.look_up(id).await? {
            Some(Versioned { value: Record::Customer(customer), etag }) => {
                Some(Versioned { value: *customer, etag })
            }
            Some(_) | None => None,
        })
    }

    /// What lies under the id, looked for where it is newest before it is called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn look_up(&self, id: &CustomerId) -> Result<Option<Versioned<Record>>, Error> {
        self.cosmos.find(Container::Customers, id.as_str(), id.as_str()).await
    }

    /// What lies under the id now. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn newest(&self, id: &CustomerId) -> Result<Option<Versioned<Record>>, Error> {
        self.cosmos.read_newest(Container::Customers, id.as_str(), id.as_str()).await
    }

    /// Adds the customer, who must have claimed their address before; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, customer: &Customer) -> Result<Written<Customer>, Error> {
        let id = customer.id.as_str();
        let written = self.cosmos.create(Container::Customers, id, document(customer)?).await?;
        Ok(written.map(|()| customer.clone()))
    }

    /// Replaces what lies under the customer's id if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn replace(&self, seen: &Etag, customer: &Customer) -> Result<Written<Customer>, Error> {
        let id = customer.id.as_str();
        let written = self.cosmos.replace(Container::Customers, (id, id), document(customer)?, seen).await?;
        Ok(written.map(|()| customer.clone()))
    }

    /// Puts the tombstone in the customer's place if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn bury(&self, seen: &Etag, id: &CustomerId, tombstone: &Value) -> Result<Written<()>, Error> {
        let id = id.as_str();
        let document = Document::new(Container::Customers, "erased", (id, id), None, tombstone)?;
        self.cosmos.replace(Container::Customers, (id, id), document, seen).await
    }

    /// The customers after this one, in the order of their ids. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn page(&self, after: Option<&CustomerId>, count_max: usize) -> Result<Vec<Customer>, Error> {
        let after = after.map_or("", CustomerId::as_str);
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.type = 'customer' AND c.id > @after ORDER BY c.id"
        );
        self.cosmos.query(Container::Customers, None, (&text, &[("@after", after)]), count_max).await
    }
}

fn document(customer: &Customer) -> Result<Document, Error> {
    let id = customer.id.as_str();
    Document::new(Container::Customers, "customer", (id, id), None, customer)
}
