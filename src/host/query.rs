//! The query string: decoding, and refusing what a function does not take.
//!
//! It deliberately does not know what a parameter means; the function parses each value.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::kind::INVALID_QUERY;
use super::problem::{FieldError, Problem};

/// The parameter in which the Functions host takes a function key; it leaves it there, and it means nothing to us.
const KEY_PARAMETER: &str = "code";

/// A request without query parameters, for a function that takes none.
#[derive(Debug, Clone, Copy)]
pub struct NoQuery;

impl<S: Send + Sync> FromRequestParts<S> for NoQuery {
    type Rejection = Problem;

    /// # Errors
    ///
    /// As [`parse_query`].
    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        parse_query(parts.uri.query(), &[]).map(|_| Self)
    }
}

/// The parameters of a raw query string (without `?`), percent-decoded, `+` as a space.
///
/// # Errors
///
/// 400 `invalid-query` names every parameter that is not in `allowed` (and lists what is) and every one that is sent
/// twice, which could otherwise mean different things to different readers. A retry does not help.
pub fn parse_query(raw: Option<&str>, allowed: &[&str]) -> Result<BTreeMap<String, String>, Problem> {
    let mut parameters = BTreeMap::new();
    let mut errors = Vec::new();
    for (name, value) in form_urlencoded::parse(raw.unwrap_or_default().as_bytes()) {
        if name == KEY_PARAMETER {
            continue;
        }
        if !allowed.contains(&name.as_ref()) {
            errors.push(FieldError::parameter(name, "unknown parameter"));
        } else if parameters.contains_key(name.as_ref()) {
            errors.push(FieldError::parameter(name, "sent more than once"));
        } else {
            parameters.insert(name.into_owned(), value.into_owned());
        }
    }
    if errors.is_empty() {
        return Ok(parameters);
    }
    let detail = match allowed {
        [] => "This resource takes no query parameters.".to_owned(),
        _ => format!("Allowed parameters, each at most once: {}.", allowed.join(", ")),
    };
    let problem = Problem::new(&INVALID_QUERY);
    Err(problem.detail(detail).fields(errors))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::Answer;

    fn refusal(raw: &str, allowed: &[&str]) -> serde_json::Value {
        let problem = parse_query(Some(raw), allowed).unwrap_err();
        assert_eq!(problem.code(), "invalid-query");
        serde_json::from_str(Answer::from(problem).body()).unwrap()
    }

    #[test]
    fn values_are_decoded() {
        let parameters = parse_query(Some("q=red+mug%26co&limit=5&empty"), &["limit", "q", "empty"]);
        let parameters = parameters.unwrap();
        assert_eq!(parameters["q"], "red mug&co");
        assert_eq!(parameters["limit"], "5");
        assert_eq!(parameters["empty"], "");
        assert!(parse_query(None, &[]).unwrap().is_empty());
        assert!(parse_query(Some(""), &[]).unwrap().is_empty());
    }

    #[test]
    fn unknown_parameter_is_refused_with_the_allowed_ones() {
        let body = refusal("limt=5&x=1", &["limit", "cursor"]);
        assert_eq!(body["detail"], "Allowed parameters, each at most once: limit, cursor.");
        assert_eq!(body["errors"][0]["parameter"], "limt");
        assert_eq!(body["errors"][1]["parameter"], "x");
        assert_eq!(refusal("x", &[])["detail"], "This resource takes no query parameters.");
    }

    #[test]
    fn repeated_parameter_is_refused() {
        let body = refusal("limit=5&l%69mit=6", &["limit"]);
        assert_eq!(body["errors"][0]["detail"], "sent more than once");
    }
}
