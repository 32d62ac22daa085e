//! host.json and its overrides: what the application asks of its host.
//!
//! Reads one file. Functions are found elsewhere, and nothing is started here.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde_json::Value;

use super::queue::FailureRules;

/// Environment variables that begin so override host.json.
const OVERRIDE_PREFIX: &str = "azurefunctionsjobhost__";
const ROUTE_PREFIX_DEFAULT: &str = "api";
const INITIALIZATION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30);
const FUNCTION_TIMEOUT_DEFAULT: Duration = Duration::from_secs(30 * 60);
const BATCH_SIZE_DEFAULT: usize = 16;
const BATCH_SIZE_MAX: usize = 32;
const NEW_BATCH_THRESHOLD_MAX: usize = 1_000;
const MAX_DEQUEUE_COUNT_DEFAULT: u32 = 5;

/// Application settings: they resolve `%NAME%` and override host.json.
pub(super) type Settings = BTreeMap<String, String>;

/// How message bodies are written to a queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MessageEncoding {
    Base64,
    None,
}

/// `extensions.queues`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct QueueRules {
    /// Most messages of one function that are worked on at the same time.
    pub(super) concurrency: usize,
    pub(super) failures: FailureRules,
    pub(super) encoding: MessageEncoding,
}

/// `customHandler.description`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HandlerDescription {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) working_directory: PathBuf,
}

/// Everything this host obeys in host.json.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct HostConfig {
    pub(super) route_prefix: String,
    pub(super) handler: HandlerDescription,
    /// `customHandler.enableProxyingHttpRequest`.
    pub(super) proxying: bool,
    pub(super) initialization_timeout: Duration,
    /// `None` means unlimited.
    pub(super) function_timeout: Option<Duration>,
    pub(super) queues: QueueRules,
}

/// Reads host.json in `root`.
///
/// # Errors
/// A sentence about the first thing that is wrong.
pub(super) fn read(root: &Path, settings: &Settings) -> Result<HostConfig, String> {
    let path = root.join("host.json");
    let text =
        std::fs::read_to_string(&path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
    parse(&text, root, settings).map_err(|reason| format!("{}: {reason}", path.display()))
}

fn parse(text: &str, root: &Path, settings: &Settings) -> Result<HostConfig, String> {
    let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("not JSON: {error}"))?;
    let flat = Flat::new(&document, settings);
    if flat.text("version") != Some("2.0") {
        return Err("`version` must be \"2.0\"".to_owned());
    }
    let proxying = flat.flag("customHandler:enableProxyingHttpRequest")?;
    if !proxying && flat.flag("customHandler:enableForwardingHttpRequest")? {
        return Err(
            "`enableForwardingHttpRequest` is not played locally, use `enableProxyingHttpRequest`".to_owned()
        );
    }
    if flat.text("retry:strategy").is_some() {
        return Err("`retry` is played in function.json only, not for all functions at once".to_owned());
    }
    Ok(HostConfig {
        route_prefix: flat
            .text("extensions:http:routePrefix")
            .unwrap_or(ROUTE_PREFIX_DEFAULT)
            .trim_matches('/')
            .to_owned(),
        handler: handler(&flat, root, settings)?,
        proxying,
        initialization_timeout: flat
            .duration("customHandler:initializationTimeout")?
            .unwrap_or(INITIALIZATION_TIMEOUT_DEFAULT),
        function_timeout: match flat.text("functionTimeout") {
            Some("-1") => None,
            _ => Some(flat.duration("functionTimeout")?.unwrap_or(FUNCTION_TIMEOUT_DEFAULT)),
        },
        queues: queues(&flat)?,
    })
}

fn handler(flat: &Flat, root: &Path, settings: &Settings) -> Result<HandlerDescription, String> {
    let key = "customHandler:description:defaultExecutablePath";
    let program = expand(flat.text(key).unwrap_or_default(), settings);
    if program.is_empty() {
        return Err("`customHandler.description.defaultExecutablePath` is missing".to_owned());
    }
    let directory = |key: &str| root.join(flat.text(key).unwrap_or_default());
    let beside = directory("customHandler:description:workerDirectory").join(&program);
    let arguments = (0..)
        .map_while(|index| flat.text(&format!("customHandler:description:arguments:{index}")))
        .map(|argument| expand(argument, settings))
        .filter(|argument| !argument.is_empty())
        .collect();
    Ok(HandlerDescription {
        program: if beside.is_file() { beside } else { PathBuf::from(program) },
        arguments,
        working_directory: directory("customHandler:description:workingDirectory"),
    })
}

fn queues(flat: &Flat) -> Result<QueueRules, String> {
    let number = |name: &str, default: usize, max: usize| {
        let key = format!("extensions:queues:{name}");
        flat.parse(&key, "a number that is allowed", |text| text.parse().ok().filter(|number| *number <= max))
            .map(|number| number.unwrap_or(default))
    };
    let batch_size = number("batchSize", BATCH_SIZE_DEFAULT, BATCH_SIZE_MAX)?;
    if batch_size == 0 {
        return Err("`extensions.queues.batchSize` must be at least 1".to_owned());
    }
    let threshold = number("newBatchThreshold", batch_size / 2, NEW_BATCH_THRESHOLD_MAX)?;
    // Checked only: a message is picked up at once here, nobody polls.
    flat.duration("extensions:queues:maxPollingInterval")?;
    let max_dequeue_count = flat
        .parse("extensions:queues:maxDequeueCount", "a number of at least 1", |text| {
            text.parse().ok().filter(|count| *count > 0)
        })?
        .unwrap_or(MAX_DEQUEUE_COUNT_DEFAULT);
    let encoding = flat
        .parse("extensions:queues:messageEncoding", "`base64` or `none`", |text| {
            match text.to_ascii_lowercase().as_str() {
                "base64" => Some(MessageEncoding::Base64),
                "none" => Some(MessageEncoding::None),
                _ => None,
            }
        })?
        .unwrap_or(MessageEncoding::Base64);
    Ok(QueueRules {
        concurrency: batch_size + threshold,
        failures: FailureRules {
            max_dequeue_count,
            visibility_timeout: flat.duration("extensions:queues:visibilityTimeout")?.unwrap_or_default(),
        },
        encoding,
    })
}

/// A configuration tree as .NET sees it: lower-case paths with colons, every value a text.
pub(super) struct Flat(BTreeMap<String, String>);

impl Flat {
    pub(super) fn new(document: &Value, settings: &Settings) -> Self {
        let mut values = BTreeMap::new();
        flatten("", document, &mut values);
        for (name, value) in settings {
            if let Some(path) = name.to_lowercase().strip_prefix(OVERRIDE_PREFIX) {
                values.insert(path.replace("__", ":"), value.clone());
            }
        }
        Self(values)
    }

    pub(super) fn text(&self, key: &str) -> Option<&str> {
        self.0.get(&key.to_lowercase()).map(String::as_str)
    }

    fn parse<T>(
        &self,
        key: &str,
        expected: &str,
        parse: impl FnOnce(&str) -> Option<T>,
    ) -> Result<Option<T>, String> {
        let Some(text) = self.text(key).filter(|text| !text.is_empty()) else {
            return Ok(None);
        };
        parse(text)
            .map(Some)
            .ok_or_else(|| format!("`{}` is `{text}`, not {expected}", key.replace(':', ".")))
    }

    pub(super) fn flag(&self, key: &str) -> Result<bool, String> {
        self.parse(key, "true or false", |text| text.to_ascii_lowercase().parse().ok())
            .map(Option::unwrap_or_default)
    }

    fn duration(&self, key: &str) -> Result<Option<Duration>, String> {
        self.parse(key, "a time span such as 00:05:00", time_span)
    }
}

fn flatten(path: &str, value: &Value, into: &mut BTreeMap<String, String>) {
    let child = |name: &str| match path {
        "" => name.to_lowercase(),
        _ => format!("{path}:{}", name.to_lowercase()),
    };
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                flatten(&child(name), value, into);
            }
        }
        Value::Array(items) => {
            for (index, value) in items.iter().enumerate() {
                flatten(&child(&index.to_string()), value, into);
            }
        }
        Value::String(text) => {
            into.insert(path.to_owned(), text.clone());
        }
        Value::Bool(_) | Value::Number(_) => {
            into.insert(path.to_owned(), value.to_string());
        }
        Value::Null => {}
    }
}

/// Reads `[d.]hh:mm[:ss[.fffffff]]`.
pub(super) fn time_span(text: &str) -> Option<Duration> {
    let mut parts = text.split(':');
    let (first, minutes, seconds) = (parts.next()?, parts.next()?, parts.next().unwrap_or("0"));
    if parts.next().is_some() {
        return None;
    }
    let (days, hours) = first.split_once('.').unwrap_or(("0", first));
    let (seconds, fraction) = seconds.split_once('.').unwrap_or((seconds, ""));
    let number = |text: &str, max: u64| {
        text.bytes()
            .all(|byte| byte.is_ascii_digit())
            .then(|| text.parse::<u64>().ok())
            .flatten()
            .filter(|number| *number <= max)
    };
    let days = number(days, 10_000_000)?;
    let whole = ((days * 24 + number(hours, 23)?) * 60 + number(minutes, 59)?) * 60 + number(seconds, 59)?;
    let nanos = match fraction {
        "" => 0,
        _ if fraction.len() > 7 => return None,
        _ => number(&format!("{fraction:0<9}"), 999_999_999)?,
    };
    Some(Duration::from_secs(whole) + Duration::from_nanos(nanos))
}

/// Replaces each `%NAME%`; a setting that is missing becomes nothing.
fn expand(text: &str, settings: &Settings) -> String {
    replace_settings(text, |name| Ok(settings.get(name).cloned().unwrap_or_default())).unwrap_or_default()
}

/// Replaces each `%NAME%` by its setting.
///
/// # Errors
/// When a setting is missing.
pub(super) fn resolve(text: &str, settings: &Settings) -> Result<String, String> {
    replace_settings(text, |name| {
        settings
            .get(name)
            .cloned()
            .ok_or_else(|| format!("setting `{name}`, which `{text}` needs, is missing"))
    })
}

fn replace_settings(text: &str, value: impl Fn(&str) -> Result<String, String>) -> Result<String, String> {
    let mut resolved = String::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('%') {
        let Some((name, after)) = after.split_once('%') else {
            break;
        };
        resolved.push_str(before);
        resolved.push_str(&value(name)?);
        rest = after;
    }
    resolved.push_str(rest);
    Ok(resolved)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINIMAL: &str =
        r#"{"version":"2.0","customHandler":{"description":{"defaultExecutablePath":"handler"}}}"#;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    fn parsed(text: &str, pairs: &[(&str, &str)]) -> Result<HostConfig, String> {
        parse(text, Path::new("/app"), &settings(pairs))
    }

    #[test]
    fn defaults_are_those_of_the_real_host() {
        let config = parsed(MINIMAL, &[]).unwrap();
        assert_eq!(config.route_prefix, "api");
        assert_eq!(config.handler.program, Path::new("handler"));
        assert_eq!(config.handler.working_directory, Path::new("/app"));
        assert!(!config.proxying);
        assert_eq!(config.initialization_timeout, Duration::from_secs(30));
        assert_eq!(config.function_timeout, Some(Duration::from_secs(1800)));
        assert_eq!(config.queues.concurrency, 24);
        assert_eq!(config.queues.failures.max_dequeue_count, 5);
        assert_eq!(config.queues.failures.visibility_timeout, Duration::ZERO);
        assert_eq!(config.queues.encoding, MessageEncoding::Base64);
    }

    #[test]
    fn every_field_is_read() {
        let text = r#"{
            "version": "2.0",
            "functionTimeout": "-1",
            "customHandler": {
                "description": {"defaultExecutablePath": "%PROGRAM%", "arguments": ["serve", "%NOTHING%", "--x=%X%"], "workingDirectory": "data"},
                "enableProxyingHttpRequest": true, "enableForwardingHttpRequest": true, "initializationTimeout": "00:00:05"
            },
            "extensions": {
                "http": {"routePrefix": "/v1/"},
                "queues": {"batchSize": 4, "newBatchThreshold": 1, "maxPollingInterval": "00:00:02", "visibilityTimeout": "00:00:30", "maxDequeueCount": 3, "messageEncoding": "none"}
            }
        }"#;
        let config = parsed(text, &[("PROGRAM", "shop"), ("X", "1")]).unwrap();
        assert_eq!(config.route_prefix, "v1");
        assert_eq!(config.handler.program, Path::new("shop"));
        assert_eq!(config.handler.arguments, ["serve", "--x=1"]);
        assert_eq!(config.handler.working_directory, Path::new("/app/data"));
        assert!(config.proxying);
        assert_eq!(config.initialization_timeout, Duration::from_secs(5));
        assert_eq!(config.function_timeout, None);
        assert_eq!(config.queues.concurrency, 5);
        assert_eq!(config.queues.failures.max_dequeue_count, 3);
        assert_eq!(config.queues.failures.visibility_timeout, Duration::from_secs(30));
        assert_eq!(config.queues.encoding, MessageEncoding::None);
    }

    #[test]
    fn settings_override_host_json_in_any_case() {
        let overrides = [
            ("AzureFunctionsJobHost__extensions__Queues__batchSize", "2"),
            ("AzureFunctionsJobHost__customHandler__description__arguments__0", "serve"),
            ("AzureFunctionsJobHost__functionTimeout", "00:00:10"),
        ];
        let config = parsed(MINIMAL, &overrides).unwrap();
        assert_eq!(config.queues.concurrency, 3);
        assert_eq!(config.handler.arguments, ["serve"]);
        assert_eq!(config.function_timeout, Some(Duration::from_secs(10)));
    }

    #[test]
    fn mistakes_are_named() {
        let over = |name: &str, value: &str| {
            parsed(MINIMAL, &[(&format!("AzureFunctionsJobHost__{name}"), value)]).unwrap_err()
        };
        assert_eq!(over("version", "1.0"), "`version` must be \"2.0\"");
        assert_eq!(
            over("extensions__queues__batchSize", "33"),
            "`extensions.queues.batchSize` is `33`, not a number that is allowed"
        );
        assert_eq!(
            over("functionTimeout", "5 minutes"),
            "`functionTimeout` is `5 minutes`, not a time span such as 00:05:00"
        );
        assert!(over("customHandler__enableForwardingHttpRequest", "true").contains("not played"));
        assert!(parsed(r#"{"version":"2.0"}"#, &[]).unwrap_err().contains("defaultExecutablePath"));
        assert!(parsed("{", &[]).unwrap_err().starts_with("not JSON"));
    }

    #[test]
    fn time_spans_are_read_as_dotnet_reads_them() {
        let cases = [
            ("00:05:00", Some(Duration::from_secs(300))),
            ("01:30", Some(Duration::from_secs(5400))),
            ("1.00:00:00", Some(Duration::from_secs(86_400))),
            ("00:00:00.25", Some(Duration::from_millis(250))),
            ("24:00:00", None),
            ("00:60:00", None),
            ("5", None),
            ("-00:01:00", None),
            ("00:00:00.12345678", None),
        ];
        for (text, expected) in cases {
            assert_eq!(time_span(text), expected, "{text}");
        }
    }

    #[test]
    fn missing_setting_is_named() {
        let found = settings(&[("A", "x")]);
        assert_eq!(resolve("%A%-1 100%", &found).unwrap(), "x-1 100%");
        assert_eq!(resolve("%B%", &found).unwrap_err(), "setting `B`, which `%B%` needs, is missing");
    }
}
