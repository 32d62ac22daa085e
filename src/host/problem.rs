//! An HTTP error as RFC 9457 problem details: its members, its headers and the constructors that many functions share.
//!
//! It deliberately does not know which error of which layer becomes which problem; `functions/error.rs` decides that.

use std::time::Duration;

use axum::http::{HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::context;
use super::kind::{self, Kind};

/// The most entries of `errors[]` in one problem; later ones are left out.
pub const FIELD_ERRORS_MAX: usize = 100;

/// The media type of every problem.
pub const PROBLEM_JSON: &str = "application/problem+json";

const TYPE_BASE: &str = "https://widgetco.example/problems/";
const ERROR_CODE_HEADER: HeaderName = HeaderName::from_static("x-ms-error-code");
/// From the examples of W3C Trace Context.
const TRACE_ID_EXAMPLE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// What a 429 or 503 advises when its maker did not say.
const RETRY_AFTER_DEFAULT: Duration = Duration::from_secs(1);
/// What a 401 asks for when its maker did not say more.
const CHALLENGE_DEFAULT: &str = "Bearer realm=\"widgetco\"";

/// One error for an HTTP caller. It never carries a lower layer's words unless someone chose to put them in.
#[derive(Debug, Clone)]
pub struct Problem(Box<Members>);

#[derive(Debug, Clone)]
struct Members {
    kind: &'static Kind,
    detail: Option<String>,
    errors: Vec<FieldError>,
    extensions: Vec<(&'static str, Value)>,
    retry_after: Option<Duration>,
    challenge: Option<&'static str>,
}

/// Which part of the request a [`FieldError`] is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A JSON pointer (RFC 6901) into the body; empty for the body as a whole.
    Pointer(String),
    /// The name of a query or path parameter.
    Parameter(String),
    /// The name of a header.
    Header(String),
}

/// One entry of `errors[]`: where in the request, and what is wrong there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldError {
    /// Where in the request.
    pub location: Location,
    /// What is wrong there, for a person.
    pub detail: String,
}

impl FieldError {
    /// About the body, at a JSON pointer such as `/lines/0/quantity`.
    pub fn body(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { location: Location::Pointer(pointer.into()), detail: detail.into() }
    }

    /// About a query or path parameter.
    pub fn parameter(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { location: Location::Parameter(name.into()), detail: detail.into() }
    }

    /// About a header.
    pub fn header(name: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { location: Location::Header(name.into()), detail: detail.into() }
    }

    fn to_json(&self) -> Value {
        let (member, place) = match &self.location {
            Location::Pointer(pointer) => ("pointer", pointer),
            Location::Parameter(name) => ("parameter", name),
            Location::Header(name) => ("header", name),
        };
        json!({ member: place, "detail": self.detail })
    }
}

impl Problem {
    /// A problem of this kind. A 429 or 503 advises to retry after one second unless [`Problem::retry_after`] says
    /// otherwise, and a 401 asks for a bearer token.
    pub fn new(kind: &'static Kind) -> Self {
        let refuses_for_now =
            kind.status == StatusCode::TOO_MANY_REQUESTS || kind.status == StatusCode::SERVICE_UNAVAILABLE;
        Self(Box::new(Members {
            kind,
            detail: None,
            errors: Vec::new(),
            extensions: Vec::new(),
            retry_after: refuses_for_now.then_some(RETRY_AFTER_DEFAULT),
            challenge: (kind.status == StatusCode::UNAUTHORIZED).then_some(CHALLENGE_DEFAULT),
        }))
    }

    /// Says what went wrong this time; replaces an earlier detail.
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds an entry about the body to `errors[]`.
    pub fn field(self, pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        self.fields([FieldError::body(pointer, detail)])
    }

    /// Adds an entry about a query or path parameter to `errors[]`.
    pub fn parameter(self, name: impl Into<String>, detail: impl Into<String>) -> Self {
        self.fields([FieldError::parameter(name, detail)])
    }

    /// Adds an entry about a header to `errors[]`.
    pub fn header_field(self, name: impl Into<String>, detail: impl Into<String>) -> Self {
        self.fields([FieldError::header(name, detail)])
    }

    /// Adds entries to `errors[]`, up to [`FIELD_ERRORS_MAX`] in all.
    pub fn fields(mut self, errors: impl IntoIterator<Item = FieldError>) -> Self {
        let room = FIELD_ERRORS_MAX.saturating_sub(self.0.errors.len());
        self.0.errors.extend(errors.into_iter().take(room));
        self
    }

    /// Adds a member of its own, such as the lines that lacked stock. A standard member's name is not overridden.
    pub fn extension(mut self, name: &'static str, value: Value) -> Self {
        self.0.extensions.push((name, value));
        self
    }

    /// Advises when to try again: sent as whole seconds, rounded up, at least 1.
    pub fn retry_after(mut self, delay: Duration) -> Self {
        self.0.retry_after = Some(delay);
        self
    }

    /// Says what is wrong with the bearer token, as `WWW-Authenticate` does (RFC 6750).
    pub fn challenge(mut self, challenge: &'static str) -> Self {
        self.0.challenge = Some(challenge);
        self
    }

    /// What every problem looks like, as a JSON Schema.
    pub(super) fn schema() -> Value {
        let place = |description: &str| json!({"type": "string", "description": description});
        json!({
            "type": "object",
            "description": "Why a request was refused or failed (RFC 9457). Programs go by `code`.",
            "required": ["type", "title", "status", "code"],
            "properties": {
                "type": {"type": "string", "format": "uri", "description": "Names the kind of problem; ends in its code.",
                    "examples": [format!("{TYPE_BASE}not-found")]},
                "title": {"type": "string", "description": "The kind of problem in a few words, for a person.",
                    "examples": ["Not found"]},
                "status": {"type": "integer", "minimum": 400, "maximum": 599,
                    "description": "The HTTP status, once more.", "examples": [404]},
                "code": {"type": "string", "pattern": "^[a-z]+(-[a-z]+)*$",
                    "description": "The kind of problem, for programs: it never changes.", "examples": ["not-found"]},
                "detail": {"type": "string", "description": "What went wrong this time, for a person.",
                    "examples": ["There is nothing at this path."]},
                "traceId": {"type": "string", "description": "The trace under which our log has this request.",
                    "examples": [TRACE_ID_EXAMPLE]},
                "errors": {
                    "type": "array", "maxItems": FIELD_ERRORS_MAX,
                    "description": "What is wrong, place by place: every mistake in what could be read.",
                    "items": {
                        "type": "object",
                        "description": "One mistake; exactly one of `pointer`, `parameter` and `header` says where.",
                        "required": ["detail"],
                        "properties": {
                            "pointer": place("Where in the body: a JSON pointer (RFC 6901), empty for the body as a whole."),
                            "parameter": place("Which parameter of the path or query."),
                            "header": place("Which header."),
                            "detail": place("What must be there instead, for a person."),
                        },
                    },
                },
            },
        })
    }

    /// What this problem looks like, as an example.
    pub(super) fn example(self) -> Value {
        let mut example: Value = serde_json::from_str(Answer::from(self).body()).unwrap_or_default();
        example["traceId"] = TRACE_ID_EXAMPLE.into();
        example
    }

    /// The HTTP status.
    pub fn status(&self) -> StatusCode {
        self.0.kind.status
    }

    /// The stable code, by which programs tell problems apart.
    pub fn code(&self) -> &'static str {
        self.0.kind.code
    }

    /// 400: the request cannot be understood.
    pub fn bad_request() -> Self {
        Self::new(&kind::BAD_REQUEST)
    }

    /// 404: nothing is there, or nothing that this caller may know of.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(&kind::NOT_FOUND).detail(detail)
    }

    /// 500: our fault. It says nothing of what failed; the log has it under the trace id.
    pub fn internal() -> Self {
        Self::new(&kind::INTERNAL)
            .detail("The request could not be completed. Quote the traceId when you report this.")
    }

    /// 413: the body has more than `limit_bytes` bytes.
    pub fn payload_too_large(limit_bytes: usize) -> Self {
        Self::new(&kind::PAYLOAD_TOO_LARGE).detail(format!("The body may have at most {limit_bytes} bytes."))
    }

    /// 415: the body is not JSON by its content type.
    pub fn unsupported_media_type() -> Self {
        Self::new(&kind::UNSUPPORTED_MEDIA_TYPE).detail("Send the body with Content-Type: application/json.")
    }

    /// 428: the change needs `If-Match`.
    pub fn precondition_required() -> Self {
        Self::new(&kind::PRECONDITION_REQUIRED)
            .detail("Send If-Match with the ETag of the version that you want to change.")
    }

    /// 412: the resource is no longer (or not yet) the version that the caller named.
    pub fn precondition_failed() -> Self {
        Self::new(&kind::PRECONDITION_FAILED)
            .detail("Read the resource again and repeat the change with its new ETag.")
    }

    /// 503: try the same request again later.
    pub fn unavailable() -> Self {
        Self::new(&kind::UNAVAILABLE)
    }

    /// The problem for a refusal that only has a status, as axum's own extractors and router make.
    pub(super) fn refused(status: StatusCode) -> Self {
        match status {
            StatusCode::NOT_FOUND => Self::not_found("There is nothing at this path."),
            StatusCode::METHOD_NOT_ALLOWED => Self::new(&kind::METHOD_NOT_ALLOWED),
            StatusCode::PAYLOAD_TOO_LARGE => Self::new(&kind::PAYLOAD_TOO_LARGE),
            StatusCode::UNSUPPORTED_MEDIA_TYPE => Self::unsupported_media_type(),
            StatusCode::SERVICE_UNAVAILABLE => Self::unavailable(),
            status if status.is_server_error() => Self::internal(),
            _ => Self::bad_request(),
        }
    }
}

impl From<Problem> for Answer {
    fn from(problem: Problem) -> Self {
        let members = *problem.0;
        let mut body = Map::new();
        // Extensions go first, so that a standard member wins over an extension of the same name.
        for (name, value) in members.extensions {
            body.insert(name.to_owned(), value);
        }
        body.insert("type".to_owned(), format!("{TYPE_BASE}{}", members.kind.code).into());
        body.insert("title".to_owned(), members.kind.title.into());
        body.insert("status".to_owned(), members.kind.status.as_u16().into());
        body.insert("code".to_owned(), members.kind.code.into());
        if let Some(detail) = members.detail {
            body.insert("detail".to_owned(), detail.into());
        }
        if let Some(trace_id) = context::trace_id() {
            body.insert("traceId".to_owned(), trace_id.into());
        }
        if !members.errors.is_empty() {
            let errors = members.errors.iter().map(FieldError::to_json).collect();
            body.insert("errors".to_owned(), Value::Array(errors));
        }
        let answer = Answer::text(members.kind.status, PROBLEM_JSON, Value::Object(body).to_string())
            .header(header::CACHE_CONTROL, "no-store")
            .header(ERROR_CODE_HEADER, members.kind.code);
        let answer = match members.retry_after {
            Some(delay) => answer.header(header::RETRY_AFTER, whole_seconds(delay).to_string()),
            None => answer,
        };
        match members.challenge {
            Some(challenge) => answer.header(header::WWW_AUTHENTICATE, challenge),
            None => answer,
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        Answer::from(self).into_response()
    }
}

/// `delay` in seconds, rounded up so that nobody comes back too early, and never 0.
fn whole_seconds(delay: Duration) -> u64 {
    delay.as_secs().saturating_add(u64::from(delay.subsec_nanos() > 0)).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const OUT_OF_STOCK: Kind =
        Kind::new(StatusCode::CONFLICT, "out-of-stock", "Out of stock", "There is too little.");

    const THROTTLED: Kind =
        Kind::new(StatusCode::TOO_MANY_REQUESTS, "throttled", "Too many requests", "Wait.");

    fn body(problem: Problem) -> Value {
        serde_json::from_str(Answer::from(problem).body()).unwrap()
    }

    #[test]
    fn members_and_headers_follow_rfc_9457() {
        let problem = Problem::new(&OUT_OF_STOCK)
            .detail("Two lines lack stock.")
            .field("/lines/0/quantity", "only 1 left")
            .parameter("limit", "at most 100")
            .header_field("If-Match", "not an entity tag")
            .extension("lacking", json!(["p1"]));
        assert_eq!(
            body(problem.clone()),
            json!({
                "type": "https://widgetco.example/problems/out-of-stock",
                "title": "Out of stock",
                "status": 409,
                "code": "out-of-stock",
                "detail": "Two lines lack stock.",
                "errors": [
                    {"pointer": "/lines/0/quantity", "detail": "only 1 left"},
                    {"parameter": "limit", "detail": "at most 100"},
                    {"header": "If-Match", "detail": "not an entity tag"}
                ],
                "lacking": ["p1"]
            })
        );
        let answer = Answer::from(problem);
        assert_eq!(answer.headers()["content-type"], PROBLEM_JSON);
        assert_eq!(answer.headers()["x-ms-error-code"], "out-of-stock");
        assert_eq!(answer.headers()["cache-control"], "no-store");
        assert!(!answer.headers().contains_key("retry-after"));
    }

    #[test]
    fn extension_cannot_replace_a_standard_member() {
        let problem = Problem::bad_request().extension("status", json!(200));
        assert_eq!(body(problem)["status"], 400);
    }

    #[test]
    fn too_busy_always_says_when_to_come_back() {
        let seconds = |problem: Problem| Answer::from(problem).headers()["retry-after"].clone();
        assert_eq!(seconds(Problem::new(&THROTTLED)), "1");
        assert_eq!(seconds(Problem::unavailable()), "1");
        assert_eq!(seconds(Problem::unavailable().retry_after(Duration::ZERO)), "1");
        assert_eq!(seconds(Problem::unavailable().retry_after(Duration::from_millis(2_001))), "3");
    }

    #[test]
    fn field_errors_are_bounded() {
        let many = (0..FIELD_ERRORS_MAX + 5).map(|n| FieldError::body(format!("/{n}"), "bad"));
        let problem = Problem::bad_request().fields(many).field("/last", "bad");
        assert_eq!(body(problem)["errors"].as_array().unwrap().len(), FIELD_ERRORS_MAX);
    }

    #[tokio::test]
    async fn trace_id_is_the_requests() {
        let shown = context::scope(context::Context::named("t-1"), async { body(Problem::internal()) }).await;
        assert_eq!(shown["traceId"], "t-1");
    }
}
