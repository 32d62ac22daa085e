//! `cargo bench --bench catalogue`: what reading the catalogue costs, in time, requests and request units, with what was
//! read lately and without it, beside a bare axum handler that returns the same bytes. Prints a report in Markdown and
//! writes it as JSON.
//!
//! `docs/performance.md` tells the method and what the figures mean.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;

mod asking;
mod bare;
mod cases;
#[path = "../orders/charge.rs"]
#[expect(dead_code, reason = "nothing is written here")]
mod charge;
#[path = "../orders/figures.rs"]
mod figures;
mod meter;
mod options;
mod report;
mod shop;
#[path = "../orders/telling.rs"]
mod telling;

use self::asking::{Asking, Round};
use self::cases::{Answerer, Case, Question};
use self::options::Options;
use self::report::Report;
use self::shop::Shop;
use self::telling::{progress, say};

/// Whatever went wrong: a benchmark ends with the first mistake and says what it was.
type Failure = Box<dyn Error + Send + Sync>;

fn main() -> ExitCode {
    let options = Options::parse();
    // `cargo test --benches` runs this, too, and does not want to wait for minutes.
    let done = match options.bench {
        true => run(&options),
        false => say("nothing is measured: run `cargo bench --bench catalogue`").map_err(Failure::from),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            drop(writeln!(std::io::stderr(), "error: {error}"));
            ExitCode::FAILURE
        }
    }
}

/// Measures everything and reports it.
fn run(options: &Options) -> Result<(), Failure> {
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
    Ok(say(&format!("The same as JSON: {}", path.display()))?)
}

/// Each round measures every case for a moment, those that are compared right after each other, so that a noisy machine
/// disturbs all alike.
async fn measure_all(options: &Options) -> Result<Report, Failure> {
    let mut shop = Shop::open(options.latency()).await?;
    let mut askings = Vec::new();
    for question in Question::ALL {
        let cached = Asking::learn(shop.cached, question.request(None)).await?;
        let asking = match question {
            Question::Unchanged => {
                Asking::learn(shop.cached, question.request(cached.etag().as_deref())).await?
            }
            Question::Product | Question::List => cached,
        };
        question.check(&asking)?;
        for answerer in Answerer::ALL {
            let address = match answerer {
                Answerer::Bare => shop.serve(bare::routes(question.route(), &asking)).await?,
                Answerer::Cached => shop.cached,
                Answerer::Uncached => shop.uncached,
            };
            askings.push((Case { question, answerer }, asking.at(address)));
        }
    }
    let mut rounds: Vec<Round> = Vec::new();
    for number in 0..=options.rounds() {
        progress(&format!("round {number} of {}", options.rounds()))?;
        for (case, asking) in cases::in_order_of_round(&askings, number) {
            let asked = async {
                // What is cached has been read just now.
                asking.ask(1, Duration::ZERO).await?;
                shop.meter.tally();
                asking.ask(options.connections(), options.moment()).await
            };
            let asked = asked.await.map_err(|error| format!("{case}: {error}"))?;
            // The first round only warms connections and caches.
            if number > 0 {
                rounds.push(Round { case: *case, asked, tally: shop.meter.tally() });
            }
        }
    }
    progress("")?;
    Ok(Report::new(options, &rounds))
}
