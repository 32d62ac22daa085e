//! The command line of the benchmark.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

/// Measures what reading the catalogue costs. Takes some two minutes; `--quick` some ten seconds.
#[derive(Parser, Debug)]
#[command(name = "cargo bench --bench catalogue --")]
pub(crate) struct Options {
    /// Rounds; each measures every case once, in another order
    #[arg(long, default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    rounds: u32,
    /// How long a case is measured in a round, in milliseconds
    #[arg(long, default_value_t = 500, value_parser = clap::value_parser!(u64).range(10..=60_000))]
    moment_ms: u64,
    /// Connections, with a request in hand on each
    #[arg(long, default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=1000))]
    connections: u32,
    /// Latency of the store, in milliseconds
    #[arg(long, default_value_t = 5)]
    latency_ms: u64,
    /// Few short rounds: shows that everything works, and no figure to rely on
    #[arg(long)]
    quick: bool,
    /// Where the report is written as JSON [default: bench/catalogue.json in the target folder]
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Options {
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 3 } else { self.rounds }
    }

    pub(crate) fn moment(&self) -> Duration {
        Duration::from_millis(if self.quick { 200 } else { self.moment_ms })
    }

    pub(crate) fn connections(&self) -> u32 {
        self.connections
    }

    pub(crate) fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms)
    }

    pub(crate) fn json_path(&self) -> PathBuf {
        // The folder for temporary files of a benchmark lies in the target folder, wherever that is.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
        self.json.clone().unwrap_or_else(|| target.join("bench").join("catalogue.json"))
    }
}
