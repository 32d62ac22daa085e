//! What the service's answers mean to us: a version, a result of a batch, an error that is worth a retry or is not.
//!
//! Asks nothing of the service.

use std::sync::Arc;

use azure_core::http::Etag as SdkEtag;
use azure_data_cosmos::CosmosError;
use azure_data_cosmos::models::TransactionalBatchResponse;

use super::Batch;
use crate::store::{Cause, Error, Etag, Versioned, Written};

pub(super) fn etag_of(etag: Option<&SdkEtag>, operation: &impl Fn() -> String) -> Result<Etag, Error> {
    let missing = || Error::Corrupt { operation: operation(), detail: "the answer has no etag".to_owned() };
    etag.map(|etag| Etag::new(etag.to_string())).ok_or_else(missing)
}

pub(super) fn done<T>(
    value: T,
    etag: Option<&SdkEtag>,
    operation: &impl Fn() -> String,
) -> Result<Written<T>, Error> {
    Ok(Written::Done(Versioned { value, etag: etag_of(etag, operation)? }))
}

/// What the answers to the single writes say together: the first that is not a consequence of another decides.
pub(super) fn outcome(response: &TransactionalBatchResponse, operation: String) -> Result<Batch, Error> {
    const FAILED_DEPENDENCY: u16 = 424;
    let results = response.results();
    let cause =
        results.iter().position(|result| !result.is_success() && result.status_code() != FAILED_DEPENDENCY);
    match cause.map(|index| (index, results[index].status_code())) {
        None if results.iter().all(|result| result.is_success()) => {
            let etags = results.iter().map(|result| result.etag().map(Etag::new));
            let missing = || Error::Corrupt { operation, detail: "a write has no etag".to_owned() };
            etags.collect::<Option<_>>().map(Batch::Done).ok_or_else(missing)
        }
        Some((index, 409)) => Ok(Batch::Exists(index)),
        Some((index, 404 | 412)) => Ok(Batch::Changed(index)),
        Some((_, status @ (408 | 410 | 429 | 449 | 500..))) => Err(Error::Unavailable {
            operation,
            source: said(format!("a write of the batch answered {status}")),
        }),
        Some((_, status)) => {
            Err(Error::Refused { operation, source: said(format!("a write of the batch answered {status}")) })
        }
        None => Err(Error::Unavailable { operation, source: said("the batch failed without a cause") }),
    }
}

/// A cause of which there is no more to say than this.
pub(super) fn said(text: impl Into<String>) -> Cause {
    Arc::from(Box::<dyn std::error::Error + Send + Sync>::from(text.into()))
}

/// What an error of the client means to us.
pub(super) fn failed(operation: String, error: CosmosError) -> Error {
    let status = u16::from(error.status().status_code());
    let source = Arc::new(error);
    match status {
        400 | 401 | 403 | 404 | 405 | 413 => Error::Refused { operation, source },
        _ => Error::Unavailable { operation, source },
    }
}

/// A document that does not have its form. The parser's own words are left out: they quote the document, which may be
/// about a person.
pub(super) fn corrupt(operation: String) -> Error {
    Error::Corrupt { operation, detail: "the document does not have the form of its type".to_owned() }
}
