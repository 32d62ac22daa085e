//! The only place that names the SDK's in-memory Cosmos emulator: in this process, or served over HTTP to several.
//!
//! The emulator is Microsoft's and sits behind an unsupported feature flag; the version is pinned. Does not know which
//! containers there are.

mod regions;

use std::fmt;
use std::future::Future;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Response, StatusCode};
use azure_core::http::Request;
use azure_data_cosmos_driver::driver::CosmosDriverRuntimeBuilder;
use azure_data_cosmos_driver::in_memory_emulator::{
    InMemoryEmulatorHttpClient, ReplicationConfig, RequestObserver, VirtualAccountConfig,
};
use futures::future::BoxFuture;
use tokio::net::TcpListener;

pub use self::regions::{Failover, Split};
use self::regions::{Region, Sights};

/// The emulator looks at no key, but the client must sign with one.
pub const KEY: &str = "ZW11bGF0b3I=";
/// Largest request that the bridge reads: Cosmos allows 2 MB for a document or batch.
const REQUEST_BYTES_MAX: usize = 4 * 1024 * 1024;
const REGION: &str = "East US";
/// What the path of every request for documents holds, and no other.
const DOCUMENTS: &str = "/docs";

/// A Cosmos DB account in memory; its content ends with it.
pub struct Emulator {
    client: Arc<InMemoryEmulatorHttpClient>,
    endpoint: String,
    /// Never empty.
    regions: Vec<Region>,
    sights: Sights,
    requests: Arc<RequestCount>,
    traffic: AtomicU64,
    gate: Option<Gate>,
}

impl fmt::Debug for Emulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Emulator").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

/// Holds a request for a document at the door, as long as its future takes, and says what is to become of it. So a test
/// can order the requests of several workers as it likes, and let any of them go wrong.
pub type Gate = Arc<dyn Fn(Arrival) -> BoxFuture<'static, Fate> + Send + Sync>;

/// A request for a document that has come to the door over HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrival {
    /// The region to whose address it came.
    pub region: String,
    /// `GET` reads, `POST` creates, queries or is a batch, `PUT` replaces.
    pub method: String,
    /// Which container or document.
    pub path: String,
}

/// What becomes of a request at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It takes effect and is answered.
    Pass,
    /// It has no effect and is answered with this status.
    Refuse(u16),
    /// It takes effect and is answered with this status all the same.
    Mislead(u16),
    /// It has no effect and is never answered.
    Vanish,
    /// It takes effect and is never answered.
    Silence,
}

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The emulator could not be set up.
#[derive(Debug, thiserror::Error)]
#[error("the Cosmos emulator cannot be set up at {endpoint}")]
pub struct EmulatorError {
    endpoint: String,
    source: Box<dyn std::error::Error + Send + Sync>,
}

/// Counts the requests for documents: those that cost RUs, without the client's look-ups of account and containers.
#[derive(Debug, Default)]
struct RequestCount(AtomicU64);

impl RequestObserver for RequestCount {
    fn on_request(&self, request: &Request) {
        if request.url().path().contains(DOCUMENTS) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Emulator {
    /// An empty account that believes to live at this address.
    ///
    /// # Errors
    /// When the address is not one; a retry does not help.
    pub fn new(endpoint: &str) -> Result<Self, EmulatorError> {
        Self::in_regions(&[(REGION, endpoint)])
    }

    /// An empty account in these regions, each at an address of its own. The first one takes the writes; the others
    /// follow at once, until they are told not to.
    ///
    /// # Errors
    /// When there is no region, or an address is not one; a retry does not help.
    pub fn in_regions(regions: &[(&str, &str)]) -> Result<Self, EmulatorError> {
        let endpoint = regions.first().map(|(_, address)| (*address).to_owned()).unwrap_or_default();
        let failed = |source| EmulatorError { endpoint: endpoint.clone(), source };
        let regions: Vec<_> = regions.iter().map(Region::parse).collect::<Result<_, _>>().map_err(failed)?;
        let config = VirtualAccountConfig::new(regions.iter().map(Region::to_virtual).collect());
        let config = config.map(|config| config.with_replication_config(ReplicationConfig::immediate()));
        let client =
            config.and_then(InMemoryEmulatorHttpClient::try_new).map_err(|error| failed(Box::new(error)))?;
        let requests = Arc::new(RequestCount::default());
        let client = Arc::new(client.with_request_observer(Arc::<RequestCount>::clone(&requests)));
        let (sights, traffic) = (Sights::default(), AtomicU64::new(0));
        Ok(Self { client, endpoint, regions, sights, requests, traffic, gate: None })
    }

    /// The account behind a gate. It stands in the way of HTTP only; clients in this process pass it by.
    pub fn with_gate(self, gate: Gate) -> Self {
        Self { gate: Some(gate), ..self }
    }

    /// An empty account that only this process can reach.
    ///
    /// # Errors
    /// See [`Emulator::new`].
    pub fn in_process() -> Result<Self, EmulatorError> {
        Self::new("https://eastus.emulator.local/")
    }

    /// The address it believes to live at.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Requests for documents so far.
    pub fn requests(&self) -> u64 {
        self.requests.0.load(Ordering::Relaxed)
    }

    /// Requests that came over HTTP, and answers that went back: whoever sees it stand still sees nobody talk.
    pub fn traffic(&self) -> u64 {
        self.traffic.load(Ordering::Relaxed)
    }

    /// A client runtime whose every request ends here and never reaches a network.
    pub fn runtime_builder(&self) -> CosmosDriverRuntimeBuilder {
        self.client.runtime_builder()
    }

    /// Answers Cosmos requests over HTTP until `stop` is done. The listener must be at the address of a region.
    ///
    /// # Errors
    /// When the listener fails.
    pub async fn serve(
        self: Arc<Self>,
        listener: TcpListener,
        stop: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        crate::host::serve(listener, self.bridge(), stop).await
    }

    /// What [`Emulator::serve`] serves, for those who put something of their own in front of it.
    pub fn bridge(self: Arc<Self>) -> Router {
        let limit = axum::extract::DefaultBodyLimit::max(REQUEST_BYTES_MAX);
        Router::new().fallback(answer).layer(limit).with_state(self)
    }
}

/// One request from the network to the emulator, and its answer back. In a task of its own: when a client is killed, its
/// connection breaks and this function is dropped, but a database finishes what has reached it.
async fn answer(State(emulator): State<Arc<Emulator>>, head: Parts, body: Bytes) -> Response<Body> {
    let forwarded = tokio::spawn(async move { emulator.admit(&head, body).await });
    let error: BoxError = match forwarded.await {
        Ok(Ok(response)) => return response,
        Ok(Err(error)) => error,
        Err(panicked) => panicked.into(),
    };
    tracing::warn!(%error, "the emulator gave no answer");
    let mut response = Response::new(Body::from("the emulator gave no answer"));
    *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    response
}

impl Emulator {
    async fn admit(&self, head: &Parts, body: Bytes) -> Result<Response<Body>, BoxError> {
        self.traffic.fetch_add(1, Ordering::Relaxed);
        let answer = self.meet(head, body).await;
        self.traffic.fetch_add(1, Ordering::Relaxed);
        answer
    }

    async fn meet(&self, head: &Parts, body: Bytes) -> Result<Response<Body>, BoxError> {
        let fate = match &self.gate {
            Some(gate) if head.uri.path().contains(DOCUMENTS) => {
                let (method, path) = (head.method.to_string(), head.uri.path().to_owned());
                gate(Arrival { region: self.region_of(head).name.clone(), method, path }).await
            }
            Some(_) | None => Fate::Pass,
        };
        let answer = |status: u16| Ok(Response::builder().status(status).body(Body::empty())?);
        match fate {
            Fate::Pass => self.forward(head, body).await,
            Fate::Refuse(status) => answer(status),
            Fate::Mislead(status) => {
                self.forward(head, body).await?;
                answer(status)
            }
            Fate::Vanish => std::future::pending().await,
            Fate::Silence => {
                self.forward(head, body).await?;
                std::future::pending().await
            }
        }
    }

    async fn forward(&self, head: &Parts, body: Bytes) -> Result<Response<Body>, BoxError> {
        let region = self.region_of(head);
        let answer = self.ask(region, head, &body).await?;
        self.compare(region, (head, &body), &answer).await?;
        let mut response = Response::builder().status(u16::from(answer.status()));
        for (name, value) in answer.headers().iter() {
            response = response.header(name.as_str(), value.as_str());
        }
        let bytes: &[u8] = answer.body().as_ref();
        Ok(response.body(Body::from(bytes.to_vec()))?)
    }
}
