//! `PUT /api/products/{id}/reviews/{customerId}/reports/{reporterId}`: somebody tells staff of a review.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{By, Customer};
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::review::{Reaction, ReportReason};
use crate::functions::api::REVIEWS;
use crate::functions::kind::{OWN_REVIEW, UNPROCESSABLE_REVIEW};
use crate::functions::review::{own_id, refused, review_ids};
use crate::host::{Answer, NoQuery, Operation, Problem, parse};
use crate::store::reviews::Place;

/// What is wrong with a review.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "Report")]
struct Body {
    /// Why staff should look at it.
    reason: ReportReason,
}

/// Answers 204, also when they have said so before, 404, 409 to the author, or 422 for a reporter who does not exist.
///
/// # Errors
/// A [`Problem`].
pub async fn report_review(
    By(customer): By<Customer>,
    State(app): State<App>,
    Path((id, author, reporter)): Path<(String, String, String)>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (product_id, author_id) = review_ids(&id, &author)?;
    let reporter_id = own_id(&customer, "reporterId", &reporter)?;
    let place = Place { product_id: &product_id, customer_id: &author_id };
    let Body { reason } = parse(&headers, &body)?;
    let reported = app.react_to_review(place, &reporter_id, Reaction::Report { reason }).await?;
    reported.map_err(|refusal| refused(place, "reporterId", refusal))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description =
        "One report per customer; reporting again only changes the reason. Staff decide what follows.";
    Operation::new(REVIEWS, "Report a review", description)
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .path::<CustomerId>("reporterId", "Who reports it.")
        .body::<Body>(json!({"reason": "offTopic"}))
        .empty(StatusCode::NO_CONTENT, "The report counts.", &[])
        .problems(&[&OWN_REVIEW, &UNPROCESSABLE_REVIEW])
}
