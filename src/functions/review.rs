//! What the functions for reviews share: the ids in a path, a review and a summary as JSON, conditions, and refusals.
//!
//! Does not know how reviews are kept.

use axum::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::reviews::Refusal;
use crate::auth::caller::{Customer, Scope};
use crate::domain::id::{CustomerId, InvalidId, NAME_CHARS_MAX, ProductId};
use crate::domain::review::summary::{Ratings, Summary};
use crate::domain::review::{
    Moderation, RATING_MAX, RATINGS, Rating, Review, ReviewStatus, TEXT_CHARS_MAX, TITLE_CHARS_MAX,
};
use crate::functions::error::{no_such, product_deleted, product_id};
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{OWN_REVIEW, UNPROCESSABLE_REVIEW};
use crate::host::{Answer, IfMatch, Problem};
use crate::store::reviews::Place;
use crate::store::{Etag, Versioned};

/// A review.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Review")]
pub struct ReviewResource<'a> {
    /// What is reviewed.
    product_id: &'a ProductId,
    /// Who reviews.
    customer_id: &'a CustomerId,
    /// How good it is found: 1 is the worst, 5 the best.
    rating: Rating,
    /// The review in a few words.
    #[schemars(length(min = 1, max = TITLE_CHARS_MAX), example = &"Does what it should")]
    title: &'a str,
    /// The review at length; may be empty.
    #[schemars(length(max = TEXT_CHARS_MAX), example = &"In use every day.")]
    text: &'a str,
    /// Whether an order of the customer with the product had shipped when this was written.
    verified_purchase: bool,
    /// How many others found it helpful.
    helpful: u32,
    /// When it was written.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    /// When its customer last changed it.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
}

impl<'a> ReviewResource<'a> {
    /// The review; `None` when it was taken back.
    pub fn new(review: &'a Review) -> Option<Self> {
        let content = review.content.as_ref()?;
        Some(Self {
            product_id: &review.product_id,
            customer_id: &review.customer_id,
            rating: content.rating,
            title: &content.title,
            text: &content.text,
            verified_purchase: review.verified_purchase,
            helpful: review.helpful,
            created_at: review.created_at,
            updated_at: review.updated_at,
        })
    }
}

/// A review as its author and staff see it, hidden or not.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "KeptReview")]
pub struct KeptReviewResource<'a> {
    #[serde(flatten)]
    review: ReviewResource<'a>,
    /// Whether everybody may see it.
    status: ReviewStatus,
    /// How many reported it.
    reports: u32,
    /// What staff decided of it; absent while nobody has.
    #[serde(skip_serializing_if = "Option::is_none")]
    moderation: Option<&'a Moderation>,
}

impl<'a> KeptReviewResource<'a> {
    /// The review; `None` when it was taken back.
    pub fn new(review: &'a Review) -> Option<Self> {
        let (status, reports, moderation) = (review.status(), review.reports, review.moderation.as_ref());
        Some(Self { review: ReviewResource::new(review)?, status, reports, moderation })
    }
}

/// How many listed reviews gave one rating.
#[derive(Debug, JsonSchema, Serialize)]
struct RatingCount(u32);

/// How many listed reviews there are, and how they rate.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "RatingFigures")]
pub struct FiguresResource {
    /// How many reviews are listed.
    count: u64,
    /// The mean of their ratings, rounded to two places; absent without reviews.
    #[schemars(range(min = 1, max = RATING_MAX))]
    #[serde(skip_serializing_if = "Option::is_none")]
    mean: Option<f64>,
    /// How many gave each rating, the worst first.
    #[schemars(length(equal = RATINGS))]
    histogram: [RatingCount; RATINGS],
}

impl From<Ratings> for FiguresResource {
    fn from(ratings: Ratings) -> Self {
        let mean = ratings.mean_hundredths().map(|mean| f64::from(mean) / 100.0);
        Self { count: ratings.count(), mean, histogram: ratings.0.map(RatingCount) }
    }
}

/// What all listed reviews of a product say together.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ReviewSummary")]
pub struct SummaryResource<'a> {
    /// What is reviewed.
    product_id: &'a ProductId,
    #[serde(flatten)]
    figures: FiguresResource,
}

impl<'a> From<&'a Summary> for SummaryResource<'a> {
    fn from(summary: &'a Summary) -> Self {
        Self { product_id: &summary.product_id, figures: summary.ratings.into() }
    }
}

/// The product and the customer in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn review_ids(product: &str, customer: &str) -> Result<(ProductId, CustomerId), Problem> {
    Ok((product_id(product)?, customer_id("customerId", customer)?))
}

/// A customer in this parameter of a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn customer_id(parameter: &'static str, text: &str) -> Result<CustomerId, Problem> {
    CustomerId::parse(text).map_err(|error: InvalidId| {
        let shown: String = text.chars().take(NAME_CHARS_MAX).collect();
        Problem::not_found(format!("There is no customer {shown:?}.")).parameter(parameter, error.to_string())
    })
}

/// The product and the customer in a path, whose review is the caller's affair.
///
/// # Errors
/// 404, as where there is no review: of others a customer learns nothing here.
pub fn owned_review_ids(
    scope: &Scope,
    product: &str,
    customer: &str,
) -> Result<(ProductId, CustomerId), Problem> {
    let (product_id, customer_id) = review_ids(product, customer)?;
    if !scope.covers(&customer_id) {
        return Err(no_review(Place { product_id: &product_id, customer_id: &customer_id }));
    }
    Ok((product_id, customer_id))
}

/// The customer in this parameter of a path, who must be the one that calls.
///
/// # Errors
/// 404: nobody speaks for somebody else.
pub fn own_id(caller: &Customer, parameter: &'static str, text: &str) -> Result<CustomerId, Problem> {
    let id = customer_id(parameter, text)?;
    if caller.is(&id) {
        return Ok(id);
    }
    Err(Problem::not_found("Nobody else can say this for them.")
        .parameter(parameter, "is not the customer who is signed in"))
}

/// 404 that names the path's `customerId`.
pub fn no_review(place: Place<'_>) -> Problem {
    Problem::not_found(format!("{} has no review of {}.", place.customer_id, place.product_id))
        .parameter("customerId", "there is no review by this customer")
}

/// The refusal to change a review; `who` is the parameter of the path with the customer who acts.
pub fn refused(place: Place<'_>, who: &'static str, refusal: Refusal) -> Problem {
    match refusal {
        Refusal::NoProduct => no_such("product", place.product_id.as_str(), None),
        Refusal::Deleted => product_deleted(),
        Refusal::NoCustomer => {
            Problem::new(&UNPROCESSABLE_REVIEW).parameter(who, "there is no customer with this id")
        }
        Refusal::NoReview => no_review(place),
        Refusal::Stale => Problem::precondition_failed(),
        Refusal::Own => Problem::new(&OWN_REVIEW).parameter(who, "is the author of the review"),
    }
}

/// Whether `If-Match` allows to change what is there; nothing has no version.
pub fn allows(wanted: &IfMatch, version: Option<&Etag>) -> bool {
    match version {
        Some(etag) => wanted.allows(etag.as_str()),
        None => *wanted == IfMatch::None,
    }
}

/// A review after a change, for its author and staff.
pub fn review_answer(
    status: StatusCode,
    place: Place<'_>,
    review: &Versioned<Review>,
) -> Result<Answer, Problem> {
    let resource = KeptReviewResource::new(&review.value).ok_or_else(|| no_review(place))?;
    let answer = Answer::json(status, &resource);
    Ok(with_keep(answer, Keep::Private).header(header::ETAG, review.etag.as_str()))
}

/// The path of a review.
pub fn review_path(place: Place<'_>) -> String {
    format!("/api/products/{}/reviews/{}", place.product_id, place.customer_id)
}
