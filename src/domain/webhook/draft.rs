//! A webhook as staff ask for it, and the checks that make it one.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Address, DESCRIPTION_CHARS_MAX, Reach, Terms, URL_CHARS_MAX};
use crate::domain::announcement::News;
use crate::domain::draft::{Invalid, LINE_PATTERN, check_text};

/// The form of an address; what else it must be depends on its parts. A regular expression as JSON Schema has them.
const URL_PATTERN: &str = "^https?://[!-~]+$";

/// A webhook as staff ask for it.
#[derive(JsonSchema, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct WebhookDraft {
    /// Where events are sent: an https address on the public internet, at port 443 or 8443, without user and fragment.
    #[schemars(length(max = URL_CHARS_MAX), regex(pattern = URL_PATTERN), example = &"https://example.com/widgets?shop=1")]
    pub url: String,
    /// The kinds of events that are sent; absent for all, also those that there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<Vec<EventType>>", length(min = 1, max = News::KINDS.len()), extend("uniqueItems" = true))]
    pub event_types: Option<Vec<String>>,
    /// What it is for, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = DESCRIPTION_CHARS_MAX),
        regex(pattern = LINE_PATTERN),
        example = &"the warehouse's label printer"
    )]
    pub description: Option<String>,
    /// Whether events are sent.
    #[serde(default)]
    pub status: Status,
}

/// Whether events are sent.
#[derive(JsonSchema, Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "WebhookStatus")]
pub enum Status {
    /// They are.
    #[default]
    Active,
    /// They are not, and nobody sends them later.
    Disabled,
}

/// A kind of event, for the API's document.
#[derive(Debug)]
pub struct EventType;

impl JsonSchema for EventType {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "EventType".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "description": "A kind of event.", "enum": News::KINDS})
    }
}

impl WebhookDraft {
    /// Checks every field; what the address leads to is not looked up.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self, reach: Reach) -> Result<(Terms, Status), Vec<Invalid>> {
        let Self { url, event_types, description, status } = self;
        let mut invalid = Vec::new();
        let address = check_url(&url, reach).map_err(|error| invalid.push(error));
        for (index, kind) in event_types.iter().flatten().enumerate() {
            let place = format!("/eventTypes/{index}");
            if !News::KINDS.contains(&kind.as_str()) {
                invalid.push(Invalid::new(place, format!("must be one of {}", News::KINDS.join(", "))));
            } else if event_types.iter().flatten().take(index).any(|earlier| earlier == kind) {
                invalid.push(Invalid::new(place, "is named twice"));
            }
        }
        if event_types.as_ref().is_some_and(Vec::is_empty) {
            invalid.push(Invalid::new("/eventTypes", "must name a kind, or be absent for all"));
        }
        check_text(&mut invalid, "/description", description.as_deref(), DESCRIPTION_CHARS_MAX);
        match (address, invalid.is_empty()) {
            (Ok(url), true) => Ok((Terms { url, event_types, description }, status)),
            _ => Err(invalid),
        }
    }
}

fn check_url(text: &str, reach: Reach) -> Result<Address, Invalid> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let is_visible = |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic());
    if text.len() > URL_CHARS_MAX || !rest.is_some_and(is_visible) {
        let detail = format!("must be an https address of at most {URL_CHARS_MAX} visible ASCII characters");
        return Err(Invalid::new("/url", detail));
    }
    Address::parse(text, reach).map_err(|detail| Invalid::sense("/url", detail))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::draft::Fault;

    fn draft(url: &str, event_types: Option<&[&str]>) -> WebhookDraft {
        let event_types = event_types.map(|kinds| kinds.iter().map(|kind| (*kind).to_owned()).collect());
        WebhookDraft { url: url.to_owned(), event_types, description: None, status: Status::Active }
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let wrong = draft("mailto:ada", Some(&["OrderPlaced", "OrderEaten", "OrderPlaced"]));
        let wrong =
            WebhookDraft { description: Some(" ".to_owned()), ..wrong }.check(Reach::Public).unwrap_err();
        let places: Vec<_> = wrong.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(places, ["/url", "/eventTypes/1", "/eventTypes/2", "/description"]);
        let none = draft("https://example.com/", Some(&[])).check(Reach::Public).unwrap_err();
        assert_eq!(none[0].pointer, "/eventTypes");
    }

    #[test]
    fn address_of_the_right_form_that_leads_nowhere_is_a_matter_of_sense() {
        for (url, fault) in [
            ("http://example.com/", Fault::Sense),
            ("https://example.com:1/", Fault::Sense),
            ("https://[/", Fault::Sense),
            ("https://example.com/ä", Fault::Form),
            ("https://", Fault::Form),
        ] {
            assert_eq!(draft(url, None).check(Reach::Public).unwrap_err()[0].fault, fault, "{url}");
        }
        let long = format!("https://example.com/{}", "a".repeat(URL_CHARS_MAX));
        assert_eq!(draft(&long, None).check(Reach::Public).unwrap_err()[0].fault, Fault::Form);
        assert!(draft("https://example.com/", None).check(Reach::Public).is_ok());
    }
}
