//! A customer's review of a product, and what others and staff make of it.
//!
//! Who is listed is counted in the product's [`summary`], and nobody else. Does not know how the two are written, only that they
//! are written together.

pub mod summary;
pub mod terms;

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use crate::domain::draft::{Invalid, LINE_PATTERN, PROSE_PATTERN, check_prose, check_text};
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::number::whole;

/// Longest title, in characters.
pub const TITLE_CHARS_MAX: usize = 100;
/// Longest text, in characters.
pub const TEXT_CHARS_MAX: usize = 4000;
/// Longest reason for a moderation, in characters.
pub const REASON_CHARS_MAX: usize = 200;
/// The best rating; the worst is 1.
pub const RATING_MAX: u8 = 5;
/// How many ratings there are.
pub const RATINGS: usize = 5;

/// How good a product is found: 1 to [`RATING_MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "u8")]
pub struct Rating(u8);

impl Rating {
    /// All of them, the worst first.
    pub const ALL: [Self; RATINGS] = [Self(1), Self(2), Self(3), Self(4), Self(5)];

    /// The rating of this number, if it is one.
    pub fn new(number: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|rating| i64::from(rating.0) == number)
    }

    /// Its number, 1 to [`RATING_MAX`].
    pub fn number(self) -> u8 {
        self.0
    }

    fn index(self) -> usize {
        usize::from(self.0 - 1)
    }
}

impl TryFrom<u8> for Rating {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, String> {
        Self::new(i64::from(number)).ok_or_else(|| format!("must be 1 to {RATING_MAX}"))
    }
}

impl JsonSchema for Rating {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Rating".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "integer", "minimum": 1, "maximum": RATING_MAX,
            "description": "How good it is found: 1 is the worst, 5 the best.",
        })
    }
}

/// A review as its customer writes it.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ReviewDraft {
    /// How good it is found: 1 is the worst, 5 the best.
    #[schemars(range(min = 1, max = RATING_MAX))]
    #[serde(deserialize_with = "whole")]
    pub rating: i64,
    /// The review in a few words.
    #[schemars(length(min = 1, max = TITLE_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"Does what it should")]
    pub title: String,
    /// The review at length; may be empty.
    #[serde(default)]
    #[schemars(length(max = TEXT_CHARS_MAX), regex(pattern = PROSE_PATTERN), example = &"In use every day.")]
    pub text: String,
}

impl ReviewDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self) -> Result<Content, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let rating = Rating::new(self.rating);
        if rating.is_none() {
            invalid.push(Invalid::new("/rating", format!("must be a whole number from 1 to {RATING_MAX}")));
        }
        check_text(&mut invalid, "/title", Some(&self.title), TITLE_CHARS_MAX);
        check_prose(&mut invalid, "/text", &self.text, TEXT_CHARS_MAX);
        match (rating, invalid.is_empty()) {
            (Some(rating), true) => Ok(Content { rating, title: self.title, text: self.text }),
            _ => Err(invalid),
        }
    }
}

/// What a review says. Personal expression: it stands in no log.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Content {
    /// How good the product is found.
    pub rating: Rating,
    /// In a few words.
    pub title: String,
    /// At length; may be empty.
    pub text: String,
}

impl std::fmt::Debug for Content {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Content").field("rating", &self.rating).finish_non_exhaustive()
    }
}

/// What one customer says of one product. It is never forgotten that there was one: taken back, it says nothing, and keeps
/// what staff decided of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Review {
    /// What is reviewed.
    pub product_id: ProductId,
    /// Who reviews.
    pub customer_id: CustomerId,
    /// What it says; absent when it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Content>,
    /// Whether an order of the customer with the product had shipped when it was written.
    pub verified_purchase: bool,
    /// What staff decided of it; absent while nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub moderation: Option<Moderation>,
    /// How many found it helpful.
    pub helpful: u32,
    /// How many reported it.
    pub reports: u32,
    /// The same by reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub report_reasons: BTreeMap<ReportReason, u32>,
    /// When somebody last reported it; absent while nobody has.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "crate::domain::time::option")]
    pub reported_at: Option<DateTime<Utc>>,
    /// How often it was taken back. Votes and reports belong to one edition and do not count for the next.
    pub edition: u32,
    /// How often its customer has written it; anew counts when it says something else. What is announced of it is numbered by
    /// that.
    #[serde(default)]
    pub postings: u32,
    /// When it was written.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When its customer last changed it.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
}

/// Whether everybody may see a review.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReviewStatus {
    /// It is listed and counted.
    Published,
    /// Staff have taken it out of lists and summary.
    Hidden,
}

/// What staff decided of a review.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Moderation {
    /// Whether everybody may see it.
    pub status: ReviewStatus,
    /// Why.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX), example = &"names a person")]
    pub reason: String,
    /// When.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub decided_at: DateTime<Utc>,
}

/// What is left of staff's words when the review is taken back: they may have told what it said.
const REASON_FORGOTTEN: &str = "forgotten when the review was taken back";

impl Review {
    /// The review as its customer writes it now, for the first time or anew. What staff hid stays hidden.
    pub fn written(
        earlier: Option<&Self>,
        (product_id, customer_id): (&ProductId, &CustomerId),
        content: Content,
        verified_purchase: bool,
        now: DateTime<Utc>,
    ) -> Self {
        match earlier {
            Some(earlier) => {
                let created_at = if earlier.content.is_some() { earlier.created_at } else { now };
                let content = Some(content);
                let postings = earlier.postings.saturating_add(u32::from(content != earlier.content));
                Self { content, verified_purchase, postings, created_at, updated_at: now, ..earlier.clone() }
            }
            None => Self {
                product_id: product_id.clone(),
                customer_id: customer_id.clone(),
                content: Some(content),
                verified_purchase,
                moderation: None,
                helpful: 0,
                reports: 0,
                report_reasons: BTreeMap::new(),
                reported_at: None,
                edition: 0,
                postings: 1,
                created_at: now,
                updated_at: now,
            },
        }
    }

    /// The review after its customer took it back: what it said is gone, and so are the votes and reports for it, and the words
    /// with which staff decided of it. Hidden it stays.
    pub fn withdrawn(&self, now: DateTime<Utc>) -> Self {
        let edition = self.edition.saturating_add(1);
        let forgotten = |decided| Moderation { reason: REASON_FORGOTTEN.to_owned(), ..decided };
        Self {
            content: None,
            verified_purchase: false,
            moderation: self.moderation.clone().map(forgotten),
            helpful: 0,
            reports: 0,
            report_reasons: BTreeMap::new(),
            reported_at: None,
            edition,
            updated_at: now,
            ..self.clone()
        }
    }

    /// The review after somebody's vote for it came, went or stayed.
    pub fn voted(&self, was: bool, is: bool) -> Self {
        let helpful = self.helpful.saturating_sub(u32::from(was)).saturating_add(u32::from(is));
        Self { helpful, ..self.clone() }
    }

    /// The review after somebody reported it, for the first time or for another reason than `was`.
    pub fn reported(&self, was: Option<ReportReason>, is: ReportReason, now: DateTime<Utc>) -> Self {
        let mut report_reasons = self.report_reasons.clone();
        if let Some(count) = was.and_then(|was| report_reasons.get_mut(&was)) {
            *count = count.saturating_sub(1);
        }
        let count = report_reasons.entry(is).or_default();
        *count = count.saturating_add(1);
        report_reasons.retain(|_, count| *count > 0);
        let reports = self.reports.saturating_add(u32::from(was.is_none()));
        Self { reports, report_reasons, reported_at: Some(now), ..self.clone() }
    }

    /// Whether staff should look at it: somebody has reported it since they last decided, if they ever did.
    pub fn awaits_decision(&self) -> bool {
        let decided_at = self.moderation.as_ref().map(|moderation| moderation.decided_at);
        self.reported_at
            .is_some_and(|reported_at| decided_at.is_none_or(|decided_at| decided_at < reported_at))
    }

    /// The review after staff decided.
    pub fn moderated(&self, status: ReviewStatus, reason: String, now: DateTime<Utc>) -> Self {
        Self { moderation: Some(Moderation { status, reason, decided_at: now }), ..self.clone() }
    }

    /// Whether everybody may see it, provided that it says something.
    pub fn status(&self) -> ReviewStatus {
        self.moderation.as_ref().map_or(ReviewStatus::Published, |moderation| moderation.status)
    }

    /// What it says if it is listed, and so counted.
    pub fn listed(&self) -> Option<&Content> {
        match self.status() {
            ReviewStatus::Published => self.content.as_ref(),
            ReviewStatus::Hidden => None,
        }
    }
}

/// Why somebody reports a review.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ReportReason {
    /// It advertises.
    Spam,
    /// It insults.
    Offensive,
    /// It is not about the product.
    OffTopic,
    /// It tells what is private of somebody.
    PersonalData,
    /// Its author does not know the product.
    Fake,
    /// Anything else.
    Other,
}

/// How many reasons there are.
pub const REPORT_REASONS: usize = 6;

/// What somebody else does with a review.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
pub enum Reaction {
    /// Finds it helpful.
    Vote,
    /// Reports it.
    Report {
        /// Why.
        reason: ReportReason,
    },
}

/// That somebody voted for a review or reported it: at most one of each per person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// Who wrote the review.
    pub customer_id: CustomerId,
    /// Who reacts.
    pub voter_id: CustomerId,
    /// To which edition of the review.
    pub edition: u32,
    /// How; absent when it was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reaction: Option<Reaction>,
    /// When.
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
}

impl Mark {
    /// What the mark says to this edition of the review.
    pub fn of_edition(&self, edition: u32) -> Option<Reaction> {
        self.reaction.filter(|_| self.edition == edition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn content(rating: u8) -> Content {
        Content { rating: Rating(rating), title: "Good".into(), text: String::new() }
    }

    fn place() -> (ProductId, CustomerId) {
        (ProductId::parse("w").unwrap(), CustomerId::parse("ada").unwrap())
    }

    fn written(earlier: Option<&Review>, rating: u8) -> Review {
        let (product_id, customer_id) = place();
        Review::written(earlier, (&product_id, &customer_id), content(rating), false, NOW)
    }

    #[test]
    fn what_is_hidden_stays_hidden_when_it_is_written_anew() {
        let hidden = written(None, 1).moderated(ReviewStatus::Hidden, "insults".into(), NOW);
        assert_eq!(hidden.listed(), None);
        let again = written(Some(&hidden.withdrawn(NOW)), 5);
        assert_eq!((again.status(), again.listed()), (ReviewStatus::Hidden, None));
        let published = again.moderated(ReviewStatus::Published, "polite now".into(), NOW);
        assert_eq!(published.listed(), Some(&content(5)));
    }

    #[test]
    fn review_that_is_taken_back_says_nothing_and_loses_its_votes() {
        let liked = Review { helpful: 3, reports: 1, verified_purchase: true, ..written(None, 4) };
        let gone = liked.withdrawn(NOW);
        assert_eq!((gone.content.is_none(), gone.helpful, gone.reports, gone.edition), (true, 0, 0, 1));
        assert!(!gone.verified_purchase);
    }

    #[test]
    fn review_awaits_a_decision_from_a_report_to_the_next_decision() {
        let later = |seconds| NOW + chrono::TimeDelta::seconds(seconds);
        let review = written(None, 3);
        assert!(!review.awaits_decision());
        let reported = review.reported(None, ReportReason::Spam, later(1));
        assert!(reported.awaits_decision());
        let decided = reported.moderated(ReviewStatus::Published, "it is true".into(), later(2));
        assert!(!decided.awaits_decision(), "what they have seen they need not see again");
        let again = decided.reported(None, ReportReason::Fake, later(3));
        assert!(again.awaits_decision(), "unless somebody else says something");
        assert!(!again.withdrawn(later(4)).awaits_decision());
    }

    #[test]
    fn reports_are_counted_by_the_last_reason_of_each_who_reports() {
        let once = written(None, 3).reported(None, ReportReason::Spam, NOW);
        let twice = once.reported(None, ReportReason::Spam, NOW);
        let other = twice.reported(Some(ReportReason::Spam), ReportReason::Fake, NOW);
        assert_eq!((once.reports, twice.reports, other.reports), (1, 2, 2));
        let reasons: Vec<_> = other.report_reasons.into_iter().collect();
        assert_eq!(reasons, [(ReportReason::Spam, 1), (ReportReason::Fake, 1)]);
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let draft = ReviewDraft { rating: 6, title: " ".into(), text: "\u{7}".into() };
        let invalid = draft.check().unwrap_err();
        let pointers: Vec<_> = invalid.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, ["/rating", "/title", "/text"]);
    }

    #[test]
    fn what_a_review_says_is_not_in_what_is_logged() {
        assert!(!format!("{:?}", written(None, 3)).contains("Good"));
    }
}
