//! `cargo bench --bench orders`: what deciding orders costs, in seconds, requests and request units; what the envelope,
//! the start and the memory of the program cost. Prints a report in Markdown and writes it as JSON.
//!
//! `docs/performance.md` tells the method and what the figures mean.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

mod cases;
mod charge;
mod claims;
mod driver;
mod envelope;
mod figures;
mod measure;
mod meter;
mod options;
mod plain;
mod program;
mod report;
mod shop;
mod telling;

use self::options::Options;
use self::report::Report;
use self::telling::{progress, say};

/// Whatever went wrong: a benchmark ends with the first mistake and says what it was.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let options = Options::parse();
    // `cargo test --benches` runs this, too, and does not want to wait for minutes.
    if !options.bench {
        return say("nothing is measured: run `cargo bench --bench orders`")
            .map_or(ExitCode::FAILURE, |()| ExitCode::SUCCESS);
    }
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures everything and reports it; `false` when a claim is missed.
fn run(options: &Options) -> Result<bool, Failure> {
    // As the program does first of all.
    drop(rustls::crypto::ring::default_provider().install_default());
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let report = runtime.block_on(measure_all(options))?;
    let path = options.json_path();
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    std::fs::write(&path, serde_json::to_string_pretty(&report.json())?)?;
    say(&report.markdown())?;
    say(&format!("The same as JSON: {}", path.display()))?;
    Ok(report.claims().iter().all(|claim| claim.is_kept))
}

async fn measure_all(options: &Options) -> Result<Report, Failure> {
    let cases = cases::all(&options.latencies());
    let mut measurements = Vec::new();
    for round in 0..options.rounds() {
        for (number, case) in cases::in_order_of_round(&cases, round).into_iter().enumerate() {
            progress(&format!(
                "round {} of {}: case {} of {}",
                round + 1,
                options.rounds(),
                number + 1,
                cases.len()
            ))?;
            let measured = measure::measure(case, options.orders(case.concurrency)).await;
            measurements.push(measured.map_err(|error| format!("{case}: {error}"))?);
        }
    }
    progress("envelope")?;
    let envelope = envelope::measure(options.rounds(), options.calls()).await?;
    progress("program")?;
    let programs = program::measure(options).await?;
    progress("")?;
    Ok(Report::new(options, &cases, &measurements, envelope, programs))
}
