//! function.json: what a function binds, and finding the functions of an application.
//!
//! Knows what the host knows about a function before it runs one; it runs none.

mod change;
mod discovery;

use axum::http::Method;
use serde::Serialize;
use serde_json::Value;

use super::config::{HostConfig, Settings, resolve, time_span};
use super::ncrontab::Schedule;
use super::queues::is_queue_name;
use super::route::Template;

pub(super) use change::ChangeTrigger;
pub(super) use discovery::{Discovery, discover};

/// Longest name of a function or binding.
const NAME_LEN_MAX: usize = 128;
/// The binding name that stands for the answer's `ReturnValue`.
pub(super) const RETURN_BINDING: &str = "$return";

/// One function that can be run.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub(super) name: String,
    pub(super) disabled: bool,
    pub(super) trigger: Trigger,
    pub(super) outputs: Vec<Output>,
}

/// What makes a function run.
#[derive(Clone, Debug)]
pub(super) enum Trigger {
    Http(HttpTrigger),
    Queue(QueueTrigger),
    Timer(TimerTrigger),
    Change(ChangeTrigger),
    Event(EventTrigger),
}

/// Who may call an HTTP function.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum AuthLevel {
    /// Anybody.
    Anonymous,
    /// Whoever has the function's key, the host's or the master key.
    Function,
    /// Whoever has the master key.
    Admin,
}

/// `httpTrigger`.
#[derive(Clone, Debug)]
pub(super) struct HttpTrigger {
    pub(super) binding: String,
    pub(super) auth_level: AuthLevel,
    /// Empty means all.
    pub(super) methods: Vec<Method>,
    pub(super) template: Template,
    /// Whether the handler gets the raw request rather than JSON.
    pub(super) proxied: bool,
}

/// `queueTrigger`.
#[derive(Clone, Debug)]
pub(super) struct QueueTrigger {
    pub(super) binding: String,
    pub(super) queue: String,
    /// `"dataType": "binary"`.
    pub(super) binary: bool,
}

/// `timerTrigger`.
#[derive(Clone, Debug)]
pub(super) struct TimerTrigger {
    pub(super) binding: String,
    pub(super) schedule: Schedule,
    pub(super) schedule_text: String,
    pub(super) run_on_startup: bool,
    /// Whether the invocation tells about the previous and the next run.
    pub(super) monitored: bool,
}

/// `eventGridTrigger`.
#[derive(Clone, Debug)]
pub(super) struct EventTrigger {
    pub(super) binding: String,
}

/// Where an answer's values go.
#[derive(Clone, Debug)]
pub(super) enum Output {
    Http { binding: String },
    Queue { binding: String, queue: String, binary: bool },
    Events { binding: String },
}

impl HttpTrigger {
    /// Whether the method constraint lets `method` through; HEAD may go wherever GET may.
    pub(super) fn allows(&self, method: &Method) -> bool {
        self.methods.is_empty()
            || self.methods.contains(method)
            || (*method == Method::HEAD && self.methods.contains(&Method::GET))
    }

    fn overlaps(&self, other: &Self) -> bool {
        let same_template = self.template.text().eq_ignore_ascii_case(other.template.text());
        let same_method = self.methods.is_empty()
            || other.methods.is_empty()
            || self.methods.iter().any(|one| other.methods.contains(one));
        same_template && same_method
    }
}

impl Output {
    /// The name under which the answer carries this output.
    pub(super) fn binding(&self) -> &str {
        match self {
            Self::Http { binding } | Self::Queue { binding, .. } | Self::Events { binding } => binding,
        }
    }
}

fn parse_function(
    document: &Value,
    name: &str,
    config: &HostConfig,
    settings: &Settings,
) -> Result<Function, String> {
    check_function_name(name)?;
    let bindings = document.get("bindings").and_then(Value::as_array).ok_or("`bindings` is missing")?;
    check_binding_names(bindings)?;
    let (triggers, others): (Vec<_>, Vec<_>) =
        bindings.iter().partition(|binding| kind(binding).to_ascii_lowercase().ends_with("trigger"));
    let [trigger] = triggers.as_slice() else {
        return Err(format!("it needs exactly one trigger but has {}", triggers.len()));
    };
    let outputs =
        others.into_iter().map(|binding| parse_output(binding, settings)).collect::<Result<Vec<_>, _>>()?;
    let proxied = config.proxying && matches!(outputs.as_slice(), [Output::Http { .. }]);
    let trigger = match kind(trigger) {
        "httpTrigger" => Trigger::Http(parse_http(trigger, name, proxied, config)?),
        "queueTrigger" => Trigger::Queue(QueueTrigger {
            binding: binding_name(trigger)?.to_owned(),
            queue: queue_name(trigger, settings)?,
            binary: is_binary(trigger),
        }),
        "timerTrigger" => Trigger::Timer(parse_timer(trigger, settings)?),
        "cosmosDBTrigger" => Trigger::Change(ChangeTrigger::parse(trigger, document.get("retry"), settings)?),
        "eventGridTrigger" => Trigger::Event(parse_event(trigger)?),
        other => return Err(format!("binding type `{other}` is not played locally")),
    };
    if document.get("retry").is_some() && !matches!(trigger, Trigger::Change(_)) {
        return Err("`retry` is played for a cosmosDBTrigger only".to_owned());
    }
    let answers_http = outputs.iter().any(|output| matches!(output, Output::Http { .. }));
    if answers_http && !matches!(trigger, Trigger::Http(_)) {
        return Err("an `http` output needs an `httpTrigger`".to_owned());
    }
    Ok(Function { name: name.to_owned(), disabled: is_disabled(document, name, settings), trigger, outputs })
}

fn is_disabled(document: &Value, name: &str, settings: &Settings) -> bool {
    let setting = format!("AzureWebJobs.{name}.Disabled");
    let by_setting =
        settings.iter().any(|(key, value)| key.eq_ignore_ascii_case(&setting) && is_truthy(value));
    by_setting || flag(document, "disabled", false)
}

fn is_truthy(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text == "1"
}

fn parse_output(binding: &Value, settings: &Settings) -> Result<Output, String> {
    let name = binding_name(binding)?.to_owned();
    match (kind(binding), text_of(binding, "direction")) {
        ("http", Some("out")) => Ok(Output::Http { binding: name }),
        ("queue", Some("out")) => Ok(Output::Queue {
            binding: name,
            queue: queue_name(binding, settings)?,
            binary: is_binary(binding),
        }),
        ("eventGrid", Some("out")) => {
            let by_key =
                ["topicEndpointUri", "topicKeySetting"].iter().all(|field| text_of(binding, field).is_some());
            if by_key || text_of(binding, "connection").is_some() {
                Ok(Output::Events { binding: name })
            } else {
                Err("an `eventGrid` output needs `connection`, or `topicEndpointUri` and `topicKeySetting`"
                    .to_owned())
            }
        }
        (other, direction) => Err(format!(
            "binding type `{other}` with direction `{}` is not played locally",
            direction.unwrap_or("missing")
        )),
    }
}

fn parse_http(
    binding: &Value,
    function: &str,
    proxied: bool,
    config: &HostConfig,
) -> Result<HttpTrigger, String> {
    let auth_level = match text_of(binding, "authLevel").map(str::to_ascii_lowercase) {
        None => AuthLevel::Function,
        Some(level) => match level.as_str() {
            "anonymous" => AuthLevel::Anonymous,
            "function" => AuthLevel::Function,
            "admin" => AuthLevel::Admin,
            _ => return Err(format!("authLevel `{level}` is unknown")),
        },
    };
    let methods = binding
        .get("methods")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
        .iter()
        .map(|method| {
            method
                .as_str()
                .and_then(|method| method.to_ascii_uppercase().parse().ok())
                .ok_or_else(|| format!("`{method}` is not a method"))
        })
        .collect::<Result<_, _>>()?;
    let route = text_of(binding, "route").unwrap_or(function);
    Ok(HttpTrigger {
        binding: binding_name(binding)?.to_owned(),
        auth_level,
        methods,
        template: Template::parse(&config.route_prefix, route)?,
        proxied,
    })
}

fn parse_timer(binding: &Value, settings: &Settings) -> Result<TimerTrigger, String> {
    let schedule_text = resolve(text_of(binding, "schedule").ok_or("`schedule` is missing")?, settings)?;
    if time_span(&schedule_text).is_some() {
        return Err(format!(
            "schedule `{schedule_text}` is a time span, which Consumption and Flex do not take"
        ));
    }
    let schedule = Schedule::parse(&schedule_text)?;
    Ok(TimerTrigger {
        binding: binding_name(binding)?.to_owned(),
        run_on_startup: flag(binding, "runOnStartup", false),
        monitored: flag(binding, "useMonitor", true) && !schedule.is_under_a_minute(),
        schedule,
        schedule_text,
    })
}

fn parse_event(binding: &Value) -> Result<EventTrigger, String> {
    match text_of(binding, "cardinality").map(str::to_ascii_lowercase).as_deref() {
        None | Some("one") => Ok(EventTrigger { binding: binding_name(binding)?.to_owned() }),
        Some(other) => Err(format!("cardinality `{other}` of an eventGridTrigger is not played locally")),
    }
}

fn queue_name(binding: &Value, settings: &Settings) -> Result<String, String> {
    let text = text_of(binding, "queueName").ok_or("`queueName` is missing")?;
    let name = resolve(text, settings)?.to_lowercase();
    if is_queue_name(&name) { Ok(name) } else { Err(format!("`{name}` is not the name of a queue")) }
}

fn check_function_name(name: &str) -> Result<(), String> {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    let valid = name.starts_with(|first: char| first.is_ascii_alphabetic())
        && name.len() <= NAME_LEN_MAX
        && name.bytes().all(allowed)
        && !name.eq_ignore_ascii_case("host");
    if valid { Ok(()) } else { Err(format!("`{name}` is not the name of a function")) }
}

fn check_binding_names(bindings: &[Value]) -> Result<(), String> {
    let mut seen = Vec::new();
    for binding in bindings {
        let name = binding_name(binding)?;
        let valid = name.starts_with(|first: char| first.is_ascii_alphabetic())
            && name.len() <= NAME_LEN_MAX
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric());
        if !valid && name != RETURN_BINDING {
            return Err(format!("`{name}` is not the name of a binding"));
        }
        let lower = name.to_ascii_lowercase();
        if seen.contains(&lower) {
            return Err(format!("two bindings have the name `{name}`"));
        }
        seen.push(lower);
    }
    Ok(())
}

fn kind(binding: &Value) -> &str {
    text_of(binding, "type").unwrap_or_default()
}

fn binding_name(binding: &Value) -> Result<&str, String> {
    text_of(binding, "name").ok_or_else(|| "a binding has no `name`".to_owned())
}

fn is_binary(binding: &Value) -> bool {
    text_of(binding, "dataType").is_some_and(|kind| kind.eq_ignore_ascii_case("binary"))
}

fn text_of<'a>(value: &'a Value, name: &str) -> Option<&'a str> {
    value.get(name).and_then(Value::as_str)
}

fn flag(value: &Value, name: &str, default: bool) -> bool {
    match value.get(name) {
        Some(Value::Bool(flag)) => *flag,
        Some(Value::String(text)) => is_truthy(text),
        Some(_) | None => default,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::local::testing::{config, temporary_folder};

    fn parsed(bindings: Value, settings: &[(&str, &str)]) -> Result<Function, String> {
        let settings =
            settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        parse_function(&json!({ "bindings": bindings }), "Fun", &config(), &settings)
    }

    fn http(extra: &Value) -> Value {
        let mut binding = json!({"type": "httpTrigger", "direction": "in", "name": "req"});
        let fields = binding.as_object_mut().unwrap();
        fields.extend(extra.as_object().unwrap().clone());
        binding
    }

    fn queue_out() -> Value {
        json!({"type": "queue", "direction": "out", "name": "out", "queueName": "Orders"})
    }

    #[test]
    fn http_function_has_the_documented_defaults() {
        let function = parsed(json!([http(&json!({}))]), &[]).unwrap();
        let Trigger::Http(trigger) = function.trigger else { panic!("not http") };
        assert_eq!(trigger.auth_level, AuthLevel::Function);
        assert_eq!(trigger.template.text(), "api/Fun");
        assert!(trigger.allows(&Method::DELETE));
        assert!(!trigger.proxied);
    }

    #[test]
    fn only_plain_http_functions_are_proxied() {
        let res = json!({"type": "http", "direction": "out", "name": "res"});
        let proxied = |bindings| {
            matches!(parsed(bindings, &[]).unwrap().trigger, Trigger::Http(HttpTrigger { proxied: true, .. }))
        };
        assert!(proxied(json!([http(&json!({})), res])));
        assert!(!proxied(json!([http(&json!({}))])));
        assert!(!proxied(json!([http(&json!({})), res, queue_out()])));
    }

    #[test]
    fn head_is_allowed_where_get_is() {
        let function = parsed(json!([http(&json!({"methods": ["get"]}))]), &[]).unwrap();
        let Trigger::Http(trigger) = function.trigger else { panic!("not http") };
        assert!(trigger.allows(&Method::GET) && trigger.allows(&Method::HEAD));
        assert!(!trigger.allows(&Method::POST));
    }

    #[test]
    fn settings_resolve_names_and_disable() {
        let binding = json!([{"type": "queueTrigger", "name": "m", "queueName": "%QUEUE%"}]);
        let settings = [("QUEUE", "Jobs"), ("AzureWebJobs.Fun.Disabled", "true")];
        let function = parsed(binding.clone(), &settings).unwrap();
        assert!(function.disabled);
        let Trigger::Queue(trigger) = function.trigger else { panic!("not a queue") };
        assert_eq!(trigger.queue, "jobs");
        assert!(parsed(binding, &[]).unwrap_err().contains("QUEUE"));
    }

    #[test]
    fn mistakes_are_named() {
        let timer = |schedule: &str| json!([{"type": "timerTrigger", "name": "t", "schedule": schedule}]);
        let cases = [
            (json!([]), "exactly one trigger but has 0"),
            (json!([http(&json!({})), http(&json!({"name": "b"}))]), "has 2"),
            (json!([http(&json!({})), http(&json!({}))]), "two bindings"),
            (json!([http(&json!({"name": "a_b"}))]), "name of a binding"),
            (json!([http(&json!({"authLevel": "x"}))]), "authLevel"),
            (json!([http(&json!({"route": "admin"}))]), "keeps for itself"),
            (json!([{"type": "blobTrigger", "name": "b"}]), "`blobTrigger` is not played"),
            (json!([{"type": "queueTrigger", "name": "m", "queueName": "x_y"}]), "name of a queue"),
            (json!([http(&json!({})), {"type": "sql", "direction": "in", "name": "s"}]), "`sql`"),
            (timer("00:05:00"), "time span"),
            (timer("x"), "six"),
        ];
        for (bindings, reason) in cases {
            let error = parsed(bindings.clone(), &[]).unwrap_err();
            assert!(error.contains(reason), "{bindings}: {error}");
        }
    }

    #[test]
    fn one_bad_function_does_not_hide_the_others() {
        let folder = temporary_folder();
        for (name, text) in [
            ("B", r#"{"bindings":[{"type":"httpTrigger","name":"r","route":"same"}]}"#),
            ("a", r#"{"bindings":[{"type":"httpTrigger","name":"r","route":"SAME"}]}"#),
            ("c", "{"),
        ] {
            let path = folder.path().join("functions").join(name);
            std::fs::create_dir_all(&path).unwrap();
            std::fs::write(path.join("function.json"), text).unwrap();
        }
        let discovery = discover(folder.path(), &config(), &Settings::new()).unwrap();
        let names: Vec<_> = discovery.functions.iter().map(|f| f.name.as_str()).collect();
        assert_eq!(names, ["a"]);
        assert_eq!(discovery.warnings.len(), 2);
        assert!(discovery.warnings[0].contains("already that of `a`"));
        assert!(discovery.warnings[1].contains("`c` is skipped"));
    }
}
