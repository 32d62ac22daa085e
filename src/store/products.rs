//! The container `products`: the catalogue. Documents: one product each.

use std::sync::Arc;

use futures::future::try_join_all;

use crate::domain::id::ProductId;
use crate::domain::product::Product;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::{Error, Versioned, Written};

/// The catalogue.
#[derive(Clone, Debug)]
pub struct Products {
    cosmos: Arc<Cosmos>,
}

impl Products {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// The product; `None` when there is none. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read(&self, id: &ProductId) -> Result<Option<Versioned<Product>>, Error> {
        self.cosmos.read(Container::Products, id.as_str(), id.as_str()).await
    }

    /// Those of the products that exist, read at once, and looked for where they are newest before they are called missing.
    /// One request each, or two.
    ///
    /// # Errors
    /// [`Error`] when one of them could not be read.
    pub async fn read_all(&self, ids: impl Iterator<Item = &ProductId>) -> Result<Vec<Product>, Error> {
        let find = |id: &ProductId| {
            let id = id.clone();
            async move { self.cosmos.find(Container::Products, id.as_str(), id.as_str()).await }
        };
        let found: Vec<Option<Versioned<Product>>> = try_join_all(ids.map(find)).await?;
        Ok(found.into_iter().flatten().map(|product| product.value).collect())
    }

    /// The products after this id, in the order of their ids. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn page(&self, after: Option<&ProductId>, count_max: usize) -> Result<Vec<Product>, Error> {
        let after = after.map_or("", ProductId::as_str);
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.type = 'product' AND c.id > @after ORDER BY c.id"
        );
        self.cosmos.query(Container::Products, None, (&text, &[("@after", after)]), count_max).await
    }

    /// Adds the product; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, product: &Product) -> Result<Written<()>, Error> {
        let id = product.id.as_str();
        let document = Document::new(Container::Products, "product", (id, id), None, product)?;
        self.cosmos.create(Container::Products, id, document).await
    }

    /// The cheapest question: a read of an id that no product has. One request, 1 RU.
    ///
    /// # Errors
    /// [`Error`] when the store does not answer.
    pub(super) async fn contains_nothing_called_ping(&self) -> Result<(), Error> {
        const NO_PRODUCT: &str = "_ping";
        self.cosmos.read::<Product>(Container::Products, NO_PRODUCT, NO_PRODUCT).await.map(|_| ())
    }
}
