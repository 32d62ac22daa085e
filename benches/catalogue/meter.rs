//! Stands between the handlers and the emulator: lets every request for a document take its time, and counts what it
//! costs.
//!
//! A read costs what `charge` says of it. What a query costs depends on what it finds and is nowhere published; it is
//! taken to be 3 RUs in each partition, as in `docs/performance.md`.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::HttpBody;
use axum::extract::{Request, State};
use axum::http::Method;
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::sleep;

use crate::charge::Operation;

/// A query in one partition.
const QUERY_RU: f64 = 3.0;

/// How long requests take, and what came since it was last asked.
#[derive(Debug)]
pub(crate) struct Meter {
    latency: Duration,
    tally: Mutex<Tally>,
}

/// Requests and what they cost.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Tally {
    pub(crate) requests: u32,
    pub(crate) ru: f64,
}

impl Meter {
    pub(crate) fn new(latency: Duration) -> Arc<Self> {
        Arc::new(Self { latency, tally: Mutex::default() })
    }

    /// What came since this was last asked.
    pub(crate) fn tally(&self) -> Tally {
        std::mem::take(&mut *self.tally.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Middleware in front of the emulator.
pub(crate) async fn pass(State(meter): State<Arc<Meter>>, request: Request, next: Next) -> Response {
    if !request.uri().path().contains("/docs") {
        return next.run(request).await;
    }
    let is_read = request.method() == Method::GET;
    if !meter.latency.is_zero() {
        sleep(meter.latency).await;
    }
    let response = next.run(request).await;
    let bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let ru = if is_read { Operation::Read(bytes.unwrap_or_default()).ru() } else { QUERY_RU };
    let mut tally = meter.tally.lock().unwrap_or_else(PoisonError::into_inner);
    tally.requests += 1;
    tally.ru += ru;
    drop(tally);
    response
}
