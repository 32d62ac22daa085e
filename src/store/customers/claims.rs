//! Claims: one document for each email address in use, with an id made of the address, that names who may have it.
//!
//! No transaction spans a claim and its customer, so the order of writes keeps the promise that no two customers ever have
//! one address. **Whoever gives a customer an address** looks at the customer's document first, then writes the claim, even
//! one that is their own already, and then writes the customer at the version that they looked at. **Whoever takes a claim
//! over** looks at the claim first, then at its customer; who has the address keeps it. Otherwise they write that customer
//! anew, unchanged, and then the claim at the version that they looked at. So of a slow giver and a taker one finds a
//! version gone, whichever write comes last and however late.

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{Customers, Record, document};
use crate::domain::customer::contact::Email;
use crate::domain::id::CustomerId;
use crate::store::containers::Container;
use crate::store::cosmos::Document;
use crate::store::{Error, Etag, Versioned, Written};

/// How long a claim is left alone whose customer does not have the address yet: a request that is under way needs a few
/// operations of the store. Politeness only, so that two who race do not keep taking from each other.
pub const PATIENCE: TimeDelta = TimeDelta::seconds(30);
/// Attempts against others who write the same documents, before the caller is told to come back.
const ATTEMPTS_MAX: u32 = 8;
/// Claims that one erasure takes away. Only cut-off changes of address leave more than one.
const LEFT_MAX: usize = 100;
/// How long an id stays vacant, far longer than a request that found it absent can go on.
const VACANT_TTL_S: u32 = 24 * 60 * 60;

/// A claim to an email address.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Claim {
    customer_id: CustomerId,
    #[serde(with = "crate::domain::time")]
    claimed_at: DateTime<Utc>,
}

#[derive(Deserialize)]
struct ClaimId {
    id: String,
}

impl Customers {
    /// Claims the address for this customer, whose document was looked at before; `false` when another customer has it. One
    /// request when nobody claims it.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be claimed, and calling again is safe. [`Error::Contended`] also while
    /// another customer is about to have it.
    pub async fn claim(&self, email: &Email, id: &CustomerId, now: DateTime<Utc>) -> Result<bool, Error> {
        let operation = format!("claim an email address for customer {id}");
        let told = |error: Error| error.told_as(&operation);
        let contended = || Error::Contended { operation: operation.clone() };
        let claim_id = claim_id(email);
        let claim = Claim { customer_id: id.clone(), claimed_at: now };
        for _ in 0..ATTEMPTS_MAX {
            let document = claim_document(&claim_id, &claim)?;
            let created = self.cosmos.create(Container::Customers, &claim_id, document).await;
            if let Written::Done(_) = created.map_err(told)? {
                return Ok(true);
            }
            let Some(seen) = self.claim_of(email).await? else { continue };
            let holder = &seen.value.customer_id;
            if holder != id {
                let record = self.newest(holder).await?;
                if record.as_ref().is_some_and(|record| has_address(&record.value, email)) {
                    return Ok(false);
                }
                if seen.value.claimed_at + PATIENCE > now {
                    return Err(contended());
                }
                if !self.outdate(holder, record.as_ref()).await? {
                    continue;
                }
            }
            let document = claim_document(&claim_id, &claim)?;
            let place = (claim_id.as_str(), claim_id.as_str());
            let written = self.cosmos.replace(Container::Customers, place, document, &seen.etag).await;
            if let Written::Done(_) = written.map_err(told)? {
                return Ok(true);
            }
        }
        Err(contended())
    }

    /// The claim to the address. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn claim_of(&self, email: &Email) -> Result<Option<Versioned<Claim>>, Error> {
        self.read_claim(&claim_id(email)).await
    }

    async fn read_claim(&self, claim_id: &str) -> Result<Option<Versioned<Claim>>, Error> {
        let read = self.cosmos.read_newest(Container::Customers, claim_id, claim_id).await;
        read.map_err(|error| error.told_as("read the claim to an email address"))
    }

    /// Takes the claim away, if it is still the one that was there before this customer got another address. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be gone.
    pub async fn release(
        &self,
        email: &Email,
        id: &CustomerId,
        seen: &Versioned<Claim>,
    ) -> Result<(), Error> {
        match seen.value.customer_id == *id {
            true => self.drop_claim(&claim_id(email), &seen.etag).await,
            false => Ok(()),
        }
    }

    /// Takes away every claim of an erased customer, who can never have an address again. One query across partitions, and
    /// two requests for each claim.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] calling again is safe.
    pub async fn release_all(&self, id: &CustomerId, last: Option<&Email>) -> Result<(), Error> {
        let text = "SELECT c.id FROM c WHERE c.type = 'claim' AND c.customerId = @customerId";
        let parameters = [("@customerId", id.as_str())];
        let found = self.cosmos.query(Container::Customers, None, (text, &parameters), LEFT_MAX);
        let mut claim_ids: Vec<_> = found.await?.into_iter().map(|ClaimId { id }| id).collect();
        // A region that lags behind may not know the last one yet.
        claim_ids.extend(last.map(claim_id));
        for claim_id in claim_ids {
            let seen = self.read_claim(&claim_id).await?;
            if let Some(seen) = seen.filter(|seen| seen.value.customer_id == *id) {
                self.drop_claim(&claim_id, &seen.etag).await?;
            }
        }
        Ok(())
    }

    async fn drop_claim(&self, claim_id: &str, seen: &Etag) -> Result<(), Error> {
        // Overtaken by whoever claimed it anew: then it is theirs.
        let deleted = self.cosmos.delete(Container::Customers, (claim_id, claim_id), seen).await;
        deleted.map(|_| ()).map_err(|error| error.told_as("remove the claim to an email address"))
    }

    /// Gives what lies under the id another version and nothing else, so that nothing is written any more by those who have
    /// seen it before; `false` when somebody else wrote meanwhile. One request.
    async fn outdate(&self, id: &CustomerId, seen: Option<&Versioned<Record>>) -> Result<bool, Error> {
        let vacant = || {
            let place = (id.as_str(), id.as_str());
            Document::new(Container::Customers, "vacant", place, Some(VACANT_TTL_S), &json!({}))
        };
        let place = (id.as_str(), id.as_str());
        let written = match seen {
            None => self.cosmos.create(Container::Customers, id.as_str(), vacant()?).await?,
            Some(Versioned { value, etag }) => {
                let document = match value {
                    Record::Customer(customer) => document(customer)?,
                    Record::Vacant => vacant()?,
                    // It is written never again anyway.
                    Record::Erased(_) => return Ok(true),
                };
                self.cosmos.replace(Container::Customers, place, document, etag).await?
            }
        };
        Ok(written != Written::Overtaken)
    }
}

fn has_address(record: &Record, email: &Email) -> bool {
    match record {
        Record::Customer(customer) => customer.details.email.fingerprint() == email.fingerprint(),
        Record::Erased(_) | Record::Vacant => false,
    }
}

/// An id that no customer can have.
fn claim_id(email: &Email) -> String {
    format!("_email-{}", email.fingerprint().as_str())
}

fn claim_document(id: &str, claim: &Claim) -> Result<Document, Error> {
    Document::new(Container::Customers, "claim", (id, id), None, claim)
}
