//! `GET /api/collections/{id}`: one category or collection.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::id::CollectionId;
use crate::functions::api::COLLECTIONS;
use crate::functions::error::{collection_id, no_such};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::resource::CollectionResource;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_collection(
    _: By<Anyone>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = app.store.collections.read(&collection_id(&id)?).await?;
    let found = found.ok_or_else(|| no_such("category or collection", &id, None))?;
    read(&headers, &CollectionResource::from(&found.value), Keep::Public, Some(found.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(
        COLLECTIONS,
        "Read a category or collection",
        "Its products are a list: `/api/products?category=` or `?collection=`.",
    )
    .path::<CollectionId>("id", "The category or collection.")
    .reads::<CollectionResource<'_>>("The category or collection.", example::collection())
}
