//! The only place that names the Cosmos client: options and writes here, reads in `reads`, changes in [`feed`], what an
//! answer means in `meaning`, what it has cost in [`meter`].
//!
//! Does not know what any document is.

mod check;
mod connect;
pub mod feed;
mod meaning;
pub mod meter;
mod reads;
#[cfg(feature = "emulator")]
mod setup;

use std::sync::Arc;
use std::time::Duration;

use azure_core::http::Etag as SdkEtag;
use azure_data_cosmos::models::{BatchResponse, ItemResponse, TransactionalBatchResponse};
use azure_data_cosmos::options::{
    BatchOptions, BatchReplaceOptions, EndToEndOperationLatencyPolicy, ItemWriteOptions, OperationOptions,
    OperationOptionsBuilder, Precondition, ThrottlingRetryOptionsBuilder,
};
use azure_data_cosmos::{ContainerClient, CosmosClient, TransactionalBatch};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tracing::Span;

use self::connect::Account;
use self::meaning::{corrupt, done, failed, outcome};
use self::meter::{asked, metered};
use crate::config::CosmosConfig;
use crate::measure::clash;
use crate::store::containers::Container;
#[cfg(feature = "emulator")]
use crate::store::emulator::Emulator;
use crate::store::{Error, Etag, Written};

/// Longest that one operation may take, its retries included. The Functions front end gives up on HTTP after 230 s,
/// and a queue message should be given back long before its lease of 10 minutes ends.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(10);
/// Retries of a throttled request, before the caller is told to come back (the SDK's own limit can last for minutes).
const THROTTLE_RETRIES_MAX: u32 = 5;
/// Longest sum of the waits between them.
const THROTTLE_WAIT_MAX: Duration = Duration::from_secs(5);
/// Version of the documents that this program writes.
const SCHEMA_VERSION: u32 = 1;

/// A database that is connected to when it is first needed.
#[derive(Debug)]
pub struct Cosmos {
    account: Account,
    database: String,
    /// The same, asked in the account's own order of regions, where the one that takes the writes is first; `None` when that is
    /// the order anyway.
    central: Option<Box<Self>>,
    client: OnceCell<CosmosClientCell>,
    containers: [OnceCell<ContainerCell>; Container::ALL.len()],
}

/// The client without a `Debug` that could print more than it should.
struct CosmosClientCell(CosmosClient);
struct ContainerCell(ContainerClient);

impl std::fmt::Debug for CosmosClientCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CosmosClient")
    }
}

impl std::fmt::Debug for ContainerCell {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContainerClient")
    }
}

/// A document with the properties that every document has.
#[derive(Debug)]
pub struct Document(Value);

impl Document {
    /// The body under its type and partition key; `ttl_s` is the number of seconds after which it vanishes.
    ///
    /// # Errors
    /// [`Error::Corrupt`] when the body is not a JSON object; a retry does not help.
    pub fn new<T: Serialize>(
        container: Container,
        kind: &'static str,
        (id, partition): (&str, &str),
        ttl_s: Option<u32>,
        body: &T,
    ) -> Result<Self, Error> {
        let corrupt = |detail: String| Error::Corrupt { operation: format!("write {kind} {id}"), detail };
        let Value::Object(mut fields) =
            serde_json::to_value(body).map_err(|error| corrupt(error.to_string()))?
        else {
            return Err(corrupt("it is not an object".to_owned()));
        };
        fields.insert("id".to_owned(), id.into());
        fields.insert("type".to_owned(), kind.into());
        fields.insert(container.definition().partition_key.to_owned(), partition.into());
        fields.insert("schemaVersion".to_owned(), SCHEMA_VERSION.into());
        if let Some(ttl_s) = ttl_s {
            fields.insert("ttl".to_owned(), ttl_s.into());
        }
        Ok(Self(Value::Object(fields)))
    }
}

/// One write of a batch.
#[derive(Debug)]
pub enum Write {
    /// Refused when the id exists.
    Create(Document),
    /// Refused when the document has another version or is gone.
    Replace(String, Document, Etag),
    /// Refused when the document has another version or is gone.
    #[cfg(feature = "museum")]
    Delete(String, Etag),
}

/// What came of a batch.
#[derive(Debug, PartialEq, Eq)]
pub enum Batch {
    /// Everything is written; the versions, in the order of the writes.
    Done(Vec<Etag>),
    /// Nothing is written, because this write found its document already there.
    Exists(usize),
    /// Nothing is written, because this write found another version, or none.
    Changed(usize),
}

impl Cosmos {
    /// A database that is connected to at the first request.
    pub fn lazy(config: &CosmosConfig) -> Self {
        let central = config.region.is_some().then(|| CosmosConfig { region: None, ..config.clone() });
        let central = central.map(|config| Box::new(Self::lazy(&config)));
        Self { central, ..Self::of(Account::Configured(config.clone()), &config.database) }
    }

    /// A database in the emulator of this process.
    #[cfg(feature = "emulator")]
    pub fn embedded(emulator: Arc<Emulator>, database: &str) -> Self {
        Self::of(Account::Embedded(emulator), database)
    }

    fn of(account: Account, database: &str) -> Self {
        let containers = std::array::from_fn(|_| OnceCell::new());
        Self { account, database: database.to_owned(), central: None, client: OnceCell::new(), containers }
    }

    /// The database where it is newest, for what a region that lags behind must not decide.
    fn central(&self) -> &Self {
        self.central.as_deref().unwrap_or(self)
    }

    /// Creates one document; `Overtaken` when the id exists. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn create(
        &self,
        container: Container,
        partition: &str,
        document: Document,
    ) -> Result<Written<()>, Error> {
        let id = document.0.get("id").and_then(Value::as_str).unwrap_or_default().to_owned();
        let operation = || format!("create {} {id}", container.definition().name);
        let client = self.container(container).await?;
        let options = ItemWriteOptions::default().with_operation_options(operation_options());
        let created = client.create_item(partition.to_owned(), &id, &document.0, Some(options));
        match metered(asked("create", container), created, ItemResponse::diagnostics).await {
            Ok(response) => done((), response.headers().etag(), &operation),
            Err(error) if error.status().is_conflict() => Ok(Written::Overtaken),
            Err(error) => Err(failed(operation(), error)),
        }
    }

    /// Replaces one document if it still has this version. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn replace(
        &self,
        container: Container,
        (partition, id): (&str, &str),
        document: Document,
        etag: &Etag,
    ) -> Result<Written<()>, Error> {
        let operation = || format!("replace {} {id}", container.definition().name);
        let client = self.container(container).await?;
        let options = ItemWriteOptions::default()
            .with_operation_options(operation_options())
            .with_precondition(if_match(etag));
        let replaced = client.replace_item(partition.to_owned(), id, &document.0, Some(options));
        match metered(asked("replace", container), replaced, ItemResponse::diagnostics).await {
            Ok(response) => done((), response.headers().etag(), &operation),
            Err(error) if error.status().is_precondition_failed() || error.status().is_not_found() => {
                clash(container.definition().name);
                Ok(Written::Overtaken)
            }
            Err(error) => Err(failed(operation(), error)),
        }
    }

    /// Writes one document over whatever has its id. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been written.
    pub async fn upsert(
        &self,
        container: Container,
        (partition, id): (&str, &str),
        document: Document,
    ) -> Result<(), Error> {
        let operation = || format!("write {} {id}", container.definition().name);
        let client = self.container(container).await?;
        let options = ItemWriteOptions::default().with_operation_options(operation_options());
        let written = client.upsert_item(partition.to_owned(), id, &document.0, Some(options));
        let written = metered(asked("upsert", container), written, ItemResponse::diagnostics).await;
        written.map(|_| ()).map_err(|error| failed(operation(), error))
    }

    /// Deletes one document if it still has this version; `false` when it has not, or is gone. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have been deleted.
    pub async fn delete(
        &self,
        container: Container,
        (partition, id): (&str, &str),
        etag: &Etag,
    ) -> Result<bool, Error> {
        let operation = || format!("delete {} {id}", container.definition().name);
        let client = self.container(container).await?;
        let options = ItemWriteOptions::default()
            .with_operation_options(operation_options())
            .with_precondition(if_match(etag));
        let deleted = client.delete_item(partition.to_owned(), id, Some(options));
        match metered(asked("delete", container), deleted, ItemResponse::diagnostics).await {
            Ok(_) => Ok(true),
            Err(error) if error.status().is_precondition_failed() || error.status().is_not_found() => {
                clash(container.definition().name);
                Ok(false)
            }
            Err(error) => Err(failed(operation(), error)),
        }
    }

    /// Does all writes or none, within one partition. One request.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] all may have been written.
    pub async fn batch(
        &self,
        container: Container,
        partition: &str,
        writes: Vec<Write>,
    ) -> Result<Batch, Error> {
        let operation = || format!("write to {} in partition {partition}", container.definition().name);
        let client = self.container(container).await?;
        let mut batch = TransactionalBatch::new(partition.to_owned());
        for write in writes {
            batch = match write {
                Write::Create(document) => batch.create_item(document.0),
                Write::Replace(id, document, etag) => {
                    let options = BatchReplaceOptions::default().with_precondition(if_match(&etag));
                    #[cfg(feature = "museum")]
                    let options = match forgets_if_match(container) {
                        true => BatchReplaceOptions::default(),
                        false => options,
                    };
                    batch.replace_item(id, document.0, Some(options))
                }
                #[cfg(feature = "museum")]
                Write::Delete(id, etag) => {
                    let options = azure_data_cosmos::options::BatchDeleteOptions::default()
                        .with_precondition(if_match(&etag));
                    Ok(batch.delete_item(id, Some(options)))
                }
            }
            .map_err(|error| failed(operation(), error))?;
        }
        let response = execute(client, batch, asked("batch", container), &operation).await?;
        let batch = outcome(&response, operation())?;
        if let Batch::Changed(_) = batch {
            clash(container.definition().name);
        }
        Ok(batch)
    }

    /// The container's client. Whoever comes first opens it; the others wait, as long as an operation may take and no
    /// longer.
    async fn container(&self, container: Container) -> Result<&ContainerClient, Error> {
        let index = Container::ALL.iter().position(|other| *other == container).unwrap_or_default();
        let name = container.definition().name;
        let operation = || format!("open container {name}");
        let cell = self.containers[index].get_or_try_init(|| async {
            let database = self.client().await?.database_client(self.database.clone());
            let client = database.container_client(name, None).await;
            client.map(ContainerCell).map_err(|error| failed(operation(), error))
        });
        match timeout(OPERATION_TIMEOUT, cell).await {
            Ok(cell) => Ok(&cell?.0),
            Err(elapsed) => Err(Error::Unavailable { operation: operation(), source: Arc::new(elapsed) }),
        }
    }

    async fn client(&self) -> Result<&CosmosClient, Error> {
        let connected =
            self.client.get_or_try_init(|| async { self.account.connect().await.map(CosmosClientCell) });
        Ok(&connected.await?.0)
    }

    /// Creates the database and the containers that do not exist.
    ///
    /// # Errors
    /// [`Error`] when the emulator refuses or cannot be reached.
    #[cfg(feature = "emulator")]
    pub async fn create_containers(&self) -> Result<(), Error> {
        setup::create_containers(self.client().await?, &self.database).await
    }
}

async fn execute(
    client: &ContainerClient,
    batch: TransactionalBatch,
    asked: Span,
    operation: &impl Fn() -> String,
) -> Result<TransactionalBatchResponse, Error> {
    let options = BatchOptions::default().with_operation_options(operation_options());
    let response = client.execute_transactional_batch(batch, Some(options));
    let response = metered(asked, response, BatchResponse::diagnostics).await;
    let response = response.map_err(|error| failed(operation(), error))?;
    response.into_model().map_err(|_| corrupt(operation()))
}

fn operation_options() -> OperationOptions {
    let throttling = ThrottlingRetryOptionsBuilder::new()
        .with_max_retry_count(THROTTLE_RETRIES_MAX)
        .with_max_retry_wait_time(THROTTLE_WAIT_MAX)
        .build();
    OperationOptionsBuilder::new()
        .with_throttling_retry_options(throttling)
        .with_end_to_end_latency_policy(EndToEndOperationLatencyPolicy::new(OPERATION_TIMEOUT))
        .build()
}

fn if_match(etag: &Etag) -> Precondition {
    Precondition::IfMatch(SdkEtag::from(etag.as_str().to_owned()))
}

/// Whether a mistake is on show that leaves out the condition of a replacement in a batch.
#[cfg(feature = "museum")]
fn forgets_if_match(container: Container) -> bool {
    use crate::museum::Mistake;

    match container {
        Container::Stock => Mistake::CountsWithoutIfMatch.is_on_show(),
        Container::Orders => Mistake::OrdersWithoutIfMatch.is_on_show(),
        Container::Products
        | Container::Collections
        | Container::Customers
        | Container::Reviews
        | Container::Partners
        | Container::Disclosures
        | Container::Leases
        | Container::Notifications
        | Container::Webhooks => false,
    }
}
