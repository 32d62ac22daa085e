//! The command line of the benchmark.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Parser;

/// Fewest orders of a round, so that a lone worker has some, too.
const ORDERS_MIN: u32 = 60;

/// Measures what deciding orders costs. Takes some five minutes on two cores; `--quick` half a minute.
#[derive(Parser, Debug)]
#[command(name = "cargo bench --bench orders --")]
pub(crate) struct Options {
    /// Rounds; each measures every case once, in another order
    #[arg(long, default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=100))]
    rounds: u32,
    /// Orders of a round for each worker; at least 60 in all
    #[arg(long, default_value_t = 6, value_parser = clap::value_parser!(u32).range(1..=1000))]
    orders_per_worker: u32,
    /// Latencies of the store to measure with, in milliseconds; the claims are measured with the largest
    #[arg(long, default_values_t = [0, 5], value_delimiter = ',')]
    latency_ms: Vec<u64>,
    /// One round with few orders: shows that everything works, and no figure to rely on
    #[arg(long)]
    quick: bool,
    /// Another build of the program whose start to measure as well, such as the one for Azure; may be repeated
    #[arg(long, value_name = "PATH")]
    program: Vec<PathBuf>,
    /// Where the report is written as JSON [default: bench/orders.json in the target folder]
    #[arg(long, value_name = "PATH")]
    json: Option<PathBuf>,
    /// Given by `cargo bench`
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

impl Options {
    pub(crate) fn rounds(&self) -> u32 {
        if self.quick { 1 } else { self.rounds }
    }

    /// Orders of one round of a case.
    pub(crate) fn orders(&self, concurrency: u32) -> u32 {
        let per_worker = if self.quick { 3 } else { self.orders_per_worker };
        concurrency.saturating_mul(per_worker).max(ORDERS_MIN)
    }

    /// Calls of one round that touch no store.
    pub(crate) fn calls(&self) -> u32 {
        if self.quick { 500 } else { 4000 }
    }

    /// Starts of each program.
    pub(crate) fn starts(&self) -> u32 {
        if self.quick { 3 } else { 20 }
    }

    /// Orders that the program decides while its memory is looked at.
    pub(crate) fn program_orders(&self) -> u32 {
        if self.quick { 200 } else { 1000 }
    }

    pub(crate) fn latencies(&self) -> Vec<Duration> {
        let mut latencies: Vec<_> = self.latency_ms.iter().copied().map(Duration::from_millis).collect();
        latencies.sort_unstable();
        latencies.dedup();
        latencies
    }

    /// Other builds of the program.
    pub(crate) fn programs(&self) -> &[PathBuf] {
        &self.program
    }

    pub(crate) fn json_path(&self) -> PathBuf {
        // The folder for temporary files of a benchmark lies in the target folder, wherever that is.
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent().unwrap_or(Path::new("target"));
        self.json.clone().unwrap_or_else(|| target.join("bench").join("orders.json"))
    }
}
