//! `Range` and `If-Range` (RFC 9110, section 14): which part of a resource a caller wants.
//!
//! One range of bytes is honoured; several at once, other units and what makes no sense are ignored, as the standard
//! allows, and the caller gets everything. It deliberately does not know where the bytes come from.

use std::ops::Range;

use axum::http::{HeaderMap, header};

/// What to answer with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Wanted {
    /// 200 with everything.
    Whole,
    /// 206 with these bytes, which lie within the resource.
    Part(Range<u64>),
    /// 416: the range lies behind the end.
    Beyond,
}

/// The part of a resource of `size_bytes` with the strong tag `etag` that the headers of a GET ask for.
pub fn range(headers: &HeaderMap, size_bytes: u64, etag: &str) -> Wanted {
    let text = |name| headers.get(name).and_then(|value: &axum::http::HeaderValue| value.to_str().ok());
    // A part is of use only together with the part that the caller has, so only of the same version.
    if headers.contains_key(header::IF_RANGE) && text(header::IF_RANGE) != Some(etag) {
        return Wanted::Whole;
    }
    text(header::RANGE).and_then(|range| parse(range, size_bytes)).unwrap_or(Wanted::Whole)
}

fn parse(range: &str, size_bytes: u64) -> Option<Wanted> {
    let (unit, range) = range.split_once('=')?;
    let (first, last) = range.trim().split_once('-').filter(|_| unit.trim().eq_ignore_ascii_case("bytes"))?;
    let number = |text: &str| {
        let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        // More digits than fit are far behind the end.
        is_number.then(|| text.parse::<u64>().unwrap_or(u64::MAX))
    };
    let part = match (first, last) {
        ("", last) => size_bytes.saturating_sub(number(last).filter(|length| *length > 0)?)..size_bytes,
        (first, "") => number(first)?..size_bytes,
        (first, last) => {
            let (first, last) = (number(first)?, number(last)?);
            if last < first {
                return None;
            }
            first..size_bytes.min(last.saturating_add(1))
        }
    };
    Some(if part.start < size_bytes { Wanted::Part(part) } else { Wanted::Beyond })
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn wanted(value: &'static str) -> Wanted {
        let headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static(value))]);
        range(&headers, 100, "\"a\"")
    }

    #[test]
    fn one_range_is_honoured_and_cut_at_the_end() {
        for (value, part) in [
            ("bytes=0-0", 0..1),
            ("bytes=10-19", 10..20),
            ("bytes=90-", 90..100),
            ("bytes=90-1000", 90..100),
            ("bytes=-5", 95..100),
            ("bytes=-500", 0..100),
            ("Bytes=0-99999999999999999999999", 0..100),
        ] {
            assert_eq!(wanted(value), Wanted::Part(part), "{value}");
        }
    }

    #[test]
    fn range_behind_the_end_is_refused_and_nonsense_is_ignored() {
        for value in ["bytes=100-", "bytes=100-200", "bytes=99999999999999999999999-"] {
            assert_eq!(wanted(value), Wanted::Beyond, "{value}");
        }
        for value in [
            "",
            "bytes",
            "bytes=",
            "bytes=-",
            "bytes=-0",
            "bytes=5-2",
            "bytes=a-b",
            "items=0-1",
            "bytes=0-1,5-6",
            "bytes=+1-2",
        ] {
            assert_eq!(wanted(value), Wanted::Whole, "{value}");
        }
    }

    #[test]
    fn part_of_another_version_is_not_given() {
        let mut headers = HeaderMap::from_iter([(header::RANGE, HeaderValue::from_static("bytes=0-0"))]);
        for (condition, expected) in [
            ("\"a\"", Wanted::Part(0..1)),
            ("\"b\"", Wanted::Whole),
            ("W/\"a\"", Wanted::Whole),
            ("Mon, 02 Mar 2026 09:15:00 GMT", Wanted::Whole),
        ] {
            headers.insert(header::IF_RANGE, HeaderValue::from_static(condition));
            assert_eq!(range(&headers, 100, "\"a\""), expected, "{condition}");
        }
    }
}
