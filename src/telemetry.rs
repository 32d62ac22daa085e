//! Logs, traces and metrics: set up once, before anything else speaks.
//!
//! Does not decide what is told; each place does, in spans and events of `tracing`, and none tells of bodies, headers,
//! addresses or names of people. Log lines go to this process's own streams; [`layer`] makes OpenTelemetry's spans and metrics
//! of a few spans and events, `export` sends them away.

mod courier;
mod export;
mod instruments;
pub mod layer;

use std::io::{self, IsTerminal};

use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, Registry, fmt};

pub use self::export::Exports;
use self::layer::Told;
use crate::config::{ExportConfig, LogConfig, LogFormat};

/// Sends log lines to standard error for people and to standard output for machines, and traces and metrics to a receiver
/// where one is named. A second call changes nothing. Needs a runtime of tokio where there is a receiver.
///
/// Standard error is an error log for the Functions host, so in Azure the lines go to standard output.
pub fn start(log: &LogConfig, receiver: Option<&ExportConfig>) -> Exports {
    let (exports, failure) = match receiver.map(export::open).transpose() {
        Ok(exports) => (exports, None),
        Err(failure) => (None, Some(failure)),
    };
    let (layer, exports) = exports.map_or((None, Exports::none()), |(layer, exports)| (Some(layer), exports));
    if tracing_subscriber::registry()
        .with(lines(log))
        .with(layer.map(|layer| layer.with_filter(Told)))
        .try_init()
        .is_err()
    {
        tracing::debug!("logging was already set up");
    }
    if let Some(failure) = failure {
        tracing::error!(error = %failure, "neither traces nor metrics are sent");
    }
    exports
}

fn lines(config: &LogConfig) -> Box<dyn Layer<Registry> + Send + Sync> {
    let filter = EnvFilter::builder().parse_lossy(&config.filter);
    match config.format {
        LogFormat::Text => {
            let lines = fmt::layer().with_writer(io::stderr).with_ansi(io::stderr().is_terminal());
            lines.compact().with_filter(filter).boxed()
        }
        LogFormat::Json => {
            fmt::layer().with_writer(io::stdout).json().flatten_event(true).with_filter(filter).boxed()
        }
    }
}
