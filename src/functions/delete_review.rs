//! `DELETE /api/products/{id}/reviews/{customerId}`: the customer takes the review back, and it leaves lists and summary.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::id::{CustomerId, ProductId};
use crate::functions::api::REVIEWS;
use crate::functions::review::{allows, owned_review_ids, refused};
use crate::host::{Answer, NoQuery, Operation, Problem, if_match};
use crate::store::reviews::Place;

/// Answers 204, also when it was taken back before, 404 when there never was one, or 412.
///
/// # Errors
/// A [`Problem`].
pub async fn delete_review(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path((id, customer)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (product_id, customer_id) = owned_review_ids(&scope, &id, &customer)?;
    let place = Place { product_id: &product_id, customer_id: &customer_id };
    let wanted = if_match(&headers)?;
    let withdrawn = app.withdraw_review(place, &|version| allows(&wanted, version)).await?;
    withdrawn.map_err(|refusal| refused(place, "customerId", refusal))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "What it said is gone, with the votes and reports for it. It can be written anew. Deleting it again changes \
                       nothing.";
    Operation::new(REVIEWS, "Take a review back", description)
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .if_match()
        .empty(StatusCode::NO_CONTENT, "The review is gone.", &[])
}
