//! `DELETE /api/products/{id}/reviews/{customerId}/votes/{voterId}`: somebody no longer finds a review helpful.

use axum::extract::{Path, State};
use axum::http::StatusCode;

use crate::app::App;
use crate::auth::caller::{By, Customer};
use crate::domain::id::{CustomerId, ProductId};
use crate::functions::api::REVIEWS;
use crate::functions::review::{own_id, refused, review_ids};
use crate::host::{Answer, NoQuery, Operation, Problem};
use crate::store::reviews::Place;

/// Answers 204, also when there is no vote, or 404 when there is no review.
///
/// # Errors
/// A [`Problem`].
pub async fn unvote_review(
    By(customer): By<Customer>,
    State(app): State<App>,
    Path((id, author, voter)): Path<(String, String, String)>,
    _: NoQuery,
) -> Result<Answer, Problem> {
    let (product_id, author_id) = review_ids(&id, &author)?;
    let voter_id = own_id(&customer, "voterId", &voter)?;
    let place = Place { product_id: &product_id, customer_id: &author_id };
    let unvoted = app.take_vote_back(place, &voter_id).await?;
    unvoted.map_err(|refusal| refused(place, "voterId", refusal))?;
    Ok(Answer::empty(StatusCode::NO_CONTENT))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(REVIEWS, "Take a vote back", "Without a vote nothing changes.")
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .path::<CustomerId>("voterId", "Who found it helpful.")
        .empty(StatusCode::NO_CONTENT, "There is no vote.", &[])
}
