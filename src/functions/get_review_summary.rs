//! `GET /api/products/{id}/review-summary`: how many customers gave which rating, and the mean.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::ProductId;
use crate::domain::review::summary::Summary;
use crate::functions::api::REVIEWS;
use crate::functions::error::{no_such, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::review::SummaryResource;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304, or 404 for a product that does not exist. One request.
///
/// # Errors
/// A [`Problem`].
pub async fn get_review_summary(
    _: By<Anyone>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let summary = match app.store.reviews.summary(&product_id).await? {
        Some(summary) => summary,
        None if app.has_product(&product_id).await? => Summary::empty(&product_id),
        None => return Err(no_such("product", &id, None)),
    };
    read(&headers, &SummaryResource::from(&summary), Keep::Public, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Changes in the same moment as the reviews, so it always says what they say. Hidden ones are left out.";
    Operation::new(REVIEWS, "Read the summary of a product's reviews", description)
        .path::<ProductId>("id", "The product.")
        .reads::<SummaryResource<'_>>("The summary.", example::review_summary())
}
