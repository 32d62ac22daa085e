//! Who may keep an answer, for how long, and the version by which those who have it ask whether it still holds.
//!
//! Does not know any resource.

use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::domain::id::base32;
use crate::host::{Answer, Problem, if_none_match};

/// Who may keep an answer, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Anybody, for a few seconds: the catalogue.
    Public,
    /// Nobody: it is about a person.
    Private,
    /// Anybody who asks each time whether it still holds: numbers that change.
    Validate,
}

impl Keep {
    fn cache_control(self) -> &'static str {
        match self {
            Self::Public => "public, max-age=10, stale-while-revalidate=30",
            Self::Private => "private, no-store",
            Self::Validate => "no-cache",
        }
    }
}

/// 200 with the resource, or 304 when the caller has it. The `ETag` is the store's version where a `PUT` needs it in
/// `If-Match`, otherwise a hash of the content.
///
/// # Errors
/// 400 when `If-None-Match` is malformed.
pub fn read(
    headers: &HeaderMap,
    body: &impl Serialize,
    keep: Keep,
    etag: Option<&str>,
) -> Result<Answer, Problem> {
    let Some(etag) = etag else { return unless_known(headers, Answer::json(StatusCode::OK, body), keep) };
    let answer = match if_none_match(headers)?.matches(etag) {
        true => Answer::empty(StatusCode::NOT_MODIFIED),
        false => Answer::json(StatusCode::OK, body),
    };
    Ok(with_keep(answer, keep).header(header::ETAG, etag))
}

/// The answer with a hash of its content as `ETag`, or 304 when the caller has it.
///
/// # Errors
/// 400 when `If-None-Match` is malformed.
pub fn unless_known(headers: &HeaderMap, answer: Answer, keep: Keep) -> Result<Answer, Problem> {
    let etag = content_etag(&answer);
    let answer = match if_none_match(headers)?.matches(&etag) {
        true => Answer::empty(StatusCode::NOT_MODIFIED),
        false => answer,
    };
    Ok(with_keep(answer, keep).header(header::ETAG, etag))
}

/// The answer with a hash of its content as `ETag`.
pub fn with_content_etag(answer: Answer, keep: Keep) -> Answer {
    let etag = content_etag(&answer);
    with_keep(answer, keep).header(header::ETAG, etag)
}

/// The answer with its `Cache-Control` and `Vary`.
pub fn with_keep(answer: Answer, keep: Keep) -> Answer {
    answer.header(header::CACHE_CONTROL, keep.cache_control()).header(header::VARY, "Accept-Encoding")
}

/// A hash of the answer's content.
pub fn content_etag(answer: &Answer) -> String {
    format!("\"{}\"", base32(&Sha256::digest(answer.body())[..15]))
}

/// Sets a header to a text of ours, which is always valid.
pub fn set(response: &mut Response, name: HeaderName, value: &str) {
    if let Ok(value) = HeaderValue::from_str(value) {
        response.headers_mut().insert(name, value);
    }
}
