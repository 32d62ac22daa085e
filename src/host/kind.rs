//! The kinds of problems: what never varies about one, and those that come from HTTP itself.
//!
//! It deliberately does not know the kinds that come from what the functions do; they declare those themselves.

use axum::http::StatusCode;

/// A kind of problem. Programs tell problems apart by its code, and the API's document lists it with its meaning.
#[derive(Debug, PartialEq, Eq)]
pub struct Kind {
    /// The HTTP status of every problem of this kind.
    pub status: StatusCode,
    /// Stable and kebab-case, such as `out-of-stock`; also ends the problem's `type`.
    pub code: &'static str,
    /// In a few words, for a person.
    pub title: &'static str,
    /// When it comes, and what the caller can do.
    pub meaning: &'static str,
    /// The members that a problem of this kind may have beside the standard ones.
    pub members: &'static [Member],
}

/// A member of its own that a kind of problem has.
#[derive(Debug, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub name: &'static str,
    /// Its JSON type.
    pub json_type: &'static str,
    /// What it says, with its unit.
    pub description: &'static str,
}

impl Kind {
    /// A kind without members of its own.
    pub const fn new(
        status: StatusCode,
        code: &'static str,
        title: &'static str,
        meaning: &'static str,
    ) -> Self {
        Self { status, code, title, meaning, members: &[] }
    }

    /// The same kind with members of its own.
    pub const fn with_members(self, members: &'static [Member]) -> Self {
        Self { members, ..self }
    }
}

/// 400.
pub const BAD_REQUEST: Kind = Kind::new(
    StatusCode::BAD_REQUEST,
    "bad-request",
    "The request is not valid",
    "The request cannot be understood as a whole. Change it before you send it again.",
);

/// 400.
pub const INVALID_BODY: Kind = Kind::new(
    StatusCode::BAD_REQUEST,
    "invalid-body",
    "The body is not valid",
    "The body, or fields of it, are not of the form that is asked for; `errors` points at each.",
);

/// 400.
pub const INVALID_HEADER: Kind = Kind::new(
    StatusCode::BAD_REQUEST,
    "invalid-header",
    "A header is not valid",
    "A header is not of the form that is asked for; `errors` names it.",
);

/// 400.
pub const INVALID_QUERY: Kind = Kind::new(
    StatusCode::BAD_REQUEST,
    "invalid-query",
    "The query is not valid",
    "A query parameter is unknown, sent twice, or not of the form that is asked for; `errors` names it and `detail` lists \
     what is allowed.",
);

/// 401.
pub const UNAUTHENTICATED: Kind = Kind::new(
    StatusCode::UNAUTHORIZED,
    "unauthenticated",
    "Nobody is signed in",
    "The request has no bearer token in `Authorization`, or one that is not valid (any more). Sign in, and send it with the new \
     token.",
);

/// 403.
pub const FORBIDDEN: Kind = Kind::new(
    StatusCode::FORBIDDEN,
    "forbidden",
    "Not for this caller",
    "The token is valid, and its bearer is none of those who may do this.",
);

/// 404.
pub const NOT_FOUND: Kind = Kind::new(
    StatusCode::NOT_FOUND,
    "not-found",
    "Not found",
    "Nothing is there, or nothing that this caller may know of.",
);

/// 405.
pub const METHOD_NOT_ALLOWED: Kind = Kind::new(
    StatusCode::METHOD_NOT_ALLOWED,
    "method-not-allowed",
    "Method not allowed",
    "The path exists, the method does not; `Allow` lists those that do.",
);

/// 406.
pub const NOT_ACCEPTABLE: Kind = Kind::new(
    StatusCode::NOT_ACCEPTABLE,
    "not-acceptable",
    "There is no form that the caller takes",
    "`Accept` names none of the media types that the answer can have; `detail` lists them.",
);

/// 411.
pub const LENGTH_REQUIRED: Kind = Kind::new(
    StatusCode::LENGTH_REQUIRED,
    "length-required",
    "The body needs a length",
    "The body came in chunks. Send it with a `Content-Length`.",
);

/// 412.
pub const PRECONDITION_FAILED: Kind = Kind::new(
    StatusCode::PRECONDITION_FAILED,
    "precondition-failed",
    "The resource has changed",
    "The resource is no longer, or not yet, the version that was named. Read it again, and repeat the change with its new \
     `ETag`.",
);

/// 413.
pub const PAYLOAD_TOO_LARGE: Kind = Kind::new(
    StatusCode::PAYLOAD_TOO_LARGE,
    "payload-too-large",
    "The body is too large",
    "The body has more bytes than are taken here.",
);

/// 415.
pub const UNSUPPORTED_MEDIA_TYPE: Kind = Kind::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported-media-type",
    "The body's media type is not supported",
    "The `Content-Type` is missing or is not one that is taken here; `detail` says which are.",
);

/// 416.
pub const RANGE_NOT_SATISFIABLE: Kind = Kind::new(
    StatusCode::RANGE_NOT_SATISFIABLE,
    "range-not-satisfiable",
    "The range lies behind the end",
    "The `Range` begins behind the last byte; `Content-Range` says how many there are.",
);

/// 428.
pub const PRECONDITION_REQUIRED: Kind = Kind::new(
    StatusCode::PRECONDITION_REQUIRED,
    "precondition-required",
    "The change needs a precondition",
    "Send `If-Match` with the `ETag` of the version that you want to change.",
);

/// 429.
pub const TOO_MANY_REQUESTS: Kind = Kind::new(
    StatusCode::TOO_MANY_REQUESTS,
    "too-many-requests",
    "Too many requests",
    "The caller has used up the limit that `RateLimit-Policy` states. Send the same request again after `Retry-After`.",
);

/// 500.
pub const INTERNAL: Kind = Kind::new(
    StatusCode::INTERNAL_SERVER_ERROR,
    "internal",
    "Something went wrong on our side",
    "A mistake of ours; the log has it under the `traceId`.",
);

/// 503.
pub const UNAVAILABLE: Kind = Kind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "unavailable",
    "The service cannot answer at the moment",
    "The store does not answer, or too much is going on. Send the same request again after `Retry-After`. A change may have \
     been made all the same; repeated, it is made once if it has the same `Idempotency-Key`, or is a PUT, PATCH or DELETE.",
);
