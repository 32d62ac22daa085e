//! The container `partners`: one document for each partner, with its contract.
//!
//! Does not know what a contract allows.

use std::sync::Arc;

use crate::domain::id::PartnerId;
use crate::domain::partner::Partner;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Etag, Versioned, Written};

/// The partners.
#[derive(Clone, Debug)]
pub struct Partners {
    cosmos: Arc<Cosmos>,
}

impl Partners {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The partner as it is now: an old contract must not be followed. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn newest(&self, id: &PartnerId) -> Result<Option<Versioned<Partner>>, Error> {
        self.cosmos.read_newest(Container::Partners, id.as_str(), id.as_str()).await
    }

    /// Adds the partner; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, partner: &Partner) -> Result<Written<Partner>, Error> {
        let written =
            self.cosmos.create(Container::Partners, partner.id.as_str(), document(partner)?).await?;
        Ok(written.map(|()| partner.clone()))
    }

    /// Replaces the partner if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn replace(&self, seen: &Etag, partner: &Partner) -> Result<Written<Partner>, Error> {
        let id = partner.id.as_str();
        let written = self.cosmos.replace(Container::Partners, (id, id), document(partner)?, seen).await?;
        Ok(written.map(|()| partner.clone()))
    }

    /// The partners after this one, in the order of their ids. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn page(&self, after: Option<&PartnerId>, count_max: usize) -> Result<Vec<Partner>, Error> {
        let after = after.map_or("", PartnerId::as_str);
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.type = 'partner' AND c.id > @after ORDER BY c.id"
        );
        self.cosmos.query(Container::Partners, None, (&text, &[("@after", after)]), count_max).await
    }
}

fn document(partner: &Partner) -> Result<Document, Error> {
    let id = partner.id.as_str();
    Document::new(Container::Partners, "partner", (id, id), None, partner)
}
