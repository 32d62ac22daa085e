//! What products are grouped by: categories, which form a tree, and collections, which do not.
//!
//! Products refer to both by id, so that a new name costs one write. Does not know which products belong to it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::creation::Creation;
use crate::domain::draft::{Invalid, LINE_PATTERN, PROSE_PATTERN, check_prose, check_text};
use crate::domain::id::CollectionId;

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 100;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 2000;
/// Most levels of the tree of categories.
pub const DEPTH_MAX: usize = 8;
/// Most categories and collections together: they are read whole where the tree is needed.
pub const COLLECTIONS_MAX: usize = 1000;

/// A category or a collection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Collection {
    /// Its id, readable and unchangeable.
    pub id: CollectionId,
    /// Which of the two it is. Unchangeable.
    pub kind: CollectionKind,
    /// What it is called.
    pub name: String,
    /// What belongs to it, in a few sentences.
    pub description: String,
    /// The category above it; none for a collection and for a category at the top.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<CollectionId>,
    /// When it was created.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
    /// The request that created it, if that had an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
}

/// Which kind of group it is.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum CollectionKind {
    /// A place in the tree: what a product is.
    Category,
    /// A selection: why it is shown.
    Collection,
}

impl CollectionKind {
    /// The kind with this word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Category, Self::Collection].into_iter().find(|kind| kind.as_str() == text)
    }

    /// The word for it in documents, answers and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Category => "category",
            Self::Collection => "collection",
        }
    }
}

/// A category or collection as somebody asks for it.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct CollectionDraft {
    /// Its id, readable and unchangeable.
    #[schemars(with = "CollectionId")]
    pub id: String,
    /// Which of the two it is. Unchangeable.
    pub kind: CollectionKind,
    /// What it is called.
    #[schemars(length(min = 1, max = NAME_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"Desk lamps")]
    pub name: String,
    /// What belongs to it, in a few sentences.
    #[serde(default)]
    #[schemars(length(max = DESCRIPTION_CHARS_MAX), regex(pattern = PROSE_PATTERN), example = &"Lamps that stand on a desk.")]
    pub description: String,
    /// The category above it; none for a collection and for a category at the top.
    #[serde(default)]
    #[schemars(with = "Option<CollectionId>")]
    pub parent_id: Option<String>,
}

impl CollectionDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self, now: DateTime<Utc>) -> Result<Collection, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let id = CollectionId::parse(&self.id)
            .map_err(|error| invalid.push(Invalid::new("/id", error.to_string())));
        check_text(&mut invalid, "/name", Some(&self.name), NAME_CHARS_MAX);
        check_prose(&mut invalid, "/description", &self.description, DESCRIPTION_CHARS_MAX);
        let parent_id = self.parent_id.as_deref().map(CollectionId::parse).transpose();
        let parent_id = parent_id.map_err(|error| invalid.push(Invalid::new("/parentId", error.to_string())));
        if self.kind == CollectionKind::Collection && self.parent_id.is_some() {
            invalid.push(Invalid::sense("/parentId", "only a category has a parent"));
        }
        match (id, parent_id, invalid.is_empty()) {
            (Ok(id), Ok(parent_id), true) => Ok(Collection {
                id,
                kind: self.kind,
                name: self.name,
                description: self.description,
                parent_id,
                created_at: now,
                updated_at: now,
                creation: None,
            }),
            _ => Err(invalid),
        }
    }
}

impl Collection {
    /// Whether it is the same, apart from its times and from who asked for it.
    pub fn is_as_asked(&self, other: &Self) -> bool {
        let Self { created_at, updated_at, creation, .. } = other.clone();
        Self { created_at, updated_at, creation, ..self.clone() } == *other
    }
}

/// Why a category cannot be where it is asked to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Misplaced {
    /// The parent does not exist or is not a category.
    #[error("must be the id of a category")]
    NoSuchParent,
    /// The parent lies below it.
    #[error("must not be the category itself or one below it")]
    Cycle,
    /// The tree would be too deep.
    #[error("would make the tree deeper than 8 levels")]
    TooDeep,
}

/// All categories and collections, as they were read together.
#[derive(Debug, Clone, Default)]
pub struct Tree(BTreeMap<CollectionId, Collection>);

impl Tree {
    /// The tree of these.
    pub fn new(collections: impl IntoIterator<Item = Collection>) -> Self {
        Self(collections.into_iter().map(|collection| (collection.id.clone(), collection)).collect())
    }

    /// The category or collection.
    pub fn get(&self, id: &CollectionId) -> Option<&Collection> {
        self.0.get(id)
    }

    /// All, by id.
    pub fn all(&self) -> impl Iterator<Item = &Collection> {
        self.0.values()
    }

    /// Whether a category may hang under this parent.
    ///
    /// # Errors
    /// [`Misplaced`].
    pub fn check_parent(&self, id: &CollectionId, parent_id: &CollectionId) -> Result<(), Misplaced> {
        let is_category = |id| self.get(id).is_some_and(|found| found.kind == CollectionKind::Category);
        if !is_category(parent_id) {
            return Err(Misplaced::NoSuchParent);
        }
        let (mut above, mut at) = (1, Some(parent_id));
        while let Some(ancestor) = at {
            if ancestor == id || above > COLLECTIONS_MAX {
                return Err(Misplaced::Cycle);
            }
            above += 1;
            at = self.get(ancestor).and_then(|found| found.parent_id.as_ref());
        }
        match above - 1 + self.height(id, DEPTH_MAX) > DEPTH_MAX {
            true => Err(Misplaced::TooDeep),
            false => Ok(()),
        }
    }

    /// Levels from this one down, itself included, as far as `most` matters.
    fn height(&self, id: &CollectionId, most: usize) -> usize {
        if most == 0 {
            return 1;
        }
        let below = self.children(id).map(|child| self.height(&child.id, most - 1)).max();
        1 + below.unwrap_or(0)
    }

    /// The categories directly below this one.
    pub fn children(&self, id: &CollectionId) -> impl Iterator<Item = &Collection> {
        self.0.values().filter(move |collection| collection.parent_id.as_ref() == Some(id))
    }

    /// The category and all below it.
    pub fn with_descendants(&self, id: &CollectionId) -> Vec<CollectionId> {
        let mut found = vec![id.clone()];
        let mut next = 0;
        // A cycle, which only a hand could have made, ends here too: nothing is listed twice.
        while let Some(at) = found.get(next).cloned() {
            for child in self.children(&at) {
                if !found.contains(&child.id) {
                    found.push(child.id.clone());
                }
            }
            next += 1;
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn category(id: &str, parent: Option<&str>) -> Collection {
        let draft = CollectionDraft {
            id: id.into(),
            kind: CollectionKind::Category,
            name: id.into(),
            description: String::new(),
            parent_id: parent.map(str::to_owned),
        };
        draft.check(DateTime::UNIX_EPOCH).unwrap()
    }

    fn id(text: &str) -> CollectionId {
        CollectionId::parse(text).unwrap()
    }

    fn tree() -> Tree {
        Tree::new([
            category("a", None),
            category("b", Some("a")),
            category("c", Some("b")),
            category("d", None),
        ])
    }

    #[test]
    fn category_brings_those_below_it() {
        assert_eq!(tree().with_descendants(&id("a")), [id("a"), id("b"), id("c")]);
        assert_eq!(tree().with_descendants(&id("d")), [id("d")]);
    }

    #[test]
    fn category_cannot_hang_below_itself() {
        assert_eq!(tree().check_parent(&id("a"), &id("c")), Err(Misplaced::Cycle));
        assert_eq!(tree().check_parent(&id("a"), &id("a")), Err(Misplaced::Cycle));
        assert_eq!(tree().check_parent(&id("a"), &id("d")), Ok(()));
        assert_eq!(tree().check_parent(&id("a"), &id("x")), Err(Misplaced::NoSuchParent));
    }

    #[test]
    fn tree_has_eight_levels_at_most() {
        let level = |level: usize| format!("l{level}");
        let chain = |levels: usize| {
            Tree::new((0..levels).map(|at| category(&level(at), at.checked_sub(1).map(level).as_deref())))
        };
        assert_eq!(chain(7).check_parent(&id("new"), &id("l6")), Ok(()));
        assert_eq!(chain(8).check_parent(&id("new"), &id("l7")), Err(Misplaced::TooDeep));
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let draft = CollectionDraft {
            id: "A".into(),
            kind: CollectionKind::Collection,
            name: " ".into(),
            description: "x".repeat(DESCRIPTION_CHARS_MAX + 1),
            parent_id: Some("a".into()),
        };
        let invalid = draft.check(DateTime::UNIX_EPOCH).unwrap_err();
        let pointers: Vec<_> = invalid.iter().map(|one| one.pointer.as_str()).collect();
        assert_eq!(pointers, ["/id", "/name", "/description", "/parentId"]);
    }
}
