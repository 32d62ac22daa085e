//! Route templates of HTTP functions: parsing them, and matching a request path.
//!
//! Pure. Knows neither methods nor functions.

use std::collections::BTreeMap;

use data_encoding::HEXLOWER_PERMISSIVE;

/// First segments that the host keeps for itself, whatever the prefix.
const RESERVED: [&str; 2] = ["admin", "runtime"];

/// Values of the parameters of a template; an optional one that is absent has none.
pub(super) type Params = BTreeMap<String, Option<String>>;

/// What the value of a parameter must look like.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Constraint {
    Alpha,
    Bool,
    Guid,
    Int,
    Long,
    /// Number of characters, both ends included.
    Length(usize, usize),
    /// Value of a whole number, both ends included.
    Value(i64, i64),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Segment {
    Literal(String),
    Param {
        name: String,
        optional: bool,
        constraints: Vec<Constraint>,
    },
    /// The rest of the path, slashes included.
    CatchAll {
        name: String,
    },
}

/// A parsed template, prefix included.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Template {
    text: String,
    segments: Vec<Segment>,
}

impl Template {
    /// Reads a template as function.json has it and puts the prefix before it.
    ///
    /// # Errors
    /// A sentence that says what is wrong with it or what is not played locally.
    pub(super) fn parse(prefix: &str, route: &str) -> Result<Self, String> {
        let route = route.trim_matches('/');
        let lower = route.to_ascii_lowercase();
        if RESERVED.iter().any(|reserved| lower.starts_with(reserved)) {
            return Err(format!(
                "route `{route}` begins with a word that the host keeps for itself (admin, runtime)"
            ));
        }
        let text = [prefix.trim_matches('/'), route]
            .into_iter()
            .filter(|part| !part.is_empty())
            .collect::<Vec<_>>()
            .join("/");
        let segments = text
            .split('/')
            .filter(|part| !part.is_empty())
            .map(parse_segment)
            .collect::<Result<Vec<_>, _>>()
            .map_err(|reason| format!("route `{route}`: {reason}"))?;
        check_order(&segments).map_err(|reason| format!("route `{route}`: {reason}"))?;
        Ok(Self { text, segments })
    }

    /// The whole template as text, prefix included, without a leading slash.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Whether a path can only be made from it with values.
    pub(super) fn has_params(&self) -> bool {
        self.segments.iter().any(|segment| !matches!(segment, Segment::Literal(_)))
    }

    /// The parameters when `path` (raw, percent-encoded) matches.
    pub(super) fn matches(&self, path: &str) -> Option<Params> {
        let path = path.strip_prefix('/').unwrap_or(path);
        let mut rest = Some(path.strip_suffix('/').unwrap_or(path)).filter(|rest| !rest.is_empty());
        let mut params = Params::new();
        for segment in &self.segments {
            match segment {
                Segment::Literal(literal) => {
                    if decode(step(&mut rest)?).to_lowercase() != *literal {
                        return None;
                    }
                }
                Segment::Param { name, optional, constraints } => {
                    let value = step(&mut rest).map(decode).filter(|value| !value.is_empty());
                    let fits = match &value {
                        Some(value) => constraints.iter().all(|one| one.allows(value)),
                        None => *optional,
                    };
                    if !fits {
                        return None;
                    }
                    params.insert(name.clone(), value);
                }
                Segment::CatchAll { name } => {
                    params.insert(name.clone(), rest.take().map(decode));
                }
            }
        }
        rest.is_none().then_some(params)
    }
}

/// Cuts the first segment off.
fn step<'a>(rest: &mut Option<&'a str>) -> Option<&'a str> {
    let text = (*rest)?;
    match text.split_once('/') {
        Some((first, others)) => {
            *rest = Some(others);
            Some(first)
        }
        None => rest.take(),
    }
}

fn parse_segment(text: &str) -> Result<Segment, String> {
    let Some(inner) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return if text.contains(['{', '}']) {
            Err(format!("segment `{text}` mixes text and a parameter, which is not played locally"))
        } else {
            Ok(Segment::Literal(text.to_lowercase()))
        };
    };
    if inner.contains('=') {
        return Err(format!("the default value in `{text}` is not played locally"));
    }
    if let Some(name) = inner.strip_prefix('*') {
        let name = name.strip_prefix('*').unwrap_or(name);
        return Ok(Segment::CatchAll { name: parameter_name(name)? });
    }
    let (inner, optional) = match inner.strip_suffix('?') {
        Some(inner) => (inner, true),
        None => (inner, false),
    };
    let mut parts = inner.split(':');
    let name = parameter_name(parts.next().unwrap_or_default())?;
    let constraints = parts.map(Constraint::parse).collect::<Result<_, _>>()?;
    Ok(Segment::Param { name, optional, constraints })
}

fn parameter_name(name: &str) -> Result<String, String> {
    let valid = name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    if valid && !name.is_empty() {
        Ok(name.to_owned())
    } else {
        Err(format!("`{name}` is not the name of a parameter"))
    }
}

/// A catch-all and optional parameters may only end a template, and names are unique.
fn check_order(segments: &[Segment]) -> Result<(), String> {
    let mut names = Vec::new();
    let mut ended = false;
    for segment in segments {
        let (name, ends) = match segment {
            Segment::Literal(_) => (None, false),
            Segment::Param { name, optional, .. } => (Some(name), *optional),
            Segment::CatchAll { name } => (Some(name), true),
        };
        if ended {
            return Err("only the last parameter may be optional or a catch-all".to_owned());
        }
        ended = ends;
        if let Some(name) = name {
            let lower = name.to_lowercase();
            if names.contains(&lower) {
                return Err(format!("parameter `{name}` appears twice"));
            }
            names.push(lower);
        }
    }
    Ok(())
}

impl Constraint {
    fn parse(text: &str) -> Result<Self, String> {
        let unknown = || format!("constraint `{text}` is unknown or not played locally");
        let (name, arguments) = match text.split_once('(') {
            Some((name, rest)) => (name, rest.strip_suffix(')').ok_or_else(unknown)?),
            None => (text, ""),
        };
        let numbers = arguments
            .split(',')
            .map(str::trim)
            .filter(|argument| !argument.is_empty())
            .map(|argument| argument.parse::<i64>().map_err(|_| unknown()))
            .collect::<Result<Vec<_>, _>>()?;
        let len = |number: i64| usize::try_from(number).map_err(|_| unknown());
        match (name, numbers.as_slice()) {
            ("alpha", []) => Ok(Self::Alpha),
            ("bool", []) => Ok(Self::Bool),
            ("guid", []) => Ok(Self::Guid),
            ("int", []) => Ok(Self::Int),
            ("long", []) => Ok(Self::Long),
            ("length", [exact]) => Ok(Self::Length(len(*exact)?, len(*exact)?)),
            ("length", [min, max]) => Ok(Self::Length(len(*min)?, len(*max)?)),
            ("minlength", [min]) => Ok(Self::Length(len(*min)?, usize::MAX)),
            ("maxlength", [max]) => Ok(Self::Length(0, len(*max)?)),
            ("min", [min]) => Ok(Self::Value(*min, i64::MAX)),
            ("max", [max]) => Ok(Self::Value(i64::MIN, *max)),
            ("range", [min, max]) => Ok(Self::Value(*min, *max)),
            _ => Err(unknown()),
        }
    }

    fn allows(&self, value: &str) -> bool {
        match self {
            Self::Alpha => value.bytes().all(|byte| byte.is_ascii_alphabetic()),
            Self::Bool => ["true", "false"].iter().any(|word| value.eq_ignore_ascii_case(word)),
            Self::Guid => is_guid(value),
            Self::Int => value.parse::<i32>().is_ok(),
            Self::Long => value.parse::<i64>().is_ok(),
            Self::Length(min, max) => (*min..=*max).contains(&value.chars().count()),
            Self::Value(min, max) => value.parse::<i64>().is_ok_and(|number| (*min..=*max).contains(&number)),
        }
    }
}

/// Accepts 32 hexadecimal digits, plain or with dashes after 8, 12, 16 and 20, optionally in braces.
fn is_guid(value: &str) -> bool {
    let bare = value.strip_prefix('{').and_then(|value| value.strip_suffix('}')).unwrap_or(value);
    let dashed = bare.split('-').map(str::len).eq([8, 4, 4, 4, 12]);
    let digits = bare.replace('-', "");
    (dashed || !bare.contains('-'))
        && digits.len() == 32
        && HEXLOWER_PERMISSIVE.decode(digits.as_bytes()).is_ok()
}

/// Undoes the percent-encoding of a path, except of a slash, which stays part of its segment.
pub(super) fn decode(text: &str) -> String {
    percent_decode(text, Some(b'/'))
}

/// The parameters of a raw query, decoded; the values of a repeated one are joined with commas.
pub(super) fn query_params(query: &str) -> BTreeMap<String, String> {
    let mut params = BTreeMap::<String, String>::new();
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        let [name, value] = [name, value].map(|text| percent_decode(&text.replace('+', " "), None));
        params
            .entry(name)
            .and_modify(|joined| {
                joined.push(',');
                joined.push_str(&value);
            })
            .or_insert(value);
    }
    params
}

/// Undoes percent-encoding, except of the byte to `keep`.
fn percent_decode(text: &str, keep: Option<u8>) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, others)) = rest.split_first() {
        let encoded = (*first == b'%')
            .then(|| others.get(..2))
            .flatten()
            .and_then(|digits| HEXLOWER_PERMISSIVE.decode(digits).ok())
            .filter(|decoded| decoded.first().copied() != keep);
        match encoded {
            Some(decoded) => {
                bytes.extend(decoded);
                rest = &others[2..];
            }
            None => {
                bytes.push(*first);
                rest = others;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(route: &str, path: &str) -> Option<Vec<(String, Option<String>)>> {
        let template = Template::parse("api", route).unwrap();
        Some(template.matches(path)?.into_iter().collect())
    }

    fn one(name: &str, value: &str) -> Option<Vec<(String, Option<String>)>> {
        Some(vec![(name.to_owned(), Some(value.to_owned()))])
    }

    #[test]
    fn literals_match_in_any_case_and_with_a_trailing_slash() {
        for path in ["/api/items", "/API/Items", "/api/items/", "/api/it%65ms"] {
            assert_eq!(params("items", path), Some(vec![]), "{path}");
        }
        for path in ["/api", "/items", "/api/items/1", "/api//items", "/api/items//"] {
            assert_eq!(params("items", path), None, "{path}");
        }
    }

    #[test]
    fn parameters_are_decoded_except_for_slashes() {
        assert_eq!(params("items/{id}", "/api/items/a%20b"), one("id", "a b"));
        assert_eq!(params("items/{id}", "/api/items/a%2Fb"), one("id", "a%2Fb"));
        assert_eq!(params("items/{id}", "/api/items/50%"), one("id", "50%"));
        assert_eq!(params("items/{id}", "/api/items/"), None);
        assert_eq!(params("items/{id}", "/api/items//"), None);
    }

    #[test]
    fn optional_parameter_may_be_absent() {
        assert_eq!(params("items/{id?}", "/api/items/7"), one("id", "7"));
        assert_eq!(params("items/{id:int?}", "/api/items"), Some(vec![("id".to_owned(), None)]));
        assert_eq!(params("items/{id:int?}", "/api/items/x"), None);
    }

    #[test]
    fn catch_all_takes_the_rest() {
        assert_eq!(params("files/{*rest}", "/api/files/a/b%20c"), one("rest", "a/b c"));
        assert_eq!(params("files/{*rest}", "/api/files"), Some(vec![("rest".to_owned(), None)]));
    }

    #[test]
    fn constraints_decide_about_a_match() {
        let guid = "3f2504e0-4f89-41d3-9a0c-0305e82c3301";
        let cases = [
            ("int", "42", true),
            ("int", "-1", true),
            ("int", "99999999999", false),
            ("long", "99999999999", true),
            ("bool", "True", true),
            ("alpha", "abc", true),
            ("alpha", "ab1", false),
            ("guid", guid, true),
            ("guid", "3f2504e04f8941d39a0c0305e82c3301", true),
            ("guid", "3f2504e04f8941d39a0c0305e82c330", false),
            ("length(3)", "abc", true),
            ("length(3)", "ab", false),
            ("length(1,2)", "ab", true),
            ("minlength(2)", "a", false),
            ("maxlength(2)", "abc", false),
            ("min(5)", "4", false),
            ("range(1,9)", "9", true),
            ("int:min(5)", "5", true),
            ("int:min(5)", "4", false),
        ];
        for (constraint, value, expected) in cases {
            let found = params(&format!("x/{{id:{constraint}}}"), &format!("/api/x/{value}"));
            assert_eq!(found.is_some(), expected, "{constraint} {value}");
        }
    }

    #[test]
    fn empty_prefix_and_empty_route_match_the_root() {
        let template = Template::parse("", "").unwrap();
        assert_eq!(template.matches("/"), Some(Params::new()));
        assert_eq!(template.matches("/x"), None);
    }

    #[test]
    fn query_is_decoded_and_repeated_names_are_joined() {
        let params = query_params("a=1&b=x%2Fy+z&a=2&flag&=&&c=%");
        let expected = [("", ""), ("a", "1,2"), ("b", "x/y z"), ("c", "%"), ("flag", "")];
        let found: Vec<_> = params.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn bad_templates_say_what_is_wrong() {
        let cases = [
            ("admin/x", "keeps for itself"),
            ("administrators", "keeps for itself"),
            ("runtime", "keeps for itself"),
            ("a{b}", "mixes"),
            ("{a=1}", "default value"),
            ("{a:regex(^x$)}", "not played locally"),
            ("{a}/{A}", "twice"),
            ("{*a}/b", "last parameter"),
            ("{a?}/b", "last parameter"),
            ("{}", "name of a parameter"),
        ];
        for (route, reason) in cases {
            let error = Template::parse("api", route).unwrap_err();
            assert!(error.contains(reason), "{route}: {error}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_path_makes_matching_panic(path in "\\PC*") {
            let template = Template::parse("api", "x/{id:int}/{*rest}").unwrap();
            let _ = template.matches(&path);
        }
    }
}
