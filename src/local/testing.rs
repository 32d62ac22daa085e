//! Fixtures for the tests of this module: a handler inside the test, and a host in front of it.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use data_encoding::HEXLOWER;
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use super::config::{HandlerDescription, HostConfig, MessageEncoding, QueueRules, Settings};
use super::cors::Cors;
use super::link::Link;
use super::queue::{FailureRules, Message};
use super::topic::Topic;
use super::{ChangeSource, Changes, LocalHost, Parts, Place, function};
use crate::sources::{Clock, Ids};

/// Longest wait for anything that must happen.
pub(super) const PATIENCE: Duration = Duration::from_secs(20);
const BODY_BYTES_MAX: usize = 1_000_000;

/// A folder that is removed in the end.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// Writes `functions/{name}/function.json`.
    pub(super) fn add_function(&self, name: &str, document: &Value) {
        let folder = self.0.join("functions").join(name);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("function.json"), document.to_string()).unwrap();
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

pub(super) fn temporary_folder() -> Folder {
    let name = HEXLOWER.encode(&Ids::random().bytes16());
    let path = std::env::temp_dir().join(format!("local-host-{name}"));
    std::fs::create_dir_all(&path).unwrap();
    Folder(path)
}

pub(super) fn config() -> HostConfig {
    HostConfig {
        route_prefix: "api".to_owned(),
        handler: HandlerDescription {
            program: PathBuf::from("handler"),
            arguments: Vec::new(),
            working_directory: PathBuf::from("."),
        },
        proxying: true,
        initialization_timeout: PATIENCE,
        function_timeout: Some(PATIENCE),
        queues: QueueRules {
            concurrency: 3,
            failures: FailureRules { max_dequeue_count: 2, visibility_timeout: Duration::ZERO },
            encoding: MessageEncoding::Base64,
        },
    }
}

pub(super) fn start_time() -> DateTime<Utc> {
    "2026-03-01T12:00:00Z".parse().unwrap()
}

/// A request as the handler got it, and the way to answer it.
pub(super) struct Call {
    pub(super) method: Method,
    pub(super) uri: Uri,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
    reply: oneshot::Sender<Response>,
}

impl Call {
    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// The documents of an invocation by a change feed, which need three decodes.
    pub(super) fn documents(&self) -> Value {
        let envelope = self.json();
        let literal = envelope["Data"]["documents"].as_str().unwrap();
        serde_json::from_str(&serde_json::from_str::<String>(literal).unwrap()).unwrap()
    }

    pub(super) fn reply(self, response: impl IntoResponse) {
        self.reply.send(response.into_response()).unwrap();
    }

    /// Answers a JSON invocation.
    pub(super) fn answer(self, answer: Value) {
        self.reply(axum::Json(answer));
    }

    pub(super) fn fail(self) {
        self.reply(StatusCode::INTERNAL_SERVER_ERROR);
    }
}

/// A handler whose requests wait for the test to answer them.
pub(super) struct FakeHandler {
    address: SocketAddr,
    calls: mpsc::UnboundedReceiver<Call>,
}

impl FakeHandler {
    async fn start() -> Self {
        let (sender, calls) = mpsc::unbounded_channel();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let record = move |request: Request| {
            let sender = sender.clone();
            async move {
                let (parts, body) = request.into_parts();
                let (reply, replied) = oneshot::channel();
                let Ok(body) = to_bytes(body, BODY_BYTES_MAX).await else {
                    return StatusCode::BAD_REQUEST.into_response();
                };
                let call = Call { method: parts.method, uri: parts.uri, headers: parts.headers, body, reply };
                let _ = sender.send(call);
                replied.await.unwrap_or_else(|_| StatusCode::INTERNAL_SERVER_ERROR.into_response())
            }
        };
        let router = Router::new().fallback(record);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, calls }
    }

    /// The next request to the handler.
    pub(super) async fn call(&mut self) -> Call {
        let call = timeout(PATIENCE, self.calls.recv()).await;
        call.expect("the handler is called").unwrap()
    }

    pub(super) fn is_idle(&mut self) -> bool {
        self.calls.try_recv().is_err()
    }
}

/// A store of one partition, in which places are counts of what was written.
#[derive(Clone, Default)]
pub(super) struct TestStore {
    written: Arc<Mutex<Vec<Value>>>,
    leases: Arc<watch::Sender<BTreeMap<String, String>>>,
}

impl TestStore {
    pub(super) fn write(&self, ids: &[&str]) {
        self.written.lock().unwrap().extend(ids.iter().map(|id| json!({ "id": id })));
    }

    pub(super) fn lease(&self, name: &str) -> Option<String> {
        self.leases.borrow().get(name).cloned()
    }

    /// Waits until a lease is at a place.
    pub(super) async fn lease_at(&self, name: &str, place: &str) {
        let mut leases = self.leases.subscribe();
        let there = leases.wait_for(|leases| leases.get(name).is_some_and(|at| at == place));
        timeout(PATIENCE, there).await.expect("the lease moves").unwrap();
    }

    pub(super) fn source(&self) -> ChangeSource {
        let (reading, loading, saving) = (self.clone(), self.clone(), self.clone());
        ChangeSource {
            database: "shop".to_owned(),
            containers: vec!["orders".to_owned()],
            lease_container: "leases".to_owned(),
            read: Arc::new(move |_, place, count_max| {
                let written = reading.written.lock().unwrap();
                let from = match place {
                    Place::Beginning => 0,
                    Place::Now => written.len(),
                    Place::After(place) => place.parse().unwrap(),
                };
                let count_max = usize::try_from(count_max.get()).unwrap();
                let documents: Vec<_> = written[from..].iter().take(count_max).cloned().collect();
                let place = (from + documents.len()).to_string();
                Box::pin(std::future::ready(Ok(Changes { documents, place })))
            }),
            load: Arc::new(move |lease| Box::pin(std::future::ready(Ok(loading.lease(&lease))))),
            save: Arc::new(move |lease, place| {
                saving.leases.send_modify(|leases| drop(leases.insert(lease, place)));
                Box::pin(std::future::ready(Ok(())))
            }),
        }
    }
}

/// What a host may look at beside its own things.
#[derive(Default)]
struct Sights {
    changes: Option<ChangeSource>,
    folders: Vec<super::Folder>,
}

/// A host in front of a fake handler, on a clock that stands still.
pub(super) struct TestHost {
    pub(super) host: LocalHost,
    pub(super) handler: FakeHandler,
    pub(super) clock: Clock,
    pub(super) restarts: mpsc::UnboundedReceiver<String>,
}

impl TestHost {
    pub(super) async fn start(functions: &[(&str, Value)]) -> Self {
        Self::with(functions, false, |_| {}).await
    }

    pub(super) async fn with(
        functions: &[(&str, Value)],
        enable_auth: bool,
        adjust: impl FnOnce(&mut HostConfig),
    ) -> Self {
        Self::open(functions, enable_auth, adjust, None, Sights::default()).await
    }

    /// A host that lets the pages of these origins call.
    pub(super) async fn with_cors(functions: &[(&str, Value)], cors: Option<Cors>) -> Self {
        Self::open(functions, false, |_| {}, cors, Sights::default()).await
    }

    /// A host that tells the changes of a store.
    pub(super) async fn with_store(functions: &[(&str, Value)], store: &TestStore) -> Self {
        let sights = Sights { changes: Some(store.source()), folders: Vec::new() };
        Self::open(functions, false, |_| {}, None, sights).await
    }

    /// A host with a folder to look into.
    pub(super) async fn with_folder(folder: super::Folder) -> Self {
        let sights = Sights { changes: None, folders: vec![folder] };
        Self::open(&[], false, |_| {}, None, sights).await
    }

    async fn open(
        functions: &[(&str, Value)],
        enable_auth: bool,
        adjust: impl FnOnce(&mut HostConfig),
        cors: Option<Cors>,
        sights: Sights,
    ) -> Self {
        let mut config = config();
        adjust(&mut config);
        let folder = temporary_folder();
        for (name, function) in functions {
            let function =
                if function.is_array() { json!({ "bindings": function }) } else { function.clone() };
            folder.add_function(name, &function);
        }
        let discovery = function::discover(folder.path(), &config, &Settings::new()).unwrap();
        assert_eq!(discovery.warnings, Vec::<String>::new());
        let handler = FakeHandler::start().await;
        let (link, restarts) = Link::fixed(handler.address);
        let clock = Clock::manual(start_time());
        let parts = Parts {
            config,
            cors,
            discovery,
            listener: TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap(),
            link,
            process: None,
            enable_auth,
            changes: sights.changes,
            folders: sights.folders,
            clock: clock.clone(),
            ids: Ids::seeded(1),
        };
        Self { host: parts.open().unwrap(), handler, clock, restarts }
    }

    pub(super) fn put(&self, queue: &str, text: &str) -> String {
        let body = text.as_bytes().to_vec();
        self.host.site.queues.put(queue, body).unwrap()
    }

    pub(super) async fn messages(&self, queue: &str, wanted: impl Fn(&[Message]) -> bool) -> Vec<Message> {
        messages(&self.host, queue, wanted).await
    }

    /// Waits until the topic is as it is wanted.
    pub(super) async fn topic(&self, wanted: impl Fn(&Topic) -> bool) {
        let topic = &self.host.site.topic;
        let mut bell = topic.listen();
        let waiting = async {
            while !wanted(topic) {
                bell.changed().await.unwrap();
            }
        };
        timeout(PATIENCE, waiting).await.expect("the topic changes");
    }

    /// Sends a request to the host while the handler answers in the test's hands.
    pub(super) fn send<B: Into<Body>>(
        &self,
        method: &str,
        target: &str,
        body: B,
    ) -> impl Future<Output = Reply> + use<B> {
        send(self.host.address(), method, target, &[], body.into())
    }

    pub(super) fn send_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Body,
    ) -> impl Future<Output = Reply> + use<> {
        send(self.host.address(), method, target, headers, body)
    }
}

/// Waits until a queue holds what is wanted.
pub(super) async fn messages(
    host: &LocalHost,
    queue: &str,
    wanted: impl Fn(&[Message]) -> bool,
) -> Vec<Message> {
    let mut bell = host.site.queues.listen();
    let waiting = async {
        loop {
            bell.mark_unchanged();
            let messages = host.site.queues.messages(queue).unwrap_or_default();
            if wanted(&messages) {
                return messages;
            }
            bell.changed().await.unwrap();
        }
    };
    timeout(PATIENCE, waiting).await.expect("the queue changes")
}

/// What a client got.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(super) fn send(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Body,
) -> impl Future<Output = Reply> + use<> {
    let mut request = Request::builder().method(method).uri(format!("http://{address}{target}"));
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(body).unwrap();
    async move {
        let response = timeout(PATIENCE, stream(request)).await.expect("an answer");
        let (parts, body) = response.into_parts();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: to_bytes(body, BODY_BYTES_MAX).await.unwrap(),
        }
    }
}

/// Sends a request and leaves the body of the response unread.
pub(super) async fn stream(request: Request) -> Response {
    let client = Client::builder(TokioExecutor::new()).build_http::<Body>();
    client.request(request).await.unwrap().map(Body::new)
}
