//! What is logged, and in which form.

use super::Wrong;

const FILTER_DEFAULT: &str = "info,azure_data_cosmos_driver=warn,azure_data_cosmos=warn";

/// How to log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// What is logged, in the syntax of `tracing_subscriber::EnvFilter`.
    pub filter: String,
    /// In which form.
    pub format: LogFormat,
}

/// The form of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// For machines: one JSON object a line.
    Json,
}

/// The filter, if it is one.
pub(super) fn filter(given: Option<String>) -> Result<String, Wrong> {
    let filter = given.unwrap_or_else(|| FILTER_DEFAULT.to_owned());
    match filter.parse::<tracing_subscriber::filter::Targets>() {
        Ok(_) => Ok(filter),
        Err(_) => Err((
            Some(filter),
            "a level (error, warn, info, debug, trace) or a list such as info,widgetco=debug",
        )),
    }
}

/// The form of the lines.
pub(super) fn format(given: Option<String>, in_azure: bool) -> Result<LogFormat, Wrong> {
    match given.as_deref() {
        None if in_azure => Ok(LogFormat::Json),
        None | Some("text") => Ok(LogFormat::Text),
        Some("json") => Ok(LogFormat::Json),
        Some(other) => Err((Some(other.to_owned()), "text or json")),
    }
}
