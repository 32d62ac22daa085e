//! A partner and the contract with it: for what it gets customers' data, which fields, with which consent, and until when.
//! And what of a customer who changed goes to it.
//!
//! Nothing goes that the contract does not name, and nothing about somebody who never agreed. Does not know how changes are
//! found, nor in which form they are sent.

pub mod disclosure;
pub mod draft;
pub mod table;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::customer::fields::{SharedField, share};
use crate::domain::customer::{Customer, Tombstone};
use crate::domain::id::{CustomerId, PartnerId, Pseudonym};

/// Longest purpose, in characters.
pub const PURPOSE_CHARS_MAX: usize = 500;
/// Most fields of a contract.
pub const FIELDS_MAX: usize = 50;
/// How much older than the chain of pulls a withdrawal may be and still be told. Far longer than a request lasts and clocks
/// differ: one that was being written while the chain began must not be missed.
pub const OVERLAP: TimeDelta = TimeDelta::minutes(10);

/// A partner with whom customers' data may be shared.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Partner {
    /// Who it is. Unchangeable.
    pub id: PartnerId,
    /// What was agreed with it.
    #[serde(flatten)]
    pub terms: Terms,
    /// Counts up with each change of the terms, from 1.
    pub version: u32,
    /// What its names for customers are made with. It never leaves the shop.
    secret: Secret,
    /// When it was added.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When the terms last changed.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
}

/// What was agreed with a partner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// What it needs the data for.
    pub purpose: String,
    /// What it gets of each customer, beside a name for them; each once, in the order of the table of fields.
    pub fields: Vec<SharedField>,
    /// What customers must have agreed to; each once.
    pub consent: Vec<Requirement>,
    /// Until when it gets anything.
    #[serde(with = "crate::domain::time")]
    pub valid_until: DateTime<Utc>,
}

/// Something that a customer must have agreed to.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// That data is shared with this partner. Always needed.
    Sharing,
    /// To hear of offers.
    Marketing,
}

/// 128 random bits that are not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret { .. }")
    }
}

impl Secret {
    /// A secret, from 16 random bytes.
    pub fn from_chance(bytes: [u8; 16]) -> Self {
        Self(crate::domain::id::base32(&bytes))
    }
}

/// What goes to a partner about one customer. It is not printed.
#[derive(Clone, PartialEq, Eq)]
pub enum Change {
    /// The customer as they are now.
    Shared(Shared),
    /// The partner has to delete what it has of them.
    Removed(Pseudonym),
}

/// A customer as a partner sees them.
#[derive(Clone, PartialEq, Eq)]
pub struct Shared {
    /// Who it is; for our own records, never for the partner.
    pub customer_id: CustomerId,
    /// The partner's name for them.
    pub id: Pseudonym,
    /// The contract's fields and no others, in the form of the customer's document.
    pub fields: Value,
}

impl Change {
    /// The partner's name for the customer.
    pub fn id(&self) -> &Pseudonym {
        match self {
            Self::Shared(shared) => &shared.id,
            Self::Removed(id) => id,
        }
    }
}

impl Partner {
    /// A partner, with the first version of a contract.
    pub fn new(id: PartnerId, terms: Terms, secret: Secret, now: DateTime<Utc>) -> Self {
        Self { id, terms, version: 1, secret, created_at: now, updated_at: now }
    }

    /// The partner under other terms; unchanged when they are the same.
    pub fn with_terms(&self, terms: Terms, now: DateTime<Utc>) -> Self {
        match terms == self.terms {
            true => self.clone(),
            false => Self { terms, version: self.version.saturating_add(1), updated_at: now, ..self.clone() },
        }
    }

    /// Whether it may get anything at this moment.
    pub fn is_entitled(&self, now: DateTime<Utc>) -> bool {
        now < self.terms.valid_until
    }

    /// What to tell of a customer who was written; `began_at` is when the partner began with a full pull, so that it need not
    /// hear of those who had left long before.
    pub fn change(&self, customer: &Customer, began_at: DateTime<Utc>) -> Option<Change> {
        let id = Pseudonym::derive(&self.secret.0, &customer.id);
        let sharing = customer.consents.sharing.iter().find(|said| said.partner_id == self.id)?;
        let consents = self.terms.consent.iter().map(|needed| match needed {
            Requirement::Sharing => Some(&sharing.consent),
            Requirement::Marketing => customer.consents.marketing.as_ref(),
        });
        let consents: Vec<_> = consents.chain([Some(&sharing.consent)]).collect();
        if consents.iter().all(|consent| consent.is_some_and(|consent| consent.granted)) {
            let fields = share(customer, &self.terms.fields);
            return Some(Change::Shared(Shared { customer_id: customer.id.clone(), id, fields }));
        }
        let withdrawn = consents.iter().flatten().filter(|consent| !consent.granted);
        let left_at = withdrawn.map(|consent| consent.at).min()?;
        let is_news = sharing.was_granted() && is_recent(left_at, began_at);
        is_news.then_some(Change::Removed(id))
    }

    /// What to tell of a customer who was erased.
    pub fn change_of_erased(&self, tombstone: &Tombstone, began_at: DateTime<Utc>) -> Option<Change> {
        let is_news = tombstone.was_granted(&self.id) && is_recent(tombstone.erased_at, began_at);
        is_news.then(|| Change::Removed(Pseudonym::derive(&self.secret.0, &tombstone.id)))
    }
}

/// Whether a partner that began then may have heard of somebody who left at this moment.
fn is_recent(left_at: DateTime<Utc>, began_at: DateTime<Utc>) -> bool {
    left_at + OVERLAP >= began_at
}
