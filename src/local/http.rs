//! The public port: which function a request is for, whether it may call it, and what it gets back.
//!
//! Endpoints of the host itself are in `admin`; how the handler is reached is known to `dispatch`.

use std::fmt::Write;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, HttpBody, to_bytes};
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{CONTENT_LENGTH, HOST};
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::middleware::from_fn_with_state;
use axum::response::{IntoResponse, Response};
use http_body_util::Limited;

use super::answer::{Answer, HttpAnswer};
use super::cors::{self, Cors};
use super::dispatch::BODY_BYTES_MAX;
use super::envelope::{Envelope, HttpInput, KEY_PARAMETER};
use super::function::{Function, HttpTrigger, Output, Trigger};
use super::proxy::ProxiedRequest;
use super::queues::guid;
use super::route::{Params, query_params};
use super::site::Site;
use super::{FunctionSummary, admin, page};

/// Where more is told.
const HOME_LINKS: [&str; 5] =
    ["/admin/functions", "/local/queues", "/local/events", "/local/events/dead-letters", "/local/handler"];
const KEY_HEADER: &str = "x-functions-key";

/// Everything the port answers.
pub(super) fn router(site: Arc<Site>, cors: Option<Cors>) -> Router {
    let router = admin::router().fallback(serve).with_state(site);
    match cors {
        Some(cors) => router.layer(from_fn_with_state(Arc::new(cors), cors::apply)),
        None => router,
    }
}

/// The function that a request is for.
enum Target<'a> {
    Function(&'a Function, &'a HttpTrigger, Params),
    /// The path is known, but neither HEAD nor GET is allowed on it.
    HeadRefused,
    Nothing,
}

async fn serve(
    State(site): State<Arc<Site>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (method, path) = (request.method(), request.uri().path());
    let (function, trigger, params) = match find(&site.functions, method, path) {
        Target::Function(function, trigger, params) => (function, trigger, params),
        Target::HeadRefused => return StatusCode::METHOD_NOT_ALLOWED.into_response(),
        Target::Nothing if path == "/" => return home(&site, request.headers()),
        Target::Nothing => return StatusCode::NOT_FOUND.into_response(),
    };
    if function.disabled {
        return StatusCode::NOT_FOUND.into_response();
    }
    let allowed = site.keys.as_ref().is_none_or(|keys| {
        let key = given_key(request.headers(), request.uri());
        keys.allow(trigger.auth_level, &function.name, key.as_deref())
    });
    if !allowed {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    call(&site, function, trigger, params, request, peer.ip()).await
}

/// The first function in order whose route and methods fit.
fn find<'a>(functions: &'a [Arc<Function>], method: &Method, path: &str) -> Target<'a> {
    let mut target = Target::Nothing;
    for function in functions {
        let Trigger::Http(trigger) = &function.trigger else {
            continue;
        };
        let Some(params) = trigger.template.matches(path) else {
            continue;
        };
        if trigger.allows(method) {
            return Target::Function(function, trigger, params);
        }
        if *method == Method::HEAD {
            target = Target::HeadRefused;
        }
    }
    target
}

/// Runs an HTTP function and turns every failure into 500 with an empty body, as the real host does.
pub(super) async fn call(
    site: &Site,
    function: &Function,
    trigger: &HttpTrigger,
    params: Params,
    request: Request,
    peer: IpAddr,
) -> Response {
    if content_length(request.headers()).is_some_and(|length| length > BODY_BYTES_MAX) {
        tracing::warn!(function = function.name, "a request body is above {BODY_BYTES_MAX} bytes");
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let id = guid(&site.ids);
    let response = if trigger.proxied {
        let request = request.map(limited);
        let request = ProxiedRequest::new(request, peer, &id);
        site.dispatcher.proxy(function, &id, request).await.ok()
    } else {
        invoke(site, function, trigger, &params, request, &id).await
    };
    response.unwrap_or_else(|| StatusCode::INTERNAL_SERVER_ERROR.into_response())
}

/// Runs an HTTP function through the JSON protocol; `None` is a failure that has been logged.
async fn invoke(
    site: &Site,
    function: &Function,
    trigger: &HttpTrigger,
    params: &Params,
    request: Request,
    id: &str,
) -> Option<Response> {
    let (parts, body) = request.into_parts();
    // The real host passes no body on when the request does not say how long it is.
    let body = match content_length(&parts.headers) {
        Some(1..) => Some(to_bytes(body, BODY_BYTES_MAX).await.ok()?),
        Some(0) | None => None,
    };
    let authority = parts
        .headers
        .get(HOST)
        .and_then(|host| host.to_str().ok())
        .map_or_else(|| site.address.to_string(), str::to_owned);
    let input = HttpInput {
        method: parts.method.as_str(),
        origin: format!("http://{authority}"),
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        params,
        body: body.as_deref(),
    };
    let envelope = Envelope::of_request(&function.name, &trigger.binding, &input, &site.clock, &site.ids);
    let answer = site.dispatcher.invoke(function, id, envelope).await.ok()?;
    http_answer(function, &answer)
        .inspect_err(|reason| {
            tracing::error!(invocation_id = id, "function `{}` failed: {reason}", function.name);
        })
        .ok()
}

fn http_answer(function: &Function, answer: &Answer) -> Result<Response, String> {
    let binding = function.outputs.iter().find_map(|output| match output {
        Output::Http { binding } => Some(binding.as_str()),
        Output::Queue { .. } | Output::Events { .. } => None,
    });
    let HttpAnswer { status, headers, body } = answer.http(binding)?;
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().extend(headers);
    Ok(response)
}

/// The key that a request carries: the header, else the query.
pub(super) fn given_key(headers: &HeaderMap, uri: &Uri) -> Option<String> {
    match headers.get(KEY_HEADER).and_then(|key| key.to_str().ok()) {
        Some(key) => Some(key.to_owned()),
        None => query_params(uri.query().unwrap_or_default()).remove(KEY_PARAMETER),
    }
}

fn content_length(headers: &HeaderMap) -> Option<usize> {
    headers.get(CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Cuts a body without a length off at the limit; one that is known to be empty stays so.
fn limited(body: Body) -> Body {
    if body.is_end_stream() { body } else { Body::new(Limited::new(body, BODY_BYTES_MAX)) }
}

/// The page at `/`: text, in a browser with links.
fn home(site: &Site, headers: &HeaderMap) -> Response {
    let mut text = format!("Local Functions host at http://{}\n\n", site.address);
    for function in &site.functions {
        let summary = FunctionSummary::new(function);
        // Writing into a String cannot fail.
        let _ = writeln!(text, "{summary}");
    }
    text.push('\n');
    let folders = site.folders.iter().map(|folder| format!("/local/folders/{}", folder.name));
    let links: Vec<_> = HOME_LINKS.into_iter().map(str::to_owned).chain(folders).collect();
    if page::is_wanted(headers) {
        let links = links.into_iter().map(|link| (link.clone(), link));
        page::html("Local Functions host", &text, links)
    } else {
        let _ = writeln!(text, "GET {} tell more.", links.join(", "));
        text.into_response()
    }
}
