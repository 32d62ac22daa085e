//! `GET /api/collections/{id}`: one category or collection.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::functions::error::{collection_id, no_such};
use crate::functions::resource::{CollectionResource, Keep, read};
use crate::host::{Answer, NoQuery, Problem};

/// Answers 200, 304 or 404.
///
/// # Errors
/// A [`Problem`].
pub async fn get_collection(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = app.store.collections.read(&collection_id(&id)?).await?;
    let found = found.ok_or_else(|| no_such("category or collection", &id, None))?;
    read(&headers, &CollectionResource::from(&found.value), Keep::Public, Some(found.etag.as_str()))
}
