//! `GET /api/category-tree`: all categories, each with those below it.

use axum::extract::State;
use axum::http::HeaderMap;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::domain::collection::{COLLECTIONS_MAX, CollectionKind, DEPTH_MAX, NAME_CHARS_MAX, Tree};
use crate::domain::id::CollectionId;
use crate::functions::api::COLLECTIONS;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::host::{Answer, NoQuery, Operation, Problem};

/// A category with those below it.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CategoryBranch")]
struct Branch<'a> {
    /// Its id.
    id: &'a CollectionId,
    /// What it is called.
    #[schemars(length(max = NAME_CHARS_MAX), example = &"Desk lamps")]
    name: &'a str,
    /// The categories directly below it.
    #[schemars(length(max = COLLECTIONS_MAX))]
    children: Vec<Branch<'a>>,
}

/// All categories.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "CategoryTree")]
struct Forest<'a> {
    /// Those at the top.
    #[schemars(length(max = COLLECTIONS_MAX))]
    items: Vec<Branch<'a>>,
}

/// Answers 200 or 304. One query.
///
/// # Errors
/// A [`Problem`].
pub async fn get_category_tree(
    _: By<Anyone>,
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let tree = app.store.collections.tree().await?;
    read(&headers, &Forest { items: branches(&tree, None, DEPTH_MAX) }, Keep::Public, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(COLLECTIONS, "Read the tree of categories", "All of it: eight levels deep at most.")
        .reads::<Forest<'_>>("The tree.", example::category_tree())
}

/// The categories below this one, or those at the top, as deep as the tree may be.
fn branches<'a>(tree: &'a Tree, above: Option<&CollectionId>, levels: usize) -> Vec<Branch<'a>> {
    if levels == 0 {
        return Vec::new();
    }
    let is_here = |parent: Option<&CollectionId>| parent == above;
    let here =
        tree.all().filter(|one| one.kind == CollectionKind::Category && is_here(one.parent_id.as_ref()));
    let branch = |one: &'a crate::domain::collection::Collection| Branch {
        id: &one.id,
        name: &one.name,
        children: branches(tree, Some(&one.id), levels - 1),
    };
    here.map(branch).collect()
}
