//! `PUT /api/products/{id}/reviews/{customerId}`: a customer's review of a product, for the first time or anew.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::auth::caller::{By, Customer};
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::review::ReviewDraft;
use crate::functions::api::REVIEWS;
use crate::functions::error::invalid_body;
use crate::functions::example;
use crate::functions::kind::{PRODUCT_DELETED, UNPROCESSABLE_REVIEW};
use crate::functions::review::{
    KeptReviewResource, allows, own_id, refused, review_answer, review_ids, review_path,
};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, if_match, parse};
use crate::store::reviews::Place;

/// Answers 201 with the review, 200 when it replaces one, 404, 409 when the product is deleted, 412, or 422 for a customer
/// who does not exist.
///
/// # Errors
/// A [`Problem`].
pub async fn write_review(
    By(customer): By<Customer>,
    State(app): State<App>,
    Path((id, author)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let (product_id, _) = review_ids(&id, &author)?;
    let customer_id = own_id(&customer, "customerId", &author)?;
    let place = Place { product_id: &product_id, customer_id: &customer_id };
    let wanted = if_match(&headers)?;
    let draft: ReviewDraft = parse(&headers, &body)?;
    let content = draft.check().map_err(invalid_body)?;
    let posted = app.write_review(place, &|version| allows(&wanted, version), &content).await?;
    let posted = posted.map_err(|refusal| refused(place, "customerId", refusal))?;
    match posted.is_new {
        true => Ok(review_answer(StatusCode::CREATED, place, &posted.review)?
            .header(header::LOCATION, review_path(place))),
        false => review_answer(StatusCode::OK, place, &posted.review),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "One per customer and product; written again it replaces what was there, and keeps its votes. Whether the \
                       author has bought the product is decided now, from the orders that have shipped.";
    Operation::new(REVIEWS, "Write a review", description)
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .if_match()
        .body::<ReviewDraft>(example::review_draft())
        .answers::<KeptReviewResource<'_>>(
            StatusCode::CREATED,
            "The review is there.",
            &[Header::Etag, Header::Location],
            example::kept_review(),
        )
        .answers::<KeptReviewResource<'_>>(
            StatusCode::OK,
            "The review is changed, or was like that.",
            &[Header::Etag],
            example::kept_review(),
        )
        .problems(&[&PRODUCT_DELETED, &UNPROCESSABLE_REVIEW])
}
