//! `GET /api/reported-reviews`: what was reported, across products, by page, for staff to decide of.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::review::{REPORT_REASONS, ReportReason, Review};
use crate::functions::api::{REVIEWS, paged};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Page, PageRequest, invalid};
use crate::functions::review::KeptReviewResource;
use crate::host::{Answer, Operation, Problem};
use crate::store::reviews::reported::{Cursor, Reported};

const PATH: &str = "/api/reported-reviews";

/// A review that was reported.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReportedReview")]
struct Resource<'a> {
    #[serde(flatten)]
    review: KeptReviewResource<'a>,
    /// Why, and how many say so.
    #[schemars(length(max = REPORT_REASONS))]
    reasons: Vec<ReasonCount>,
    /// When it was last reported.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time::option")]
    reported_at: Option<DateTime<Utc>>,
}

/// How many report a review for one reason.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
struct ReasonCount {
    /// The reason.
    reason: ReportReason,
    /// How many.
    count: u32,
}

impl<'a> Resource<'a> {
    fn new(review: &'a Review) -> Option<Self> {
        let reasons = review.report_reasons.iter();
        Some(Self {
            review: KeptReviewResource::new(review)?,
            reasons: reasons.map(|(reason, count)| ReasonCount { reason: *reason, count: *count }).collect(),
            reported_at: review.reported_at,
        })
    }
}

/// Answers 200 or 304. One query.
///
/// # Errors
/// A [`Problem`]; 400 lists what the query may hold.
pub async fn list_reported_reviews(
    _: By<Staff>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (request, filters) = PageRequest::<Cursor>::parse_with(query.as_deref(), &["decided"])?;
    let decided = filters.get("decided", "true or false", |text| text.parse().ok())?;
    let reported = if decided == Some(true) { Reported::Decided } else { Reported::Waiting };
    let after = request.cursor.as_ref();
    if after.is_some_and(|after| after.reported != reported) {
        return Err(invalid("cursor", "must come from a nextLink of a list with the same filter"));
    }
    let reviews = app.store.reviews.reported(reported, after, request.read_max()).await?;
    let Page { items, next_link } = request.page(PATH, &filters, reviews, |review| reported.cursor(review));
    let items: Vec<_> = items.iter().filter_map(Resource::new).collect();
    read(&headers, &Page { items, next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Of all products, those with most reports first, and of these the one that was last reported. What staff have \
                       decided leaves the list, and comes back when somebody else reports it.";
    let decided = json!({"type": "boolean", "default": false});
    let operation = Operation::new(REVIEWS, "List reported reviews", description)
        .query_as("decided", "`true`: those of which staff have decided instead.", decided)
        .reads::<Page<Resource<'_>>>("One page.", example::page(example::reported_review()));
    paged(operation)
}
