//! `GET /api/collections`: categories and collections by page, in the order of their ids.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::collection::CollectionKind;
use crate::domain::id::CollectionId;
use crate::functions::api::{COLLECTIONS, paged};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Page, PageRequest};
use crate::functions::resource::CollectionResource;
use crate::host::{Answer, Operation, Problem};

const PATH: &str = "/api/collections";

/// Answers 200 or 304; with `kind` only categories or only collections, with `parent` only those directly below that
/// category. One query.
///
/// # Errors
/// A [`Problem`].
pub async fn list_collections(
    _: By<Anyone>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let (request, filters) = PageRequest::<CollectionId>::parse_with(query.as_deref(), &["kind", "parent"])?;
    let kind = filters.get("kind", "category or collection", CollectionKind::parse)?;
    let parent = filters.get("parent", "the id of a category", |text| CollectionId::parse(text).ok())?;
    let tree = app.store.collections.tree().await?;
    let items: Vec<_> = tree
        .all()
        .filter(|one| kind.is_none_or(|kind| one.kind == kind))
        .filter(|one| parent.as_ref().is_none_or(|parent| one.parent_id.as_ref() == Some(parent)))
        .filter(|one| request.cursor.as_ref().is_none_or(|after| one.id > *after))
        .take(request.read_max())
        .collect();
    let Page { items, next_link } = request.page(PATH, &filters, items, |one| one.id.clone());
    let items: Vec<_> = items.into_iter().map(CollectionResource::from).collect();
    read(&headers, &Page { items, next_link }, Keep::Public, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let operation =
        Operation::new(COLLECTIONS, "List categories and collections", "In the order of their ids, by page.")
            .query::<CollectionKind>("kind", "Only categories, or only collections.")
            .query::<CollectionId>("parent", "Only those directly below this category.")
            .reads::<Page<CollectionResource<'_>>>("One page.", example::page(example::collection()));
    paged(operation)
}
