//! Change feeds as a Functions host reads them, and its leases: how far each reader has come, in the container `leases`.
//!
//! For the host on a laptop, which is not to know the store. In Azure the host reads and writes these by itself, under ids
//! that are never ours.

use std::num::NonZeroU32;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::store::Error;
use crate::store::containers::Container;
use crate::store::cosmos::feed::{Feed, Start};
use crate::store::cosmos::{Cosmos, Document};

/// How the ids of these leases begin.
const ID_PREFIX: &str = "local.";

/// The leases of the host on this machine.
#[derive(Clone, Debug)]
pub struct Leases {
    cosmos: Arc<Cosmos>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    place: String,
}

impl Leases {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos }
    }

    /// Some of what was written to a container from there on, perhaps nothing, and the place behind it. One request, or one
    /// for each range of partitions that has no news.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known; [`Error::Refused`] when the place is not one of this container's.
    pub async fn changes(
        &self,
        container: Container,
        start: Start<'_>,
        count_max: NonZeroU32,
    ) -> Result<(Vec<Value>, String), Error> {
        let mut feed = Feed::open(&self.cosmos, container, start, count_max).await?;
        let mut documents = feed.next().await?;
        // A range that was never asked would begin anew with whatever "now" is then.
        while start == Start::Now && documents.as_ref().is_some_and(Vec::is_empty) {
            documents = feed.next().await?;
        }
        Ok((documents.unwrap_or_default(), feed.position().to_owned()))
    }

    /// How far the reader of this name has come; `None` when it never read. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn place(&self, reader: &str) -> Result<Option<String>, Error> {
        let id = format!("{ID_PREFIX}{reader}");
        let stored = self.cosmos.read_newest::<Stored>(Container::Leases, &id, &id).await?;
        Ok(stored.map(|stored| stored.value.place))
    }

    /// Keeps how far the reader of this name has come. One request.
    ///
    /// # Errors
    /// [`Error`]; the reader may then read the same again.
    pub async fn keep(&self, reader: &str, place: String) -> Result<(), Error> {
        let id = format!("{ID_PREFIX}{reader}");
        let document = Document::new(Container::Leases, "lease", (&id, &id), None, &Stored { place })?;
        self.cosmos.upsert(Container::Leases, (&id, &id), document).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::store::Store;
    use crate::store::emulator::Emulator;

    const TWO: NonZeroU32 = NonZeroU32::new(2).unwrap();
    /// Reads without news, after which a feed has no more: once for each of its ranges, and some.
    const READS_MAX: u32 = 40;

    async fn store() -> Store {
        drop(rustls::crypto::ring::default_provider().install_default());
        let store = Store::embedded(Arc::new(Emulator::in_process().unwrap()), "test");
        store.create_containers().await.unwrap();
        store
    }

    async fn write(store: &Store, partition: &str, id: &str) {
        let named = (id, partition);
        let document = Document::new(Container::Stock, "adjustment", named, None, &json!({})).unwrap();
        store.cosmos.upsert(Container::Stock, (partition, id), document).await.unwrap();
    }

    /// The ids of everything from there on, and the place behind.
    async fn ids(store: &Store, start: Start<'_>) -> (Vec<String>, String) {
        let (mut ids, mut place) = (Vec::new(), None::<String>);
        for _ in 0..READS_MAX {
            let from = place.as_deref().map_or(start, Start::After);
            let (documents, behind) = store.leases.changes(Container::Stock, from, TWO).await.unwrap();
            assert!(documents.len() <= 2);
            ids.extend(documents.iter().map(|document| {
                assert!(document["_etag"].is_string() && document["_ts"].is_number(), "{document}");
                document["id"].as_str().unwrap().to_owned()
            }));
            place = Some(behind);
        }
        (ids, place.unwrap())
    }

    #[tokio::test]
    async fn changes_come_in_the_order_of_their_partition_and_go_on_at_the_place_that_was_kept() {
        let store = store().await;
        for number in 0..5 {
            write(&store, "mug", &format!("mug-{number}")).await;
            write(&store, "oak", &format!("oak-{number}")).await;
        }
        let (found, place) = ids(&store, Start::Beginning).await;
        for product in ["mug", "oak"] {
            let of = found.iter().filter(|id| id.starts_with(product)).collect::<Vec<_>>();
            let expected = (0..5).map(|number| format!("{product}-{number}")).collect::<Vec<_>>();
            assert_eq!(of, expected.iter().collect::<Vec<_>>());
        }
        assert_eq!(store.leases.place("stock").await.unwrap(), None);
        store.leases.keep("stock", place).await.unwrap();
        write(&store, "mug", "mug-0").await;
        let kept = store.leases.place("stock").await.unwrap().unwrap();
        assert_eq!(ids(&store, Start::After(&kept)).await.0, ["mug-0"]);
        assert_eq!(store.leases.place("other").await.unwrap(), None);
    }

    #[tokio::test]
    async fn reader_that_begins_now_is_told_nothing_of_before() {
        let store = store().await;
        write(&store, "mug", "before").await;
        let (found, place) = ids(&store, Start::Now).await;
        assert_eq!(found, Vec::<String>::new());
        write(&store, "mug", "after").await;
        assert_eq!(ids(&store, Start::After(&place)).await.0, ["after"]);
    }
}
