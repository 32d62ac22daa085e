//! What the requests to Cosmos DB cost that one piece of work makes: counted only where somebody asks, and in the trace where
//! that is watched.
//!
//! Does not know what the work is. What a task does for others, as whoever writes a batch of holds does, counts as its own.

use std::cell::Cell;
use std::future::Future;
use std::sync::Arc;

use azure_data_cosmos::diagnostics::DiagnosticsContext;
use azure_data_cosmos::{CosmosError, CosmosStatus};
use tracing::{Instrument, Span};

use crate::measure::{NO_STATUS, dependency};
use crate::store::containers::Container;

/// What OpenTelemetry calls this system.
const SYSTEM: &str = "azure.cosmosdb";

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

/// What is asked of which container, for the trace.
pub(super) fn asked(operation: &'static str, container: Container) -> Span {
    dependency(SYSTEM, operation, container.definition().name)
}

/// Makes a request of the client as a part of the trace, and notes what its answer has cost.
pub(super) async fn metered<T>(
    asked: Span,
    request: impl Future<Output = Result<T, CosmosError>>,
    diagnostics: impl FnOnce(&T) -> Arc<DiagnosticsContext>,
) -> Result<T, CosmosError> {
    // The client's futures are large.
    let answer = Box::pin(request).instrument(asked.clone()).await;
    counted(&asked, answer, diagnostics)
}

/// Notes what an answer of the client has cost, whether it is one or an error.
pub(super) fn counted<T>(
    asked: &Span,
    answer: Result<T, CosmosError>,
    diagnostics: impl FnOnce(&T) -> Arc<DiagnosticsContext>,
) -> Result<T, CosmosError> {
    // Nobody asks, mostly.
    if asked.is_disabled() && SPENT.try_with(|_| ()).is_err() {
        return answer;
    }
    let diagnostics = match &answer {
        Ok(answer) => Some(diagnostics(answer)),
        Err(error) => error.diagnostics(),
    };
    let status = match &answer {
        Ok(_) => diagnostics.as_ref().and_then(|diagnostics| diagnostics.status().copied()),
        Err(error) => Some(error.status()),
    };
    let Some(diagnostics) = diagnostics else {
        record(asked, status, Spent::default());
        return answer;
    };
    let now = Spent {
        requests: diagnostics.request_count(),
        charge_ru: diagnostics.total_request_charge().value(),
    };
    record(asked, status, now);
    _ = SPENT.try_with(|spent| {
        let Spent { requests, charge_ru } = spent.get();
        spent.set(Spent { requests: requests + now.requests, charge_ru: charge_ru + now.charge_ru });
    });
    answer
}

fn record(asked: &Span, status: Option<CosmosStatus>, spent: Spent) {
    let status = status.map_or(NO_STATUS, |status| u16::from(status.status_code()));
    asked.record("status", status).record("requests", spent.requests).record("charge_ru", spent.charge_ru);
}
