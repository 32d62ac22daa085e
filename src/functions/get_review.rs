//! `GET /api/products/{id}/reviews/{customerId}`: one review, also a hidden one, for its author and staff. Its `ETag` goes
//! into `If-Match` of what changes it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::id::{CustomerId, ProductId};
use crate::functions::api::REVIEWS;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::review::{KeptReviewResource, no_review, owned_review_ids};
use crate::host::{Answer, NoQuery, Operation, Problem};
use crate::store::reviews::Place;

/// Answers 200, 304 or 404. One request, two when there is none.
///
/// # Errors
/// A [`Problem`].
pub async fn get_review(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path((id, customer)): Path<(String, String)>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (product_id, customer_id) = owned_review_ids(&scope, &id, &customer)?;
    let place = Place { product_id: &product_id, customer_id: &customer_id };
    let review = app.store.reviews.find(place).await?.ok_or_else(|| no_review(place))?;
    let resource = KeptReviewResource::new(&review.value).ok_or_else(|| no_review(place))?;
    read(&headers, &resource, Keep::Private, Some(review.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Also a hidden one: for its author and staff. Everybody else reads the list. The `ETag` is for `If-Match`.";
    Operation::new(REVIEWS, "Read a review", description)
        .path::<ProductId>("id", "The product.")
        .path::<CustomerId>("customerId", "The author.")
        .reads::<KeptReviewResource<'_>>("The review.", example::kept_review())
}
