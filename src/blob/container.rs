//! A container of Blob storage, as Azure and Azurite have them.

use std::num::NonZero;
use std::ops::Range;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use azure_core::error::ErrorKind;
use azure_core::http::policies::Policy;
use azure_core::http::{ClientOptions, ExponentialRetryOptions, RetryOptions, StatusCode, Url};
use azure_core::time::Duration as SdkDuration;
use azure_core::{Bytes, Error as SdkError};
use azure_storage_blob::models::{
    BlobClientDownloadOptions, BlobClientUploadOptions, BlobContainerClientListBlobsOptions, HttpRange,
};
use azure_storage_blob::{BlobContainerClient, BlobContainerClientOptions};
use chrono::DateTime;
use futures::{StreamExt, TryStreamExt};
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use tracing::Instrument;

use super::{Content, Entry, Error, Page};
use crate::config::Identity;
use crate::credential::credential;
use crate::measure::{NO_STATUS, dependency};

/// Longest that one operation may take, its retries included. A write of 8 MiB is one of them.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(30);
/// Attempts after the first. The client's own eight took 82 s to give up on a refused connection.
const RETRIES_MAX: u32 = 3;
const RETRY_FIRST: SdkDuration = SdkDuration::milliseconds(200);
const RETRY_PAUSE_MAX: SdkDuration = SdkDuration::seconds(2);
const RETRY_TIME_MAX: SdkDuration = SdkDuration::seconds(10);
/// What everybody may keep for ever, because the bytes under a name never change.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";
/// What the service says of a missing container.
const NO_CONTAINER: &str = "ContainerNotFound";
/// What it says of a blob that is there already: the first answer, and the one to a retry.
const BLOB_EXISTS: [&str; 2] = ["BlobAlreadyExists", "ConditionNotMet"];
/// What the trace calls the service, and the one container there is.
const SYSTEM: &str = "azure.blob";
const CONTAINER: &str = "images";
/// A picture travels in one request each way.
const PART_BYTES: usize = 16 * 1024 * 1024;

/// A container that is connected to when it is first needed.
pub(super) struct Container {
    url: String,
    access: Access,
    client: OnceCell<BlobContainerClient>,
}

/// How one gets in.
enum Access {
    Identity(Identity),
    #[cfg(feature = "emulator")]
    Azurite,
}

impl std::fmt::Debug for Container {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Container").field("url", &self.url).finish_non_exhaustive()
    }
}

impl Container {
    /// A container in Azure, which exists.
    pub(super) fn in_azure(url: &str, identity: &Identity) -> Self {
        let access = Access::Identity(identity.clone());
        Self { url: url.to_owned(), access, client: OnceCell::new() }
    }

    /// A container in Azurite, which is made when it is missing.
    #[cfg(feature = "emulator")]
    pub(super) fn in_azurite(url: &str) -> Self {
        Self { url: url.to_owned(), access: Access::Azurite, client: OnceCell::new() }
    }

    pub(super) async fn put(&self, name: &str, content_type: &str, bytes: Bytes) -> Result<(), Error> {
        let operation = || format!("write {name}");
        let client = self.client().await?.blob_client(name);
        let mut options = BlobClientUploadOptions {
            blob_content_type: Some(content_type.to_owned()),
            blob_cache_control: Some(CACHE_CONTROL.to_owned()),
            partition_size: NonZero::new(u64::try_from(PART_BYTES).unwrap_or(u64::MAX)),
            ..BlobClientUploadOptions::default()
        }
        .if_not_exists();
        options.parallel = NonZero::new(1);
        match within("write", &operation, client.upload(bytes.into(), Some(options))).await? {
            Ok(_) => Ok(()),
            Err(error) if is_there(&error) => Ok(()),
            Err(error) => Err(failed(operation(), error)),
        }
    }

    pub(super) async fn read(&self, name: &str, range: Range<u64>) -> Result<Option<Content>, Error> {
        let operation = || format!("read {name}");
        let client = self.client().await?.blob_client(name);
        let options = BlobClientDownloadOptions {
            range: Some(HttpRange::new(range.start, range.end.saturating_sub(range.start))),
            parallel: NonZero::new(1),
            partition_size: NonZero::new(PART_BYTES),
            ..BlobClientDownloadOptions::default()
        };
        match within("read", &operation, client.download(Some(options))).await? {
            Ok(download) => {
                let operation = operation();
                let body = download.body.map_err(move |error| failed(operation.clone(), error));
                Ok(Some(body.boxed()))
            }
            // A container that is missing is for the operator to see.
            Err(error) if is_status(&error, StatusCode::NotFound) && code(&error) != Some(NO_CONTAINER) => {
                Ok(None)
            }
            Err(error) => Err(failed(operation(), error)),
        }
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        let operation = || format!("remove {name}");
        let client = self.client().await?.blob_client(name);
        match within("remove", &operation, client.delete(None)).await? {
            Ok(_) => Ok(()),
            Err(error) if is_status(&error, StatusCode::NotFound) => Ok(()),
            Err(error) => Err(failed(operation(), error)),
        }
    }

    pub(super) async fn page(&self, from: Option<&str>, names_max: usize) -> Result<Page, Error> {
        let operation = || "list the blobs".to_owned();
        let client = self.client().await?;
        let options = BlobContainerClientListBlobsOptions {
            marker: from.map(str::to_owned),
            maxresults: i32::try_from(names_max).ok(),
            ..BlobContainerClientListBlobsOptions::default()
        };
        let pager = client.list_blobs(Some(options)).map_err(|error| failed(operation(), error))?;
        let page = within("list", &operation, pager.into_pages().try_next()).await?;
        let Some(page) = page.map_err(|error| failed(operation(), error))? else {
            return Ok(Page { entries: Vec::new(), next: None });
        };
        let page = page.into_model().map_err(|error| failed(operation(), error))?;
        let entries = page.blob_items.into_iter().filter_map(|item| {
            let written_at = item.properties?.last_modified?;
            let written_at = DateTime::from_timestamp(written_at.unix_timestamp(), 0)?;
            Some(Entry { name: item.name?, written_at })
        });
        let next = page.next_marker.filter(|next| !next.is_empty());
        Ok(Page { entries: entries.collect(), next })
    }

    async fn client(&self) -> Result<&BlobContainerClient, Error> {
        self.client.get_or_try_init(|| self.connect()).await
    }

    async fn connect(&self) -> Result<BlobContainerClient, Error> {
        let refused = |source: SdkError| Error::Refused {
            operation: format!("connect to {}", self.url),
            source: source.into(),
        };
        // The HTTP client panics on a machine without CA certificates; that is for the operator to read, not a crash.
        let built = std::panic::catch_unwind(AssertUnwindSafe(|| self.build()));
        let client = built.unwrap_or_else(|_| {
            let message = "no TLS client can be made: does this machine have CA certificates?";
            Err(SdkError::with_message(ErrorKind::Io, message))
        });
        let client = client.map_err(refused)?;
        #[cfg(feature = "emulator")]
        if let Access::Azurite = self.access {
            let operation = || "make the container".to_owned();
            match within("create container", &operation, client.create(None)).await? {
                Ok(_) => {}
                Err(error) if is_status(&error, StatusCode::Conflict) => {}
                Err(error) => return Err(failed(operation(), error)),
            }
        }
        Ok(client)
    }

    fn build(&self) -> Result<BlobContainerClient, SdkError> {
        let url: Url = self.url.parse().map_err(|error| SdkError::new(ErrorKind::DataConversion, error))?;
        let retry = RetryOptions::exponential(ExponentialRetryOptions {
            initial_delay: RETRY_FIRST,
            max_retries: RETRIES_MAX,
            max_total_elapsed: RETRY_TIME_MAX,
            max_delay: RETRY_PAUSE_MAX,
        });
        let (credential, per_try_policies): (_, Vec<Arc<dyn Policy>>) = match &self.access {
            Access::Identity(identity) => (Some(credential(identity)?), Vec::new()),
            #[cfg(feature = "emulator")]
            Access::Azurite => (None, vec![Arc::new(super::azurite::SharedKey)]),
        };
        let options = ClientOptions { retry, per_try_policies, ..ClientOptions::default() };
        let options =
            BlobContainerClientOptions { client_options: options, ..BlobContainerClientOptions::default() };
        BlobContainerClient::new(url, credential, Some(options))
    }
}

/// Holds an operation to its time, as a part of the trace.
async fn within<T>(
    verb: &'static str,
    operation: &impl Fn() -> String,
    work: impl Future<Output = Result<T, SdkError>>,
) -> Result<Result<T, SdkError>, Error> {
    let asked = dependency(SYSTEM, verb, CONTAINER);
    // The client's futures are large.
    let work = Box::pin(work).instrument(asked.clone());
    let answer = timeout(OPERATION_TIMEOUT, work).await;
    let status = match &answer {
        Ok(Ok(_)) => StatusCode::Ok.into(),
        Ok(Err(error)) => error.http_status().map_or(NO_STATUS, u16::from),
        Err(_) => NO_STATUS,
    };
    asked.record("status", status);
    answer.map_err(|late| Error::Unavailable { operation: operation(), source: late.into() })
}

fn is_status(error: &SdkError, status: StatusCode) -> bool {
    error.http_status() == Some(status)
}

/// The service's own name for an error.
fn code(error: &SdkError) -> Option<&str> {
    match error.kind() {
        ErrorKind::HttpResponse { error_code, .. } => error_code.as_deref(),
        _ => None,
    }
}

/// Whether a blob was not written because it is there: other conflicts must not be taken for that.
fn is_there(error: &SdkError) -> bool {
    code(error).is_some_and(|code| BLOB_EXISTS.contains(&code))
}

/// What an error of the client means: a refusal by the service stays one, anything else may be over soon.
fn failed(operation: String, error: SdkError) -> Error {
    let passes = match error.http_status() {
        Some(status) => {
            status.is_server_error()
                || status == StatusCode::TooManyRequests
                || status == StatusCode::RequestTimeout
        }
        None => !matches!(error.kind(), ErrorKind::Credential | ErrorKind::DataConversion),
    };
    let source = error.into();
    if passes { Error::Unavailable { operation, source } } else { Error::Refused { operation, source } }
}
