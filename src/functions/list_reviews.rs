//! `GET /api/products/{id}/reviews`: what customers say of a product, by page, the newest or the most helpful first.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::ProductId;
use crate::domain::review::{RATING_MAX, Rating};
use crate::functions::api::{REVIEWS, paged};
use crate::functions::error::{no_such, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Page, PageRequest, invalid};
use crate::functions::resource::product_path;
use crate::functions::review::ReviewResource;
use crate::host::{Answer, Operation, Problem};
use crate::store::reviews::{Cursor, Sort};

/// Answers 200, 304, or 404 for a product that does not exist. One query.
///
/// # Errors
/// A [`Problem`]; 400 lists what the query may hold.
pub async fn list_reviews(
    _: By<Anyone>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let (request, filters) = PageRequest::<Cursor>::parse_with(query.as_deref(), &["sort", "rating"])?;
    let sort = filters.get("sort", "newest or helpful", Sort::parse)?.unwrap_or_default();
    let rating = |text: &str| text.parse().ok().and_then(Rating::new);
    let rating = filters.get("rating", "a whole number from 1 to 5", rating)?;
    let after = request.cursor.as_ref();
    if after.is_some_and(|after| after.sort != sort) {
        return Err(invalid("cursor", "must come from a nextLink of a list with the same sort"));
    }
    let reviews = app.store.reviews.list(&product_id, (sort, rating), after, request.read_max()).await?;
    if reviews.is_empty() && !app.has_product(&product_id).await? {
        return Err(no_such("product", &id, None));
    }
    let path = format!("{}/reviews", product_path(&product_id));
    let Page { items, next_link } = request.page(&path, &filters, reviews, |review| sort.cursor(review));
    let items: Vec<_> = items.iter().filter_map(ReviewResource::new).collect();
    read(&headers, &Page { items, next_link }, Keep::Public, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Without those that staff have hidden. A vote moves a review in the list of the most helpful, so that it may be \
                       seen twice, or not, by somebody who is turning the pages.";
    let sorts = json!({"type": "string", "enum": ["newest", "helpful"], "default": "newest"});
    let ratings = json!({"type": "integer", "minimum": 1, "maximum": RATING_MAX});
    let operation = Operation::new(REVIEWS, "List a product's reviews", description)
        .path::<ProductId>("id", "The product.")
        .query_as("sort", "The newest first, or those that most find helpful.", sorts)
        .query_as("rating", "Only reviews with this rating.", ratings)
        .reads::<Page<ReviewResource<'_>>>("One page.", example::page(example::review()));
    paged(operation)
}
