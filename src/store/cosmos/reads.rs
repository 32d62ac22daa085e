//! Reading: one document near by, or where it is newest, and what a query selects.

use azure_core::http::Etag as SdkEtag;
use azure_data_cosmos::feed::QueryFeedPage;
use azure_data_cosmos::models::ItemResponse;
use azure_data_cosmos::options::{ItemReadOptions, Precondition, QueryOptions};
use azure_data_cosmos::{FeedScope, Query, TransactionalBatch};
use futures::StreamExt;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tracing::Instrument;

use super::meaning::{corrupt, etag_of, failed, outcome};
use super::meter::{asked, counted, metered};
use super::{Batch, Cosmos, execute, operation_options};
use crate::store::containers::Container;
use crate::store::{Error, Etag, Versioned};

/// The answer to a read of a document that the caller has already.
const NOT_MODIFIED: u16 = 304;

impl Cosmos {
    /// Reads one document; `None` when there is none. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read<T: DeserializeOwned>(
        &self,
        container: Container,
        partition: &str,
        id: &str,
    ) -> Result<Option<Versioned<T>>, Error> {
        let operation = || format!("read {} {id}", container.definition().name);
        let client = self.container(container).await?;
        let options = ItemReadOptions::default().with_operation_options(operation_options());
        let answer = client.read_item(partition.to_owned(), id, Some(options));
        match metered(asked("read", container), answer, ItemResponse::diagnostics).await {
            Ok(response) => {
                let etag = etag_of(response.headers().etag(), &operation)?;
                let value = response.into_model().map_err(|_| corrupt(operation()))?;
                Ok(Some(Versioned { value, etag }))
            }
            Err(error) if error.status().is_not_found() => Ok(None),
            Err(error) => Err(failed(operation(), error)),
        }
    }

    /// Reads one document unless it still has this version: `None` when it has, and inside that `None` when there is none any
    /// more. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read_unless<T: DeserializeOwned>(
        &self,
        container: Container,
        (partition, id): (&str, &str),
        known: &Etag,
    ) -> Result<Option<Option<Versioned<T>>>, Error> {
        let operation = || format!("read {} {id}", container.definition().name);
        let client = self.container(container).await?;
        let unless = Precondition::IfNoneMatch(SdkEtag::from(known.as_str().to_owned()));
        let options =
            ItemReadOptions::default().with_operation_options(operation_options()).with_precondition(unless);
        let answer = client.read_item(partition.to_owned(), id, Some(options));
        match metered(asked("read", container), answer, ItemResponse::diagnostics).await {
            Ok(response) if u16::from(response.status().status_code()) == NOT_MODIFIED => Ok(None),
            Ok(response) => {
                let etag = etag_of(response.headers().etag(), &operation)?;
                let value = response.into_model().map_err(|_| corrupt(operation()))?;
                Ok(Some(Some(Versioned { value, etag })))
            }
            Err(error) if u16::from(error.status().status_code()) == NOT_MODIFIED => Ok(None),
            Err(error) if error.status().is_not_found() => Ok(Some(None)),
            Err(error) => Err(failed(operation(), error)),
        }
    }

    /// Reads one document where it is newest: a batch is answered by the region that takes the writes, even one that only
    /// reads, while a plain read may be answered by one that lags behind. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read_newest<T: DeserializeOwned>(
        &self,
        container: Container,
        partition: &str,
        id: &str,
    ) -> Result<Option<Versioned<T>>, Error> {
        let found = self.read_newest_together(container, partition, &[id]).await?;
        Ok(found.ok().and_then(|found| found.into_iter().next()))
    }

    /// Reads documents of one partition where they are newest, all at one moment; or gives the place in the list of the first
    /// that is not there. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read_newest_together<T: DeserializeOwned>(
        &self,
        container: Container,
        partition: &str,
        ids: &[&str],
    ) -> Result<Result<Vec<Versioned<T>>, usize>, Error> {
        let operation = || format!("read the newest {} {}", container.definition().name, ids.join(" and "));
        let client = self.container(container).await?;
        let batch = TransactionalBatch::new(partition.to_owned());
        let batch = ids.iter().fold(batch, |batch, id| batch.read_item((*id).to_owned(), None));
        let response = execute(client, batch, asked("read newest", container), &operation).await?;
        let etags = match outcome(&response, operation())? {
            Batch::Done(etags) => etags,
            Batch::Exists(at) | Batch::Changed(at) => return Ok(Err(at)),
        };
        let found = response.results().iter().zip(etags).map(|(result, etag)| {
            let value = result.into_model().ok().flatten().ok_or_else(|| corrupt(operation()))?;
            Ok(Versioned { value, etag })
        });
        found.collect::<Result<_, Error>>().map(Ok)
    }

    /// Reads one document, and looks where it is newest before it says that there is none. One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find<T: DeserializeOwned>(
        &self,
        container: Container,
        partition: &str,
        id: &str,
    ) -> Result<Option<Versioned<T>>, Error> {
        match self.read(container, partition, id).await? {
            None => self.read_newest(container, partition, id).await,
            found => Ok(found),
        }
    }

    /// The documents that a query selects, at most `count_max`; within one partition, or across all without one.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn query<T: DeserializeOwned>(
        &self,
        container: Container,
        partition: Option<&str>,
        (text, parameters): (&str, &[(&str, &str)]),
        count_max: usize,
    ) -> Result<Vec<T>, Error> {
        let operation = || format!("query {}", container.definition().name);
        let client = self.container(container).await?;
        let scope = match partition {
            Some(partition) => FeedScope::partition(partition.to_owned()),
            None => FeedScope::full_container(),
        };
        let mut query = Query::from(text);
        for (name, value) in parameters {
            query = query.with_parameter(*name, *value).map_err(|error| failed(operation(), error))?;
        }
        let mut options = QueryOptions::default();
        options.operation = operation_options();
        // Boxed: the client's futures are large, and queries are made many at once.
        let items = Box::pin(client.query_items::<Value>(query, scope, Some(options))).await;
        let mut pages = Box::pin(items.map_err(|error| failed(operation(), error))?.into_pages());
        let mut found = Vec::new();
        while found.len() < count_max {
            let asked = asked("query", container);
            let Some(page) = pages.next().instrument(asked.clone()).await else { break };
            let page = counted(&asked, page, QueryFeedPage::diagnostics);
            let page = page.map_err(|error| failed(operation(), error))?;
            for item in page.into_items().into_iter().take(count_max - found.len()) {
                found.push(serde_json::from_value(item).map_err(|_| corrupt(operation()))?);
            }
        }
        Ok(found)
    }
}
