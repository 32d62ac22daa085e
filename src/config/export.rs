//! Where traces and metrics are sent.

use std::fmt;

use super::{Identity, Wrong, is_host};

const OTLP: &str = "https://<host>[:<port>][/<path>], or http on this machine (OTLP over HTTP)";
const APPLICATION_INSIGHTS: &str =
    "InstrumentationKey=<guid>;IngestionEndpoint=https://<region>.in.applicationinsights.azure.com/";
/// Where Application Insights takes what is sent with a connection string that names no place.
const ENDPOINT_DEFAULT: &str = "https://dc.services.visualstudio.com";
/// An instrumentation key is a GUID.
const KEY_CHARS: usize = 36;

/// A receiver of traces and metrics.
#[derive(Clone, PartialEq, Eq)]
pub enum ExportConfig {
    /// Any that takes OpenTelemetry's protocol over HTTP.
    Otlp {
        /// Its address, to which the path of each signal is added.
        endpoint: String,
    },
    /// Application Insights.
    ApplicationInsights {
        /// Which resource it is.
        instrumentation_key: String,
        /// Where it takes what is sent, without a slash at its end.
        endpoint: String,
        /// As whom to send.
        identity: Identity,
    },
}

impl fmt::Debug for ExportConfig {
    /// Without the instrumentation key, which is no secret, and nobody's business.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, endpoint) = match self {
            Self::Otlp { endpoint } => ("Otlp", endpoint),
            Self::ApplicationInsights { endpoint, .. } => ("ApplicationInsights", endpoint),
        };
        f.debug_struct(name).field("endpoint", endpoint).finish_non_exhaustive()
    }
}

/// Where to send: a receiver of OTLP is named on purpose, while a connection string is always there in Azure.
pub(super) fn receiver(
    otlp: Option<String>,
    insights: Option<(String, String)>,
    identity: &Identity,
) -> Option<ExportConfig> {
    let otlp = otlp.map(|endpoint| ExportConfig::Otlp { endpoint });
    otlp.or_else(|| {
        let (instrumentation_key, endpoint) = insights?;
        let identity = identity.clone();
        Some(ExportConfig::ApplicationInsights { instrumentation_key, endpoint, identity })
    })
}

/// A receiver of OTLP, if one is named.
pub(super) fn otlp(given: Option<String>) -> Result<Option<String>, Wrong> {
    let Some(text) = given else { return Ok(None) };
    if is_address(&text) { Ok(Some(text)) } else { Err((Some(text), OTLP)) }
}

/// The key and the address in a connection string of Application Insights, if there is one.
pub(super) fn application_insights(given: Option<String>) -> Result<Option<(String, String)>, Wrong> {
    let Some(text) = given else { return Ok(None) };
    let member = |wanted: &str| {
        let mut members = text.split(';').filter_map(|member| member.split_once('='));
        members.find(|(name, _)| name.trim().eq_ignore_ascii_case(wanted)).map(|(_, value)| value.trim())
    };
    let key = member("InstrumentationKey").filter(|key| {
        key.len() == KEY_CHARS && key.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-')
    });
    let endpoint = member("IngestionEndpoint").unwrap_or(ENDPOINT_DEFAULT);
    let endpoint = Some(endpoint).filter(|address| is_address(address));
    match key.zip(endpoint) {
        Some((key, endpoint)) => Ok(Some((key.to_owned(), endpoint.trim_end_matches('/').to_owned()))),
        None => Err((Some(text), APPLICATION_INSIGHTS)),
    }
}

/// Whether it is an address that is safe to send to: encrypted, or on this machine.
fn is_address(text: &str) -> bool {
    let (rest, is_plain) = match (text.strip_prefix("https://"), text.strip_prefix("http://")) {
        (Some(rest), _) => (rest, false),
        (None, Some(rest)) => (rest, true),
        (None, None) => return false,
    };
    let host = rest.split('/').next().unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    let is_visible = rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"?#@\"".contains(&byte));
    is_host(host) && is_visible && (!is_plain || ["127.0.0.1", "localhost"].contains(&name))
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "00000000-1111-2222-3333-444444444444";

    #[test]
    fn receiver_is_reached_over_https_or_is_on_this_machine() {
        for right in ["https://otlp.example", "https://otlp.example:4318/team/a", "http://127.0.0.1:4318"] {
            assert_eq!(otlp(Some(right.to_owned())).unwrap().as_deref(), Some(right));
        }
        for wrong in ["http://otlp.example:4318", "otlp.example", "https://", "https://a:b@c", "grpc://a"] {
            assert!(otlp(Some(wrong.to_owned())).is_err(), "{wrong}");
        }
        assert_eq!(otlp(None).unwrap(), None);
    }

    #[test]
    fn connection_string_names_a_resource_and_its_address() {
        let text =
            format!("InstrumentationKey={KEY};IngestionEndpoint=https://x.example/;LiveEndpoint=https://y/;");
        let wanted = Some((KEY.to_owned(), "https://x.example".to_owned()));
        assert_eq!(application_insights(Some(text)).unwrap(), wanted);
        let bare = application_insights(Some(format!("InstrumentationKey={KEY}"))).unwrap();
        assert_eq!(bare, Some((KEY.to_owned(), ENDPOINT_DEFAULT.to_owned())));
        for wrong in [
            format!("InstrumentationKey={KEY};IngestionEndpoint=http://x.example/"),
            "InstrumentationKey=key;IngestionEndpoint=https://x.example/".to_owned(),
            KEY.to_owned(),
        ] {
            assert!(application_insights(Some(wrong.clone())).is_err(), "{wrong}");
        }
    }

    #[test]
    fn instrumentation_key_is_not_printed() {
        let (instrumentation_key, endpoint) = (KEY.to_owned(), "https://x.example".to_owned());
        let config = ExportConfig::ApplicationInsights {
            instrumentation_key,
            endpoint,
            identity: Identity::Developer,
        };
        assert!(!format!("{config:?}").contains(KEY));
    }
}
