//! `If-Match` and `If-None-Match` (RFC 9110, section 13.1): parsing the headers and comparing entity tags.
//!
//! It deliberately does not know where a resource's current tag comes from. Tags keep their quotes, as in `"\"abc\""`,
//! and a weak one its `W/`; that is also how Cosmos spells its etags.

use axum::http::{HeaderMap, HeaderName, header};

use super::kind::INVALID_HEADER;
use super::problem::Problem;

/// The most entity tags in one header.
pub const TAGS_MAX: usize = 32;
/// The form of the headers as a regular expression, for the API's document.
pub(super) const TAGS_PATTERN: &str = r#"^(\*|((W/)?"[!#-~]*"(, ?(W/)?"[!#-~]*"){0,31})?)$"#;

/// A precondition that is present: any version at all, or one of these.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Match {
    /// `*`.
    Any,
    /// These entity tags; none at all is a list that no version is in.
    Tags(Vec<String>),
}

/// `If-Match`: change the resource only if it is still one of these versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// The header is absent.
    None,
    /// `*`: the resource exists.
    Any,
    /// The resource is one of these versions.
    Tags(Vec<String>),
}

/// `If-None-Match`: answer in full only if the resource is none of these versions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfNoneMatch {
    /// The header is absent.
    None,
    /// `*`: the resource does not exist.
    Any,
    /// The versions that the caller has.
    Tags(Vec<String>),
}

impl Match {
    /// Whether an existing resource with the tag `current` may be changed; strong comparison, so a weak tag on either
    /// side never matches.
    pub fn allows(&self, current: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => holds_strongly(tags, current),
        }
    }
}

impl IfMatch {
    /// Whether an existing resource with the tag `current` may be changed; strong comparison, true without a header.
    pub fn allows(&self, current: &str) -> bool {
        match self {
            Self::None | Self::Any => true,
            Self::Tags(tags) => holds_strongly(tags, current),
        }
    }
}

impl IfNoneMatch {
    /// Whether the caller already has the version `current` of an existing resource (a GET answers 304, a change 412);
    /// weak comparison, false without a header.
    pub fn matches(&self, current: &str) -> bool {
        match self {
            Self::None => false,
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| opaque(tag) == opaque(current)),
        }
    }
}

/// The `If-Match` header.
///
/// # Errors
///
/// 400 `invalid-header` when it is malformed or has more than [`TAGS_MAX`] tags.
pub fn if_match(headers: &HeaderMap) -> Result<IfMatch, Problem> {
    Ok(match read(headers, &header::IF_MATCH, "If-Match")? {
        None => IfMatch::None,
        Some(Match::Any) => IfMatch::Any,
        Some(Match::Tags(tags)) => IfMatch::Tags(tags),
    })
}

/// The `If-Match` header of a change that must not be made blindly.
///
/// # Errors
///
/// 428 when it is absent; 400 `invalid-header` when it is malformed or has more than [`TAGS_MAX`] tags.
pub fn require_if_match(headers: &HeaderMap) -> Result<Match, Problem> {
    read(headers, &header::IF_MATCH, "If-Match")?.ok_or_else(Problem::precondition_required)
}

/// The `If-None-Match` header.
///
/// # Errors
///
/// 400 `invalid-header` when it is malformed or has more than [`TAGS_MAX`] tags.
pub fn if_none_match(headers: &HeaderMap) -> Result<IfNoneMatch, Problem> {
    Ok(match read(headers, &header::IF_NONE_MATCH, "If-None-Match")? {
        None => IfNoneMatch::None,
        Some(Match::Any) => IfNoneMatch::Any,
        Some(Match::Tags(tags)) => IfNoneMatch::Tags(tags),
    })
}

/// Reads all header lines of one name as one list.
fn read(headers: &HeaderMap, name: &HeaderName, shown: &'static str) -> Result<Option<Match>, Problem> {
    let malformed = || {
        Problem::new(&INVALID_HEADER).header_field(
            shown,
            format!("must be * or at most {TAGS_MAX} entity tags in double quotes, separated by commas"),
        )
    };
    let mut lines = Vec::new();
    for value in headers.get_all(name) {
        lines.push(value.to_str().map_err(|_| malformed())?);
    }
    if lines.is_empty() {
        return Ok(None);
    }
    let list = lines.join(",");
    if list.trim() == "*" {
        return Ok(Some(Match::Any));
    }
    tags(&list).map(|tags| Some(Match::Tags(tags))).ok_or_else(malformed)
}

/// Splits a list of entity tags; a tag may itself contain commas. Empty elements are allowed, and so is an empty list (RFC 9110,
/// section 5.6.1), which holds no version.
fn tags(list: &str) -> Option<Vec<String>> {
    let mut tags = Vec::new();
    let mut rest = list.trim_start_matches(SEPARATORS);
    while !rest.is_empty() {
        let (weak, quoted) = match rest.strip_prefix("W/") {
            Some(quoted) => ("W/", quoted),
            None => ("", rest),
        };
        let (opaque, after) = quoted.strip_prefix('"')?.split_once('"')?;
        if opaque.contains([' ', '\t']) || tags.len() == TAGS_MAX {
            return None;
        }
        tags.push(format!("{weak}\"{opaque}\""));
        let after = after.trim_start_matches([' ', '\t']);
        if !after.is_empty() && !after.starts_with(',') {
            return None;
        }
        rest = after.trim_start_matches(SEPARATORS);
    }
    Some(tags)
}

const SEPARATORS: [char; 3] = [',', ' ', '\t'];

/// Whether `tags` has the strong tag `current`; a weak one is equal to nothing, not even to itself.
fn holds_strongly(tags: &[String], current: &str) -> bool {
    !current.starts_with("W/") && tags.iter().any(|tag| tag.as_str() == current)
}

/// The tag without its weakness.
fn opaque(tag: &str) -> &str {
    tag.strip_prefix("W/").unwrap_or(tag)
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderValue, StatusCode};

    use super::*;

    fn headers(name: HeaderName, values: &[&str]) -> HeaderMap {
        let mut map = HeaderMap::new();
        for value in values {
            map.append(name.clone(), HeaderValue::from_str(value).unwrap());
        }
        map
    }

    #[test]
    fn lists_are_read_with_quotes_weakness_and_commas() {
        let given = headers(header::IF_MATCH, &["\"a,b\" , W/\"c\",", "\"\""]);
        let wanted = ["\"a,b\"", "W/\"c\"", "\"\""].map(str::to_owned).to_vec();
        assert_eq!(require_if_match(&given).unwrap(), Match::Tags(wanted));
        assert_eq!(require_if_match(&headers(header::IF_MATCH, &["*"])).unwrap(), Match::Any);
    }

    #[test]
    fn malformed_header_is_a_400() {
        let many = vec!["\"a\""; TAGS_MAX + 1].join(",");
        for value in ["abc", "\"a", "\"a\" \"b\"", "*, \"a\"", "w/\"a\"", "\"a b\"", &many] {
            let problem = if_none_match(&headers(header::IF_NONE_MATCH, &[value])).unwrap_err();
            assert_eq!(problem.code(), "invalid-header", "{value}");
            assert_eq!(problem.status(), StatusCode::BAD_REQUEST);
        }
    }

    #[test]
    fn empty_list_names_no_version() {
        let empty = require_if_match(&headers(header::IF_MATCH, &[""])).unwrap();
        assert!(!empty.allows("\"a\""));
        assert!(!if_none_match(&headers(header::IF_NONE_MATCH, &[" , "])).unwrap().matches("\"a\""));
    }

    #[test]
    fn missing_if_match_is_a_428_only_where_required() {
        let none = HeaderMap::new();
        assert_eq!(require_if_match(&none).unwrap_err().status(), StatusCode::PRECONDITION_REQUIRED);
        assert_eq!(if_match(&none).unwrap(), IfMatch::None);
        assert!(if_match(&none).unwrap().allows("\"a\""));
        assert_eq!(if_none_match(&none).unwrap(), IfNoneMatch::None);
    }

    #[test]
    fn if_match_compares_strongly() {
        let condition = Match::Tags(vec!["W/\"a\"".to_owned(), "\"b\"".to_owned()]);
        assert!(condition.allows("\"b\""));
        assert!(!condition.allows("\"a\""));
        assert!(!condition.allows("W/\"a\""));
        assert!(Match::Any.allows("\"z\""));
    }

    #[test]
    fn if_none_match_compares_weakly() {
        let condition = IfNoneMatch::Tags(vec!["W/\"a\"".to_owned()]);
        assert!(condition.matches("\"a\""));
        assert!(condition.matches("W/\"a\""));
        assert!(!condition.matches("\"b\""));
        assert!(IfNoneMatch::Any.matches("\"b\""));
        assert!(!IfNoneMatch::None.matches("\"b\""));
    }
}
