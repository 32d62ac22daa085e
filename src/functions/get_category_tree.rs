//! `GET /api/category-tree`: all categories, each with those below it.

use axum::extract::State;
use axum::http::HeaderMap;
use serde::Serialize;

use crate::app::App;
use crate::domain::collection::{CollectionKind, DEPTH_MAX, Tree};
use crate::domain::id::CollectionId;
use crate::functions::resource::{Keep, read};
use crate::host::{Answer, NoQuery, Problem};

#[derive(Serialize)]
struct Branch<'a> {
    id: &'a CollectionId,
    name: &'a str,
    children: Vec<Branch<'a>>,
}

#[derive(Serialize)]
struct Forest<'a> {
    items: Vec<Branch<'a>>,
}

/// Answers 200 or 304. One query.
///
/// # Errors
/// A [`Problem`].
pub async fn get_category_tree(
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let tree = app.store.collections.tree().await?;
    read(&headers, &Forest { items: branches(&tree, None, DEPTH_MAX) }, Keep::Public, None)
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
