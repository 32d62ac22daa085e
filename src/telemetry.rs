//! Logs: set up once, before anything else speaks.
//!
//! Does not decide what is logged; each place does, and none logs bodies, headers, addresses or names of people.

use std::io::{self, IsTerminal};

use tracing_subscriber::EnvFilter;

use crate::config::{LogConfig, LogFormat};

/// Sends log lines to standard error for people and to standard output for machines. A second call changes nothing.
///
/// Standard error is an error log for the Functions host, so in Azure the lines go to standard output.
pub fn start(config: &LogConfig) {
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    let lines = tracing_subscriber::fmt().with_env_filter(filter).with_target(true);
    let started = match config.format {
        LogFormat::Text => {
            lines.with_writer(io::stderr).with_ansi(io::stderr().is_terminal()).compact().try_init()
        }
        LogFormat::Json => lines.with_writer(io::stdout).json().flatten_event(true).try_init(),
    };
    if started.is_err() {
        tracing::debug!("logging was already set up");
    }
}
