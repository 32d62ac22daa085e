//! The sweep: blobs that no product refers to, and that are so old that no request can be about to refer to them, go.
//!
//! Names are never used again, so an old blob that nobody refers to stays like that. A run looks at a part and keeps its
//! place, so that it may be cut off anywhere and every blob has its turn.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use futures::{StreamExt, TryStreamExt, stream};

use crate::app::App;
use crate::app::images::Error;
use crate::blob;
use crate::domain::id::ProductId;
use crate::domain::image::of_blob_name;

/// Age from which a blob may be removed. A request ends after minutes, and clocks differ by less than that.
pub const AGE_MIN: TimeDelta = TimeDelta::hours(24);
/// Pages of [`blob::PAGE_NAMES_MAX`] names that one run looks at.
pub const PAGES_MAX: usize = 50;
/// Requests that are under way at once.
const AT_ONCE: usize = 16;

/// What a run has done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Blobs that it has looked at.
    pub seen: usize,
    /// Blobs that it has removed.
    pub removed: usize,
    /// Whether it came to the end, and the next run begins anew.
    pub is_finished: bool,
}

impl App {
    /// Removes what nobody refers to from the next part of the blobs. Nothing when there is no place for pictures.
    ///
    /// # Errors
    /// [`Error`] when something cannot be read or removed; the next run goes on from there.
    pub async fn sweep_images(&self, pages_max: usize, names_max: usize) -> Result<Swept, Error> {
        let mut swept = Swept::default();
        if !self.images.blobs.is_set() {
            return Ok(Swept { is_finished: true, ..swept });
        }
        let old_before = self.clock.now() - AGE_MIN;
        let mut place = self.store.sweeps.place().await?;
        for _ in 0..pages_max {
            let page = match self.images.blobs.page(place.as_deref(), names_max).await {
                // The place may have become unknown.
                Err(error @ blob::Error::Refused { .. }) if place.is_some() => {
                    tracing::warn!(%error, "the sweep begins anew");
                    self.store.sweeps.keep(None).await?;
                    self.images.blobs.page(None, names_max).await?
                }
                page => page?,
            };
            swept.seen += page.entries.len();
            swept.removed += self.sweep_page(page.entries, old_before).await?;
            place = page.next;
            self.store.sweeps.keep(place.clone()).await?;
            if place.is_none() {
                swept.is_finished = true;
                break;
            }
        }
        Ok(swept)
    }

    async fn sweep_page(&self, entries: Vec<blob::Entry>, old_before: DateTime<Utc>) -> Result<usize, Error> {
        let mut by_product: BTreeMap<ProductId, Vec<String>> = BTreeMap::new();
        for entry in entries.into_iter().filter(|entry| entry.written_at < old_before) {
            // What this program did not put there is not its to remove.
            if let Some((product_id, _)) = of_blob_name(&entry.name) {
                by_product.entry(product_id).or_default().push(entry.name);
            }
        }
        let orphans: Vec<Vec<String>> = stream::iter(by_product)
            .map(|(product_id, names)| self.orphans(product_id, names))
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await?;
        let orphans: Vec<String> = orphans.into_iter().flatten().collect();
        let removals = orphans.into_iter().map(|name| async move { self.images.blobs.remove(&name).await });
        let removed: Vec<()> = stream::iter(removals).buffer_unordered(AT_ONCE).try_collect().await?;
        Ok(removed.len())
    }

    /// Those of a product's blobs that it does not refer to. Deleted products keep theirs. One request.
    async fn orphans(&self, product_id: ProductId, mut names: Vec<String>) -> Result<Vec<String>, Error> {
        if let Some(product) = self.store.products.read(&product_id).await? {
            let images = product.value.images.iter();
            let kept: Vec<_> = images.flat_map(|image| image.blob_names(&product_id)).collect();
            names.retain(|name| !kept.contains(name));
        }
        Ok(names)
    }
}
