//! The Functions host's part: delivers messages in envelopes, so many at once, and takes the time of each.
//!
//! A closed loop: each worker delivers its next message when the last is answered, as the host does with a full queue.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::{Body, Bytes, to_bytes};
use axum::http::{Request, StatusCode, header};
use futures::stream;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::Failure;

/// Deliveries of a message before it counts as hopeless: `maxDequeueCount` of host.json.
const DELIVERIES_MAX: u32 = 20;
const ANSWER_BYTES_MAX: usize = 64 * 1024;

/// Connections to handlers.
#[derive(Clone)]
pub(crate) struct Driver {
    client: Client<HttpConnector, Body>,
    addresses: Vec<SocketAddr>,
}

/// How it went.
#[derive(Debug, Default)]
pub(crate) struct Delivered {
    pub(crate) took: Duration,
    /// From the first delivery of a message to its acknowledgement.
    pub(crate) latencies: Vec<Duration>,
    /// Deliveries that were answered with an error, and repeated at once.
    pub(crate) repeated: u32,
}

impl Driver {
    /// Worker `n` speaks to handler `n`, in turn.
    pub(crate) fn new(addresses: Vec<SocketAddr>) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self { client: Client::builder(TokioExecutor::new()).build(connector), addresses }
    }

    /// Delivers each text to the function `ProcessOrder` until it is acknowledged.
    ///
    /// # Errors
    /// When a handler does not answer, or one message fails for ever.
    pub(crate) async fn deliver(&self, texts: &[String], at_once: u32) -> Result<Delivered, Failure> {
        let envelopes: Arc<Vec<Bytes>> = Arc::new(texts.iter().map(|text| envelope(text)).collect());
        let next = Arc::new(AtomicUsize::new(0));
        let start = Instant::now();
        let mut workers = JoinSet::new();
        for address in self.addresses.iter().cycle().take(usize::try_from(at_once)?) {
            let (driver, address) = (self.clone(), *address);
            let (envelopes, next) = (Arc::clone(&envelopes), Arc::clone(&next));
            workers.spawn(async move { driver.work(address, &envelopes, &next).await });
        }
        let mut delivered = Delivered::default();
        while let Some(worked) = workers.join_next().await {
            let worked = worked??;
            delivered.latencies.extend(worked.latencies);
            delivered.repeated += worked.repeated;
        }
        delivered.took = start.elapsed();
        Ok(delivered)
    }

    async fn work(
        &self,
        address: SocketAddr,
        envelopes: &[Bytes],
        next: &AtomicUsize,
    ) -> Result<Delivered, Failure> {
        let mut delivered = Delivered::default();
        while let Some(envelope) = envelopes.get(next.fetch_add(1, Ordering::Relaxed)) {
            let start = Instant::now();
            let mut deliveries = 1;
            while self.invoke(address, envelope.clone()).await? != StatusCode::OK {
                deliveries += 1;
                if deliveries > DELIVERIES_MAX {
                    return Err("a message cannot be processed".into());
                }
                delivered.repeated += 1;
            }
            delivered.latencies.push(start.elapsed());
        }
        Ok(delivered)
    }

    /// One invocation, as the host sends it: in chunks, without a length.
    async fn invoke(&self, address: SocketAddr, envelope: Bytes) -> Result<StatusCode, Failure> {
        let request = Request::post(format!("http://{address}/ProcessOrder"))
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header("X-Azure-Functions-InvocationId", "6f1c8a5e-0d0b-4a7e-9a53-0f7f4d1f6a10")
            .header(header::USER_AGENT, "Azure-Functions-Host/4.0")
            .body(Body::from_stream(stream::iter([Ok::<_, Infallible>(envelope)])))?;
        let response = self.client.request(request).await?;
        let status = response.status();
        // Read to the end, so that the connection is used again.
        to_bytes(Body::new(response.into_body()), ANSWER_BYTES_MAX).await?;
        Ok(status)
    }
}

/// A queue message as the host wraps it: its text, as JSON, in a string.
fn envelope(text: &str) -> Bytes {
    let message = Value::from(text).to_string();
    let metadata = json!({
        "DequeueCount": "1",
        "ExpirationTime": "\"2026-03-09T09:15:00+00:00\"",
        "Id": "\"ad4b2eb3-7a3e-4a0c-8d54-6f3c1a3b6c0f\"",
        "InsertionTime": "\"2026-03-02T09:15:00+00:00\"",
        "NextVisibleTime": "\"2026-03-02T09:25:00+00:00\"",
        "PopReceipt": "\"AgAAAAMAAAAAAAAA\"",
        "sys": {"MethodName": "ProcessOrder", "UtcNow": "2026-03-02T09:15:00Z", "RandGuid": "0f7f4d1f"},
    });
    Bytes::from(json!({"Data": {"message": message}, "Metadata": metadata}).to_string())
}
