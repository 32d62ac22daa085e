//! The JSON body of an HTTP request: content type, size, and errors that point at the field.
//!
//! It deliberately does not know any request's shape; a type refuses unknown fields by `deny_unknown_fields`.

use axum::http::{HeaderMap, header};
use serde::de::DeserializeOwned;

use super::kind::INVALID_BODY;
use super::problem::{FieldError, Problem};
use crate::json::{self, Misread};

/// The most bytes of an HTTP request body.
pub const BODY_BYTES_MAX: usize = 64 * 1024;

/// The body as a `T`.
///
/// # Errors
///
/// 415 unless the content type is `application/json` or `application/*+json`; 413 above [`BODY_BYTES_MAX`]; 400
/// `invalid-body` when it is not one JSON object or not a `T`, with a pointer to the field. A retry does not help.
pub fn parse<T: DeserializeOwned>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    if !is_json(headers) {
        return Err(Problem::unsupported_media_type());
    }
    if body.len() > BODY_BYTES_MAX {
        return Err(Problem::payload_too_large(BODY_BYTES_MAX));
    }
    let text = std::str::from_utf8(body).map_err(|_| invalid("", "must be UTF-8"))?;
    json::read(text).map_err(Problem::from)
}

/// A JSON value that a request led to, such as the outcome of a patch, as a `T`.
///
/// # Errors
///
/// 400 `invalid-body` with a pointer to the field. A retry does not help.
pub fn parse_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Problem> {
    json::read_value(value).map_err(Problem::from)
}

/// The body as a `T`, or the default when there is no body (whatever the content type then says).
///
/// # Errors
///
/// As [`parse`] when there is a body.
pub fn parse_optional<T: DeserializeOwned + Default>(headers: &HeaderMap, body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() { Ok(T::default()) } else { parse(headers, body) }
}

fn is_json(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = value.and_then(|value| value.split(';').next()).unwrap_or_default();
    let essence = essence.trim().to_ascii_lowercase();
    match essence.strip_prefix("application/") {
        Some(subtype) => subtype == "json" || subtype.ends_with("+json"),
        None => false,
    }
}

impl From<Misread> for Problem {
    fn from(Misread { pointer, detail }: Misread) -> Self {
        invalid(pointer, detail)
    }
}

fn invalid(pointer: impl Into<String>, detail: impl Into<String>) -> Problem {
    Problem::new(&INVALID_BODY).fields([FieldError::body(pointer, detail)])
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, StatusCode};
    use serde::Deserialize;

    use super::*;
    use crate::host::Answer;

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Order {
        lines: Vec<Line>,
        note: Option<String>,
    }

    #[derive(Debug, Default, PartialEq, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Line {
        quantity: u32,
    }

    fn typed(content_type: &str) -> HeaderMap {
        let value = HeaderValue::from_str(content_type).unwrap();
        HeaderMap::from_iter([(header::CONTENT_TYPE, value)])
    }

    fn order(body: &str) -> Result<Order, Problem> {
        parse(&typed("application/json"), body.as_bytes())
    }

    /// The pointer and detail of the only entry of `errors[]`.
    fn complaint(body: &str) -> (String, String) {
        let problem = order(body).unwrap_err();
        assert_eq!((problem.status(), problem.code()), (StatusCode::BAD_REQUEST, "invalid-body"));
        let shown: serde_json::Value = serde_json::from_str(Answer::from(problem).body()).unwrap();
        let errors = shown["errors"].as_array().unwrap();
        assert_eq!(errors.len(), 1);
        let text = |member: &str| errors[0][member].as_str().unwrap().to_owned();
        (text("pointer"), text("detail"))
    }

    #[test]
    fn json_content_types_are_accepted_and_others_are_415() {
        for accepted in ["application/json", "Application/JSON; charset=utf-8", "application/a+json"] {
            assert!(parse::<Order>(&typed(accepted), br#"{"lines":[]}"#).is_ok(), "{accepted}");
        }
        for refused in ["text/json", "text/plain", "application/jsonp", "multipart/form-data"] {
            let problem = parse::<Order>(&typed(refused), br#"{"lines":[]}"#).unwrap_err();
            assert_eq!(problem.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE, "{refused}");
        }
        let problem = parse::<Order>(&HeaderMap::new(), b"{}").unwrap_err();
        assert_eq!(problem.status(), StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }

    #[test]
    fn size_limit_is_exact() {
        let empty_order = r#"{"lines":[]}"#;
        let padded = empty_order.to_owned() + &" ".repeat(BODY_BYTES_MAX - empty_order.len());
        assert!(order(&padded).is_ok());
        let problem = order(&(padded + " ")).unwrap_err();
        assert_eq!(problem.status(), StatusCode::PAYLOAD_TOO_LARGE);
    }

    #[test]
    fn pointer_names_the_field() {
        let pointer = |body: &str| complaint(body).0;
        assert_eq!(pointer(r#"{"lines":[{"quantity":1},{"quantity":-1}]}"#), "/lines/1/quantity");
        assert_eq!(pointer(r#"{"lines":[{"quantity":1,"colour":"red"}]}"#), "/lines/0/colour");
        assert_eq!(pointer(r#"{"lines":[],"a/b~c":1}"#), "/a~1b~0c");
        assert_eq!(pointer(r#"{"lines":[],"tick`, `":1}"#).split('/').count(), 2 + 1);
        assert_eq!(pointer(r#"{"lines":[{}]}"#), "/lines/0/quantity");
        assert_eq!(pointer("{}"), "/lines");
        assert_eq!(pointer(r#"{"lines":[],"note":"a","note":"b"}"#), "/note");
        assert_eq!(pointer(r#"{"lines":7}"#), "/lines");
    }

    #[test]
    fn detail_of_a_wrong_value_has_no_position() {
        let (_, detail) = complaint(r#"{"lines":[{"quantity":"two"}]}"#);
        assert_eq!(detail, "invalid type: string \"two\", expected u32");
    }

    #[test]
    fn syntax_error_gives_line_and_column() {
        let (pointer, detail) = complaint("{\"lines\":\n[}");
        assert_eq!(pointer, "");
        assert!(detail.contains("line 2 column 2"), "{detail}");
        assert!(complaint(r#"{"lines":[]"#).1.contains("line 1"));
    }

    #[test]
    fn trailing_garbage_is_refused() {
        assert!(complaint(r#"{"lines":[]} {}"#).1.starts_with("not valid JSON: trailing characters"));
    }

    #[test]
    fn only_an_object_will_do() {
        assert_eq!(complaint("[[]]").1, "must be a JSON object");
        for body in ["null", "7", "true", "\"{}\""] {
            assert_eq!(complaint(body).0, "", "{body}");
        }
        assert!(complaint("").1.contains("EOF"));
        let problem = parse::<Order>(&typed("application/json"), b"{\"note\":\"\xff\"}").unwrap_err();
        assert_eq!(problem.code(), "invalid-body");
    }

    #[test]
    fn absent_optional_body_is_the_default() {
        assert_eq!(parse_optional::<Order>(&HeaderMap::new(), b"").unwrap(), Order::default());
        assert!(parse_optional::<Order>(&typed("application/json"), b"{").is_err());
    }
}
