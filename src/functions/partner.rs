//! What the functions for partners share: the id in a path, a partner and records of what left as JSON.
//!
//! Does not know how a contract is followed.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::domain::customer::fields::SharedField;
use crate::domain::id::{DisclosureId, PartnerId};
use crate::domain::partner::disclosure::{Count, Disclosure, Form};
use crate::domain::partner::{FIELDS_MAX, PURPOSE_CHARS_MAX, Partner, Requirement, Terms};
use crate::functions::error::no_such;
use crate::host::Problem;

/// A partner and its contract.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Partner")]
pub struct PartnerResource<'a> {
    /// Who it is.
    id: &'a PartnerId,
    /// What it needs the data for.
    #[schemars(length(min = 1, max = PURPOSE_CHARS_MAX), example = &"delivers flyers")]
    purpose: &'a str,
    /// What it gets of each customer, beside a name for them that is its own.
    #[schemars(length(max = FIELDS_MAX))]
    fields: &'a [SharedField],
    /// What customers must have agreed to.
    #[schemars(length(min = 1, max = 2))]
    consent: &'a [Requirement],
    /// Counts up with each change, from 1.
    #[schemars(range(min = 1, max = u32::MAX))]
    version: u32,
    /// Until when it gets anything.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    valid_until: DateTime<Utc>,
    /// When it was added.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    /// When the contract last changed.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Partner> for PartnerResource<'a> {
    fn from(partner: &'a Partner) -> Self {
        let Terms { purpose, fields, consent, valid_until } = &partner.terms;
        Self {
            id: &partner.id,
            purpose,
            fields,
            consent,
            version: partner.version,
            valid_until: *valid_until,
            created_at: partner.created_at,
            updated_at: partner.updated_at,
        }
    }
}

/// A pull of a partner.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Pull")]
pub struct PullResource<'a> {
    /// Its id.
    id: &'a DisclosureId,
    /// When it began.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    at: DateTime<Utc>,
    /// The form in which the data left.
    form: Form,
    /// The version of the contract.
    #[schemars(range(min = 1, max = u32::MAX))]
    contract_version: u32,
    /// What the data was for.
    #[schemars(length(min = 1, max = PURPOSE_CHARS_MAX), example = &"delivers flyers")]
    purpose: &'a str,
    /// What left of each customer.
    #[schemars(with = "Vec<SharedField>", length(max = FIELDS_MAX))]
    fields: &'a [String],
    /// The cursor that it began with; absent when it began with everybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<&'a DisclosureId>,
    /// How many left; absent while it goes on, and when it was cut off.
    #[serde(skip_serializing_if = "Option::is_none")]
    count: Option<Count>,
}

impl<'a> From<&'a Disclosure> for PullResource<'a> {
    fn from(pull: &'a Disclosure) -> Self {
        Self {
            id: &pull.id,
            at: pull.at,
            form: pull.form,
            contract_version: pull.contract_version,
            purpose: &pull.purpose,
            fields: &pull.fields,
            after: pull.after.as_ref(),
            count: pull.count,
        }
    }
}

/// Data of a customer that left for a partner, as the customer sees it.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Disclosure")]
pub struct DisclosureResource {
    /// Its id.
    id: DisclosureId,
    /// When that was.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    at: DateTime<Utc>,
    /// Who got it.
    partner_id: PartnerId,
    /// The version of the contract.
    #[schemars(range(min = 1, max = u32::MAX))]
    contract_version: u32,
    /// What it was for.
    #[schemars(length(min = 1, max = PURPOSE_CHARS_MAX), example = &"delivers flyers")]
    purpose: String,
    /// What left of them.
    #[schemars(with = "Vec<SharedField>", length(max = FIELDS_MAX))]
    fields: Vec<String>,
}

impl From<Disclosure> for DisclosureResource {
    fn from(disclosure: Disclosure) -> Self {
        let Disclosure { id, at, partner_id, contract_version, purpose, fields, .. } = disclosure;
        Self { id, at, partner_id, contract_version, purpose, fields }
    }
}

/// The partner id in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn partner_id(text: &str) -> Result<PartnerId, Problem> {
    PartnerId::parse(text).map_err(|error| no_such("partner", text, Some(&error)))
}
