//! One invocation: to the handler, and its answer back to the bindings.
//!
//! Knows how to reach the handler and how long to wait; why a function runs is not its business.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::header::{CONTENT_TYPE, USER_AGENT};
use axum::http::{Request, Response};
use futures::stream;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::time::{sleep, timeout};

use super::answer::{Answer, queue_messages};
use super::envelope::Envelope;
use super::event::output_events;
use super::function::{Function, Output};
use super::link::Link;
use super::proxy::{self, HOST_VERSION, HOST_VERSION_HEADER, INVOCATION_ID, ProxiedRequest};
use super::queues::Queues;
use super::topic::Topic;

/// Largest body, of a request and of an answer.
pub(super) const BODY_BYTES_MAX: usize = 100_000_000;
/// How often a refused connection is tried again.
const CONNECT_RETRIES_MAX: u32 = 10;
const CONNECT_RETRY_FIRST: Duration = Duration::from_millis(50);
const CONNECT_RETRY_MAX: Duration = Duration::from_millis(250);

/// Why an invocation failed; what a retry is worth is for the trigger to say.
#[derive(Debug, thiserror::Error)]
#[error("function `{function}` failed: {reason}")]
pub(super) struct Failure {
    function: String,
    reason: String,
}

/// The way in which all functions are run.
#[derive(Debug)]
pub(super) struct Dispatcher {
    link: Link,
    queues: Arc<Queues>,
    topic: Arc<Topic>,
    client: Client<HttpConnector, Body>,
    /// `None` means unlimited.
    function_timeout: Option<Duration>,
}

impl Dispatcher {
    /// A dispatcher over `link` that puts queue outputs into `queues` and events into `topic`.
    pub(super) fn new(
        link: Link,
        queues: Arc<Queues>,
        topic: Arc<Topic>,
        function_timeout: Option<Duration>,
    ) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self {
            link,
            queues,
            topic,
            client: Client::builder(TokioExecutor::new()).build(connector),
            function_timeout,
        }
    }

    /// Runs a function through the JSON protocol and sends its outputs.
    ///
    /// # Errors
    /// When the invocation failed; outputs may have been sent all the same, as on the real host.
    pub(super) async fn invoke(
        &self,
        function: &Function,
        invocation_id: &str,
        envelope: Envelope,
    ) -> Result<Answer, Failure> {
        let body = axum::body::Bytes::from(envelope.into_bytes());
        let path = &function.name;
        let build = |address: SocketAddr| {
            // A stream has no known length, so it is sent in chunks as the real host does.
            let content = stream::once(std::future::ready(Ok::<_, std::io::Error>(body.clone())));
            Request::post(format!("http://{address}/{path}"))
                .header(CONTENT_TYPE, "application/json; charset=utf-8")
                .header(HOST_VERSION_HEADER, HOST_VERSION)
                .header(INVOCATION_ID, proxy::header_value(invocation_id))
                .header(USER_AGENT, format!("Azure-Functions-Host/{HOST_VERSION}"))
                .body(Body::from_stream(content))
        };
        let result = self.exchange(function, build, read_answer).await;
        let result = result.and_then(|mut answer| {
            for line in &answer.logs {
                tracing::info!(function = function.name, invocation_id, "{line}");
            }
            answer.merge_return_value(function);
            self.send_outputs(function, &answer)?;
            Ok(answer)
        });
        result.map_err(|reason| failure(function, invocation_id, reason))
    }

    /// Runs a function by handing the raw request on; both bodies stream.
    ///
    /// # Errors
    /// When there was no response; whatever the handler responds is a success.
    pub(super) async fn proxy(
        &self,
        function: &Function,
        invocation_id: &str,
        request: ProxiedRequest,
    ) -> Result<Response<Body>, Failure> {
        self.exchange(
            function,
            |address| request.to(address),
            |response| std::future::ready(Ok(proxy::response(response))),
        )
        .await
        .map_err(|reason| failure(function, invocation_id, reason))
    }

    /// Sends a request and reads its response within the function timeout; a refused connection is tried again.
    async fn exchange<T, F>(
        &self,
        function: &Function,
        build: impl Fn(SocketAddr) -> Result<Request<Body>, axum::http::Error>,
        read: impl Fn(Response<Body>) -> F,
    ) -> Result<T, String>
    where
        F: Future<Output = Result<T, String>>,
    {
        let mut pause = CONNECT_RETRY_FIRST;
        for _ in 0..=CONNECT_RETRIES_MAX {
            let address = self.link.ready().await.map_err(|error| error.to_string())?;
            let request = build(address).map_err(|error| error.to_string())?;
            let attempt = async {
                match self.client.request(request).await {
                    Ok(response) => Ok(Some(read(response.map(Body::new)).await?)),
                    Err(error) if error.is_connect() => Ok(None),
                    Err(error) => {
                        self.link.notice_end(address).await;
                        Err(format!("the connection to the handler broke: {error}"))
                    }
                }
            };
            if let Some(result) = self.limit(function, attempt).await? {
                return Ok(result);
            }
            sleep(pause).await;
            pause = (pause * 2).min(CONNECT_RETRY_MAX);
        }
        Err("the handler refuses connections".to_owned())
    }

    /// Holds an attempt to the function timeout; overrunning it costs the whole handler its life.
    async fn limit<T>(
        &self,
        function: &Function,
        attempt: impl Future<Output = Result<T, String>>,
    ) -> Result<T, String> {
        let Some(limit) = self.function_timeout else {
            return attempt.await;
        };
        let attempt = Box::pin(attempt);
        match timeout(limit, attempt).await {
            Ok(result) => result,
            Err(_) => {
                let reason =
                    format!("function `{}` ran longer than functionTimeout ({limit:?})", function.name);
                self.link.restart(reason.clone());
                Err(reason)
            }
        }
    }

    fn send_outputs(&self, function: &Function, answer: &Answer) -> Result<(), String> {
        for output in &function.outputs {
            match output {
                Output::Http { .. } => {}
                Output::Queue { binding, queue, binary } => {
                    let Some(value) = answer.output(binding) else {
                        continue;
                    };
                    for body in queue_messages(value, *binary)? {
                        self.queues
                            .put(queue, body)
                            .map_err(|error| format!("output `{binding}`: {error}"))?;
                    }
                }
                Output::Events { binding } => {
                    let Some(value) = answer.output(binding) else {
                        continue;
                    };
                    let named = |error: String| format!("output `{binding}`: {error}");
                    let events = output_events(value).map_err(named)?;
                    self.topic.publish(events).map_err(|error| named(error.to_string()))?;
                }
            }
        }
        Ok(())
    }
}

async fn read_answer(response: Response<Body>) -> Result<Answer, String> {
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, BODY_BYTES_MAX)
        .await
        .map_err(|error| format!("the handler's answer broke off: {error}"))?;
    let content_type = parts.headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok());
    Answer::read(parts.status, content_type, &body)
}

fn failure(function: &Function, invocation_id: &str, reason: String) -> Failure {
    let failure = Failure { function: function.name.clone(), reason };
    tracing::error!(invocation_id, "{failure}");
    failure
}
