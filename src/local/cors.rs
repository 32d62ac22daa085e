//! CORS as the host has it, so that the application need not: which origins may call, and the answers to preflights.
//!
//! In Azure the platform does this by `siteConfig.cors`, and `OPTIONS` never reaches a function; `func start` does it by
//! `Host.CORS` and `Host.CORSCredentials` in local.settings.json, which are read here. What a page may read of an answer is the
//! application's to say.

use std::path::Path;
use std::sync::Arc;

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_CREDENTIALS, ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS,
    ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::config::{Flat, Settings};

const FILE: &str = "local.settings.json";

/// Which origins may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Cors {
    origins: Origins,
    /// Whether browsers may send cookies and the like.
    credentials: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Origins {
    Any,
    These(Vec<String>),
}

impl Cors {
    /// What the command line says, else local.settings.json in `root`; `None` when neither names an origin.
    ///
    /// # Errors
    /// A sentence about the first thing that is wrong.
    pub(super) fn read(root: &Path, given: Option<&str>, credentials: bool) -> Result<Option<Self>, String> {
        let path = root.join(FILE);
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => "{}".to_owned(),
            Err(error) => return Err(format!("cannot read {}: {error}", path.display())),
        };
        let wrong = |reason: String| format!("{}: {reason}", path.display());
        let document = serde_json::from_str(text.trim_start_matches('\u{feff}'));
        let document = document.map_err(|error| wrong(format!("not JSON: {error}")))?;
        let flat = Flat::new(&document, &Settings::new());
        let credentials = credentials || flat.flag("Host:CORSCredentials").map_err(wrong)?;
        match given {
            Some(given) => Self::parse(given, credentials).map_err(|reason| format!("--cors: {reason}")),
            None => Self::parse(flat.text("Host:CORS").unwrap_or_default(), credentials)
                .map_err(|reason| wrong(format!("`Host.CORS`: {reason}"))),
        }
    }

    /// Origins, separated by commas, or `*`.
    pub(super) fn parse(text: &str, credentials: bool) -> Result<Option<Self>, String> {
        let listed: Vec<_> = text.split(',').map(str::trim).filter(|origin| !origin.is_empty()).collect();
        if listed.is_empty() {
            return Ok(None);
        }
        if !listed.contains(&"*") {
            if let Some(wrong) = listed.iter().find(|origin| !is_origin(origin)) {
                return Err(format!(
                    "`{wrong}` is no origin such as https://shop.example or http://localhost:5173"
                ));
            }
            let origins = Origins::These(listed.into_iter().map(str::to_owned).collect());
            return Ok(Some(Self { origins, credentials }));
        }
        match credentials {
            false => Ok(Some(Self { origins: Origins::Any, credentials })),
            // Browsers refuse it, and so do `func start` and Azure.
            true => Err("`*` does not go with credentials; name the origins".to_owned()),
        }
    }

    /// What an answer to this origin says; nothing when it may not call.
    fn headers(&self, origin: &HeaderValue) -> HeaderMap {
        let mut headers = HeaderMap::new();
        let allowed = match &self.origins {
            Origins::Any => Some(HeaderValue::from_static("*")),
            Origins::These(origins) => {
                headers.insert(VARY, HeaderValue::from_static("Origin"));
                let is_listed = |listed: &String| listed.as_bytes().eq_ignore_ascii_case(origin.as_bytes());
                origins.iter().any(is_listed).then(|| origin.clone())
            }
        };
        if let Some(allowed) = allowed {
            headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, allowed);
            if self.credentials {
                headers.insert(ACCESS_CONTROL_ALLOW_CREDENTIALS, HeaderValue::from_static("true"));
            }
        }
        headers
    }
}

/// Scheme and host, perhaps a port, and nothing else.
fn is_origin(text: &str) -> bool {
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://")).unwrap_or_default();
    let (name, port) = host.split_once(':').unwrap_or((host, "443"));
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.');
    !name.is_empty() && name.bytes().all(is_name) && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Middleware in front of everything: answers preflights, and adds to the answers of others what their pages need.
pub(super) async fn apply(State(cors): State<Arc<Cors>>, request: Request, next: Next) -> Response {
    let Some(origin) = request.headers().get(ORIGIN) else { return next.run(request).await };
    let mut headers = cors.headers(origin);
    let wanted = (
        request.headers().get(ACCESS_CONTROL_REQUEST_METHOD).cloned(),
        request.headers().get(ACCESS_CONTROL_REQUEST_HEADERS).cloned(),
    );
    let mut response = match wanted {
        (Some(method), named) if request.method() == Method::OPTIONS => {
            if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
                headers.insert(ACCESS_CONTROL_ALLOW_METHODS, method);
                headers.extend(named.map(|named| (ACCESS_CONTROL_ALLOW_HEADERS, named)));
            }
            StatusCode::NO_CONTENT.into_response()
        }
        _ => next.run(request).await,
    };
    for (name, value) in &headers {
        // The application may vary its answers by other headers.
        if *name == VARY {
            response.headers_mut().append(name, value.clone());
        } else {
            response.headers_mut().insert(name, value.clone());
        }
    }
    response
}

#[cfg(test)]
mod tests {
    use super::super::testing::temporary_folder;
    use super::*;

    fn allowed(cors: &Cors, origin: &'static str) -> Option<String> {
        let headers = cors.headers(&HeaderValue::from_static(origin));
        headers.get(ACCESS_CONTROL_ALLOW_ORIGIN).map(|origin| origin.to_str().unwrap().to_owned())
    }

    #[test]
    fn listed_origins_may_call_and_others_may_not() {
        let cors = Cors::parse("https://shop.example, http://localhost:5173,", true).unwrap().unwrap();
        assert_eq!(allowed(&cors, "http://localhost:5173").as_deref(), Some("http://localhost:5173"));
        assert_eq!(allowed(&cors, "https://evil.example"), None);
        assert_eq!(allowed(&cors, "https://shop.example.evil.example"), None);
        let headers = cors.headers(&HeaderValue::from_static("https://shop.example"));
        assert_eq!(
            (&headers[VARY], &headers[ACCESS_CONTROL_ALLOW_CREDENTIALS]),
            (&"Origin".parse().unwrap(), &"true".parse().unwrap())
        );
        let any = Cors::parse("*", false).unwrap().unwrap();
        assert_eq!(allowed(&any, "https://evil.example").as_deref(), Some("*"));
        assert!(!any.headers(&HeaderValue::from_static("https://a.example")).contains_key(VARY));
    }

    #[test]
    fn what_is_no_origin_is_named() {
        for wrong in [
            "shop.example",
            "https://shop.example/",
            "https://",
            "null",
            "https://a b",
            "http://h:0",
            "https://*.example",
        ] {
            let reason = Cors::parse(&format!("https://right.example,{wrong}"), false).unwrap_err();
            assert!(reason.contains(&format!("`{wrong}`")), "{reason}");
        }
        assert!(Cors::parse("*", true).unwrap_err().contains("credentials"));
        assert_eq!(Cors::parse(" ,", true), Ok(None));
    }

    #[test]
    fn command_line_comes_before_the_file() {
        let folder = temporary_folder();
        assert_eq!(Cors::read(folder.path(), None, false), Ok(None));
        let settings = r#"{"Host": {"CORS": "https://file.example", "CORSCredentials": true}}"#;
        std::fs::write(folder.path().join(FILE), settings).unwrap();
        let read = |given| Cors::read(folder.path(), given, false).unwrap().unwrap();
        assert!(read(None).credentials);
        assert!(allowed(&read(None), "https://file.example").is_some());
        assert_eq!(allowed(&read(Some("https://line.example")), "https://file.example"), None);
        std::fs::write(folder.path().join(FILE), r#"{"Host": {"CORS": "file.example"}}"#).unwrap();
        let reason = Cors::read(folder.path(), None, false).unwrap_err();
        assert!(reason.contains(FILE) && reason.contains("`file.example`"), "{reason}");
    }
}
