//! `PUT /api/products/{id}/reviews/{customerId}/votes/{voterId}`: somebody finds a review helpful.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::app::App;
use crate::auth::caller::{By, Customer};
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::review::Reaction;
use crate::functions::api::REVIEWS;
use crate::functions::kind::{OWN_REVIEW, UNPROCESSABLE_REVIEW};
use crate::functions::review::{own_id, refused, review_ids};
use crate::host::{Answer, NoQuery, Operation, Problem};
use crate::store::reviews::Place;

/// Answers 204, also when they have said so before, 404, 409 to the author, or 422 for a voter who does not exist.
///
/// # Errors
/// A [`Problem`].
pub async fn vote_review(
    By(customer): By<Customer>,
    State(app): State<App>,
    Path((id, author, voter)): Path<(String, String, String)>,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let (product_id, author_id) = review_ids(&id, &author)?;
    let voter_id = own_id(&customer, "voterId", &voter)?;
    let place = Place { product_id: &product_id, customer_id: &author_id };
    let voted = app.react_to_review(place, &voter_id, Reaction::Vote).await?;
    voted.map_err(|refusal| refused(place, "voterId", refusal))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "One vote per customer, and none for one's own review. Voting again changes nothing.";
    Operation::new(REVIEWS, "Find a review helpful", description)
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .path::<CustomerId>("voterId", "Who finds it helpful.")
        .empty(StatusCode::NO_CONTENT, "The vote counts.", &[])
        .problems(&[&OWN_REVIEW, &UNPROCESSABLE_REVIEW])
}
