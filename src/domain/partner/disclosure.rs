//! The record of what left for a partner: written before the first byte of it does, and kept.
//!
//! One for each page that leaves. It is also the place from which the partner goes on: its id is the cursor, and the place
//! in the shop's changes stays with us. Does not know how it is kept.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::id::{CustomerId, DisclosureId, PartnerId};

/// Most customers of one record.
pub const CUSTOMERS_MAX: usize = 1000;

/// The form in which data leaves.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Form {
    /// A page.
    Json,
    /// All, a line each.
    Ndjson,
    /// All, a row each.
    Csv,
}

/// What left for a partner at one moment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disclosure {
    /// Its id, and the cursor of what comes after it.
    pub id: DisclosureId,
    /// The partner.
    pub partner_id: PartnerId,
    /// The first record of the pull that this one belongs to.
    pub pull_id: DisclosureId,
    /// Its number in the pull, from 0.
    pub sequence: u32,
    /// When it was written.
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
    /// The form in which the data left.
    pub form: Form,
    /// The version of the contract.
    pub contract_version: u32,
    /// The contract's purpose.
    pub purpose: String,
    /// The contract's fields, as they were called then.
    pub fields: Vec<String>,
    /// The cursor that the pull began with; it began with everybody without one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<DisclosureId>,
    /// When the partner began with everybody, at the front of the chain of cursors.
    #[serde(with = "crate::domain::time")]
    pub began_at: DateTime<Utc>,
    /// Whose data left, at most [`CUSTOMERS_MAX`].
    pub customer_ids: Vec<CustomerId>,
    /// The place in the shop's changes behind it.
    pub position: String,
    /// How many left with the whole pull; on its first record, once it is at its end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<Count>,
}

/// How many left with a pull.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Count {
    /// Customers with their data; one who changed meanwhile may be counted again.
    pub customers: u64,
    /// Those whom the partner was told to delete.
    pub removed: u64,
}
