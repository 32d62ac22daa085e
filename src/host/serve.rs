//! The handler's port and the shell around all routes: readiness, the names of a request, limits, panics, encodings, one form
//! of refusal, and the headers that every answer has.
//!
//! It deliberately does not know which routes there are. The peer is the Functions host on the same machine, so there is
//! no TLS and no rate limit here.

use std::any::Any;
use std::future::Future;
use std::io;
use std::net::Ipv4Addr;
use std::panic::AssertUnwindSafe;
use std::time::Duration;

use axum::Router;
use axum::extract::{DefaultBodyLimit, MatchedPath, Request};
use axum::http::header;
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::serve::ListenerExt;
use futures::FutureExt;
use tokio::net::TcpListener;
use tokio::time::timeout;
use tracing::Instrument;

use super::context::{self, Context};
use super::encoding::Encoding;
use super::invocation::ENVELOPE_BYTES_MAX;
use super::leftover;
use super::problem::Problem;
use super::trace::FreshTraceId;

/// The longest that one request may take. Azure cuts HTTP off at 230 s, and a function that outlives `functionTimeout`
/// gets the whole handler killed with its neighbours; what is cut off here must survive a kill anyway.
pub const INVOCATION_TIME_MAX: Duration = Duration::from_secs(200);

/// Wraps all routes. It adds `GET /` (readiness, so `routes` must not have it), the limits [`ENVELOPE_BYTES_MAX`] and
/// [`INVOCATION_TIME_MAX`], and turns a panic and every refusal that has no JSON body, such as axum's 404, 405 and 413,
/// into a [`Problem`]. Each answer carries `x-request-id` and `traceparent`, and `Cache-Control: no-store` unless it says
/// otherwise; text is sent with gzip to those who take it.
///
/// The body limit replaces axum's own of 2 MB and holds for every extractor; a route may set another `DefaultBodyLimit`.
pub fn shell(routes: Router, fresh_trace_id: FreshTraceId) -> Router {
    shell_within(INVOCATION_TIME_MAX, routes, fresh_trace_id)
}

fn shell_within(time_max: Duration, routes: Router, fresh_trace_id: FreshTraceId) -> Router {
    routes.route("/", get(|| async { "ready" })).layer(DefaultBodyLimit::max(ENVELOPE_BYTES_MAX)).layer(
        from_fn(move |request: Request, next: Next| guard(time_max, fresh_trace_id.clone(), request, next)),
    )
}

/// Opens the port on the IPv4 loopback address only; port 0 takes a free one.
///
/// # Errors
///
/// When the port is taken or not permitted.
pub async fn bind(port: u16) -> io::Result<TcpListener> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await
}

/// Serves until `shutdown` completes, then until open requests are answered.
///
/// # Errors
///
/// When the listener fails for good; a failing connection is not an error.
pub async fn serve(
    listener: TcpListener,
    app: Router,
    shutdown: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    // Answers are small and the host waits for each: sending at once matters more than filling packets.
    let listener = listener.tap_io(|connection| {
        if let Err(error) = connection.set_nodelay(true) {
            tracing::debug!(%error, "a connection keeps its delay");
        }
    });
    axum::serve(listener, app).with_graceful_shutdown(shutdown).await
}

/// Runs one request under its names; whatever happens in it, the caller gets an answer and the process lives.
async fn guard(time_max: Duration, fresh: FreshTraceId, mut request: Request, next: Next) -> Response {
    let context = Context::of(request.headers(), &fresh);
    let route = request.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = context.span(request.method().as_str(), route);
    let encoding = Encoding::of(request.headers_mut());
    let work = async {
        let (request, leftover) = leftover::shared(request);
        let run = AssertUnwindSafe(next.run(request)).catch_unwind();
        let ended = timeout(time_max, run).await;
        if let Some(leftover) = leftover {
            leftover.drain().await;
        }
        let response = match ended {
            Ok(Ok(response)) => reworded(response),
            Ok(Err(panic)) => {
                tracing::error!(message = panic_message(panic.as_ref()), "a request panicked");
                Problem::internal().into_response()
            }
            Err(_elapsed) => {
                tracing::error!(?time_max, "a request took too long and was dropped");
                Problem::unavailable().into_response()
            }
        };
        let mut response = encoding.apply(response).await;
        context::sign(response.headers_mut());
        context::answered(response.status());
        response
    };
    context::scope(context, work).instrument(span).await
}

/// Gives a refusal without a JSON body, which only the framework makes, the form that all refusals have.
fn reworded(response: Response) -> Response {
    let status = response.status();
    let content_type = response.headers().get(header::CONTENT_TYPE);
    let is_json = content_type.is_some_and(|value| value.as_bytes().ends_with(b"json"));
    if is_json || !(status.is_client_error() || status.is_server_error()) {
        return response;
    }
    let mut problem = Problem::refused(status).into_response();
    if let Some(allow) = response.headers().get(header::ALLOW) {
        problem.headers_mut().insert(header::ALLOW, allow.clone());
    }
    problem
}

fn panic_message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("not a text")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::body::Bytes;
    use axum::body::{Body, to_bytes};
    use axum::extract::Path;
    use axum::http::StatusCode;
    use axum::routing::post;
    use serde_json::Value;
    use tower::ServiceExt;

    use super::*;

    fn fresh() -> FreshTraceId {
        Arc::new(|| "fresh".to_owned())
    }

    async fn call(app: Router, method: &str, path: &str) -> (StatusCode, axum::http::HeaderMap, Value) {
        let request = Request::builder().method(method).uri(path).body(Body::empty()).unwrap();
        let response = app.oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = to_bytes(body, ENVELOPE_BYTES_MAX).await.unwrap();
        (parts.status, parts.headers, serde_json::from_slice(&body).unwrap_or_default())
    }

    fn routes() -> Router {
        Router::new()
            .route("/api/things/{count}", get(|Path(count): Path<u8>| async move { count.to_string() }))
            .route("/Bell", post(|_: Bytes| async { StatusCode::NO_CONTENT }))
            .route("/Stuck", post(std::future::pending::<StatusCode>))
            .route("/api/gone", get(|| async { Problem::not_found("No thing 7.") }))
    }

    #[tokio::test]
    async fn unknown_paths_and_functions_are_problems() {
        for (method, path) in [("GET", "/api/nothing"), ("POST", "/NoSuchFunction"), ("DELETE", "/x/y")] {
            let (status, headers, body) = call(shell(routes(), fresh()), method, path).await;
            assert_eq!(status, StatusCode::NOT_FOUND);
            assert_eq!(headers["content-type"], "application/problem+json");
            assert_eq!(headers["x-request-id"], "fresh");
            assert_eq!((&body["code"], &body["traceId"]), (&"not-found".into(), &"fresh".into()));
        }
    }

    #[tokio::test]
    async fn wrong_method_says_which_are_right() {
        let (status, headers, body) = call(shell(routes(), fresh()), "GET", "/Bell").await;
        assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(headers["allow"], "POST");
        assert_eq!(body["code"], "method-not-allowed");
    }

    #[tokio::test]
    async fn own_problem_is_left_alone_and_the_frameworks_is_reworded() {
        let (_, _, body) = call(shell(routes(), fresh()), "GET", "/api/gone").await;
        assert_eq!(body["detail"], "No thing 7.");
        let (status, _, body) = call(shell(routes(), fresh()), "GET", "/api/things/many").await;
        assert_eq!((status, &body["code"]), (StatusCode::BAD_REQUEST, &"bad-request".into()));
    }

    #[tokio::test]
    async fn endless_request_is_cut_off() {
        let app = shell_within(Duration::ZERO, routes(), fresh());
        let (status, headers, _) = call(app, "POST", "/Stuck").await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert_eq!(headers["retry-after"], "1");
    }

    #[test]
    fn panic_messages_are_found() {
        assert_eq!(panic_message(&"static"), "static");
        assert_eq!(panic_message(&"owned".to_owned()), "owned");
        assert_eq!(panic_message(&7), "not a text");
    }
}
