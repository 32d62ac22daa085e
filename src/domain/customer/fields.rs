//! Every field of a customer's document, and where it may go: to a partner, to the customer, into the tombstone, into logs.
//!
//! What leaves the document goes through [`select`] or [`share`], so that a field without an entry goes nowhere. Does not know partners'
//! contracts; a contract can name only what this table offers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::customer::Customer;

/// Where a field may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// To a partner, if its contract names the field and the customer agreed.
    Partner,
    /// To the customer, who asks what we hold.
    Subject,
    /// Into what erasure leaves.
    Tombstone,
    /// Into logs.
    Log,
}

/// A field of the customer's document.
#[derive(Debug, PartialEq, Eq)]
pub struct Field {
    /// JSON pointer to it; `*` stands for every item of a list.
    pub pointer: &'static str,
    /// What it is.
    pub meaning: &'static str,
    /// Where it may go.
    pub uses: &'static [Use],
}

/// All of them. Nothing but the id, and which partners have to be told, outlives an erasure, and nothing that says who
/// somebody is is ever logged.
pub const FIELDS: [Field; 20] = [
    field("/id", "a name without meaning", &[Use::Subject, Use::Tombstone, Use::Log]),
    field("/email", "where they get mail", SHARED),
    field("/name", "what they want to be called", SHARED),
    field("/phone", "where they can be called", SHARED),
    field("/addresses/*/lines/*", "street and number", SHARED),
    field("/addresses/*/postalCode", "postal code", SHARED),
    field("/addresses/*/city", "city", SHARED),
    field("/addresses/*/country", "country", SHARED),
    field("/consents/marketing/granted", "whether they want to hear of offers", OWN),
    field("/consents/marketing/at", "when they said so", OWN),
    field("/consents/marketing/source", "where they said so", OWN),
    field(
        "/consents/sharing/*/partnerId",
        "a partner about whom they have a say",
        &[Use::Subject, Use::Tombstone],
    ),
    field("/consents/sharing/*/granted", "whether we may share with it", OWN),
    field("/consents/sharing/*/at", "when they said so", OWN),
    field("/consents/sharing/*/source", "where they said so", OWN),
    field("/consents/sharing/*/agreedAt", "when they had agreed who no longer do", OWN),
    field("/createdAt", "when they were added", &[Use::Subject, Use::Log]),
    field("/updatedAt", "when anything last changed", &[Use::Subject, Use::Log]),
    field("/creation/key", "a hash that tells repeated requests; nothing about the person", &[]),
    field("/creation/request", "a hash that tells repeated requests; nothing about the person", &[]),
];

/// What a contract may name.
const SHARED: &[Use] = &[Use::Partner, Use::Subject];
/// What is between the customer and us.
const OWN: &[Use] = &[Use::Subject];

const fn field(pointer: &'static str, meaning: &'static str, uses: &'static [Use]) -> Field {
    Field { pointer, meaning, uses }
}

/// A field that a contract may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "&'static str")]
pub struct SharedField(&'static Field);

impl SharedField {
    /// Every one, in the order of the table.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().filter(|field| field.uses.contains(&Use::Partner)).map(Self)
    }

    /// The field with this pointer, if partners may have it.
    pub fn parse(pointer: &str) -> Option<Self> {
        Self::all().find(|field| field.pointer() == pointer)
    }

    /// JSON pointer to it; `*` stands for every item of a list.
    pub fn pointer(self) -> &'static str {
        self.0.pointer
    }
}

impl From<SharedField> for &'static str {
    fn from(field: SharedField) -> Self {
        field.pointer()
    }
}

impl TryFrom<String> for SharedField {
    type Error = &'static str;

    fn try_from(pointer: String) -> Result<Self, Self::Error> {
        Self::parse(&pointer).ok_or("not a field that partners may have")
    }
}

impl JsonSchema for SharedField {
    fn schema_name() -> Cow<'static, str> {
        "SharedField".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let pointers: Vec<_> = Self::all().map(Self::pointer).collect();
        json_schema!({
            "type": "string",
            "description": "A field of a customer, as a JSON pointer in which `*` stands for every item of a list.",
            "enum": pointers,
        })
    }
}

/// What of the customer may go there, in the form of the document.
pub fn select(customer: &Customer, wanted: Use) -> Value {
    pick(&json!(customer), "", &|field| field.uses.contains(&wanted)).unwrap_or_else(|| json!({}))
}

/// These fields of the customer and nothing else, in the form of the document.
pub fn share(customer: &Customer, fields: &[SharedField]) -> Value {
    let is_named = |field: &Field| fields.iter().any(|named| named.0 == field);
    pick(&json!(customer), "", &is_named).unwrap_or_else(|| json!({}))
}

/// What of the value at this place goes. A list or object is as long as anything in it could be.
fn pick(value: &Value, pointer: &str, goes: &dyn Fn(&Field) -> bool) -> Option<Value> {
    if let Some(field) = FIELDS.iter().find(|field| field.pointer == pointer) {
        return goes(field).then(|| value.clone());
    }
    let is_inside = |field: &Field| {
        field.pointer.strip_prefix(pointer).is_some_and(|rest| rest.starts_with('/')) && goes(field)
    };
    if !FIELDS.iter().any(is_inside) {
        return None;
    }
    match value {
        Value::Object(members) => {
            let picked = members.iter().filter_map(|(name, one)| {
                Some((name.clone(), pick(one, &format!("{pointer}/{name}"), goes)?))
            });
            Some(Value::Object(picked.collect()))
        }
        Value::Array(items) => {
            let place = format!("{pointer}/*");
            Some(items.iter().filter_map(|one| pick(one, &place, goes)).collect())
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => None,
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeSet;

    use chrono::{DateTime, Utc};

    use super::*;
    use crate::domain::creation::Creation;
    use crate::domain::customer::contact::{Country, Email, PhoneNumber};
    use crate::domain::customer::{Address, Consent, Consents, Details, PartnerConsent};
    use crate::domain::id::{CustomerId, IdempotencyKey, PartnerId};

    pub(crate) const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    /// A customer with every field. Whoever adds one must fill it here, and then give it an entry.
    pub(crate) fn filled() -> Customer {
        let consent = Consent { granted: true, at: NOW, source: "secret source".into() };
        Customer {
            id: CustomerId::parse("ada").unwrap(),
            details: Details {
                email: Email::parse("secret@example.com").unwrap(),
                name: "secret name".into(),
                phone: Some(PhoneNumber::parse("+4930123456").unwrap()),
                addresses: vec![Address {
                    lines: vec!["secret street 1".into()],
                    postal_code: Some("10115".into()),
                    city: "secret city".into(),
                    country: Country::parse("QQ").unwrap(),
                }],
            },
            consents: Consents {
                marketing: Some(consent.clone()),
                sharing: vec![PartnerConsent {
                    partner_id: PartnerId::parse("secret-partner").unwrap(),
                    consent,
                    agreed_at: Some(NOW),
                }],
            },
            created_at: NOW,
            updated_at: NOW,
            creation: Some(Creation::of(&IdempotencyKey::parse("k").unwrap(), &"secret")),
        }
    }

    /// Pointers to all values in it that hold no others.
    fn leaves(value: &Value, pointer: &str, found: &mut BTreeSet<String>) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, one)| leaves(one, &format!("{pointer}/{name}"), found));
            }
            Value::Array(items) => items.iter().for_each(|one| leaves(one, &format!("{pointer}/*"), found)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
                found.insert(pointer.to_owned());
            }
        }
    }

    #[test]
    fn every_field_has_one_entry_and_every_entry_a_field() {
        let mut found = BTreeSet::new();
        leaves(&json!(filled()), "", &mut found);
        let listed: Vec<_> = FIELDS.iter().map(|field| field.pointer.to_owned()).collect();
        let once: BTreeSet<_> = listed.iter().cloned().collect();
        assert_eq!(found, once);
        assert_eq!(listed.len(), once.len());
    }

    #[test]
    fn each_use_gets_its_fields_and_no_others() {
        let customer = filled();
        for wanted in [Use::Partner, Use::Subject, Use::Tombstone, Use::Log] {
            let mut found = BTreeSet::new();
            leaves(&select(&customer, wanted), "", &mut found);
            let listed = FIELDS.iter().filter(|field| field.uses.contains(&wanted));
            assert_eq!(found, listed.map(|field| field.pointer.to_owned()).collect(), "{wanted:?}");
        }
        let bare = Customer { consents: Consents::default(), ..customer };
        assert_eq!(select(&bare, Use::Subject)["consents"], json!({"sharing": []}));
    }

    #[test]
    fn printing_a_customer_shows_what_logs_may_show() {
        let customer = filled();
        assert_eq!(
            format!("{customer:?}"),
            format!(
                "Customer {}",
                json!({
                    "createdAt": "1970-01-01T00:00:00.000Z", "id": "ada", "updatedAt": "1970-01-01T00:00:00.000Z",
                })
            )
        );
        let Customer { details, consents, .. } = &customer;
        let parts = format!(
            "{details:?} {:?} {:?} {:?} {consents:?} {:?} {:?} {customer:#?}",
            details.email, details.phone, details.addresses, consents.marketing, consents.sharing
        );
        for text in ["secret", "4930", "10115", "QQ"] {
            assert!(!parts.contains(text), "{parts}");
        }
    }
}
