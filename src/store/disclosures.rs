//! The container `disclosures`: a record of each page that left for a partner. They stay for ever: what was given away once
//! cannot be taken back, and a customer may ask years later.
//!
//! Does not know what may leave.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::id::{CustomerId, DisclosureId, PartnerId};
use crate::domain::partner::disclosure::Disclosure;
use crate::domain::time;
use crate::store::Error;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};

/// The records.
#[derive(Clone, Debug)]
pub struct Disclosures {
    cosmos: Arc<Cosmos>,
}

/// A place in a list of records, newest first: behind this one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place(#[serde(with = "crate::domain::time")] DateTime<Utc>, DisclosureId);

impl Place {
    /// The place behind this record.
    pub fn behind(disclosure: &Disclosure) -> Self {
        Self(disclosure.at, disclosure.id.clone())
    }
}

impl Disclosures {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The partner's record with this id, looked for where it is newest before it is called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, partner_id: &PartnerId, id: &DisclosureId) -> Result<Option<Disclosure>, Error> {
        let found = self.cosmos.find(Container::Disclosures, partner_id.as_str(), id.as_str()).await?;
        Ok(found.map(|found| found.value))
    }

    /// Writes the record, or again when its pull has come to its end. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn write(&self, disclosure: &Disclosure) -> Result<(), Error> {
        let (id, partition) = (disclosure.id.as_str(), disclosure.partner_id.as_str());
        let document =
            Document::new(Container::Disclosures, "disclosure", (id, partition), None, disclosure)?;
        self.cosmos.upsert(Container::Disclosures, (partition, id), document).await
    }

    /// The first records of a partner's pulls, newest first. One query in one partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn pulls(
        &self,
        partner_id: &PartnerId,
        after: Option<&Place>,
        count_max: usize,
    ) -> Result<Vec<Disclosure>, Error> {
        let condition = ("c.partnerId = @owner AND c.sequence = 0", partner_id.as_str());
        self.newest(Some(partner_id), condition, after, count_max).await
    }

    /// The records of what left about a customer, whoever got it, newest first. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn about(
        &self,
        customer_id: &CustomerId,
        after: Option<&Place>,
        count_max: usize,
    ) -> Result<Vec<Disclosure>, Error> {
        let condition = ("ARRAY_CONTAINS(c.customerIds, @owner)", customer_id.as_str());
        self.newest(None, condition, after, count_max).await
    }

    /// Without whose data it was: that is long, and nobody who asks may know.
    async fn newest(
        &self,
        partition: Option<&PartnerId>,
        (condition, owner): (&str, &str),
        after: Option<&Place>,
        count_max: usize,
    ) -> Result<Vec<Disclosure>, Error> {
        let mut parameters = vec![("@owner", owner.to_owned())];
        let mut beyond = String::new();
        if let Some(Place(at, id)) = after {
            beyond = " AND (c.at < @at OR (c.at = @at AND c.id < @id))".to_owned();
            parameters.extend([("@at", time::text(*at)), ("@id", id.to_string())]);
        }
        let text = format!(
            "SELECT TOP {count_max} c.id, c.partnerId, c.pullId, c.sequence, c.at, c.form, c.contractVersion, c.purpose, \
             c.fields, c.after, c.beganAt, [] AS customerIds, '' AS position, c.count FROM c \
             WHERE {condition}{beyond} ORDER BY c.at DESC, c.id DESC"
        );
        let parameters: Vec<_> = parameters.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let partition = partition.map(PartnerId::as_str);
        self.cosmos.query(Container::Disclosures, partition, (&text, &parameters), count_max).await
    }
}
