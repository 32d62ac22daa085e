//! The forms in which a pull is sent: a JSON page, lines of NDJSON, rows of CSV.
//!
//! Takes what the contract lets through and adds nothing to it. Does not know where it comes from.

use std::io;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::domain::customer::contact::{Country, Email, PhoneNumber};
use crate::domain::customer::{
    ADDRESS_LINE_CHARS_MAX, ADDRESS_LINES_MAX, ADDRESSES_MAX, NAME_CHARS_MAX, POSTAL_CODE_CHARS_MAX,
};
use crate::domain::id::{DisclosureId, Pseudonym};
use crate::domain::partner::disclosure::CUSTOMERS_MAX;
use crate::domain::partner::table::{cell, columns, name};
use crate::domain::partner::{Change, Partner, Shared};
use crate::domain::spreadsheet::csv;

/// The media type of lines.
pub const NDJSON: &str = "application/x-ndjson";
/// The media type of rows.
pub const CSV: &str = "text/csv";

/// One page of a pull.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "SharedCustomerPage")]
pub struct PullPage {
    /// Customers who changed, as they are now, and those to delete.
    #[schemars(length(max = CUSTOMERS_MAX))]
    pub items: Vec<Item>,
    /// Path and query of the next page; absent on the last.
    #[schemars(length(max = 4000), example = &"/api/partners/parcel-post/customers?limit=100&cursor=mrsw4ztjmnrw643vojsxgzltoq")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_link: Option<String>,
    /// Path and query of what will have changed since; on the last page only. Keep it for the next pull.
    #[schemars(length(max = 4000), example = &"/api/partners/parcel-post/customers?limit=100&cursor=mrsw4ztjmnrw643vojsxgzltoq")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub delta_link: Option<String>,
}

/// A customer as a partner sees them, or one to delete.
#[derive(Serialize)]
pub struct Item(Map<String, Value>);

impl From<&Change> for Item {
    fn from(change: &Change) -> Self {
        match change {
            Change::Shared(Shared { customer_id: _, id, fields }) => {
                let mut members = fields.as_object().cloned().unwrap_or_default();
                members.insert("id".to_owned(), id.as_str().into());
                Self(members)
            }
            Change::Removed(id) => Self(Map::from_iter([
                ("id".to_owned(), id.as_str().into()),
                ("removed".to_owned(), true.into()),
            ])),
        }
    }
}

impl JsonSchema for Item {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "SharedCustomer".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let line = |description: &str, most: usize| json!({"type": "string", "description": description, "maxLength": most});
        let address = json!({
            "type": "object",
            "description": "A place where parcels can go.",
            "additionalProperties": false,
            "properties": {
                "lines": {
                    "type": "array", "description": "What stands above the city.", "maxItems": ADDRESS_LINES_MAX,
                    "items": line("One line.", ADDRESS_LINE_CHARS_MAX),
                },
                "postalCode": line("The postal code.", POSTAL_CODE_CHARS_MAX),
                "city": line("The city.", ADDRESS_LINE_CHARS_MAX),
                "country": generator.subschema_for::<Country>(),
            },
        });
        json_schema!({
            "type": "object",
            "description": "A customer with what the contract names and nothing else, or one to delete.",
            "required": ["id"],
            "additionalProperties": false,
            "properties": {
                "id": generator.subschema_for::<Pseudonym>(),
                "removed": {"const": true, "description": "The customer left: delete what you have of them."},
                "email": generator.subschema_for::<Email>(),
                "name": line("What they want to be called.", NAME_CHARS_MAX),
                "phone": generator.subschema_for::<PhoneNumber>(),
                "addresses": {
                    "type": "array", "description": "Where parcels can go.", "maxItems": ADDRESSES_MAX, "items": address,
                },
            },
        })
    }
}

/// What is sent piece by piece.
#[derive(Debug)]
pub enum Lines {
    /// A JSON object a line, each with the member `change`.
    Ndjson,
    /// A row each, of these columns after `change` and `id`.
    Csv(Vec<String>),
}

impl Lines {
    /// The rows of this partner's contract.
    pub fn csv(partner: &Partner) -> Self {
        Self::Csv(columns(&partner.terms.fields))
    }

    /// What comes before everything else.
    ///
    /// # Errors
    /// When it cannot be written; never, for it is written into memory.
    pub fn head(&self) -> io::Result<Vec<u8>> {
        match self {
            Self::Ndjson => Ok(Vec::new()),
            Self::Csv(columns) => Ok(csv([row("change", "id", columns.iter().map(|column| name(column)))])?),
        }
    }

    /// The changes.
    ///
    /// # Errors
    /// As [`Self::head`].
    pub fn changes(&self, changes: &[Change]) -> io::Result<Vec<u8>> {
        match self {
            Self::Ndjson => Ok(changes.iter().flat_map(line).collect()),
            Self::Csv(columns) => Ok(csv(changes.iter().map(|change| match change {
                Change::Shared(Shared { customer_id: _, id, fields }) => {
                    row("customer", id.as_str(), columns.iter().map(|column| cell(fields, column)))
                }
                Change::Removed(id) => row("removed", id.as_str(), columns.iter().map(|_| String::new())),
            }))?),
        }
    }

    /// The last line, without which it is not whole: `cursor` when there is nothing more for now, `more` when there is.
    ///
    /// # Errors
    /// As [`Self::head`].
    pub fn last(&self, cursor: &DisclosureId, is_end: bool) -> io::Result<Vec<u8>> {
        let change = if is_end { "cursor" } else { "more" };
        match self {
            Self::Ndjson => Ok(format!("{}\n", json!({"change": change, "cursor": cursor})).into_bytes()),
            Self::Csv(columns) => {
                Ok(csv([row(change, cursor.as_str(), columns.iter().map(|_| String::new()))])?)
            }
        }
    }
}

/// A line of NDJSON.
fn line(change: &Change) -> Vec<u8> {
    let Item(mut members) = Item::from(change);
    members.remove("removed");
    let kind = match change {
        Change::Shared(_) => "customer",
        Change::Removed(_) => "removed",
    };
    members.insert("change".to_owned(), kind.into());
    format!("{}\n", Value::Object(members)).into_bytes()
}

fn row(change: &str, id: &str, cells: impl Iterator<Item = String>) -> Vec<String> {
    [change.to_owned(), id.to_owned()].into_iter().chain(cells).collect()
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, proptest};

    use super::*;
    use crate::domain::customer::fields::SharedField;
    use crate::domain::customer::{Address, Consent, Consents, Customer, Details, PartnerConsent};
    use crate::domain::id::{CustomerId, PartnerId};
    use crate::domain::partner::{Requirement, Secret, Terms};

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    /// What marks the values of each field, whatever else is in them.
    const MARKS: [(&str, &str); 7] = [
        ("/email", "MAIL"),
        ("/name", "NAME"),
        ("/phone", "555555"),
        ("/addresses/*/lines/*", "STREET"),
        ("/addresses/*/postalCode", "ZIP"),
        ("/addresses/*/city", "TOWN"),
        ("/addresses/*/country", "QQ"),
    ];
    /// What no partner may see, whatever its contract.
    const OURS: [&str; 4] = ["SOURCE", "CUSTOMER", "rival", "1970"];

    fn consent(granted: bool) -> Consent {
        Consent { granted, at: NOW, source: "SOURCE".into() }
    }

    fn address(salt: &str, lines: usize) -> Address {
        Address {
            lines: (0..lines).map(|line| format!("{salt}STREET{line}")).collect(),
            postal_code: (lines > 1).then(|| "ZIP 1".to_owned()),
            city: format!("{salt}TOWN"),
            country: Country::parse("QQ").unwrap(),
        }
    }

    fn customers() -> impl Strategy<Value = Customer> {
        let addresses = proptest::collection::vec(1..=ADDRESS_LINES_MAX, 0..=ADDRESSES_MAX);
        // No capital letters: those are the marks.
        let salt = "[ -@a-z{-~]{0,4}";
        let said = any::<(bool, bool, Option<bool>, bool)>();
        (addresses, salt, said).prop_map(|(addresses, salt, (sharing, was, marketing, has_phone))| {
            let details = Details {
                email: Email::parse("MAIL@example.com").unwrap(),
                name: format!("{salt}NAME"),
                phone: has_phone.then(|| PhoneNumber::parse("+4930555555").unwrap()),
                addresses: addresses.into_iter().map(|lines| address(&salt, lines)).collect(),
            };
            let mut customer = Customer::new(CustomerId::parse("CUSTOMER").unwrap(), details, NOW);
            let partner = |id: &str, granted, agreed_at| PartnerConsent {
                partner_id: PartnerId::parse(id).unwrap(),
                consent: consent(granted),
                agreed_at,
            };
            let sharing = vec![partner("rival", true, None), partner("willy", sharing, was.then_some(NOW))];
            customer.consents = Consents { marketing: marketing.map(consent), sharing };
            customer
        })
    }

    fn contracts() -> impl Strategy<Value = Partner> {
        let all: Vec<_> = SharedField::all().collect();
        let named = proptest::sample::subsequence(all.clone(), 0..=all.len());
        (named, any::<bool>()).prop_map(|(fields, needs_marketing)| {
            let marketing = needs_marketing.then_some(Requirement::Marketing);
            let consent = [Requirement::Sharing].into_iter().chain(marketing).collect();
            let valid_until = NOW + TimeDelta::days(1);
            let terms = Terms { purpose: "test".into(), fields, consent, valid_until };
            Partner::new(PartnerId::parse("willy").unwrap(), terms, Secret::from_chance([7; 16]), NOW)
        })
    }

    /// Pointers to all values in it, with `*` for the place in a list.
    fn pointers(value: &Value, pointer: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(members) => {
                members.iter().for_each(|(name, one)| pointers(one, &format!("{pointer}/{name}"), found));
            }
            Value::Array(items) => items.iter().for_each(|one| pointers(one, &format!("{pointer}/*"), found)),
            _ => found.push(pointer.to_owned()),
        }
    }

    proptest! {
        #[test]
        fn no_output_has_a_field_that_the_contract_does_not_name(customer in customers(), partner in contracts()) {
            let change = partner.change(&customer, NOW);
            let [_, said] = customer.consents.sharing.as_slice() else { panic!("two partners") };
            let needs_marketing = partner.terms.consent.contains(&Requirement::Marketing);
            let marketing = customer.consents.marketing.as_ref().is_some_and(|marketing| marketing.granted);
            let may_leave = said.consent.granted && (marketing || !needs_marketing);
            prop_assert_eq!(matches!(change, Some(Change::Shared(_))), may_leave);
            prop_assert!(change.is_none() || said.was_granted());

            let changes: Vec<_> = change.into_iter().collect();
            let items: Vec<Item> = changes.iter().map(Item::from).collect();
            let csv = Lines::csv(&partner);
            let outputs = [
                json!(items).to_string().into_bytes(),
                Lines::Ndjson.changes(&changes).unwrap(),
                csv.changes(&changes).unwrap(),
            ];
            let named = |pointer: &str| partner.terms.fields.iter().any(|field| field.pointer() == pointer);
            for output in outputs {
                let text = String::from_utf8(output).unwrap();
                for (pointer, mark) in MARKS {
                    prop_assert!(!text.contains(mark) || (may_leave && named(pointer)), "{pointer} in {text}");
                }
                for ours in OURS {
                    prop_assert!(!text.contains(ours), "{text}");
                }
                let shows_name = may_leave && named("/name");
                prop_assert_eq!(text.contains("NAME"), shows_name, "{}", text);
            }
            let mut found = Vec::new();
            pointers(&json!(items), "", &mut found);
            for pointer in found {
                let pointer = pointer.strip_prefix("/*").unwrap();
                let is_ours = pointer == "/id" || (pointer == "/removed" && !may_leave);
                prop_assert!(is_ours || named(pointer), "{pointer}");
            }
        }
    }

    #[test]
    fn last_line_says_whether_there_is_more() {
        let cursor = DisclosureId::from_chance([0; 16]);
        let text = |lines: &Lines, is_end| String::from_utf8(lines.last(&cursor, is_end).unwrap()).unwrap();
        let line = |change| format!("{{\"change\":\"{change}\",\"cursor\":\"{cursor}\"}}\n");
        assert_eq!([true, false].map(|is_end| text(&Lines::Ndjson, is_end)), ["cursor", "more"].map(line));
        let rows = Lines::Csv(vec!["/name".into()]);
        let row = |change| format!("{change},{cursor},\r\n");
        assert_eq!([true, false].map(|is_end| text(&rows, is_end)), ["cursor", "more"].map(row));
    }

    #[test]
    fn marks_are_of_every_field_that_partners_may_have() {
        let marked: Vec<_> = MARKS.iter().map(|(pointer, _)| *pointer).collect();
        assert_eq!(SharedField::all().map(SharedField::pointer).collect::<Vec<_>>(), marked);
    }
}
