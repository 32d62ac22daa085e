//! A customer, and their consents, as somebody asks for them, and the checks that make them ones that can be kept.
//!
//! Does not know whether id and email address are free.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::contact::{Country, Email, InvalidContact, PhoneNumber};
use super::{
    ADDRESS_LINE_CHARS_MAX, ADDRESS_LINES_MAX, ADDRESSES_MAX, Address, Details, NAME_CHARS_MAX, PARTNERS_MAX,
    POSTAL_CODE_CHARS_MAX, SOURCE_CHARS_MAX, line_schema, unprinted,
};
use crate::domain::draft::{Invalid, LINE_PATTERN, check_text, objects};
use crate::domain::id::{CustomerId, PartnerId};

/// A customer as somebody asks for it.
#[derive(JsonSchema, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CustomerDraft {
    /// Who it is: the identity provider's name for them. Unchangeable.
    #[schemars(with = "CustomerId")]
    pub id: String,
    /// Where they get mail; no two customers have the same, whatever the case.
    #[schemars(with = "Email")]
    pub email: String,
    /// What they want to be called.
    #[schemars(length(min = 1, max = NAME_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"Ada Lovelace")]
    pub name: String,
    /// Where they can be called.
    #[serde(default)]
    #[schemars(with = "Option<PhoneNumber>")]
    pub phone: Option<String>,
    /// Where parcels can go, in the order in which they are offered.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Vec<AddressDraft>", length(max = ADDRESSES_MAX))]
    pub addresses: Vec<AddressDraft>,
}

/// A place where parcels can go, as somebody asks for it.
#[derive(JsonSchema, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AddressDraft {
    /// Street and number, and what else stands above the city.
    #[schemars(length(min = 1, max = ADDRESS_LINES_MAX), extend("items" = line_schema()))]
    pub lines: Vec<String>,
    /// The postal code, in countries that have them.
    #[serde(default)]
    #[schemars(length(min = 1, max = POSTAL_CODE_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"10115")]
    pub postal_code: Option<String>,
    /// The city.
    #[schemars(length(min = 1, max = ADDRESS_LINE_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"Berlin")]
    pub city: String,
    /// The country.
    #[schemars(with = "Country")]
    pub country: String,
}

/// All that a customer agrees to, as somebody says it for them. What is not named is not agreed to.
#[derive(JsonSchema, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ConsentsDraft {
    /// Where it was said.
    #[schemars(length(min = 1, max = SOURCE_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"account page")]
    pub source: String,
    /// Whether they want to hear of offers.
    pub marketing: bool,
    /// Whether we may share with partners; each partner once.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Vec<PartnerConsentDraft>", length(max = PARTNERS_MAX))]
    pub sharing: Vec<PartnerConsentDraft>,
}

/// A yes or no to sharing with one partner, as somebody says it.
#[derive(JsonSchema, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct PartnerConsentDraft {
    /// The partner.
    #[schemars(with = "PartnerId")]
    pub partner_id: String,
    /// Yes or no.
    pub granted: bool,
}

/// Consents that can be kept.
#[derive(Clone, PartialEq, Eq)]
pub struct ConsentsRequest {
    /// Where it was said.
    pub source: String,
    /// Whether they want to hear of offers.
    pub marketing: bool,
    /// Whether we may share with these partners, each of which occurs once.
    pub sharing: Vec<(PartnerId, bool)>,
}

unprinted!(CustomerDraft, AddressDraft, ConsentsDraft, PartnerConsentDraft, ConsentsRequest);

impl CustomerDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self) -> Result<(CustomerId, Details), Vec<Invalid>> {
        let mut invalid = Vec::new();
        let id =
            CustomerId::parse(&self.id).map_err(|error| invalid.push(Invalid::new("/id", error.to_string())));
        let email = contact(&mut invalid, "/email", Email::parse(&self.email));
        check_text(&mut invalid, "/name", Some(&self.name), NAME_CHARS_MAX);
        let phone = self.phone.and_then(|phone| contact(&mut invalid, "/phone", PhoneNumber::parse(&phone)));
        if self.addresses.len() > ADDRESSES_MAX {
            invalid.push(Invalid::new("/addresses", format!("must have at most {ADDRESSES_MAX} entries")));
        }
        let addresses = self.addresses.into_iter().take(ADDRESSES_MAX).enumerate();
        let addresses = addresses
            .filter_map(|(index, address)| address.check(&format!("/addresses/{index}"), &mut invalid))
            .collect();
        match (id, email, invalid.is_empty()) {
            (Ok(id), Some(email), true) => Ok((id, Details { email, name: self.name, phone, addresses })),
            _ => Err(invalid),
        }
    }
}

impl AddressDraft {
    /// Checks every field of the address at this place, and adds what is wrong.
    pub(in crate::domain) fn check(self, pointer: &str, invalid: &mut Vec<Invalid>) -> Option<Address> {
        let place = |field: &str| format!("{pointer}/{field}");
        if !(1..=ADDRESS_LINES_MAX).contains(&self.lines.len()) {
            let detail = format!("must have 1 to {ADDRESS_LINES_MAX} entries");
            invalid.push(Invalid::new(place("lines"), detail));
        }
        for (number, line) in self.lines.iter().take(ADDRESS_LINES_MAX).enumerate() {
            check_text(invalid, &place(&format!("lines/{number}")), Some(line), ADDRESS_LINE_CHARS_MAX);
        }
        check_text(invalid, &place("postalCode"), self.postal_code.as_deref(), POSTAL_CODE_CHARS_MAX);
        check_text(invalid, &place("city"), Some(&self.city), ADDRESS_LINE_CHARS_MAX);
        let country = contact(invalid, &place("country"), Country::parse(&self.country))?;
        Some(Address { lines: self.lines, postal_code: self.postal_code, city: self.city, country })
    }
}

impl ConsentsDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self) -> Result<ConsentsRequest, Vec<Invalid>> {
        let mut invalid = Vec::new();
        check_text(&mut invalid, "/source", Some(&self.source), SOURCE_CHARS_MAX);
        if self.sharing.len() > PARTNERS_MAX {
            invalid.push(Invalid::new("/sharing", format!("must have at most {PARTNERS_MAX} entries")));
        }
        let (mut seen, mut sharing) = (BTreeSet::new(), Vec::new());
        for (index, one) in self.sharing.iter().take(PARTNERS_MAX).enumerate() {
            let place = format!("/sharing/{index}/partnerId");
            match PartnerId::parse(&one.partner_id) {
                Ok(id) if seen.insert(id.clone()) => sharing.push((id, one.granted)),
                Ok(_) => invalid.push(Invalid::sense(place, "is named twice")),
                Err(error) => invalid.push(Invalid::new(place, error.to_string())),
            }
        }
        match invalid.is_empty() {
            true => Ok(ConsentsRequest { source: self.source, marketing: self.marketing, sharing }),
            false => Err(invalid),
        }
    }
}

/// The checked text, or one more mistake.
fn contact<T>(invalid: &mut Vec<Invalid>, pointer: &str, parsed: Result<T, InvalidContact>) -> Option<T> {
    parsed.map_err(|error| invalid.push(Invalid::new(pointer, error.to_string()))).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(lines: &[&str], country: &str) -> AddressDraft {
        AddressDraft {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            postal_code: None,
            city: "Berlin".into(),
            country: country.into(),
        }
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let draft = CustomerDraft {
            id: "_a".into(),
            email: "a@b".into(),
            name: " ".into(),
            phone: Some("1".into()),
            addresses: vec![address(&["x"], "DE"), address(&[], "de"), address(&["x", " "], "DE")],
        };
        let invalid = draft.check().unwrap_err();
        let pointers: Vec<_> = invalid.iter().map(|one| one.pointer.as_str()).collect();
        let expected = [
            "/id",
            "/email",
            "/name",
            "/phone",
            "/addresses/1/lines",
            "/addresses/1/country",
            "/addresses/2/lines/1",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn partner_is_named_once() {
        let one = |id: &str| PartnerConsentDraft { partner_id: id.into(), granted: true };
        let draft = ConsentsDraft {
            source: String::new(),
            marketing: true,
            sharing: vec![one("a"), one("a"), one("A!")],
        };
        let invalid = draft.check().unwrap_err();
        let pointers: Vec<_> = invalid.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, ["/source", "/sharing/1/partnerId", "/sharing/2/partnerId"]);
    }
}
