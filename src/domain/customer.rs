//! A customer: how to reach them, where they live and what they agreed to.
//!
//! Personal data lives in the customer's document, and in the one address that an order copies (`shipping`); orders, events and logs
//! carry the id only. `fields` lists
//! every field and where it may go. Does not know how an email address is kept unique.

pub mod contact;
pub mod draft;
pub mod fields;

use std::fmt;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::domain::creation::Creation;
use crate::domain::customer::contact::{Country, Email, PhoneNumber};
use crate::domain::customer::draft::ConsentsRequest;
use crate::domain::customer::fields::{Use, select};
use crate::domain::draft::{Invalid, LINE_PATTERN};
use crate::domain::id::{CustomerId, PartnerId};
use crate::domain::time;

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Most addresses of one customer.
pub const ADDRESSES_MAX: usize = 10;
/// Most lines of an address, above postal code and city.
pub const ADDRESS_LINES_MAX: usize = 4;
/// Longest line or city of an address, in characters.
pub const ADDRESS_LINE_CHARS_MAX: usize = 100;
/// Longest postal code, in characters.
pub const POSTAL_CODE_CHARS_MAX: usize = 16;
/// Longest word on where a consent was given, in characters.
pub const SOURCE_CHARS_MAX: usize = 100;
/// Most partners about whom a customer has a say, withdrawals included.
pub const PARTNERS_MAX: usize = 50;

/// Somebody who may place orders. Printed for debugging it shows only what logs may.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Customer {
    /// Who it is: the identity provider's name for them. Unchangeable.
    pub id: CustomerId,
    /// What they told of themselves.
    #[serde(flatten)]
    pub details: Details,
    /// What they agreed to.
    pub consents: Consents,
    /// When they were added.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When anything of this last changed.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
    /// The request that created it, if that had an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
}

/// What a customer told of themselves. Checked: see the limits above.
#[derive(JsonSchema, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// Where they get mail; no two customers have the same, whatever the case.
    pub email: Email,
    /// What they want to be called.
    #[schemars(length(min = 1, max = NAME_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"Ada Lovelace")]
    pub name: String,
    /// Where they can be called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<PhoneNumber>,
    /// Where parcels can go, in the order in which they are offered.
    #[schemars(length(max = ADDRESSES_MAX))]
    pub addresses: Vec<Address>,
}

/// What the API's document says of a line of an address.
fn line_schema() -> Value {
    json!({
        "type": "string", "description": "One line.", "minLength": 1, "maxLength": ADDRESS_LINE_CHARS_MAX,
        "pattern": LINE_PATTERN, "examples": ["Unter den Linden 1"],
    })
}

/// A place where parcels can go.
#[derive(JsonSchema, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Address {
    /// Street and number, and what else stands above the city.
    #[schemars(length(min = 1, max = ADDRESS_LINES_MAX), extend("items" = line_schema()))]
    pub lines: Vec<String>,
    /// The postal code, in countries that have them.
    #[schemars(length(min = 1, max = POSTAL_CODE_CHARS_MAX), example = &"10115")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub postal_code: Option<String>,
    /// The city.
    #[schemars(length(min = 1, max = ADDRESS_LINE_CHARS_MAX), example = &"Berlin")]
    pub city: String,
    /// The country.
    pub country: Country,
}

/// What a customer agreed to.
#[derive(JsonSchema, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consents {
    /// Whether they want to hear of offers; absent until they said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marketing: Option<Consent>,
    /// Whether what the partner's contract names may be shared with it: each partner once, about whom they said anything.
    #[schemars(length(max = PARTNERS_MAX))]
    pub sharing: Vec<PartnerConsent>,
}

/// A yes or no, with when and where it was said.
#[derive(JsonSchema, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Consent {
    /// Yes or no.
    pub granted: bool,
    /// When it was said, by our clock.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
    /// Where it was said.
    #[schemars(length(min = 1, max = SOURCE_CHARS_MAX), example = &"account page")]
    pub source: String,
}

/// A yes or no to sharing with one partner.
#[derive(JsonSchema, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PartnerConsent {
    /// The partner.
    pub partner_id: PartnerId,
    /// What was said.
    #[serde(flatten)]
    pub consent: Consent,
    /// When they had agreed, if this withdraws it.
    #[schemars(with = "Option<DateTime<Utc>>")]
    #[serde(default, with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    pub agreed_at: Option<DateTime<Utc>>,
}

impl PartnerConsent {
    /// Whether the partner may ever have heard of them.
    pub fn was_granted(&self) -> bool {
        self.consent.granted || self.agreed_at.is_some()
    }
}

/// What is left of a customer who was erased, so that the id is not given to anybody else and old orders lead somewhere.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Tombstone {
    /// Who it was.
    pub id: CustomerId,
    /// When they were erased.
    #[serde(with = "crate::domain::time")]
    pub erased_at: DateTime<Utc>,
    /// Whom they had agreed to.
    #[serde(default)]
    consents: FormerConsents,
}

/// The partners who may have heard of somebody who was erased, and have to be told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
struct FormerConsents {
    sharing: Vec<FormerPartner>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct FormerPartner {
    partner_id: PartnerId,
}

impl Tombstone {
    /// Whether the partner may ever have heard of them.
    pub fn was_granted(&self, partner_id: &PartnerId) -> bool {
        self.consents.sharing.iter().any(|former| former.partner_id == *partner_id)
    }
}

impl Customer {
    /// A new customer, who has agreed to nothing yet.
    pub fn new(id: CustomerId, details: Details, now: DateTime<Utc>) -> Self {
        Self { id, details, consents: Consents::default(), created_at: now, updated_at: now, creation: None }
    }

    /// The customer with other details; unchanged when they are the same.
    pub fn with_details(&self, details: Details, now: DateTime<Utc>) -> Self {
        if details == self.details {
            return self.clone();
        }
        Self { details, updated_at: now, ..self.clone() }
    }

    /// The customer with these consents and no others: what is not named any more is withdrawn. What was said before and
    /// holds still keeps its time and source.
    ///
    /// # Errors
    /// [`Invalid`] when that makes too many partners; a retry does not help.
    pub fn with_consents(&self, request: &ConsentsRequest, now: DateTime<Utc>) -> Result<Self, Invalid> {
        let said = |earlier: Option<&Consent>, granted| match earlier {
            Some(earlier) if earlier.granted == granted => earlier.clone(),
            _ => Consent { granted, at: now, source: request.source.clone() },
        };
        let mut sharing = Vec::new();
        for PartnerConsent { partner_id, consent, agreed_at } in &self.consents.sharing {
            let granted = request.sharing.iter().any(|(id, granted)| id == partner_id && *granted);
            let agreed_at = match (granted, consent.granted) {
                (true, _) => None,
                (false, true) => Some(consent.at),
                (false, false) => *agreed_at,
            };
            let consent = said(Some(consent), granted);
            sharing.push(PartnerConsent { partner_id: partner_id.clone(), consent, agreed_at });
        }
        for (partner_id, granted) in &request.sharing {
            if !sharing.iter().any(|known| known.partner_id == *partner_id) {
                let consent = said(None, *granted);
                sharing.push(PartnerConsent { partner_id: partner_id.clone(), consent, agreed_at: None });
            }
        }
        if sharing.len() > PARTNERS_MAX {
            let detail = format!("would be more than {PARTNERS_MAX} partners with those that were withdrawn");
            return Err(Invalid::sense("/sharing", detail));
        }
        let marketing = Some(said(self.consents.marketing.as_ref(), request.marketing));
        let consents = Consents { marketing, sharing };
        Ok(match consents == self.consents {
            true => self.clone(),
            false => Self { consents, updated_at: now, ..self.clone() },
        })
    }

    /// Whether this is what the same request created: under its key, or without one as long as nothing has changed since.
    pub fn is_created_like(&self, asked: &Self) -> bool {
        match (&self.creation, &asked.creation) {
            (Some(ours), Some(theirs)) => ours == theirs,
            (None, None) => {
                (&self.details, &self.consents, self.created_at)
                    == (&asked.details, &asked.consents, self.updated_at)
            }
            (Some(_), None) | (None, Some(_)) => false,
        }
    }

    /// What erasure leaves: what the table of fields keeps, of the partners only those who may have heard of them, and when
    /// that was.
    pub fn tombstone(&self, now: DateTime<Utc>) -> Value {
        let mut told = self.clone();
        told.consents.sharing.retain(PartnerConsent::was_granted);
        let mut kept = select(&told, Use::Tombstone);
        kept["erasedAt"] = time::text(now).into();
        kept
    }
}

impl fmt::Debug for Customer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Customer {}", select(self, Use::Log))
    }
}

/// Prints the name of a personal type and nothing of what is in it.
macro_rules! unprinted {
    ($($name:ty),+ $(,)?) => {$(
        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(concat!(stringify!($name), " { .. }"))
            }
        }
    )+};
}
pub(in crate::domain::customer) use unprinted;

unprinted!(Details, Address, Consents, Consent, PartnerConsent);

#[cfg(test)]
mod tests {
    use super::fields::tests::{NOW, filled};
    use super::*;

    fn request(marketing: bool, sharing: &[(&str, bool)]) -> ConsentsRequest {
        let sharing = sharing.iter().map(|(id, granted)| (PartnerId::parse(id).unwrap(), *granted)).collect();
        ConsentsRequest { source: "test".into(), marketing, sharing }
    }

    #[test]
    fn consent_that_still_holds_keeps_its_time() {
        let later = NOW + chrono::TimeDelta::days(1);
        let mut customer = filled();
        customer.consents = Consents::default();
        let first = customer.with_consents(&request(true, &[("a", true), ("b", true)]), NOW).unwrap();
        let second = first.with_consents(&request(true, &[("a", true), ("c", false)]), later).unwrap();
        let sharing: Vec<_> = second
            .consents
            .sharing
            .iter()
            .map(|one| (one.partner_id.as_str(), one.consent.granted, one.consent.at))
            .collect();
        assert_eq!(sharing, [("a", true, NOW), ("b", false, later), ("c", false, later)]);
        assert_eq!(second.consents.marketing, first.consents.marketing);
        let again = second.with_consents(&request(true, &[("a", true)]), later).unwrap();
        assert_eq!(again, second);
    }

    #[test]
    fn partners_are_bounded_with_those_withdrawn() {
        let names: Vec<_> = (0..=PARTNERS_MAX).map(|number| format!("p{number}")).collect();
        let all: Vec<_> = names.iter().map(|name| (name.as_str(), true)).collect();
        let full = filled().with_consents(&request(true, &all[..PARTNERS_MAX - 1]), NOW).unwrap();
        let refused = full.with_consents(&request(true, &all[PARTNERS_MAX - 1..]), NOW);
        assert_eq!(refused.unwrap_err().pointer, "/sharing");
    }

    #[test]
    fn tombstone_holds_the_id_and_the_time_and_who_has_to_be_told() {
        let mut customer = filled();
        customer.consents = Consents::default();
        let customer = customer.with_consents(&request(true, &[("a", true), ("b", true), ("c", false)]), NOW);
        let customer = customer.unwrap().with_consents(&request(true, &[("a", true)]), NOW).unwrap();
        let kept = customer.tombstone(NOW);
        let sharing = json!([{"partnerId": "a"}, {"partnerId": "b"}]);
        let expected = json!({
            "id": "ada", "erasedAt": "1970-01-01T00:00:00.000Z", "consents": {"sharing": sharing},
        });
        assert_eq!(kept, expected);
        let kept: Tombstone = serde_json::from_value(kept).unwrap();
        let told = ["a", "b", "c"].map(|id| kept.was_granted(&PartnerId::parse(id).unwrap()));
        assert_eq!(told, [true, true, false]);
        let old = json!({"id": "ada", "erasedAt": "1970-01-01T00:00:00.000Z"});
        assert!(serde_json::from_value::<Tombstone>(old).is_ok(), "older ones name no partners");
    }

    #[test]
    fn withdrawal_says_when_they_had_agreed_and_a_first_no_does_not() {
        let later = NOW + chrono::TimeDelta::days(1);
        let mut customer = filled();
        customer.consents = Consents::default();
        let yes = customer.with_consents(&request(true, &[("a", true), ("b", false)]), NOW).unwrap();
        let no = yes.with_consents(&request(true, &[]), later).unwrap();
        let still_no = no.with_consents(&request(true, &[("a", false)]), later).unwrap();
        let again = still_no.with_consents(&request(true, &[("a", true)]), later).unwrap();
        let agreed = [yes, no, still_no, again].map(|one| {
            let sharing = one.consents.sharing;
            (sharing[0].agreed_at, sharing[0].was_granted(), sharing[1].was_granted())
        });
        let withdrawn = (Some(NOW), true, false);
        assert_eq!(agreed, [(None, true, false), withdrawn, withdrawn, (None, true, false)]);
    }
}
