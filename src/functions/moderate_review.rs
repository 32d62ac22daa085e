//! `PUT /api/products/{id}/reviews/{customerId}/moderation`: staff hide a review, or publish it again.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::draft::{LINE_PATTERN, check_text};
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::review::{REASON_CHARS_MAX, ReviewStatus};
use crate::functions::api::REVIEWS;
use crate::functions::error::invalid_body;
use crate::functions::example;
use crate::functions::review::{KeptReviewResource, allows, refused, review_answer, review_ids};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, if_match, parse};
use crate::store::reviews::Place;

/// What staff decide.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ModerationDraft")]
struct Body {
    /// Whether everybody may see the review.
    status: ReviewStatus,
    /// Why; its author reads it, too.
    #[schemars(length(min = 1, max = REASON_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"names a person")]
    reason: String,
}

/// Answers 200 with the review, 404 or 412.
///
/// # Errors
/// A [`Problem`].
pub async fn moderate_review(
    _: By<Staff>,
    State(app): State<App>,
    Path((id, customer)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (product_id, customer_id) = review_ids(&id, &customer)?;
    let place = Place { product_id: &product_id, customer_id: &customer_id };
    let wanted = if_match(&headers)?;
    let Body { status, reason } = parse(&headers, &body)?;
    let mut invalid = Vec::new();
    check_text(&mut invalid, "/reason", Some(&reason), REASON_CHARS_MAX);
    if !invalid.is_empty() {
        return Err(invalid_body(invalid));
    }
    let allows = |version: Option<&_>| allows(&wanted, version);
    let moderated = app.moderate_review(place, &allows, (status, &reason)).await?;
    let review = moderated.map_err(|refusal| refused(place, "customerId", refusal))?;
    review_answer(StatusCode::OK, place, &review)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "A hidden review leaves lists and summary, and stays hidden when its author writes it anew; published, it comes \
                       back.";
    Operation::new(REVIEWS, "Moderate a review", description)
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .if_match()
        .body::<Body>(json!({"status": "hidden", "reason": "names a person"}))
        .answers::<KeptReviewResource<'_>>(
            StatusCode::OK,
            "The review, as decided.",
            &[Header::Etag],
            example::moderated_review(),
        )
}
