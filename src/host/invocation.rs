//! The JSON envelope in which the Functions host delivers a queue message, a timer tick or an HTTP request to a
//! function that is not proxied.
//!
//! It deliberately does not know what a message says. Header values, URLs and bodies may hold keys and personal data, so
//! the types here keep them out of `Debug`.

use std::collections::BTreeMap;
use std::fmt;

use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method};
use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use http_body_util::{BodyExt, LengthLimitError, Limited};
use serde::Deserialize;
use serde_json::{Map, Value};

use super::context;
use super::event::CloudEvent;
use super::problem::Problem;
use super::trace;

/// The most bytes of a request to the handler. An HTTP body of 64 KiB can come twice in an envelope (as text, and its
/// members again as metadata, quoted twice), a queue message of 48 KiB likewise, with headers of some 32 KiB: 1 MiB is
/// ample, and little enough that many requests at once cannot exhaust a 512 MB instance.
pub const ENVELOPE_BYTES_MAX: usize = 1024 * 1024;

/// The most bytes of a batch from a change feed. A document may have some 100 KiB, and its quotes are escaped twice; what the
/// host brings at once is said by `maxItemsPerInvocation`. A batch that is refused would come again for ever.
pub const BATCH_BYTES_MAX: usize = 16 * 1024 * 1024;

/// One call of a function by the host.
pub struct Invocation {
    id: String,
    envelope: Envelope,
    hint: HintMetadata,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(rename = "Data")]
    data: Map<String, Value>,
    // `Metadata` is skipped unread, but for the hint below: a message that is a JSON object overwrites its entries, so
    // whoever writes the queue decides what it says, and how deep it is nested.
}

/// As much of the metadata as is looked at, where it has this form.
#[derive(Deserialize)]
struct Hint {
    #[serde(rename = "Metadata")]
    metadata: HintMetadata,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct HintMetadata {
    dequeue_count: Option<String>,
    insertion_time: Option<String>,
}

/// Why an envelope does not hold what the function expects. The host will send the same again, until `function.json` is put right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// The envelope has no such input, and no single other one to take its place.
    #[error("the envelope has no input `{binding}`")]
    Missing {
        /// The input binding asked for.
        binding: String,
    },
    /// The input is there and is something else.
    #[error("input `{binding}` of the envelope is not {expected}")]
    Shape {
        /// The input binding asked for.
        binding: String,
        /// What it should have been.
        expected: &'static str,
    },
}

/// An HTTP request as the host describes it in an envelope.
pub struct HttpInput {
    /// The method, as sent.
    pub method: Method,
    /// Scheme, host, decoded path and raw query. It may hold a function key: never log it.
    pub url: String,
    /// Route values; an optional one that is unused is absent.
    pub params: BTreeMap<String, String>,
    /// Query parameters; the host joins repeated ones with commas, so [`HttpInput::raw_query`] tells more.
    pub query: BTreeMap<String, String>,
    /// All headers, keys and tokens included: never log them.
    pub headers: HeaderMap,
    /// The body as the caller sent it; empty when there was none, or when it came without a length.
    pub body: Vec<u8>,
}

/// A timer tick.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Timer {
    /// The tick comes late, for instance after the app was down.
    pub is_past_due: bool,
    /// The occasion before this one, as the host spells it; absent without a monitor.
    pub last: Option<String>,
    /// The next occasion, as the host spells it; absent without a monitor.
    pub next: Option<String>,
}

impl Invocation {
    /// The host's id of this call; the request's trace id if the host gave none; empty only in a bare test.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The text of the queue message, exactly as it was sent for text, re-serialised if it arrives as an object or
    /// array. Text normally arrives as a JSON string literal inside a JSON string; plain text is taken as it is.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError::Missing`].
    pub fn queue_text(&self, binding: &str) -> Result<String, EnvelopeError> {
        let Value::String(text) = self.datum(binding)? else {
            return self.datum(binding).map(Value::to_string);
        };
        Ok(serde_json::from_str(text).unwrap_or_else(|_| text.clone()))
    }

    /// How often the queue message has been delivered, this time included; `None` when the host does not say. A hint: a
    /// message with a property of that name decides it.
    pub fn dequeue_count(&self) -> Option<u32> {
        self.hint.dequeue_count.as_ref()?.parse().ok()
    }

    /// When the queue message was put into its queue, in whole seconds; `None` when the host does not say. A hint, likewise.
    pub fn inserted_at(&self) -> Option<DateTime<Utc>> {
        self.hint.insertion_time.as_ref()?.parse().ok()
    }

    /// The HTTP request of an HTTP function that is not proxied.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when it is missing or is not what the host sends.
    pub fn http(&self, binding: &str) -> Result<HttpInput, EnvelopeError> {
        let shape = |expected| EnvelopeError::Shape { binding: binding.to_owned(), expected };
        let not_http = |_| shape("an HTTP request");
        let raw = RawHttp::deserialize(self.datum(binding)?).map_err(not_http)?;
        let headers = header_map(raw.headers.unwrap_or_default());
        Ok(HttpInput {
            method: Method::from_bytes(raw.method.as_bytes())
                .map_err(|_| shape("an HTTP request with a valid method"))?,
            url: raw.url,
            params: texts(raw.params.unwrap_or_default()),
            query: texts(raw.query.unwrap_or_default()),
            body: body_bytes(raw.body, &headers)
                .ok_or_else(|| shape("an HTTP request with a base64 body"))?,
            headers,
        })
    }

    /// The timer tick.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when it is missing or is not what the host sends.
    pub fn timer(&self, binding: &str) -> Result<Timer, EnvelopeError> {
        let not_timer = |_| EnvelopeError::Shape { binding: binding.to_owned(), expected: "a timer tick" };
        let raw = RawTimer::deserialize(self.datum(binding)?).map_err(not_timer)?;
        let status = raw.status.unwrap_or_default();
        Ok(Timer { is_past_due: raw.is_past_due, last: status.last, next: status.next })
    }

    /// The event that was delivered. What this task does from now on belongs to its trace.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when it is missing or is not a CloudEvent, which is how the subscription must have it delivered.
    pub fn event(&self, binding: &str) -> Result<CloudEvent, EnvelopeError> {
        let expected = "a CloudEvent 1.0";
        let event = CloudEvent::deserialize(self.datum(binding)?)
            .map_err(|_| EnvelopeError::Shape { binding: binding.to_owned(), expected })?;
        event.traceparent.iter().for_each(|traceparent| context::follow(traceparent));
        Ok(event)
    }

    /// The documents of a batch from the change feed. They arrive as a text, in the form of a queue's: the array as JSON in a
    /// string, and that as a JSON string literal in another one. An array as such, or its text alone, is taken, too, since no
    /// description of this trigger says which it is.
    ///
    /// # Errors
    ///
    /// [`EnvelopeError`] when it is missing or is neither.
    pub fn documents(&self, binding: &str) -> Result<Vec<Value>, EnvelopeError> {
        let shape =
            || EnvelopeError::Shape { binding: binding.to_owned(), expected: "an array of documents" };
        match self.datum(binding)? {
            Value::Array(documents) => Ok(documents.clone()),
            Value::String(_) => serde_json::from_str(&self.queue_text(binding)?).map_err(|_| shape()),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Err(shape()),
        }
    }

    /// The input called `binding` (case matters), or the only input if none has that name.
    fn datum(&self, binding: &str) -> Result<&Value, EnvelopeError> {
        let data = &self.envelope.data;
        let only = || data.values().next().filter(|_| data.len() == 1);
        data.get(binding).or_else(only).ok_or_else(|| EnvelopeError::Missing { binding: binding.to_owned() })
    }
}

impl HttpInput {
    /// The path of the URL, decoded by the host.
    pub fn path(&self) -> &str {
        let rest = self.url.split_once("://").map_or(self.url.as_str(), |(_, rest)| rest);
        let path = rest.find('/').and_then(|start| rest.get(start..)).unwrap_or("/");
        path.split('?').next().unwrap_or_default()
    }

    /// The query as the caller wrote it, without `?`; `None` when the URL has none.
    pub fn raw_query(&self) -> Option<&str> {
        self.url.split_once('?').map(|(_, query)| query)
    }
}

/// An invocation that brings a batch of documents.
#[derive(Debug)]
pub struct Batch(pub Invocation);

impl<S: Send + Sync> FromRequest<S> for Invocation {
    type Rejection = Problem;

    /// Reads the envelope, chunked or with a length.
    ///
    /// # Errors
    ///
    /// 413 above [`ENVELOPE_BYTES_MAX`], 400 when it is cut off or is not an envelope; the host counts both as failed.
    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        Self::read(request, ENVELOPE_BYTES_MAX).await
    }
}

impl<S: Send + Sync> FromRequest<S> for Batch {
    type Rejection = Problem;

    /// Reads the envelope likewise.
    ///
    /// # Errors
    ///
    /// 413 above [`BATCH_BYTES_MAX`], and the same.
    async fn from_request(request: Request, _state: &S) -> Result<Self, Problem> {
        Invocation::read(request, BATCH_BYTES_MAX).await.map(Self)
    }
}

impl Invocation {
    async fn read(request: Request, bytes_max: usize) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let collected = Limited::new(body, bytes_max).collect().await;
        let bytes = collected.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Problem::payload_too_large(bytes_max)
            } else {
                Problem::bad_request().detail("The envelope could not be read to its end.")
            }
        })?;
        let bytes = bytes.to_bytes();
        let envelope = serde_json::from_slice(&bytes)
            .map_err(|_| Problem::bad_request().detail("The body is not an invocation envelope."))?;
        let id = trace::invocation_id(&parts.headers).or_else(context::trace_id).unwrap_or_default();
        Ok(Self { id, envelope, hint: hint(&bytes) })
    }
}

impl fmt::Debug for Invocation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Invocation").field("id", &self.id).finish_non_exhaustive()
    }
}

impl fmt::Debug for HttpInput {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("HttpInput").field("method", &self.method).finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawHttp {
    method: String,
    #[serde(default)]
    url: String,
    params: Option<Map<String, Value>>,
    query: Option<Map<String, Value>>,
    headers: Option<Map<String, Value>>,
    #[serde(default)]
    body: Value,
}

#[derive(Deserialize)]
struct RawTimer {
    #[serde(rename = "IsPastDue")]
    is_past_due: bool,
    #[serde(rename = "ScheduleStatus")]
    status: Option<RawScheduleStatus>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawScheduleStatus {
    last: Option<String>,
    next: Option<String>,
}

fn hint(envelope: &[u8]) -> HintMetadata {
    serde_json::from_slice(envelope).map_or_else(|_| HintMetadata::default(), |hint: Hint| hint.metadata)
}

/// A scalar as text; `None` for null.
fn scalar(value: Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => Some(value.to_string()),
    }
}

fn texts(map: Map<String, Value>) -> BTreeMap<String, String> {
    map.into_iter().filter_map(|(name, value)| Some((name, scalar(value)?))).collect()
}

/// Headers come as arrays; a single string is taken too. What is not a valid header is left out.
fn header_map(map: Map<String, Value>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in map {
        let values = match value {
            Value::Array(values) => values,
            single => vec![single],
        };
        let Ok(name) = HeaderName::try_from(name) else { continue };
        for value in values.into_iter().filter_map(scalar) {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.append(name.clone(), value);
            }
        }
    }
    headers
}

/// The body's bytes: text, except that the host sends octet-streams and multipart bodies as base64.
fn body_bytes(body: Value, headers: &HeaderMap) -> Option<Vec<u8>> {
    let text = scalar(body).unwrap_or_default();
    let content_type = headers.get("content-type").and_then(|value| value.to_str().ok());
    let content_type = content_type.unwrap_or_default().to_ascii_lowercase();
    if content_type.starts_with("application/octet-stream") || content_type.starts_with("multipart/") {
        BASE64.decode(text.as_bytes()).ok()
    } else {
        Some(text.into_bytes())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn invocation(envelope: Value) -> Invocation {
        let hint = hint(envelope.to_string().as_bytes());
        Invocation { id: "i".to_owned(), envelope: serde_json::from_value(envelope).unwrap(), hint }
    }

    #[test]
    fn binding_name_is_case_sensitive_but_a_single_input_needs_none() {
        let one = invocation(json!({"Data": {"order": "\"a\""}}));
        assert_eq!(one.queue_text("Order").unwrap(), "a");
        let two = invocation(json!({"Data": {"order": "\"a\"", "other": "\"b\""}}));
        assert_eq!(two.queue_text("order").unwrap(), "a");
        let missing = EnvelopeError::Missing { binding: "Order".to_owned() };
        assert_eq!(two.queue_text("Order").unwrap_err(), missing);
        assert_eq!(invocation(json!({"Data": {}})).queue_text("Order").unwrap_err(), missing);
    }

    #[test]
    fn documents_are_an_array_or_its_text_or_the_literal_of_that() {
        let text = r#"[{"id":"1"}]"#;
        let literal = json!(text).to_string();
        let sent = invocation(
            json!({"Data": {"a": [{"id": "1"}], "b": text, "c": literal, "d": "{}", "e": 1, "f": "\"{}\""}}),
        );
        for form in ["a", "b", "c"] {
            assert_eq!(sent.documents(form).unwrap(), [json!({"id": "1"})], "{form}");
        }
        for wrong in ["d", "e", "f", "g"] {
            assert!(sent.documents(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn dequeue_count_is_a_hint_that_may_be_missing_or_overwritten() {
        for (metadata, count) in [
            (r#"{"DequeueCount":"3","deep":{"er":[[]]}}"#, Some(3)),
            (r#"{"DequeueCount":"\"7\""}"#, None),
            (r#"{"DequeueCount":{"a":1}}"#, None),
            ("{}", None),
            ("null", None),
        ] {
            let metadata: Value = serde_json::from_str(metadata).unwrap();
            let envelope = json!({"Data": {}, "Metadata": metadata});
            assert_eq!(invocation(envelope).dequeue_count(), count, "{metadata}");
        }
        assert_eq!(invocation(json!({"Data": {}})).dequeue_count(), None);
    }

    #[test]
    fn message_that_says_when_it_was_put_into_its_queue_has_an_age() {
        let at = |metadata: Value| invocation(json!({"Data": {}, "Metadata": metadata})).inserted_at();
        let wanted = DateTime::parse_from_rfc3339("2026-03-02T09:15:04Z").unwrap().to_utc();
        assert_eq!(at(json!({"InsertionTime": "2026-03-02T09:15:04+00:00"})), Some(wanted));
        assert_eq!(at(json!({"InsertionTime": "yesterday"})), None);
        assert_eq!(at(json!({})), None);
    }

    #[test]
    fn text_that_only_looks_like_json_is_kept_to_the_byte() {
        for text in ["{ \"a\" : 1.0 }", "4", " 4", "", "\"quoted\"", "[1, 2]", "null", "naïve\n"] {
            let literal = serde_json::to_string(text).unwrap();
            let sent = invocation(json!({"Data": {"q": literal}}));
            assert_eq!(sent.queue_text("q").unwrap(), text);
        }
    }

    #[test]
    fn malformed_http_or_timer_input_is_a_shape_error() {
        let wrong = invocation(json!({"Data": {"x": {"Method": "NOT VALID"}}}));
        assert!(matches!(wrong.http("x").unwrap_err(), EnvelopeError::Shape { .. }));
        assert!(matches!(wrong.timer("x").unwrap_err(), EnvelopeError::Shape { .. }));
        let octets =
            json!({"Method": "POST", "Headers": {"Content-Type": ["application/octet-stream"]}, "Body": "?"});
        let error = invocation(json!({"Data": {"x": octets}})).http("x").unwrap_err();
        assert!(matches!(error, EnvelopeError::Shape { .. }));
    }

    #[test]
    fn debug_output_shows_no_url_header_or_body() {
        let input = json!({"Method": "GET", "Url": "http://h/?code=s3cret", "Headers": {"Authorization": ["s3cret"]}});
        let invocation = invocation(json!({"Data": {"req": input}}));
        assert!(!format!("{invocation:?} {:?}", invocation.http("req").unwrap()).contains("s3cret"));
    }
}
