//! The names of a request in its headers: `traceparent` (W3C), `x-request-id`, and the host's invocation id.
//!
//! It deliberately does not know where chance comes from (a fresh id is asked of its caller), nor what becomes of a name.

use std::sync::Arc;

use axum::http::{HeaderMap, HeaderValue};

/// Makes an id of 32 hexadecimal characters, for a request that brings none and for our part of a trace.
pub type FreshTraceId = Arc<dyn Fn() -> String + Send + Sync>;

/// The header in which the Functions host names an invocation.
pub const INVOCATION_ID_HEADER: &str = "x-azure-functions-invocationid";

/// Characters of the id of one part of a trace.
pub(super) const SPAN_ID_CHARS: usize = 16;

pub(super) const REQUEST_ID_HEADER: &str = "x-request-id";
pub(super) const TRACEPARENT_HEADER: &str = "traceparent";
/// The host sends a 36-character GUID; anything much longer is not from it.
const INVOCATION_ID_BYTES_MAX: usize = 64;
/// Longest request id that is taken over: it goes into the log and back to the caller.
const REQUEST_ID_BYTES_MAX: usize = 128;
const TRACE_ID_CHARS: usize = 32;

/// The part of a trace that a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parent<'a> {
    /// 32 hexadecimal characters.
    pub(super) trace_id: &'a str,
    /// 16 hexadecimal characters: whose part it is.
    pub(super) span_id: &'a str,
    /// Two hexadecimal characters.
    pub(super) flags: &'a str,
}

/// The host's id of this invocation. A caller may have sent a header of this name too; the host appends, so the last
/// value is the host's. Anything but ASCII letters, digits and `-` is not an id.
pub fn invocation_id(headers: &HeaderMap) -> Option<String> {
    let id = headers.get_all(INVOCATION_ID_HEADER).iter().next_back()?.to_str().ok()?;
    let plain = id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    (plain && !id.is_empty() && id.len() <= INVOCATION_ID_BYTES_MAX).then(|| id.to_owned())
}

/// The caller's id of this request: sent exactly once, 1 to [`REQUEST_ID_BYTES_MAX`] ASCII letters, digits and marks that
/// mean nothing in a log, a header or a URL's path. Another is as good as none.
pub(super) fn request_id(headers: &HeaderMap) -> Option<HeaderValue> {
    let value = only(headers, REQUEST_ID_HEADER)?;
    let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:=+/@".contains(byte);
    let fits = (1..=REQUEST_ID_BYTES_MAX).contains(&value.len()) && value.as_bytes().iter().all(plain);
    fits.then(|| value.clone())
}

/// What the header `traceparent` says, if it was sent exactly once.
pub(super) fn parent(headers: &HeaderMap) -> Option<Parent<'_>> {
    parse_parent(only(headers, TRACEPARENT_HEADER)?.to_str().ok()?)
}

/// What a W3C `traceparent` says: `version-traceid-parentid-flags` in lower-case hex.
pub(super) fn parse_parent(text: &str) -> Option<Parent<'_>> {
    let mut parts = text.split('-');
    let version = parts.next().filter(|part| is_hex(part, 2) && *part != "ff")?;
    let trace_id = parts.next().filter(|part| is_hex(part, TRACE_ID_CHARS) && !is_zero(part))?;
    let span_id = parts.next().filter(|part| is_hex(part, SPAN_ID_CHARS) && !is_zero(part))?;
    let flags = parts.next().filter(|part| is_hex(part, 2))?;
    // Version 00 has exactly four parts; a later one may have more.
    (version != "00" || parts.next().is_none()).then_some(Parent { trace_id, span_id, flags })
}

/// The id in W3C's form, which a GUID has without its dashes.
pub(super) fn w3c_id(id: &str) -> Option<String> {
    let plain = id.chars().filter(|&character| character != '-');
    let id: String = plain.map(|character| character.to_ascii_lowercase()).collect();
    (is_hex(&id, TRACE_ID_CHARS) && !is_zero(&id)).then_some(id)
}

/// The value of a header that is there once.
fn only<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    values.next().filter(|_| values.next().is_none())
}

fn is_hex(part: &str, length: usize) -> bool {
    part.len() == length && part.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn is_zero(part: &str) -> bool {
    part.bytes().all(|byte| byte == b'0')
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderName;

    use super::*;

    const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for (name, value) in given {
            map.append(HeaderName::from_static(name), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn valid_traceparent_is_read() {
        for parent in [format!("00-{TRACE}-00f067aa0ba902b7-01"), format!("01-{TRACE}-00f067aa0ba902b7-01-x")]
        {
            let wanted = Parent { trace_id: TRACE, span_id: "00f067aa0ba902b7", flags: "01" };
            assert_eq!(super::parent(&headers(&[("traceparent", &parent)])), Some(wanted), "{parent}");
        }
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
            assert_eq!(super::parent(&headers(&[("traceparent", &parent)])), None, "{parent}");
        }
        let parent = format!("00-{TRACE}-00f067aa0ba902b7-01");
        assert_eq!(super::parent(&headers(&[("traceparent", &parent), ("traceparent", &parent)])), None);
    }

    #[test]
    fn last_invocation_id_wins() {
        let id = |given: &[(&'static str, &str)]| invocation_id(&headers(given));
        assert_eq!(
            id(&[(INVOCATION_ID_HEADER, "mine"), (INVOCATION_ID_HEADER, "host")]),
            Some("host".to_owned())
        );
        assert_eq!(id(&[(INVOCATION_ID_HEADER, "not an id")]), None);
        assert_eq!(id(&[]), None);
    }

    #[test]
    fn request_id_is_short_plain_and_sent_once() {
        let longest = "x".repeat(REQUEST_ID_BYTES_MAX);
        for id in ["a", "Root=1-67891233-abcdef", "tour:1/2@x_y.z+0", &longest] {
            assert_eq!(request_id(&headers(&[("x-request-id", id)])).unwrap(), id);
        }
        for id in ["", "two words", "<script>", "a;b", "a\"b", &(longest.clone() + "x")] {
            assert_eq!(request_id(&headers(&[("x-request-id", id)])), None, "{id}");
        }
        assert_eq!(request_id(&headers(&[("x-request-id", "a"), ("x-request-id", "a")])), None);
    }

    #[test]
    fn guid_without_its_dashes_is_a_trace_id() {
        assert_eq!(w3c_id("4BF92F35-77b3-4da6-a3ce-929d0e0e4736").as_deref(), Some(TRACE));
        assert_eq!(w3c_id("i-1"), None);
        assert_eq!(w3c_id("00000000-0000-0000-0000-000000000000"), None);
    }
}
