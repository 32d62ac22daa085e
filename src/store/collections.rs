//! The container `collections`: categories and collections. Documents: one each, under its id.

use std::sync::Arc;

use crate::domain::collection::{COLLECTIONS_MAX, Collection, Tree};
use crate::domain::id::CollectionId;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Etag, Versioned, Written};

/// Categories and collections.
#[derive(Clone, Debug)]
pub struct Collections {
    cosmos: Arc<Cosmos>,
}

impl Collections {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The category or collection; `None` when there is none. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read(&self, id: &CollectionId) -> Result<Option<Versioned<Collection>>, Error> {
        self.cosmos.read(Container::Collections, id.as_str(), id.as_str()).await
    }

    /// The same, looked for where it is newest before it is called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, id: &CollectionId) -> Result<Option<Versioned<Collection>>, Error> {
        self.cosmos.find(Container::Collections, id.as_str(), id.as_str()).await
    }

    /// The same where it is newest. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn newest(&self, id: &CollectionId) -> Result<Option<Versioned<Collection>>, Error> {
        self.cosmos.read_newest(Container::Collections, id.as_str(), id.as_str()).await
    }

    /// All of them. There are at most [`COLLECTIONS_MAX`], and a few more where several were added at one moment. One query
    /// across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn tree(&self) -> Result<Tree, Error> {
        let text = "SELECT * FROM c WHERE c.type = 'collection'";
        let found: Vec<Collection> =
            self.cosmos.query(Container::Collections, None, (text, &[]), 2 * COLLECTIONS_MAX).await?;
        Ok(Tree::new(found))
    }

    /// Adds it; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, collection: &Collection) -> Result<Written<Collection>, Error> {
        let id = collection.id.as_str();
        let written = self.cosmos.create(Container::Collections, id, document(collection)?).await?;
        Ok(written.map(|()| collection.clone()))
    }

    /// Replaces it if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn replace(&self, seen: &Etag, collection: &Collection) -> Result<Written<Collection>, Error> {
        let id = collection.id.as_str();
        let written =
            self.cosmos.replace(Container::Collections, (id, id), document(collection)?, seen).await?;
        Ok(written.map(|()| collection.clone()))
    }
}

fn document(collection: &Collection) -> Result<Document, Error> {
    let id = collection.id.as_str();
    Document::new(Container::Collections, "collection", (id, id), None, collection)
}
