//! What was written to a container since a place in its history: each document once, as it is now, where it was last written. It is
//! read in the region that takes the writes: one that lags would still show what was withdrawn.
//!
//! The service keeps a history for each range of partitions and tells them in turn, without an end: a range without news says
//! so. Here the end is reached when all ranges say so one after the other.

use std::num::NonZeroU32;
use std::pin::Pin;
use std::sync::Arc;

use azure_data_cosmos::FeedScope;
use azure_data_cosmos::feed::{ChangeFeedPageIterator, ContinuationToken, FeedPage};
use azure_data_cosmos::models::ChangeFeedItem;
use azure_data_cosmos::options::{ChangeFeedOptions, ChangeFeedStartFrom, MaxItemCountHint};
use futures::StreamExt;
use serde_json::Value;
use tracing::Instrument;

use super::meaning::failed;
use super::meter::{asked, counted};
use super::{Cosmos, operation_options};
use crate::store::Error;
use crate::store::containers::Container;

/// Where a feed begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Start<'a> {
    /// With the first document that there is.
    Beginning,
    /// With what is written from now on.
    Now,
    /// Behind this place.
    After(&'a str),
}

/// What was written to a container, from a place on.
pub struct Feed {
    cosmos: Arc<Cosmos>,
    container: Container,
    pages: Pin<Box<ChangeFeedPageIterator<ChangeFeedItem<Value>>>>,
    position: String,
    /// Ranges in a row that had no news.
    quiet: usize,
}

impl std::fmt::Debug for Feed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Feed").field("container", &self.container).finish_non_exhaustive()
    }
}

impl Feed {
    /// The feed from there on, by at most so many documents at once. No request.
    ///
    /// # Errors
    /// [`Error`] when the container cannot be reached; [`Error::Refused`] when the place is not one of this container's.
    pub async fn open(
        cosmos: &Arc<Cosmos>,
        container: Container,
        start: Start<'_>,
        count_max: NonZeroU32,
    ) -> Result<Self, Error> {
        let client = cosmos.central().container(container).await?;
        let mut options = ChangeFeedOptions::default()
            .with_operation_options(operation_options())
            .with_max_item_count(MaxItemCountHint::Limit(count_max));
        let (from, position) = match start {
            Start::Beginning => (ChangeFeedStartFrom::Beginning, ""),
            Start::Now => (ChangeFeedStartFrom::Now, ""),
            Start::After(place) => (ChangeFeedStartFrom::Beginning, place),
        };
        if !position.is_empty() {
            options = options.with_continuation_token(ContinuationToken::from_string(position.to_owned()));
        }
        let pages = client.query_change_feed(FeedScope::full_container(), from, Some(options));
        // Boxed: the client's futures are large.
        let pages = Box::pin(pages).await.map_err(|error| failed(operation(container), error))?;
        let position = position.to_owned();
        Ok(Self { cosmos: Arc::clone(cosmos), container, pages: Box::pin(pages), position, quiet: 0 })
    }

    /// Some of what was written next, perhaps nothing; `None` when there is no more for now. One request, or one for each
    /// range that has no news.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known; the feed cannot be used any further.
    pub async fn next(&mut self) -> Result<Option<Vec<Value>>, Error> {
        let container = self.container;
        let operation = || operation(container);
        loop {
            let asked = asked("read changes", container);
            let page = self.pages.next().instrument(asked.clone()).await;
            let page = page.ok_or_else(|| Error::Corrupt {
                operation: operation(),
                detail: "an endless feed has ended".to_owned(),
            })?;
            let page = counted(&asked, page, FeedPage::diagnostics);
            let page = page.map_err(|error| failed(operation(), error))?;
            let position = self.pages.to_continuation_token();
            let position = position.map_err(|error| failed(operation(), error))?.as_str().to_owned();
            let has_moved = position != self.position;
            self.position = position;
            let items = page.into_items();
            // A range may move on without telling of anything, past what was deleted.
            if !items.is_empty() || has_moved {
                self.quiet = 0;
                return Ok(Some(items.iter().filter_map(|item| item.current().cloned()).collect()));
            }
            self.quiet += 1;
            if self.quiet >= ranges(&self.cosmos, self.container).await? {
                return Ok(None);
            }
        }
    }

    /// The place behind what [`Self::next`] gave last.
    pub fn position(&self) -> &str {
        &self.position
    }
}

/// How many ranges there are; the client remembers that, and learns when one is split.
async fn ranges(cosmos: &Cosmos, container: Container) -> Result<usize, Error> {
    let ranges = cosmos.central().container(container).await?.read_feed_ranges(None).await;
    ranges.map(|ranges| ranges.len()).map_err(|error| failed(operation(container), error))
}

fn operation(container: Container) -> String {
    format!("read the changes of {}", container.definition().name)
}
