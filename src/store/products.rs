//! The container `products`: the catalogue. Documents: one product each, under its id, with what lists sort by.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use futures::future::try_join_all;
use serde::Serialize;

use crate::domain::id::{CollectionId, ProductId};
use crate::domain::listing::{Cursor, Key, Listing, Sort};
use crate::domain::product::Product;
use crate::host::context;
use crate::store::containers::Container;
use crate::store::cosmos::{Cosmos, Document};
use crate::store::recent::{Known, Recent};
use crate::store::{Error, Etag, Versioned, Written};

/// How long a product that was read may be shown without asking whether it changed.
pub const RECENT_LIFETIME: TimeDelta = TimeDelta::seconds(5);
/// Products that are kept.
const RECENT_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// The catalogue.
#[derive(Clone, Debug)]
pub struct Products {
    cosmos: Arc<Cosmos>,
    recent: Arc<Recent<ProductId, Arc<Product>>>,
}

/// A product as it is stored: with the name in small letters, so that lists can sort by it and search in it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    #[serde(flatten)]
    product: &'a Product,
    sort_name: String,
    is_deleted: bool,
    /// In which it was last changed: a product announces itself, see [`crate::store::announced`].
    #[serde(skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
}

impl Products {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos, recent: Arc::new(Recent::new(RECENT_MAX, RECENT_LIFETIME)) }
    }

    /// The same catalogue, showing what was read for another time than [`RECENT_LIFETIME`]. With none, nothing is cached:
    /// that is for measuring what it brings.
    pub fn with_recent_lifetime(&self, lifetime: TimeDelta) -> Self {
        Self { recent: Arc::new(Recent::new(RECENT_MAX, lifetime)), ..self.clone() }
    }

    /// The product, also a deleted one; `None` when there is none. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read(&self, id: &ProductId) -> Result<Option<Versioned<Product>>, Error> {
        self.cosmos.read(Container::Products, id.as_str(), id.as_str()).await
    }

    /// The same, looked for where it is newest before it is called missing. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, id: &ProductId) -> Result<Option<Versioned<Product>>, Error> {
        self.cosmos.find(Container::Products, id.as_str(), id.as_str()).await
    }

    /// The product where it is newest. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn newest(&self, id: &ProductId) -> Result<Option<Versioned<Product>>, Error> {
        self.cosmos.read_newest(Container::Products, id.as_str(), id.as_str()).await
    }

    /// The product as it is, or as it was at most [`RECENT_LIFETIME`] ago if another process has written it since. No
    /// request, or one; one that only asks whether it changed when it was read before.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn recent(
        &self,
        id: &ProductId,
        now: DateTime<Utc>,
    ) -> Result<Option<Versioned<Arc<Product>>>, Error> {
        let place = (id.as_str(), id.as_str());
        // Boxed: the client's futures are large, and most who ask need none.
        let (reading, found) = match self.recent.look_up(id, now) {
            Known::Still(product) => return Ok(Some(product)),
            Known::Nothing(reading) => (reading, Box::pin(self.read(id)).await?.map(shared)),
            Known::Once(product, reading) => {
                let newer = self.cosmos.read_unless(Container::Products, place, &product.etag);
                let newer = Box::pin(newer).await?;
                (reading, newer.map_or(Some(product), |newer| newer.map(shared)))
            }
        };
        if let Some(product) = &found {
            self.recent.keep(id, product, reading, now);
        }
        Ok(found)
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

    /// All products after this id, deleted ones too, in the order of their ids. One query across partitions.
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

    /// The products in any of these categories, on sale or not, without the deleted ones. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn ids_in(
        &self,
        category_ids: &[CollectionId],
        count_max: usize,
    ) -> Result<Vec<ProductId>, Error> {
        let names: Vec<_> = (0..category_ids.len()).map(|at| format!("@p{at}")).collect();
        let any: Vec<_> = names.iter().map(|name| format!("ARRAY_CONTAINS(c.categoryIds, {name})")).collect();
        let text = format!(
            "SELECT TOP {count_max} VALUE c.id FROM c WHERE c.type = 'product' AND c.isDeleted = false AND ({})",
            any.join(" OR ")
        );
        let parameters: Vec<_> =
            names.iter().map(String::as_str).zip(category_ids.iter().map(CollectionId::as_str)).collect();
        self.cosmos.query(Container::Products, None, (&text, &parameters), count_max).await
    }

    /// The products of a list after this place in it. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn list(
        &self,
        listing: &Listing,
        after: Option<&Cursor>,
        count_max: usize,
    ) -> Result<Vec<Product>, Error> {
        let (text, parameters) = question(listing, after, count_max);
        let parameters: Vec<_> =
            parameters.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.cosmos.query(Container::Products, None, (&text, &parameters), count_max).await
    }

    /// Adds the product; `Overtaken` when the id is known. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been added.
    pub async fn create(&self, product: &Product) -> Result<Written<Product>, Error> {
        let id = product.id.as_str();
        let written = self.cosmos.create(Container::Products, id, document(product)?).await;
        self.recent.forget(&product.id);
        Ok(written?.map(|()| product.clone()))
    }

    /// Replaces the product if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been replaced.
    pub async fn replace(&self, seen: &Etag, product: &Product) -> Result<Written<Product>, Error> {
        let id = product.id.as_str();
        let written = self.cosmos.replace(Container::Products, (id, id), document(product)?, seen).await;
        // Also after an error: it may have been written.
        self.recent.forget(&product.id);
        Ok(written?.map(|()| product.clone()))
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

/// For as many as ask for it.
fn shared(Versioned { value, etag }: Versioned<Product>) -> Versioned<Arc<Product>> {
    Versioned { value: Arc::new(value), etag }
}

fn document(product: &Product) -> Result<Document, Error> {
    let id = product.id.as_str();
    let (sort_name, is_deleted) = (product.details.name.to_lowercase(), product.deleted_at.is_some());
    let stored = Stored { product, sort_name, is_deleted, traceparent: context::traceparent() };
    Document::new(Container::Products, "product", (id, id), None, &stored)
}

/// The query of a list, and its parameters. Values never stand in the text, apart from numbers of ours.
fn question(listing: &Listing, after: Option<&Cursor>, count_max: usize) -> (String, Vec<(String, String)>) {
    let mut parameters = Vec::new();
    let mut parameter = |value: &str| {
        let name = format!("@p{}", parameters.len());
        parameters.push((name.clone(), value.to_owned()));
        name
    };
    let mut conditions = vec!["c.type = 'product'".to_owned(), "c.isDeleted = false".to_owned()];
    conditions.push(format!("c.status = {}", parameter(listing.status.as_str())));
    if let Some(text) = &listing.text {
        conditions.push(format!("CONTAINS(c.sortName, {})", parameter(&text.to_lowercase())));
    }
    if !listing.category_ids.is_empty() {
        let any = listing.category_ids.iter().map(|id| {
            let name = parameter(id.as_str());
            format!("ARRAY_CONTAINS(c.categoryIds, {name})")
        });
        conditions.push(format!("({})", any.collect::<Vec<_>>().join(" OR ")));
    }
    if let Some(id) = &listing.collection_id {
        conditions.push(format!("ARRAY_CONTAINS(c.collectionIds, {})", parameter(id.as_str())));
    }
    if let Some(currency) = listing.currency {
        conditions.push(format!("c.price.currency = {}", parameter(&currency.to_string())));
    }
    if let Some(least) = listing.price_min_minor {
        conditions.push(format!("c.price.amountMinor >= {least}"));
    }
    if let Some(most) = listing.price_max_minor {
        conditions.push(format!("c.price.amountMinor <= {most}"));
    }
    let (field, is_descending) = match listing.sort {
        Sort::Name => ("c.sortName", false),
        Sort::PriceUp => ("c.price.amountMinor", false),
        Sort::PriceDown => ("c.price.amountMinor", true),
        Sort::Newest => ("c.createdAt", true),
    };
    let (beyond, direction) = if is_descending { ("<", "DESC") } else { (">", "ASC") };
    if let Some(Cursor { key, id }) = after {
        let key = match key {
            Key::Text(text) => parameter(text),
            Key::Number(number) => number.to_string(),
        };
        let id = parameter(id.as_str());
        conditions.push(format!("({field} {beyond} {key} OR ({field} = {key} AND c.id {beyond} {id}))"));
    }
    let text = format!(
        "SELECT TOP {count_max} * FROM c WHERE {} ORDER BY {field} {direction}, c.id {direction}",
        conditions.join(" AND ")
    );
    (text, parameters)
}
