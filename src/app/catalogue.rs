//! Keeping the catalogue: products, categories and collections, with the references between them checked.
//!
//! A reference is checked when it is made. A category or collection is never deleted, so it stays right.

use std::future::ready;

use futures::future::try_join_all;

use crate::app::App;
use crate::domain::collection::{COLLECTIONS_MAX, Collection, CollectionKind, Tree};
use crate::domain::creation::Creation;
use crate::domain::draft::Invalid;
use crate::domain::id::{CollectionId, ProductId, Sku};
use crate::domain::listing::{Cursor, Listing};
use crate::domain::product::{Details, Product};
use crate::domain::stock::Stock;
use crate::store::containers::Container;
use crate::store::{Error, Etag, Versioned, Written};

/// How many times as many products as a page has are looked through for those in stock, before it is given as it is.
const ROUNDS_MAX: u32 = 4;

/// What came of a wish to create something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Created<T> {
    /// It is there.
    Done(Versioned<T>),
    /// The same request created it before.
    Replayed(Versioned<T>),
    /// The key belongs to a request with another body.
    KeyReused,
    /// There is one of this id already.
    Exists,
    /// It refers to what is not there.
    Invalid(Vec<Invalid>),
}

/// What came of a wish to change something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed<T> {
    /// It is as asked for.
    Done(Versioned<T>),
    /// It is not in the version that the caller named.
    Stale,
    /// There is none.
    NotFound,
    /// It was deleted.
    Deleted,
    /// It cannot be as asked for.
    Invalid(Vec<Invalid>),
}

/// One page of a list of products.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProductPage {
    /// The products with the pieces that can be ordered now.
    pub items: Vec<(Product, Option<Stock>)>,
    /// Where the next page begins; `None` on the last.
    pub next: Option<Cursor>,
}

impl App {
    /// Adds a product. A request that comes again under its key finds what it created; one that is refused for what it
    /// refers to leaves its key free. One request for each category and collection, one more with a key, and one more.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be there, and calling again is safe.
    pub async fn create_product(
        &self,
        sku: Sku,
        details: Details,
        creation: Option<Creation>,
    ) -> Result<Created<Product>, Error> {
        let invalid = self.check_references(&details).await?;
        if !invalid.is_empty() {
            return Ok(Created::Invalid(invalid));
        }
        let product = Product { creation, ..Product::new(sku, details, self.clock.now()) };
        if !self.has_key(Container::Products, product.creation.as_ref()).await? {
            return Ok(Created::KeyReused);
        }
        if let Written::Done(product) = self.store.products.create(&product).await? {
            return Ok(Created::Done(product));
        }
        let Some(earlier) = self.store.products.find(&product.id).await? else {
            return Err(Error::Contended { operation: format!("create product {}", product.id) });
        };
        Ok(match is_replay(product.creation.as_ref(), earlier.value.creation.as_ref()) {
            true => Created::Replayed(earlier),
            // It was created just now, and only seemed to exist, by the client's own second try.
            false if earlier.value == product => Created::Done(earlier),
            false => Created::Exists,
        })
    }

    /// Whether the request has its key for itself, now and when it comes again; it may have none.
    pub(super) async fn has_key(
        &self,
        container: Container,
        creation: Option<&Creation>,
    ) -> Result<bool, Error> {
        match creation {
            Some(creation) => self.store.keys.take(container, creation).await,
            None => Ok(true),
        }
    }

    /// Changes a product if the caller `allows` its version; `change` says what it is to be, or why it cannot be. Two
    /// requests, and one for each category and collection.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be changed, and calling again is safe.
    pub async fn change_product<E>(
        &self,
        id: &ProductId,
        allows: impl Fn(&Etag) -> bool,
        change: impl Fn(&Product) -> Result<Details, E>,
    ) -> Result<Result<Changed<Product>, E>, Error> {
        let (allows, change) = (&allows, &change);
        let decide = |seen: Versioned<Product>| async move {
            if seen.value.deleted_at.is_some() {
                return Ok(Err(Ok(Changed::Deleted)));
            }
            if !allows(&seen.etag) {
                return Ok(Err(Ok(Changed::Stale)));
            }
            let details = match change(&seen.value) {
                Ok(details) => details,
                Err(refusal) => return Ok(Err(Err(refusal))),
            };
            let invalid = self.check_references(&details).await?;
            if !invalid.is_empty() {
                return Ok(Err(Ok(Changed::Invalid(invalid))));
            }
            let next = seen.value.with_details(details, self.clock.now());
            Ok(if next == seen.value { Err(Ok(Changed::Done(seen))) } else { Ok(next) })
        };
        let revised = self.revise_product(id, Ok(Changed::NotFound), decide).await?;
        Ok(revised.map_or_else(|answer| answer, |product| Ok(Changed::Done(product))))
    }

    /// Takes a product off every list, for good; old orders can still read it. Two requests, one when it is gone already.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be deleted, and calling again is safe.
    pub async fn delete_product(
        &self,
        id: &ProductId,
        allows: impl Fn(&Etag) -> bool,
    ) -> Result<Changed<Product>, Error> {
        let decide = |seen: Versioned<Product>| {
            ready(Ok(match seen.value.deleted_at {
                Some(_) => Err(Changed::Done(seen)),
                None if !allows(&seen.etag) => Err(Changed::Stale),
                None => Ok(seen.value.deleted(self.clock.now())),
            }))
        };
        let revised = self.revise_product(id, Changed::NotFound, decide).await?;
        Ok(revised.map_or_else(|answer| answer, Changed::Done))
    }

    /// What a product refers to and is not there, or is of the other kind.
    async fn check_references(&self, details: &Details) -> Result<Vec<Invalid>, Error> {
        let wanted = |ids: &'_ [CollectionId], kind, field: &'static str| {
            let entries = ids.iter().cloned().enumerate();
            entries.map(|(index, id)| (id, kind, format!("/{field}/{index}"))).collect::<Vec<_>>()
        };
        let mut references = wanted(&details.category_ids, CollectionKind::Category, "categoryIds");
        references.extend(wanted(&details.collection_ids, CollectionKind::Collection, "collectionIds"));
        let looks = references.into_iter().map(|(id, kind, pointer)| async move {
            let found = self.store.collections.find(&id).await?;
            let fits = found.is_some_and(|found| found.value.kind == kind);
            let detail = format!("there is no {} {id}", kind.as_str());
            Ok::<_, Error>((!fits).then(|| Invalid::new(pointer, detail)))
        });
        Ok(try_join_all(looks).await?.into_iter().flatten().collect())
    }

    /// One page of a list with the counts of its products; with `in_stock` only of those that can be ordered now.
    ///
    /// Stock changes with every order and lies elsewhere, so it is in no index: it is looked up for each product of the
    /// page. For a page of what is in stock, more products are read until it is full, but not more than four times as many
    /// as it has places; then it is given as it is, shorter or even empty, with its next page. One query and one request
    /// for each product looked at. What is only shown may be as old as [`crate::store::stock::RECENT_LIFETIME`].
    ///
    /// # Errors
    /// [`Error`] when something cannot be read.
    pub async fn list_products(
        &self,
        listing: &Listing,
        in_stock: bool,
        mut after: Option<Cursor>,
        count_max: usize,
    ) -> Result<ProductPage, Error> {
        let mut items = Vec::new();
        for _ in 0..ROUNDS_MAX {
            let mut found = self.store.products.list(listing, after.as_ref(), count_max + 1).await?;
            let has_more = found.len() > count_max;
            found.truncate(count_max);
            let now = self.clock.now();
            let counts = try_join_all(found.iter().map(|product| async move {
                match in_stock {
                    true => self.store.stock.read(&product.id).await,
                    false => self.store.stock.recent(&product.id, now).await,
                }
            }));
            let counts = counts.await?;
            for (product, stock) in found.into_iter().zip(counts) {
                if items.len() == count_max {
                    return Ok(ProductPage { items, next: after });
                }
                after = Some(listing.sort.cursor(&product));
                let stock = stock.map(|stock| stock.value);
                if !in_stock || stock.as_ref().is_some_and(|stock| stock.available() > 0) {
                    items.push((product, stock));
                }
            }
            if !has_more {
                return Ok(ProductPage { items, next: None });
            }
            if items.len() == count_max {
                break;
            }
        }
        Ok(ProductPage { items, next: after })
    }

    /// Adds a category or collection, up to [`COLLECTIONS_MAX`]. A request that comes again finds what it created, without
    /// a key as long as that is as it was. One query, one request, and one more with a key.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be there, and calling again is safe.
    pub async fn create_collection(&self, collection: &Collection) -> Result<Created<Collection>, Error> {
        let tree = self.store.collections.tree().await?;
        let mut invalid = misplaced(collection, &tree);
        if tree.all().count() >= COLLECTIONS_MAX {
            invalid.push(Invalid::new(
                "",
                format!("there are {COLLECTIONS_MAX} already, the most there may be"),
            ));
        }
        if invalid.is_empty() {
            if !self.has_key(Container::Collections, collection.creation.as_ref()).await? {
                return Ok(Created::KeyReused);
            }
            if let Written::Done(collection) = self.store.collections.create(collection).await? {
                return Ok(Created::Done(collection));
            }
        }
        // Also when it is refused: what this request created may have been moved since, and others below it.
        let is_replay = |earlier: &Collection| {
            is_replay(collection.creation.as_ref(), earlier.creation.as_ref())
                || earlier.is_as_asked(collection)
        };
        match self.store.collections.find(&collection.id).await? {
            Some(earlier) if is_replay(&earlier.value) => Ok(Created::Replayed(earlier)),
            _ if !invalid.is_empty() => Ok(Created::Invalid(invalid)),
            Some(_) => Ok(Created::Exists),
            None => Err(Error::Contended { operation: format!("create {}", collection.id) }),
        }
    }

    /// Changes a category or collection if the caller `allows` its version. Two requests, and one query for a category
    /// that has a parent.
    ///
    /// Two categories that are moved at the same moment could form a ring that neither move forms alone. The tree is read
    /// again afterwards, and a move that closed a ring is taken back.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be changed, and calling again is safe.
    pub async fn change_collection(
        &self,
        wanted: &Collection,
        allows: impl Fn(&Etag) -> bool,
    ) -> Result<Changed<Collection>, Error> {
        let Some(seen) = self.store.collections.find(&wanted.id).await? else { return Ok(Changed::NotFound) };
        if !allows(&seen.etag) {
            return Ok(Changed::Stale);
        }
        if seen.value.kind != wanted.kind {
            let detail = format!("is {} and cannot be changed", seen.value.kind.as_str());
            return Ok(Changed::Invalid(vec![Invalid::new("/kind", detail)]));
        }
        let Collection { created_at, creation, .. } = seen.value.clone();
        let next = Collection { created_at, creation, ..wanted.clone() };
        if next.is_as_asked(&seen.value) {
            return Ok(Changed::Done(seen));
        }
        let is_moved = next.parent_id != seen.value.parent_id;
        let invalid = if is_moved { self.misplaced(&next).await? } else { Vec::new() };
        if !invalid.is_empty() {
            return Ok(Changed::Invalid(invalid));
        }
        let changed = match self.store.collections.replace(&seen.etag, &next).await? {
            Written::Done(changed) => changed,
            Written::Overtaken => match self.store.collections.newest(&next.id).await? {
                // It was written, and only seemed to be overtaken, by the client's own second try.
                Some(newest) if newest.value == next => newest,
                Some(_) | None => return Ok(Changed::Stale),
            },
        };
        let invalid = if is_moved { self.misplaced(&next).await? } else { Vec::new() };
        if invalid.is_empty() {
            return Ok(Changed::Done(changed));
        }
        match self.store.collections.replace(&changed.etag, &seen.value).await? {
            Written::Done(_) => Ok(Changed::Invalid(invalid)),
            Written::Overtaken => Ok(Changed::Stale),
        }
    }

    async fn misplaced(&self, collection: &Collection) -> Result<Vec<Invalid>, Error> {
        match collection.parent_id {
            Some(_) => Ok(misplaced(collection, &self.store.collections.tree().await?)),
            None => Ok(Vec::new()),
        }
    }
}

/// Why it cannot be where it is asked to be.
fn misplaced(collection: &Collection, tree: &Tree) -> Vec<Invalid> {
    let refused = collection.parent_id.as_ref().map(|parent_id| tree.check_parent(&collection.id, parent_id));
    let refused = refused.and_then(Result::err);
    refused.map(|why| Invalid::new("/parentId", why.to_string())).into_iter().collect()
}

/// Whether what is there was created by this very request.
fn is_replay(ours: Option<&Creation>, theirs: Option<&Creation>) -> bool {
    ours.is_some() && ours == theirs
}
