//! What the API's document says of one HTTP function: parameters, bodies, answers and problems.
//!
//! The conventions that all functions share are described here once. It deliberately does not know any function, nor the
//! document around it.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use schemars::JsonSchema;
use serde_json::{Value, json};

use super::answer::JSON;
use super::conditional::TAGS_PATTERN;
use super::kind::{
    BAD_REQUEST, INTERNAL, INVALID_BODY, INVALID_HEADER, INVALID_QUERY, Kind, NOT_ACCEPTABLE, NOT_FOUND,
    PAYLOAD_TOO_LARGE, PRECONDITION_FAILED, PRECONDITION_REQUIRED, UNAVAILABLE, UNSUPPORTED_MEDIA_TYPE,
};
use super::schemas::Schemas;

/// One HTTP function, described.
#[derive(Debug)]
pub struct Operation {
    pub(super) tag: &'static str,
    pub(super) summary: &'static str,
    pub(super) description: &'static str,
    pub(super) parameters: Vec<Value>,
    pub(super) body: Option<Value>,
    pub(super) answers: BTreeMap<u16, Answered>,
    pub(super) kinds: Vec<&'static Kind>,
    pub(super) is_replayed: bool,
    pub(super) schemas: Schemas,
}

/// Who may call a function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    /// In a few words, such as `staff`.
    pub who: &'static str,
    /// Whether they have to sign in for it.
    pub needs_token: bool,
}

/// One status that is no problem.
#[derive(Debug)]
pub(super) struct Answered {
    pub(super) description: &'static str,
    pub(super) headers: Vec<Header>,
    /// By media type.
    pub(super) content: BTreeMap<&'static str, Value>,
    pub(super) link: Option<Link>,
}

/// What can be done next.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) operation: &'static str,
    /// Its parameters, and where in this request and answer their values are, as OpenAPI's runtime expressions.
    pub(super) parameters: &'static [(&'static str, &'static str)],
}

/// A header of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Header {
    /// Which bytes are in the body.
    ContentRange,
    /// The version of the resource.
    Etag,
    /// Present on a replay.
    IdempotencyReplayed,
    /// Where the resource is.
    Location,
    /// What is left of the caller's limit.
    RateLimit,
    /// The caller's limit.
    RateLimitPolicy,
    /// When to ask again.
    RetryAfter,
    /// How to sign in.
    WwwAuthenticate,
}

/// A file that is sent as a body.
#[derive(Debug, Clone, Copy)]
pub struct FileBody {
    /// Its media type.
    pub media_type: &'static str,
    /// What is in it, with its limits.
    pub description: &'static str,
    /// A short one, if it is a text.
    pub example: Option<&'static str>,
}

impl Operation {
    /// A function without parameters that answers nothing yet, and may fail in the ways in which every one may.
    pub fn new(tag: &'static str, summary: &'static str, description: &'static str) -> Self {
        Self {
            tag,
            summary,
            description,
            parameters: Vec::new(),
            body: None,
            answers: BTreeMap::new(),
            kinds: vec![&BAD_REQUEST, &INVALID_QUERY, &INTERNAL, &UNAVAILABLE],
            is_replayed: false,
            schemas: Schemas::default(),
        }
    }

    /// A part of the path. What is not of its form is the name of nothing: 404.
    pub fn path<T: JsonSchema>(mut self, name: &str, description: &str) -> Self {
        let schema = self.schemas.asked::<T>();
        self.path_as(name, description, schema)
    }

    /// A part of the path with a schema of its own.
    pub fn path_as(self, name: &str, description: &str, schema: Value) -> Self {
        self.parameter(("path", name), description, true, schema).problems(&[&NOT_FOUND])
    }

    /// A parameter of the query that may be left out.
    pub fn query<T: JsonSchema>(mut self, name: &str, description: &str) -> Self {
        let schema = self.schemas.asked::<T>();
        self.query_as(name, description, schema)
    }

    /// A parameter of the query that may be left out, with a schema of its own.
    pub fn query_as(self, name: &str, description: &str, schema: Value) -> Self {
        self.parameter(("query", name), description, false, schema)
    }

    fn header(self, name: &str, description: &str, is_required: bool, schema: Value) -> Self {
        self.parameter(("header", name), description, is_required, schema).problems(&[&INVALID_HEADER])
    }

    fn parameter(
        mut self,
        (place, name): (&str, &str),
        description: &str,
        is_required: bool,
        schema: Value,
    ) -> Self {
        self.parameters.push(json!({
            "name": name, "in": place, "required": is_required, "description": description, "schema": schema,
        }));
        self
    }

    /// Takes `Idempotency-Key`.
    pub fn idempotency_key<T: JsonSchema>(mut self, description: &str) -> Self {
        let schema = self.schemas.asked::<T>();
        self.header("Idempotency-Key", description, false, schema)
    }

    /// Says in each answer that is no problem whether it is a replay.
    pub fn replays(self) -> Self {
        Self { is_replayed: true, ..self }
    }

    /// Takes `If-Match`, and makes no change without.
    pub fn if_match_required(self) -> Self {
        let description = "The `ETag` of the version to replace, or `*` for whichever there is.";
        self.header("If-Match", description, true, tags_schema())
            .problems(&[&PRECONDITION_REQUIRED, &PRECONDITION_FAILED])
    }

    /// Takes `If-Match`.
    pub fn if_match(self) -> Self {
        let description = "Makes the change only to this version: its `ETag`.";
        self.header("If-Match", description, false, tags_schema()).problems(&[&PRECONDITION_FAILED])
    }

    /// Takes `If-Match` or `If-None-Match: *`, and makes no change without either.
    pub fn if_match_or_none(self) -> Self {
        let first = "The `ETag` of the version to replace. One of the two conditions is needed.";
        let second = "`*` when there is nothing to replace yet. One of the two conditions is needed.";
        self.header("If-Match", first, false, tags_schema())
            .header("If-None-Match", second, false, tags_schema())
            .problems(&[&PRECONDITION_REQUIRED, &PRECONDITION_FAILED])
    }

    /// Takes a JSON body; `example` is one.
    pub fn body<T: JsonSchema>(self, example: Value) -> Self {
        self.json_body::<T>(true, &[JSON], &example)
    }

    /// Takes a merge patch (RFC 7396); `example` is one.
    pub fn merge_patch<T: JsonSchema>(self, example: Value) -> Self {
        self.json_body::<T>(true, &["application/merge-patch+json", JSON], &example)
    }

    /// Takes a JSON body that may be left out; `example` is one.
    pub fn optional_body<T: JsonSchema>(self, example: Value) -> Self {
        self.json_body::<T>(false, &[JSON], &example)
    }

    fn json_body<T: JsonSchema>(mut self, is_required: bool, media_types: &[&str], example: &Value) -> Self {
        let schema = self.schemas.asked::<T>();
        let media = json!({"schema": schema, "example": example});
        let content: BTreeMap<_, _> = media_types.iter().map(|media_type| (*media_type, &media)).collect();
        self.body = Some(json!({
            "required": is_required,
            "description": format!("At most {} bytes. Unknown fields are refused.", super::BODY_BYTES_MAX),
            "content": content,
        }));
        self.problems(&[&INVALID_BODY, &PAYLOAD_TOO_LARGE, &UNSUPPORTED_MEDIA_TYPE])
    }

    /// Takes a file, of one of these types, or the same in the part `file_part` of a form with these other parts.
    pub fn file(mut self, files: &[FileBody], form: Option<Value>) -> Self {
        let mut content = serde_json::Map::new();
        for FileBody { media_type, description, example } in files {
            let mut media = json!({"schema": {"type": "string", "description": description}});
            match example {
                Some(example) => media["example"] = (*example).into(),
                None => media["schema"]["contentMediaType"] = (*media_type).into(),
            }
            content.insert((*media_type).to_owned(), media);
        }
        if let Some(schema) = form {
            content.insert("multipart/form-data".to_owned(), json!({"schema": schema}));
        }
        self.body = Some(json!({"required": true, "content": content}));
        self.problems(&[&PAYLOAD_TOO_LARGE])
    }

    /// Answers a GET: 200 with a JSON resource and its `ETag`, or 304 when the caller has it.
    pub fn reads<T: JsonSchema>(self, description: &'static str, example: Value) -> Self {
        self.answers::<T>(StatusCode::OK, description, &[Header::Etag], example).not_modified()
    }

    /// 304 when the caller has the resource.
    fn not_modified(self) -> Self {
        self.empty(StatusCode::NOT_MODIFIED, "The caller has the resource as it is.", &[Header::Etag]).header(
            "If-None-Match",
            "The `ETag` of the version that the caller has: the answer is 304 if it still holds.",
            false,
            tags_schema(),
        )
    }

    /// Answers with a JSON resource; `example` is one.
    pub fn answers<T: JsonSchema>(
        mut self,
        status: StatusCode,
        description: &'static str,
        headers: &[Header],
        example: Value,
    ) -> Self {
        let schema = self.schemas.answered::<T>();
        let content = BTreeMap::from([(JSON, json!({"schema": schema, "example": example}))]);
        self.answer(status, description, headers, content)
    }

    /// Gives the answer of this status also as a text of these types, whichever `Accept` prefers.
    pub fn also_as(mut self, status: StatusCode, texts: &[(&'static str, &'static str)]) -> Self {
        if let Some(answered) = self.answers.get_mut(&status.as_u16()) {
            for (media_type, description) in texts {
                let media = json!({"schema": {"type": "string", "description": description}});
                answered.content.insert(media_type, media);
            }
        }
        self.problems(&[&NOT_ACCEPTABLE])
    }

    /// Answers without a body.
    pub fn empty(self, status: StatusCode, description: &'static str, headers: &[Header]) -> Self {
        self.answer(status, description, headers, BTreeMap::new())
    }

    /// Answers a GET with bytes, or a range of them, of one of these media types.
    pub fn reads_bytes(self, description: &'static str, media_types: &[&'static str]) -> Self {
        let content =
            || -> BTreeMap<_, _> { media_types.iter().map(|media_type| (*media_type, json!({}))).collect() };
        let range = json!({"type": "string", "examples": ["bytes=0-1023"]});
        let part = "The bytes that `Range` asked for.";
        self.answer(StatusCode::OK, description, &[Header::Etag], content())
            .answer(StatusCode::PARTIAL_CONTENT, part, &[Header::Etag, Header::ContentRange], content())
            .not_modified()
            .header("Range", "One range of bytes; any other is ignored.", false, range)
            .header(
                "If-Range",
                "The `ETag` of the bytes that the caller has: other bytes come whole.",
                false,
                json!({"type": "string"}),
            )
            .problems(&[&super::kind::RANGE_NOT_SATISFIABLE])
    }

    /// Answers with a text of another type than JSON.
    pub fn reads_text(self, description: &'static str, media_types: &[&'static str]) -> Self {
        let content =
            media_types.iter().map(|media_type| (*media_type, json!({"schema": {"type": "string"}})));
        self.answer(StatusCode::OK, description, &[Header::Etag], content.collect()).not_modified()
    }

    fn answer(
        mut self,
        status: StatusCode,
        description: &'static str,
        headers: &[Header],
        content: BTreeMap<&'static str, Value>,
    ) -> Self {
        let answered = Answered { description, headers: headers.to_vec(), content, link: None };
        self.answers.insert(status.as_u16(), answered);
        self
    }

    /// Says which function reads what each successful answer is about, and where its parameters come from.
    pub fn leads_to(
        mut self,
        operation: &'static str,
        parameters: &'static [(&'static str, &'static str)],
    ) -> Self {
        for answered in self.answers.values_mut() {
            answered.link = Some(Link { operation, parameters });
        }
        self
    }

    /// May also fail in these ways.
    pub fn problems(mut self, kinds: &[&'static Kind]) -> Self {
        for kind in kinds {
            if !self.kinds.contains(kind) {
                self.kinds.push(kind);
            }
        }
        self
    }
}

fn tags_schema() -> Value {
    json!({"type": "string", "pattern": TAGS_PATTERN, "examples": ["*"]})
}
