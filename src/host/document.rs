//! The API's document (OpenAPI 3.1): all operations, put together with what `function.json` says of each.
//!
//! Method, path and the need of a key come from `function.json` alone, so that host and document cannot differ. It
//! deliberately does not know any function.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::kind::{FORBIDDEN, Kind, LENGTH_REQUIRED, TOO_MANY_REQUESTS, UNAUTHENTICATED};
use super::operation::{Access, Answered, Header, Link, Operation};
use super::problem::{PROBLEM_JSON, Problem};
use super::schemas::merged;

/// The version of the form of the document.
const OPENAPI: &str = "3.1.0";
/// What the host puts before every route; `host.json` says the same.
const PREFIX: &str = "/api/";

/// What a document says before its first operation.
#[derive(Debug, Clone, Copy)]
pub struct Front {
    /// The API's name.
    pub title: &'static str,
    /// The program's version.
    pub version: &'static str,
    /// What a caller has to know first, in Markdown.
    pub description: &'static str,
    /// The groups of operations, in reading order, each with what it is about.
    pub tags: &'static [(&'static str, &'static str)],
}

/// A function, by its name, the text of its `function.json`, and its description.
#[derive(Debug)]
pub struct Described {
    /// The name of its folder.
    pub name: &'static str,
    /// The text of its `function.json`.
    pub declaration: &'static str,
    /// What is said of it.
    pub operation: Operation,
    /// Who may call it.
    pub access: Access,
}

#[derive(Deserialize)]
struct Declaration {
    bindings: Vec<Binding>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Binding {
    #[serde(rename = "type")]
    kind: String,
    direction: String,
    #[serde(default)]
    methods: Vec<String>,
    #[serde(default)]
    route: String,
}

/// The whole document.
///
/// # Errors
/// Names the function whose `function.json` cannot be read or has no HTTP trigger, or a type with two forms; mistakes of ours.
pub fn document(front: &Front, functions: Vec<Described>) -> Result<Value, String> {
    let mut paths: BTreeMap<String, Map<String, Value>> = BTreeMap::new();
    let mut asked = Map::new();
    let mut answered = Map::from_iter([("Problem".to_owned(), Problem::schema())]);
    let mut kinds: BTreeMap<&str, &Kind> = BTreeMap::new();
    for Described { name, declaration, operation, access } in functions {
        let declaration: Declaration =
            serde_json::from_str(declaration).map_err(|error| format!("{name}: {error}"))?;
        let trigger = declaration.bindings.iter().find(|binding| binding.kind == "httpTrigger");
        let trigger = trigger.ok_or_else(|| format!("{name} has no HTTP trigger"))?;
        let path = paths.entry(format!("{PREFIX}{}", trigger.route)).or_default();
        let outputs = declaration.bindings.iter().filter(|binding| binding.direction == "out").count();
        let operation = match operation.body {
            // The host leaves a body without a length out of an envelope.
            Some(_) if outputs > 1 => operation.problems(&[&LENGTH_REQUIRED]),
            _ => operation,
        };
        let operation = match access.needs_token {
            true => operation.problems(&[&UNAUTHENTICATED, &FORBIDDEN, &TOO_MANY_REQUESTS]),
            false => operation,
        };
        kinds.extend(operation.kinds.iter().map(|kind| (kind.code, *kind)));
        let written = write(name, access, &operation);
        for method in &trigger.methods {
            path.insert(method.to_ascii_lowercase(), written.clone());
        }
        let [sent, got] = operation.schemas.into_definitions();
        asked.extend(sent);
        answered.extend(got);
    }
    let schemas = merged(asked, answered)?;
    let tags: Vec<_> =
        front.tags.iter().map(|(name, about)| json!({"name": name, "description": about})).collect();
    Ok(json!({
        "openapi": OPENAPI,
        "info": {
            "title": front.title,
            "version": front.version,
            "description": format!("{}\n\n{}", front.description, table(kinds.into_values())),
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "The host that this document came from."}],
        "tags": tags,
        "paths": paths,
        "components": {
            "schemas": schemas,
            "headers": headers(),
            "securitySchemes": {
                "bearer": {
                    "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
                    "description": "A token of an issuer that this shop believes: of a customer, of somebody with the role `staff` or \
                                    `courier`, or of a partner's program. On a laptop `widgetco token` makes one.",
                },
            },
        },
    }))
}

/// The methods that a path takes, by the document; HEAD goes where GET goes. None for a path that is not in it.
pub fn methods_at(document: &Value, path: &str) -> Vec<String> {
    let is_here = |template: &str| {
        let (parts, segments) = (template.split('/'), path.split('/'));
        parts.clone().count() == segments.clone().count()
            && parts
                .zip(segments)
                .all(|(part, segment)| part == segment || (part.starts_with('{') && !segment.is_empty()))
    };
    let paths = document.get("paths").and_then(Value::as_object).into_iter().flatten();
    let here = paths.filter(|(template, _)| is_here(template)).filter_map(|(_, methods)| methods.as_object());
    let mut methods: Vec<_> = here.flat_map(Map::keys).map(|method| method.to_ascii_uppercase()).collect();
    if methods.iter().any(|method| method == "GET") {
        methods.push("HEAD".to_owned());
    }
    methods
}

fn write(name: &str, access: Access, operation: &Operation) -> Value {
    let mut responses: Map<String, Value> = Map::new();
    for (status, answered) in &operation.answers {
        responses.insert(status.to_string(), answer(answered, operation.is_replayed));
    }
    let mut statuses: BTreeMap<u16, Vec<&'static Kind>> = BTreeMap::new();
    for kind in &operation.kinds {
        statuses.entry(kind.status.as_u16()).or_default().push(kind);
    }
    for (status, kinds) in statuses {
        responses.insert(status.to_string(), problem(status, &kinds));
    }
    if access.needs_token {
        for response in responses.values_mut() {
            for header in [Header::RateLimit, Header::RateLimitPolicy] {
                response["headers"][header.name()] = reference(header.name());
            }
        }
    }
    let throttled = "More requests came than the host takes at once. No body; wait a moment.";
    responses.entry("429").or_insert_with(|| json!({"description": throttled}));
    let mut written = json!({
        "operationId": name,
        "tags": [operation.tag],
        "summary": operation.summary,
        "description": format!("{}\n\nFor {}.", operation.description, access.who),
        "parameters": operation.parameters,
        "responses": responses,
        "security": [],
    });
    if let Some(body) = &operation.body {
        written["requestBody"] = body.clone();
    }
    if access.needs_token {
        written["security"] = json!([{"bearer": []}]);
    }
    written
}

fn answer(answered: &Answered, is_replayed: bool) -> Value {
    let content: Map<_, _> =
        answered.content.iter().map(|(name, media)| ((*name).to_owned(), media.clone())).collect();
    let replayed = is_replayed.then_some(Header::IdempotencyReplayed);
    let mut written = json!({
        "description": answered.description,
        "headers": references(answered.headers.iter().copied().chain(replayed)),
    });
    if !content.is_empty() {
        written["content"] = content.into();
    }
    if let Some(Link { operation, parameters }) = &answered.link {
        let parameters: Map<_, _> =
            parameters.iter().map(|(name, place)| ((*name).to_owned(), Value::from(*place))).collect();
        written["links"] = json!({ *operation: {"operationId": operation, "parameters": parameters} });
    }
    written
}

/// One status with the kinds of problems that have it.
fn problem(status: u16, kinds: &[&'static Kind]) -> Value {
    let codes: Vec<_> = kinds.iter().map(|kind| kind.code).collect();
    let meanings: Vec<_> = kinds.iter().map(|kind| format!("* `{}`: {}", kind.code, kind.meaning)).collect();
    let mut properties = Map::from_iter([
        ("status".to_owned(), json!({"const": status})),
        ("code".to_owned(), json!({"enum": codes})),
    ]);
    for member in kinds.iter().flat_map(|kind| kind.members) {
        let schema = json!({"type": member.json_type, "description": member.description});
        properties.insert(member.name.to_owned(), schema);
    }
    let schema = json!({"allOf": [{"$ref": "#/components/schemas/Problem"}, {"properties": properties}]});
    let example = kinds.first().map(|kind| Problem::new(kind).example());
    let own = match status {
        401 => Some(Header::WwwAuthenticate),
        416 => Some(Header::ContentRange),
        429 | 503 => Some(Header::RetryAfter),
        _ => None,
    };
    let headers = references(own);
    json!({
        "description": meanings.join("\n"),
        "headers": headers,
        "content": {PROBLEM_JSON: {"schema": schema, "example": example}},
    })
}

fn table<'a>(kinds: impl Iterator<Item = &'a Kind>) -> String {
    let row = |kind: &Kind| format!("| {} | `{}` | {} |", kind.status.as_u16(), kind.code, kind.meaning);
    let mut rows: Vec<_> = kinds.map(row).collect();
    rows.sort();
    format!(
        "<details><summary>All kinds of problems</summary>\n\n| status | code | meaning |\n| --- | --- | --- |\n{}\n\n</details>",
        rows.join("\n")
    )
}

impl Header {
    const ALL: [Self; 8] = [
        Self::ContentRange,
        Self::Etag,
        Self::IdempotencyReplayed,
        Self::Location,
        Self::RateLimit,
        Self::RateLimitPolicy,
        Self::RetryAfter,
        Self::WwwAuthenticate,
    ];

    fn name(self) -> &'static str {
        match self {
            Self::ContentRange => "Content-Range",
            Self::Etag => "ETag",
            Self::IdempotencyReplayed => "Idempotency-Replayed",
            Self::Location => "Location",
            Self::RateLimit => "RateLimit",
            Self::RateLimitPolicy => "RateLimit-Policy",
            Self::WwwAuthenticate => "WWW-Authenticate",
            Self::RetryAfter => "Retry-After",
        }
    }

    fn written(self) -> Value {
        let (description, is_required, schema) = match self {
            Self::ContentRange => {
                let schema = json!({"type": "string", "examples": ["bytes 0-1023/4711"]});
                ("Which bytes are in the body, and how many there are.", true, schema)
            }
            Self::Etag => {
                let schema = json!({"type": "string", "pattern": "^(W/)?\"[^\"]*\"$", "examples": ["\"0000a-1.250\""]});
                ("The version of the resource, for `If-None-Match` and `If-Match`.", true, schema)
            }
            Self::IdempotencyReplayed => {
                let schema = json!({"type": "string", "const": "true"});
                ("Present when the request was made before, and this is its answer.", false, schema)
            }
            Self::Location => {
                let schema = json!({"type": "string", "examples": ["/api/products/widget-classic"]});
                ("Path of the resource.", true, schema)
            }
            Self::RateLimit => {
                let schema = json!({"type": "string", "examples": ["\"caller\";r=599;t=1"]});
                (
                    "Requests that are left, and seconds until all are; of callers who are signed in.",
                    false,
                    schema,
                )
            }
            Self::RateLimitPolicy => {
                let schema = json!({"type": "string", "examples": ["\"caller\";q=600;w=60"]});
                ("Requests that a caller may make of one instance, in so many seconds.", false, schema)
            }
            Self::WwwAuthenticate => {
                let schema = json!({"type": "string", "examples": ["Bearer realm=\"widgetco\""]});
                ("How to sign in, and whether it is the token that is wrong (RFC 6750).", true, schema)
            }
            Self::RetryAfter => {
                let schema = json!({"type": "string", "pattern": "^[0-9]+$", "examples": ["1"]});
                ("After how many seconds to ask again.", true, schema)
            }
        };
        json!({"description": description, "required": is_required, "schema": schema})
    }
}

/// The headers that answers refer to; those at the end are on every one.
fn headers() -> Value {
    let mut written: Map<_, _> =
        Header::ALL.iter().map(|header| (header.name().to_owned(), header.written())).collect();
    for (name, description, is_required, example) in COMMON_HEADERS {
        let schema = json!({"type": "string", "examples": [example]});
        let header = json!({"description": description, "required": is_required, "schema": schema});
        written.insert(name.to_owned(), header);
    }
    written.into()
}

/// Name, description, whether it is always there, and an example.
const COMMON_HEADERS: [(&str, &str, bool, &str); 3] = [
    ("Cache-Control", "Who may keep the answer, and for how long.", true, "no-cache"),
    ("x-request-id", "Names the request; the caller's own if it sent one.", true, "checkout-42"),
    (
        "traceparent",
        "The trace that the request belongs to, and our part of it (W3C Trace Context).",
        false,
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    ),
];

fn references(headers: impl IntoIterator<Item = Header>) -> Value {
    let names = headers.into_iter().map(Header::name).chain(COMMON_HEADERS.iter().map(|(name, ..)| *name));
    names.map(|name| (name.to_owned(), reference(name))).collect::<Map<_, _>>().into()
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/headers/{name}")})
}
