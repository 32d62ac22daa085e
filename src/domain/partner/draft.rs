//! A contract as staff write it, and what of it can be agreed.

use chrono::{DateTime, SubsecRound, Utc};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use super::{FIELDS_MAX, PURPOSE_CHARS_MAX, Requirement, Terms};
use crate::domain::customer::fields::SharedField;
use crate::domain::draft::{Invalid, LINE_PATTERN, check_text};

/// A contract as staff write it.
#[derive(JsonSchema, Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ContractDraft {
    /// What the partner needs the data for. Customers can read it.
    #[schemars(length(min = 1, max = PURPOSE_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"delivers flyers")]
    pub purpose: String,
    /// What the partner gets of each customer, beside a name for them that is its own; nothing unless named.
    #[serde(default)]
    #[schemars(with = "Vec<SharedField>", length(max = FIELDS_MAX), extend("uniqueItems" = true))]
    pub fields: Vec<String>,
    /// What customers must have agreed to. Sharing with the partner is always needed.
    #[serde(default = "sharing")]
    #[schemars(length(min = 1, max = 2), extend("uniqueItems" = true, "contains" = json!({"const": "sharing"})))]
    pub consent: Vec<Requirement>,
    /// Until when the partner gets anything; a moment in the past ends it now.
    pub valid_until: DateTime<Utc>,
}

fn sharing() -> Vec<Requirement> {
    vec![Requirement::Sharing]
}

impl ContractDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self) -> Result<Terms, Vec<Invalid>> {
        let mut invalid = Vec::new();
        check_text(&mut invalid, "/purpose", Some(&self.purpose), PURPOSE_CHARS_MAX);
        if self.fields.len() > FIELDS_MAX {
            invalid.push(Invalid::new("/fields", format!("must have at most {FIELDS_MAX} entries")));
        }
        let mut named = Vec::new();
        for (index, pointer) in self.fields.iter().take(FIELDS_MAX).enumerate() {
            let place = format!("/fields/{index}");
            match SharedField::parse(pointer) {
                Some(field) if named.contains(&field) => invalid.push(Invalid::new(place, "is named twice")),
                Some(field) => named.push(field),
                None => {
                    let all: Vec<_> = SharedField::all().map(SharedField::pointer).collect();
                    invalid.push(Invalid::new(place, format!("must be one of {}", all.join(", "))));
                }
            }
        }
        let mut consent = self.consent;
        let count = consent.len();
        consent.sort_unstable();
        consent.dedup();
        if consent.len() < count || !consent.contains(&Requirement::Sharing) {
            invalid.push(Invalid::new("/consent", "must name each once, and sharing among them"));
        }
        if !invalid.is_empty() {
            return Err(invalid);
        }
        let fields = SharedField::all().filter(|field| named.contains(field)).collect();
        let valid_until = self.valid_until.trunc_subsecs(3);
        Ok(Terms { purpose: self.purpose, fields, consent, valid_until })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(fields: &[&str], consent: &[Requirement]) -> ContractDraft {
        ContractDraft {
            purpose: "test".into(),
            fields: fields.iter().map(|field| (*field).to_owned()).collect(),
            consent: consent.to_vec(),
            valid_until: DateTime::UNIX_EPOCH,
        }
    }

    fn pointers(draft: ContractDraft) -> Vec<String> {
        draft.check().unwrap_err().into_iter().map(|one| one.pointer).collect()
    }

    #[test]
    fn contract_names_only_what_the_table_offers_partners() {
        let wrong =
            ["/id", "/creation/key", "/consents/sharing/*/partnerId", "name", "/name/", "/addresses", ""];
        let places: Vec<_> = (0..wrong.len()).map(|index| format!("/fields/{index}")).collect();
        assert_eq!(pointers(draft(&wrong, &[Requirement::Sharing])), places);
        assert_eq!(pointers(draft(&["/name", "/name"], &[Requirement::Sharing])), ["/fields/1"]);
    }

    #[test]
    fn contract_without_a_word_on_fields_and_consent_shares_nothing_without_consent() {
        let draft = serde_json::json!({"purpose": "test", "validUntil": "2030-01-01T00:00:00Z"});
        let draft: ContractDraft = serde_json::from_value(draft).unwrap();
        let terms = draft.check().unwrap();
        assert_eq!((terms.fields, terms.consent), (Vec::new(), vec![Requirement::Sharing]));
    }

    #[test]
    fn sharing_is_always_among_what_is_needed() {
        use Requirement::{Marketing, Sharing};
        for consent in [vec![], vec![Marketing], vec![Sharing, Sharing]] {
            assert_eq!(pointers(draft(&[], &consent)), ["/consent"]);
        }
        assert_eq!(draft(&[], &[Marketing, Sharing]).check().unwrap().consent, [Sharing, Marketing]);
    }
}
