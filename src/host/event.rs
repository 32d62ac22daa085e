//! An event on the wire: CloudEvents 1.0 in its JSON form, the same when it is sent and when it is heard.
//!
//! It deliberately does not know what can happen; `data` is for whoever knows the `type`.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// The version of the specification that is spoken.
pub const SPEC_VERSION: &str = "1.0";

/// One event. Its id and source together name it: whoever hears both again hears the same event again.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub struct CloudEvent {
    /// `1.0`.
    pub specversion: String,
    /// Its name within its source.
    pub id: String,
    /// Who announces it.
    pub source: String,
    /// What kind of thing happened.
    pub r#type: String,
    /// To what it happened, within the source.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it happened, in RFC 3339.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<String>,
    /// The form of `data`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// The trace in which it happened: W3C's `traceparent`, by the extension for distributed tracing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What there is to know of it.
    #[serde(default)]
    pub data: Value,
    /// The same in base64, where it is no JSON.
    #[serde(default, skip_serializing_if = "Option::is_none", rename = "data_base64")]
    pub data_base64: Option<String>,
}

impl CloudEvent {
    /// The event as it is sent.
    pub fn to_json(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

impl fmt::Debug for CloudEvent {
    /// Without the data, which may be anything when it comes from elsewhere.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, source, r#type, .. } = self;
        formatter
            .debug_struct("CloudEvent")
            .field("id", id)
            .field("source", source)
            .field("type", r#type)
            .finish_non_exhaustive()
    }
}
