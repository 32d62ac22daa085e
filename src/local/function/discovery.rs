//! Finding the functions of an application, and saying why one is skipped.

use std::path::Path;
use std::sync::Arc;

use serde_json::Value;

use super::{Function, HostConfig, Settings, Trigger, parse_function, text_of};

/// The functions of an application, in the order in which routes are tried, and what was skipped and why.
#[derive(Debug, Default)]
pub(in crate::local) struct Discovery {
    pub(in crate::local) functions: Vec<Arc<Function>>,
    pub(in crate::local) warnings: Vec<String>,
}

/// Reads every function in `root/functions`, or in `root` when there is no such folder.
///
/// # Errors
/// When the folder cannot be listed. One bad function is a warning, not an error.
pub(in crate::local) fn discover(
    root: &Path,
    config: &HostConfig,
    settings: &Settings,
) -> Result<Discovery, String> {
    let nested = root.join("functions");
    let folder = if nested.is_dir() { &nested } else { root };
    let unreadable = |error| format!("cannot list {}: {error}", folder.display());
    let mut names = std::fs::read_dir(folder)
        .map_err(unreadable)?
        .filter_map(Result::ok)
        .filter(|entry| entry.path().join("function.json").is_file())
        .map(|entry| entry.file_name().to_string_lossy().into_owned())
        .collect::<Vec<_>>();
    names.sort_by_key(|name| name.to_lowercase());
    let mut discovery = Discovery::default();
    for name in names {
        let read = read_function(&folder.join(&name), &name, config, settings)
            .and_then(|function| refuse_same_route(function, &discovery.functions))
            .and_then(|function| refuse_same_lease(function, &discovery.functions));
        match read {
            Ok(function) => discovery.functions.push(Arc::new(function)),
            Err(reason) => discovery.skip(&name, &reason),
        }
    }
    Ok(discovery)
}

impl Discovery {
    fn skip(&mut self, name: &str, reason: &str) {
        self.warnings.push(format!("function `{name}` is skipped: {reason}"));
    }

    /// Skips every function that there is a reason against.
    pub(in crate::local) fn refuse(&mut self, reason: impl Fn(&Function) -> Option<String>) {
        for function in std::mem::take(&mut self.functions) {
            match reason(&function) {
                Some(reason) => self.skip(&function.name, &reason),
                None => self.functions.push(function),
            }
        }
    }
}

fn read_function(
    folder: &Path,
    name: &str,
    config: &HostConfig,
    settings: &Settings,
) -> Result<Function, String> {
    let text = std::fs::read_to_string(folder.join("function.json"))
        .map_err(|error| format!("function.json cannot be read: {error}"))?;
    let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}'))
        .map_err(|error| format!("function.json is not JSON: {error}"))?;
    if let Some(script) = text_of(&document, "scriptFile")
        && !folder.join(script).is_file()
    {
        return Err(format!("scriptFile `{script}` does not exist"));
    }
    parse_function(&document, name, config, settings)
}

fn refuse_same_route(function: Function, others: &[Arc<Function>]) -> Result<Function, String> {
    if let Trigger::Http(trigger) = &function.trigger {
        for other in others {
            if let Trigger::Http(taken) = &other.trigger
                && taken.overlaps(trigger)
            {
                return Err(format!(
                    "route `{}` is already that of `{}` for the same method",
                    trigger.template.text(),
                    other.name
                ));
            }
        }
    }
    Ok(function)
}

/// Two readers under one lease would each be told a part of the changes.
fn refuse_same_lease(function: Function, others: &[Arc<Function>]) -> Result<Function, String> {
    if let Trigger::Change(trigger) = &function.trigger {
        for other in others {
            if let Trigger::Change(taken) = &other.trigger
                && taken.lease() == trigger.lease()
            {
                return Err(format!(
                    "`{}` reads container `{}` under the same `leaseContainerPrefix`, and each would miss what the \
                     other is told",
                    other.name, trigger.container
                ));
            }
        }
    }
    Ok(function)
}
