//! Stands between the handler and the emulator: lets every request for a document take its time, and notes it.
//!
//! What is noted is read only after the clock has stopped, so that reading it takes no time from what is measured.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::extract::{Request, State};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use crate::Failure;
use crate::charge::{Operation, Refusal};

const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
const BATCH_HEADER: &str = "x-ms-cosmos-is-batch-request";
/// Status of a batch of which a write was refused, and so all.
const REFUSED_BATCH: StatusCode = StatusCode::MULTI_STATUS;

/// How long requests take, and what came.
#[derive(Debug)]
pub(crate) struct Meter {
    latency: Duration,
    seen: Mutex<Vec<Seen>>,
}

/// A request for a document and its answer.
#[derive(Debug)]
struct Seen {
    method: Method,
    path: String,
    is_batch: bool,
    body: Bytes,
    status: StatusCode,
    answer_bytes: usize,
    took: Duration,
}

impl Meter {
    pub(crate) fn new(latency: Duration) -> Arc<Self> {
        Arc::new(Self { latency, seen: Mutex::default() })
    }

    /// What came since it was last asked.
    ///
    /// # Errors
    /// When a request came that deciding an order does not need.
    pub(crate) fn tally(&self) -> Result<Tally, Failure> {
        let seen = std::mem::take(&mut *self.seen.lock().unwrap_or_else(PoisonError::into_inner));
        let mut tally = Tally::default();
        for seen in seen {
            tally.add(&seen)?;
        }
        Ok(tally)
    }
}

/// Middleware in front of the emulator.
pub(crate) async fn pass(State(meter): State<Arc<Meter>>, request: Request, next: Next) -> Response {
    if !request.uri().path().contains("/docs") {
        return next.run(request).await;
    }
    let start = Instant::now();
    let (head, body) = request.into_parts();
    let Ok(body) = to_bytes(body, REQUEST_BYTES_MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    if !meter.latency.is_zero() {
        sleep(meter.latency).await;
    }
    let (method, path) = (head.method.clone(), head.uri.path().to_owned());
    let is_batch = head.headers.contains_key(BATCH_HEADER);
    let response = next.run(Request::from_parts(head, Body::from(body.clone()))).await;
    let answer_bytes = response.body().size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
    let (status, answer_bytes) = (response.status(), answer_bytes.unwrap_or_default());
    let seen = Seen { method, path, is_batch, body, status, answer_bytes, took: start.elapsed() };
    meter.seen.lock().unwrap_or_else(PoisonError::into_inner).push(seen);
    response
}

/// Requests and what they cost: all of them, and those to the container `stock`.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tally {
    pub(crate) all: Part,
    pub(crate) stock: Part,
    /// How long the requests took together, from the emulator's door.
    pub(crate) took: Duration,
}

/// Some requests and what they cost.
#[derive(Debug, Clone, Default)]
pub(crate) struct Part {
    pub(crate) requests: u32,
    pub(crate) reads: u32,
    pub(crate) batches: u32,
    /// Batches that were refused; they are among the batches.
    pub(crate) refused: u32,
    pub(crate) creates: u32,
    pub(crate) replaces: u32,
    /// Charge of what took effect.
    done_ru: f64,
    /// What the refused batches would have cost.
    refused_ru: [f64; Refusal::ALL.len()],
}

impl Part {
    /// The charge, if refused batches are charged like this.
    pub(crate) fn ru(&self, refusal: Refusal) -> f64 {
        let index = Refusal::ALL.iter().position(|other| *other == refusal).unwrap_or_default();
        self.done_ru + self.refused_ru[index]
    }

    fn add(&mut self, operations: &[Operation], is_refused: bool) {
        let ru: f64 = operations.iter().map(|operation| operation.ru()).sum();
        self.requests += 1;
        if is_refused {
            self.refused += 1;
            for (sum, refusal) in self.refused_ru.iter_mut().zip(Refusal::ALL) {
                *sum += refusal.ru(ru);
            }
            return;
        }
        self.done_ru += ru;
        for operation in operations {
            match operation {
                Operation::Read(_) => self.reads += 1,
                Operation::Create(_) => self.creates += 1,
                Operation::Replace(_) => self.replaces += 1,
            }
        }
    }
}

impl Tally {
    fn add(&mut self, seen: &Seen) -> Result<(), Failure> {
        let operations = match (seen.is_batch, seen.method == Method::GET) {
            (true, _) => batch(seen)?,
            (false, true) => vec![Operation::Read(seen.answer_bytes)],
            (false, false) => return Err(format!("{} {} was not expected", seen.method, seen.path).into()),
        };
        let is_refused = seen.is_batch && seen.status == REFUSED_BATCH;
        if !is_refused && seen.status != StatusCode::OK {
            return Err(format!("{} {} was answered {}", seen.method, seen.path, seen.status).into());
        }
        let parts = [Some(&mut self.all), seen.path.contains("/colls/stock/").then_some(&mut self.stock)];
        for part in parts.into_iter().flatten() {
            part.add(&operations, is_refused);
            part.batches += u32::from(seen.is_batch);
        }
        self.took += seen.took;
        Ok(())
    }
}

/// What a batch does: writes, or a single read.
fn batch(seen: &Seen) -> Result<Vec<Operation>, Failure> {
    let operations: Vec<Value> = serde_json::from_slice(&seen.body)?;
    let operation = |operation: &Value| {
        let bytes = operation["resourceBody"].to_string().len();
        match operation["operationType"].as_str() {
            Some("Read") => Ok(Operation::Read(seen.answer_bytes)),
            Some("Create") => Ok(Operation::Create(bytes)),
            Some("Replace") => Ok(Operation::Replace(bytes)),
            _ => Err(format!("a batch does {}, which was not expected", operation["operationType"]).into()),
        }
    };
    operations.iter().map(operation).collect()
}
