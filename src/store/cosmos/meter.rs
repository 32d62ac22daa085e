//! What the requests to Cosmos DB cost that one piece of work makes: counted only where somebody asks.
//!
//! Does not know what the work is. What a task does for others, as whoever writes a batch of holds does, counts as its own.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use azure_data_cosmos::CosmosError;
use azure_data_cosmos::diagnostics::DiagnosticsContext;

tokio::task_local! {
    static SPENT: Cell<Spent>;
}

/// What has been spent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Spent {
    /// Requests, retries and refused ones included.
    pub requests: usize,
    /// What the service charged for them, in request units (RUs).
    pub charge_ru: f64,
}

/// Runs `work` and counts meanwhile; [`spent`] tells how far the count is.
pub async fn scope<F: Future>(work: F) -> F::Output {
    SPENT.scope(Cell::default(), work).await
}

/// What the work of this task has spent so far; `None` outside [`scope`].
pub fn spent() -> Option<Spent> {
    SPENT.try_with(Cell::get).ok()
}

/// Notes what an answer of the client has cost, whether it is one or an error.
pub(super) fn counted<T>(
    answer: Result<T, CosmosError>,
    diagnostics: impl FnOnce(&T) -> Arc<DiagnosticsContext>,
) -> Result<T, CosmosError> {
    // Nobody asks, mostly.
    _ = SPENT.try_with(|spent| {
        let diagnostics = match &answer {
            Ok(answer) => Some(diagnostics(answer)),
            Err(error) => error.diagnostics(),
        };
        if let Some(diagnostics) = diagnostics {
            let Spent { requests, charge_ru } = spent.get();
            spent.set(Spent {
                requests: requests + diagnostics.request_count(),
                charge_ru: charge_ru + diagnostics.total_request_charge().value(),
            });
        }
    });
    answer
}
