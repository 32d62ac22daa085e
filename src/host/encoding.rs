//! gzip of what is sent, where the caller takes it and it pays, and the entity tags that go with it: each form of an answer
//! has a tag of its own (RFC 9110, section 8.8.3), so the gzip form of `"x"` is `"x-gzip"`.
//!
//! Functions know nothing of that: they see and give the plain tags. Answers in an envelope are never encoded, because it
//! carries text only; what a caller learned from a proxied answer can still be used in `If-Match` there.

use std::io::{self, Write};

use axum::body::{Body, Bytes, HttpBody, to_bytes};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use flate2::Compression;
use flate2::write::GzEncoder;

use super::problem::Problem;

/// The fewest bytes that are encoded: with its headers less than this is sent in one packet anyway, so it would come no sooner.
const ENCODED_BYTES_MIN: usize = 1024;
/// What the tag of the gzip form ends with.
const TAG_END: &str = "-gzip\"";

/// What a request says about encodings.
pub(super) struct Encoding {
    takes_gzip: bool,
    /// `If-None-Match` as it was sent, if it named a gzip form.
    known: Option<HeaderValue>,
}

impl Encoding {
    /// Reads the request's wishes, and leaves only plain tags in its conditions. A gzip form in `If-None-Match` of a caller who
    /// does not take gzip stays, and so matches nothing: that caller could not use it.
    pub(super) fn of(headers: &mut HeaderMap) -> Self {
        let takes_gzip = takes_gzip(headers);
        plain_if_match(headers);
        let known = if takes_gzip { make_plain(headers, &header::IF_NONE_MATCH) } else { None };
        Self { takes_gzip, known }
    }

    /// The answer in the form that the request takes, with the tag of that form.
    pub(super) async fn apply(self, mut response: Response) -> Response {
        if response.status() == StatusCode::NOT_MODIFIED {
            self.tell_which_is_known(response.headers_mut());
            // The length is that of what is not sent, so none is given; axum would say 0 of a body that is empty.
            *response.body_mut() = Body::from_stream(futures::stream::empty::<Result<Bytes, io::Error>>());
            return response;
        }
        let headers = response.headers_mut();
        if !is_text(headers) || headers.contains_key(header::CONTENT_ENCODING) {
            return response;
        }
        vary_by_encoding(headers);
        let size_bytes = response.body().size_hint().exact().and_then(|size| usize::try_from(size).ok());
        match size_bytes {
            Some(ENCODED_BYTES_MIN..) if self.takes_gzip => encoded(response).await,
            Some(_) | None => response,
        }
    }

    /// 304 means the gzip form if that is what the caller has.
    fn tell_which_is_known(&self, headers: &mut HeaderMap) {
        let gzip_tag = headers.get(header::ETAG).and_then(gzip_tag);
        if let (Some(tag), Some(known)) = (gzip_tag, &self.known)
            && known.to_str().is_ok_and(|known| tag.to_str().is_ok_and(|tag| known.contains(tag)))
        {
            headers.insert(header::ETAG, tag);
        }
    }
}

/// Takes gzip forms out of `If-Match`: whoever has either form has the version.
pub(super) fn plain_if_match(headers: &mut HeaderMap) {
    make_plain(headers, &header::IF_MATCH);
}

/// Replaces gzip forms by plain tags, in all header lines of this name; gives what was there, if there was one.
fn make_plain(headers: &mut HeaderMap, name: &HeaderName) -> Option<HeaderValue> {
    // What is no text is for the function to refuse, as it stands.
    let lines = headers.get_all(name).iter().map(|line| line.to_str().ok());
    let lines: Vec<_> = lines.collect::<Option<_>>()?;
    if !lines.iter().any(|line| line.contains(TAG_END)) {
        return None;
    }
    let sent = lines.join(",");
    let plain = HeaderValue::try_from(sent.replace(TAG_END, "\"")).ok()?;
    headers.insert(name, plain);
    HeaderValue::try_from(sent).ok()
}

/// Whether `Accept-Encoding` has gzip, and likes it no less than what is not encoded.
pub fn takes_gzip(headers: &HeaderMap) -> bool {
    let (mut gzip, mut any, mut identity) = (None, None, None);
    for line in headers.get_all(header::ACCEPT_ENCODING) {
        for item in line.to_str().unwrap_or_default().split(',') {
            let (name, parameters) = item.split_once(';').unwrap_or((item, ""));
            let quality = parameters
                .trim()
                .strip_prefix(['q', 'Q'])
                .and_then(|text| text.strip_prefix('='))
                .map_or(Some(1.0), |text| text.parse::<f32>().ok());
            let is = |encoding: &str| name.trim().eq_ignore_ascii_case(encoding);
            if is("gzip") || is("x-gzip") {
                gzip = quality;
            } else if is("*") {
                any = quality;
            } else if is("identity") {
                identity = quality;
            }
        }
    }
    let quality = gzip.or(any).unwrap_or(0.0);
    quality > 0.0 && quality >= identity.unwrap_or(0.0)
}

/// Whether it is text, by its type: JSON, CSV, a page and what belongs to it. Other pictures than SVG are packed already, and
/// asked for in ranges.
fn is_text(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default().trim();
    let is_named = essence == "application/json";
    is_named || essence.starts_with("text/") || essence.ends_with("+json")
}

/// Says that the answer depends on `Accept-Encoding`, unless it says so itself.
fn vary_by_encoding(headers: &mut HeaderMap) {
    let is_there = headers.get_all(header::VARY).iter().any(|line| {
        let mut names = line.to_str().unwrap_or_default().split(',');
        names.any(|name| name.trim().eq_ignore_ascii_case("accept-encoding") || name.trim() == "*")
    });
    if !is_there {
        headers.append(header::VARY, HeaderValue::from_static("Accept-Encoding"));
    }
}

/// The strong tag of the gzip form; a weak tag is that of both forms.
fn gzip_tag(plain: &HeaderValue) -> Option<HeaderValue> {
    let opaque = plain.to_str().ok()?.strip_prefix('"')?.strip_suffix('"')?;
    HeaderValue::try_from(format!("\"{opaque}{TAG_END}")).ok()
}

async fn encoded(response: Response) -> Response {
    let (mut head, body) = response.into_parts();
    // It is in memory as a whole, or it would not know its size.
    let encoded = match to_bytes(body, usize::MAX).await {
        Ok(plain) => gzip(&plain).map_err(axum::Error::new),
        Err(error) => Err(error),
    };
    match encoded {
        Ok(encoded) => {
            head.headers.remove(header::CONTENT_LENGTH);
            head.headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
            if let Some(tag) = head.headers.get(header::ETAG).and_then(gzip_tag) {
                head.headers.insert(header::ETAG, tag);
            }
            Response::from_parts(head, encoded.into())
        }
        Err(error) => {
            tracing::error!(%error, "an answer could not be encoded");
            Problem::internal().into_response()
        }
    }
}

fn gzip(plain: &[u8]) -> io::Result<Vec<u8>> {
    // Takes half as long as the usual level, and a page of twenty products is 1.0 KB then instead of 0.9, of 7.8. A quarter is
    // room enough for JSON.
    let mut encoder = GzEncoder::new(Vec::with_capacity(plain.len() / 4), Compression::fast());
    encoder.write_all(plain)?;
    encoder.finish()
}

#[cfg(test)]
mod tests {
    use std::io::Read;

    use flate2::read::GzDecoder;

    use super::*;

    fn headers(given: &[(HeaderName, &str)]) -> HeaderMap {
        given.iter().map(|(name, value)| (name.clone(), HeaderValue::from_str(value).unwrap())).collect()
    }

    fn answer(content_type: &'static str, size_bytes: usize) -> Response {
        let head = [(header::CONTENT_TYPE, content_type), (header::ETAG, "\"x\"")];
        (head, "a".repeat(size_bytes)).into_response()
    }

    async fn sent(accepted: &str, response: Response) -> (HeaderMap, Bytes) {
        let encoding = Encoding::of(&mut headers(&[(header::ACCEPT_ENCODING, accepted)]));
        let (head, body) = encoding.apply(response).await.into_parts();
        (head.headers, to_bytes(body, usize::MAX).await.unwrap())
    }

    #[tokio::test]
    async fn long_text_is_encoded_under_a_tag_of_its_own() {
        let (head, body) = sent("gzip", answer("application/json", ENCODED_BYTES_MIN)).await;
        assert_eq!(
            (&head["content-encoding"], &head["etag"]),
            (&"gzip".parse().unwrap(), &"\"x-gzip\"".parse().unwrap())
        );
        assert_eq!(head["vary"], "Accept-Encoding");
        let mut plain = String::new();
        GzDecoder::new(body.as_ref()).read_to_string(&mut plain).unwrap();
        assert_eq!(plain, "a".repeat(ENCODED_BYTES_MIN));
    }

    #[tokio::test]
    async fn what_is_short_unwanted_encoded_or_no_text_is_left_alone() {
        let long = ENCODED_BYTES_MIN;
        let already = ([(header::CONTENT_ENCODING, "br")], answer("text/html", long)).into_response();
        for (accepted, response) in [
            ("gzip", answer("text/csv", long - 1)),
            ("gzip;q=0", answer("text/csv", long)),
            ("br, identity", answer("text/csv", long)),
            ("identity, gzip;q=0.5", answer("text/csv", long)),
            ("gzip;q=much", answer("text/csv", long)),
            ("gzip", answer("image/png", long)),
            ("gzip", already),
        ] {
            let (head, body) = sent(accepted, response).await;
            assert_ne!(
                head.get("content-encoding").map(HeaderValue::as_bytes),
                Some(b"gzip".as_slice()),
                "{accepted}"
            );
            assert_eq!(
                (&head["etag"], body.len() + 1 >= long),
                (&"\"x\"".parse().unwrap(), true),
                "{accepted}"
            );
        }
    }

    #[test]
    fn accepted_encodings_are_weighed() {
        for accepted in
            ["gzip", "br, GZIP;q=0.5", "*", "x-gzip", "identity;q=0.5, gzip; q=0.5", "gzip;q=1, *;q=0"]
        {
            assert!(takes_gzip(&headers(&[(header::ACCEPT_ENCODING, accepted)])), "{accepted}");
        }
        for accepted in ["", "deflate", "*;q=0", "gzip;q=0, *"] {
            assert!(!takes_gzip(&headers(&[(header::ACCEPT_ENCODING, accepted)])), "{accepted}");
        }
        assert!(!takes_gzip(&HeaderMap::new()));
    }

    /// The tags that a function sees, and the one that a 304 to it then carries.
    async fn known(accepted: &str, if_none_match: &str) -> (String, String) {
        let mut request =
            headers(&[(header::ACCEPT_ENCODING, accepted), (header::IF_NONE_MATCH, if_none_match)]);
        let encoding = Encoding::of(&mut request);
        let response = (StatusCode::NOT_MODIFIED, [(header::ETAG, "\"x\"")]).into_response();
        let response = encoding.apply(response).await;
        let text = |value: &HeaderValue| value.to_str().unwrap().to_owned();
        (text(&request[header::IF_NONE_MATCH]), text(&response.headers()[header::ETAG]))
    }

    #[tokio::test]
    async fn not_modified_is_the_form_that_the_caller_has() {
        let is = |seen: &str, tag: &str| (seen.to_owned(), tag.to_owned());
        assert_eq!(known("gzip", "\"x-gzip\"").await, is("\"x\"", "\"x-gzip\""));
        assert_eq!(known("gzip", "W/\"x-gzip\"").await, is("W/\"x\"", "\"x-gzip\""));
        assert_eq!(known("gzip", "\"a-gzip\", \"x\"").await, is("\"a\", \"x\"", "\"x\""));
        assert_eq!(known("br", "\"x-gzip\"").await, is("\"x-gzip\"", "\"x\""));
        assert_eq!(known("gzip", "*").await, is("*", "\"x\""));
    }

    #[test]
    fn either_form_names_the_version_in_if_match() {
        let mut request = headers(&[(header::IF_MATCH, "\"x-gzip\", \"y\"")]);
        plain_if_match(&mut request);
        assert_eq!(request[header::IF_MATCH], "\"x\", \"y\"");
    }
}
