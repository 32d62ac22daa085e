//! Looking into the topic, and publishing an event by hand, as if it came from elsewhere.

use axum::Json;
use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::StatusCode;
use serde_json::{Value, json};

use super::{Problem, Shared};
use crate::local::event::{EVENTS_BYTES_MAX, Event};
use crate::local::topic::{DeadLetter, Published};

/// Events that are listed.
const LISTED_MAX: usize = 100;

pub(super) async fn list_events(State(site): Shared) -> Json<Vec<Published>> {
    Json(site.topic.newest(LISTED_MAX))
}

pub(super) async fn list_dead_letters(State(site): Shared) -> Json<Vec<DeadLetter>> {
    Json(site.topic.dead_letters())
}

pub(super) async fn publish(
    State(site): Shared,
    body: Result<Bytes, BytesRejection>,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let body = body.map_err(|error| Problem::new(error.status(), error.body_text()))?;
    if body.len() > EVENTS_BYTES_MAX {
        let detail = format!("an event has at most {EVENTS_BYTES_MAX} bytes");
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, detail));
    }
    let event =
        std::str::from_utf8(&body).map_err(|_| "an event must be UTF-8".to_owned()).and_then(Event::parse);
    let event = event.map_err(|detail| Problem::new(StatusCode::BAD_REQUEST, detail))?;
    let id = event.id().to_owned();
    let published = site.topic.publish(vec![event]);
    published.map_err(|error| Problem::new(StatusCode::SERVICE_UNAVAILABLE, error.to_string()))?;
    Ok((StatusCode::ACCEPTED, Json(json!({ "id": id }))))
}
