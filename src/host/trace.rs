//! The trace id of the current request: where it comes from, and how code far from the request reads it.
//!
//! It deliberately does not know where chance comes from (a fresh id is asked of its caller), nor where logs go.

use std::future::Future;
use std::sync::Arc;

use axum::http::HeaderMap;

/// Makes an id for a request that brings none.
pub type FreshTraceId = Arc<dyn Fn() -> String + Send + Sync>;

/// The header in which the Functions host names an invocation.
pub const INVOCATION_ID_HEADER: &str = "x-azure-functions-invocationid";

const TRACEPARENT_HEADER: &str = "traceparent";
/// The host sends a 36-character GUID; anything much longer is not from it.
const INVOCATION_ID_BYTES_MAX: usize = 64;

tokio::task_local! {
    static TRACE_ID: String;
}

/// The trace id of the request that this task serves; `None` outside a request and in a task spawned from one.
pub fn current() -> Option<String> {
    TRACE_ID.try_with(Clone::clone).ok()
}

/// Runs `work` as part of the request `trace_id`.
pub async fn scope<F: Future>(trace_id: String, work: F) -> F::Output {
    TRACE_ID.scope(trace_id, work).await
}

/// The trace id of a request: its valid `traceparent`, else the host's invocation id, else a fresh one.
pub fn of(headers: &HeaderMap, fresh: &FreshTraceId) -> String {
    traceparent(headers).or_else(|| invocation_id(headers)).unwrap_or_else(|| fresh())
}

/// The host's id of this invocation. A caller may have sent a header of this name too; the host appends, so the last
/// value is the host's. Anything but ASCII letters, digits and `-` is not an id.
pub fn invocation_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get_all(INVOCATION_ID_HEADER).iter().next_back()?.to_str().ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && !id.is_empty() && id.len() <= INVOCATION_ID_BYTES_MAX).then(|| id.to_owned())
}

/// The trace id of a W3C `traceparent`: `version-traceid-parentid-flags` in lower-case hex, sent exactly once.
fn traceparent(headers: &HeaderMap) -> Option<String> {
    let mut values = headers.get_all(TRACEPARENT_HEADER).iter();
    let value = values.next()?.to_str().ok()?;
    if values.next().is_some() {
        return None;
    }
    let mut parts = value.split('-');
    let version = parts.next().filter(|part| is_hex(part, 2) && *part != "ff")?;
    let trace_id = parts.next().filter(|part| is_hex(part, 32) && !is_zero(part))?;
    parts.next().filter(|part| is_hex(part, 16) && !is_zero(part))?;
    parts.next().filter(|part| is_hex(part, 2))?;
    // Version 00 has exactly four parts; a later one may have more.
    (version != "00" || parts.next().is_none()).then(|| trace_id.to_owned())
}

fn is_hex(part: &str, length: usize) -> bool {
    part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(part: &str) -> bool {
    part.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn id(headers: &[(&'static str, &str)]) -> String {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        let fresh: FreshTraceId = Arc::new(|| "fresh".to_owned());
        of(&map, &fresh)
    }

    #[test]
    fn valid_traceparent_comes_first() {
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(id(&[(INVOCATION_ID_HEADER, "i-1"), ("traceparent", &parent)]), TRACE);
        assert_eq!(id(&[("traceparent", &format!("01-{TRACE}-00f067aa0ba902b7-01-x"))]), TRACE);
    }

    #[test]
    fn malformed_traceparent_is_as_good_as_none() {
        let zeros = "0".repeat(32);
        for parent in [
            String::new(),
            format!("ff-{TRACE}-00f067aa0ba902b7-01"),
            format!("00-{zeros}-00f067aa0ba902b7-01"),
            format!("00-{TRACE}-0000000000000000-01"),
            format!("00-{}-00f067aa0ba902b7-01", TRACE.to_uppercase()),
            format!("00-{TRACE}-00f067aa0ba902b7"),
            format!("00-{TRACE}-00f067aa0ba902b7-01-x"),
        ] {
            assert_eq!(id(&[("traceparent", &parent)]), "fresh", "{parent}");
        }
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(id(&[("traceparent", &parent), ("traceparent", &parent)]), "fresh");
    }

    #[test]
    fn last_invocation_id_wins() {
        assert_eq!(id(&[(INVOCATION_ID_HEADER, "mine"), (INVOCATION_ID_HEADER, "host")]), "host");
        assert_eq!(id(&[(INVOCATION_ID_HEADER, "not an id")]), "fresh");
        assert_eq!(id(&[]), "fresh");
    }

    #[tokio::test]
    async fn current_is_known_only_inside_the_scope() {
        assert_eq!(current(), None);
        assert_eq!(scope("t".to_owned(), async { current() }).await, Some("t".to_owned()));
    }
}
