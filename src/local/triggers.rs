//! Which functions wait for what, and starting the tasks that run them.

use std::collections::BTreeSet;
use std::sync::Arc;

use tokio::task::JoinSet;

use super::changes::{ChangeSource, Reader};
use super::config::HostConfig;
use super::consumer::Consumer;
use super::function::{Function, Output, Trigger};
use super::site::Site;
use super::subscriber::Subscriber;
use super::timer;

/// The queues that functions read or write.
pub(super) fn bound_queues(functions: &[Arc<Function>]) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for function in functions {
        if let Trigger::Queue(trigger) = &function.trigger {
            names.insert(trigger.queue.clone());
        }
        names.extend(function.outputs.iter().filter_map(|output| match output {
            Output::Http { .. } | Output::Events { .. } => None,
            Output::Queue { queue, .. } => Some(queue.clone()),
        }));
    }
    names
}

/// The functions that hear events.
pub(super) fn subscribed(functions: &[Arc<Function>]) -> Vec<String> {
    let hears =
        |function: &&Arc<Function>| !function.disabled && matches!(function.trigger, Trigger::Event(_));
    functions.iter().filter(hears).map(|function| function.name.clone()).collect()
}

/// Starts the tasks that run functions: one for each that waits for something else than a request.
pub(super) fn spawn(site: &Arc<Site>, config: &HostConfig, changes: Option<&ChangeSource>) -> JoinSet<()> {
    let mut triggers = JoinSet::new();
    for function in site.functions.iter().filter(|function| !function.disabled) {
        match &function.trigger {
            Trigger::Http(_) => {}
            Trigger::Queue(trigger) => {
                let consumer = Consumer {
                    site: Arc::clone(site),
                    function: Arc::clone(function),
                    trigger: trigger.clone(),
                    rules: config.queues.clone(),
                };
                triggers.spawn(consumer.run());
            }
            Trigger::Timer(trigger) => {
                let (site, function) = (Arc::clone(site), Arc::clone(function));
                let start = site.clock.now();
                triggers.spawn(timer::run(site, function, trigger.clone(), start));
            }
            Trigger::Change(trigger) => {
                let (site, function) = (Arc::clone(site), Arc::clone(function));
                if let Some(source) = changes.cloned() {
                    triggers.spawn(Reader { site, function, trigger: trigger.clone(), source }.run());
                }
            }
            Trigger::Event(trigger) => {
                let (site, function) = (Arc::clone(site), Arc::clone(function));
                triggers.spawn(Subscriber { site, function, trigger: trigger.clone() }.run());
            }
        }
    }
    triggers
}
