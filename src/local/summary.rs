//! A function as those see it who look at the host from outside.
//!
//! Says what a function binds, nothing of how it runs.

use std::fmt;

use serde::Serialize;

use super::function::{AuthLevel, Function, Trigger};

/// What makes a function run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum TriggerKind {
    /// A request.
    Http,
    /// A message.
    Queue,
    /// A time.
    Timer,
    /// A document that was written.
    Change,
    /// An event.
    Event,
}

/// One function as the host sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionSummary {
    /// The name of its folder.
    pub name: String,
    /// What makes it run.
    pub trigger: TriggerKind,
    /// The methods of an HTTP function; empty means all.
    pub methods: Vec<String>,
    /// The full route, the queue, the schedule, the container, or `*` for every event.
    pub target: String,
    /// Who may call it; only HTTP functions have a level.
    pub auth_level: Option<AuthLevel>,
    /// Whether it is switched off.
    pub disabled: bool,
}

impl FunctionSummary {
    /// The summary of a function.
    pub(super) fn new(function: &Function) -> Self {
        let (trigger, target) = match &function.trigger {
            Trigger::Http(http) => (TriggerKind::Http, format!("/{}", http.template.text())),
            Trigger::Queue(queue) => (TriggerKind::Queue, queue.queue.clone()),
            Trigger::Timer(timer) => (TriggerKind::Timer, timer.schedule_text.clone()),
            Trigger::Change(change) => (TriggerKind::Change, change.container.clone()),
            Trigger::Event(_) => (TriggerKind::Event, "*".to_owned()),
        };
        let (methods, auth_level) = match &function.trigger {
            Trigger::Http(http) => (http.methods.as_slice(), Some(http.auth_level)),
            Trigger::Queue(_) | Trigger::Timer(_) | Trigger::Change(_) | Trigger::Event(_) => (&[][..], None),
        };
        Self {
            name: function.name.clone(),
            trigger,
            methods: methods.iter().map(ToString::to_string).collect(),
            target,
            auth_level,
            disabled: function.disabled,
        }
    }
}

impl fmt::Display for FunctionSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.trigger {
            TriggerKind::Http if self.methods.is_empty() => "[*]".to_owned(),
            TriggerKind::Http => format!("[{}]", self.methods.join(",")),
            TriggerKind::Queue => "queue".to_owned(),
            TriggerKind::Timer => "timer".to_owned(),
            TriggerKind::Change => "changes of".to_owned(),
            TriggerKind::Event => "events".to_owned(),
        };
        let disabled = if self.disabled { " (disabled)" } else { "" };
        write!(f, "{}: {kind} {}{disabled}", self.name, self.target)
    }
}
