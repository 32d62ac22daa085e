//! Endpoints of the host itself: `/admin` as the real host has it, `/local` for looking into this one.
//!
//! Nothing of `/local` exists in Azure, so the application must not rely on it. Queues are here, what else there is to see in
//! the files of the folder.

mod events;
mod files;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::rejection::BytesRejection;
use axum::extract::{FromRequestParts, Path, Request, State};
use axum::http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use axum::http::request::Parts;
use axum::http::{Method, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::envelope::Envelope;
use super::event::Event;
use super::function::{Function, HttpTrigger, QueueTrigger, Trigger};
use super::queue::{Message, Queue};
use super::queues::{QueueCount, guid, is_queue_name};
use super::route::Params;
use super::site::Site;
use super::{FunctionSummary, http, timer};

type Shared = State<Arc<Site>>;

/// The routes of the host itself.
pub(super) fn router() -> Router<Arc<Site>> {
    Router::new()
        .route("/admin/functions", get(list_functions))
        .route("/admin/functions/{name}", post(run_function))
        .route("/local/handler", get(show_handler))
        .route("/local/events", get(events::list_events).post(events::publish))
        .route("/local/events/dead-letters", get(events::list_dead_letters))
        .route("/local/folders/{name}", get(files::list_files))
        .route("/local/folders/{name}/{file}", get(files::show_file))
        .route("/local/queues", get(list_queues))
        .route("/local/queues/{name}/messages", get(list_messages).post(put_message).delete(clear_queue))
}

/// An error of these endpoints.
#[derive(Debug)]
struct Problem {
    status: StatusCode,
    detail: String,
}

impl Problem {
    fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self { status, detail: detail.into() }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = json!({
            "type": "about:blank",
            "title": self.status.canonical_reason().unwrap_or_default(),
            "status": self.status.as_u16(),
            "detail": self.detail,
        });
        let kind = [(CONTENT_TYPE, "application/problem+json")];
        (self.status, kind, body.to_string()).into_response()
    }
}

/// Proof that the request carries the master key, or that keys are not enforced.
struct Master;

impl FromRequestParts<Arc<Site>> for Master {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, site: &Arc<Site>) -> Result<Self, Problem> {
        let key = http::given_key(&parts.headers, &parts.uri);
        match &site.keys {
            Some(keys) if !keys.is_master(key.as_deref()) => Err(Problem::new(
                StatusCode::UNAUTHORIZED,
                "this needs the master key, as header x-functions-key or parameter code",
            )),
            Some(_) | None => Ok(Self),
        }
    }
}

async fn list_functions(_: Master, State(site): Shared) -> Json<Vec<FunctionSummary>> {
    let summaries = site.functions.iter().map(|function| FunctionSummary::new(function));
    Json(summaries.collect())
}

/// What `POST /admin/functions/{name}` takes.
#[derive(Debug, Default, Deserialize)]
struct RunRequest {
    #[serde(default)]
    input: Option<Value>,
}

async fn run_function(
    _: Master,
    State(site): Shared,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<StatusCode, Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    let Some(function) = site.function(&name).cloned() else {
        let detail = format!("there is no function `{name}`");
        return Err(Problem::new(StatusCode::NOT_FOUND, detail));
    };
    let request: RunRequest = if body.trim_ascii().is_empty() {
        RunRequest::default()
    } else {
        serde_json::from_slice(&body).map_err(|error| {
            let detail = format!("the body must be {{\"input\": \"...\"}}: {error}");
            Problem::new(StatusCode::BAD_REQUEST, detail)
        })?
    };
    let input = match request.input {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text,
        Some(other) => other.to_string(),
    };
    if let Trigger::Http(trigger) = &function.trigger
        && trigger.template.has_params()
    {
        let detail = format!("function `{name}` has parameters in its route, call it there");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    check_input(&function, &input).map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail))?;
    tokio::spawn(run(site, function, input));
    Ok(StatusCode::ACCEPTED)
}

/// Whether the input is what the trigger gives a function; those that take any text take any.
fn check_input(function: &Function, input: &str) -> Result<(), String> {
    match &function.trigger {
        Trigger::Http(_) | Trigger::Queue(_) | Trigger::Timer(_) => Ok(()),
        Trigger::Change(_) => documents(input).map(|_| ()),
        Trigger::Event(_) => Event::parse(input).map(|_| ()),
    }
}

/// A document, or an array of them.
fn documents(input: &str) -> Result<Vec<Value>, String> {
    match serde_json::from_str(input) {
        Ok(Value::Array(documents)) => Ok(documents),
        Ok(Value::Object(document)) => Ok(vec![Value::Object(document)]),
        Ok(_) | Err(_) => Err("the input must be a document or an array of documents, as JSON".to_owned()),
    }
}

/// Runs a function outside its trigger; failures are logged by the dispatcher.
async fn run(site: Arc<Site>, function: Arc<Function>, input: String) {
    match &function.trigger {
        Trigger::Timer(trigger) => timer::invoke(&site, &function, trigger, None).await,
        Trigger::Queue(trigger) => run_queue(&site, &function, trigger, input).await,
        Trigger::Http(trigger) => run_http(&site, &function, trigger, input).await,
        Trigger::Change(trigger) => {
            let documents = documents(&input).unwrap_or_default();
            let (clock, ids) = (&site.clock, &site.ids);
            let envelope = Envelope::of_changes(&function.name, trigger, &documents, None, clock, ids);
            run_once(&site, &function, envelope).await;
        }
        Trigger::Event(trigger) => {
            if let Ok(event) = Event::parse(&input) {
                let envelope = Envelope::of_event(&function.name, trigger, &event, &site.clock, &site.ids);
                run_once(&site, &function, envelope).await;
            }
        }
    }
}

async fn run_once(site: &Site, function: &Function, envelope: Envelope) {
    let result = site.dispatcher.invoke(function, &guid(&site.ids), envelope).await;
    tracing::info!(function = function.name, succeeded = result.is_ok(), "the manual run has ended");
}

async fn run_queue(site: &Site, function: &Function, trigger: &QueueTrigger, input: String) {
    // A queue of its own, so that nobody else takes the message and nothing is retried.
    let mut queue = Queue::default();
    let now = site.clock.now();
    queue.put(guid(&site.ids), input.into_bytes(), now);
    let Some(message) = queue.take(|| guid(&site.ids), now) else {
        return;
    };
    let envelope = Envelope::of_message(&function.name, trigger, &message, &site.clock, &site.ids);
    run_once(site, function, envelope).await;
}

async fn run_http(site: &Site, function: &Function, trigger: &HttpTrigger, input: String) {
    let method = trigger.methods.first().unwrap_or(&Method::POST);
    let request = Request::builder()
        .method(method)
        .uri(format!("/{}", trigger.template.text()))
        .header(CONTENT_LENGTH, input.len())
        .header(CONTENT_TYPE, "application/json")
        .body(Body::from(input));
    let peer = IpAddr::V4(Ipv4Addr::LOCALHOST);
    match request {
        Ok(request) => {
            let response = http::call(site, function, trigger, Params::new(), request, peer).await;
            let status = response.status().as_u16();
            tracing::info!(function = function.name, status, "the manual run has ended");
        }
        Err(error) => tracing::error!(%error, function = function.name, "it cannot be called"),
    }
}

async fn show_handler(State(site): Shared) -> Json<Value> {
    let status = site.link.status();
    Json(json!({
        "pid": status.pid,
        "port": status.port,
        "restarts": status.restarts,
        "state": status.state.name(),
    }))
}

async fn list_queues(State(site): Shared) -> Json<Vec<QueueCount>> {
    Json(site.queues.counts())
}

/// A message as it lies in its queue.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct MessageView {
    id: String,
    text: String,
    dequeue_count: u32,
    insertion_time: DateTime<Utc>,
    next_visible_time: DateTime<Utc>,
    expiration_time: DateTime<Utc>,
}

impl From<Message> for MessageView {
    fn from(message: Message) -> Self {
        Self {
            text: message.text(),
            id: message.id,
            dequeue_count: message.dequeue_count,
            insertion_time: message.insertion_time,
            next_visible_time: message.next_visible_time,
            expiration_time: message.expiration_time,
        }
    }
}

async fn list_messages(
    State(site): Shared,
    Path(name): Path<String>,
) -> Result<Json<Vec<MessageView>>, Problem> {
    let messages = site.queues.messages(&name).ok_or_else(|| unknown_queue(&site, &name))?;
    Ok(Json(messages.into_iter().map(MessageView::from).collect()))
}

async fn put_message(
    State(site): Shared,
    Path(name): Path<String>,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    if !is_queue_name(&name) {
        let detail = format!("`{name}` is not the name of a queue");
        return Err(Problem::new(StatusCode::BAD_REQUEST, detail));
    }
    let id = site
        .queues
        .put(&name, body.to_vec())
        .map_err(|error| Problem::new(StatusCode::PAYLOAD_TOO_LARGE, error.to_string()))?;
    Ok((StatusCode::CREATED, Json(json!({ "id": id }))))
}

async fn clear_queue(State(site): Shared, Path(name): Path<String>) -> Result<StatusCode, Problem> {
    if site.queues.clear(&name) { Ok(StatusCode::NO_CONTENT) } else { Err(unknown_queue(&site, &name)) }
}

fn unknown_queue(site: &Site, name: &str) -> Problem {
    let known = site.queues.counts().into_iter().map(|count| count.name).collect::<Vec<_>>().join(", ");
    let detail = format!("there is no queue `{name}`; known are: {known}");
    Problem::new(StatusCode::NOT_FOUND, detail)
}
