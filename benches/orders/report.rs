//! The report: rows out of measurements, as Markdown for people and as JSON for programs.

use std::time::Duration;

use serde_json::{Value, json};

use crate::cases::{Case, MOST_AT_ONCE};
use crate::charge::{Refusal, TABLE_REFUSAL};
use crate::claims::{self, Claim};
use crate::envelope::Envelope;
use crate::figures::{count, median, percentile_ms};
use crate::measure::Measurement;
use crate::meter::{Part, Tally};
use crate::options::Options;
use crate::program::Program;

/// Everything that was measured.
pub(crate) struct Report {
    rows: Vec<Row>,
    latencies: Vec<Duration>,
    rounds: u32,
    envelope: Envelope,
    programs: Vec<Program>,
}

/// A case over all rounds. Requests and RUs are means for one order.
pub(crate) struct Row {
    pub(crate) case: Case,
    /// Of each round.
    orders_per_s: Vec<f64>,
    p50_ms: f64,
    p95_ms: f64,
    p99_ms: f64,
    orders: usize,
    requests: f64,
    pub(crate) stock_requests: f64,
    refused: f64,
    repeated: u32,
    store_ms: f64,
    tallies: Vec<Tally>,
}

impl Row {
    fn new(case: Case, measurements: &[Measurement]) -> Self {
        let mine: Vec<_> = measurements.iter().filter(|measured| measured.case == case).collect();
        let latencies: Vec<_> =
            mine.iter().flat_map(|measured| measured.delivered.latencies.iter().copied()).collect();
        let tallies: Vec<_> = mine.iter().map(|measured| measured.tally.clone()).collect();
        let orders = latencies.len();
        let sum = |pick: fn(&Tally) -> u32| f64::from(tallies.iter().map(pick).sum::<u32>());
        let took: Duration = tallies.iter().map(|tally| tally.took).sum();
        Self {
            case,
            orders_per_s: mine
                .iter()
                .map(|measured| {
                    count(measured.delivered.latencies.len()) / measured.delivered.took.as_secs_f64()
                })
                .collect(),
            p50_ms: percentile_ms(&latencies, 50),
            p95_ms: percentile_ms(&latencies, 95),
            p99_ms: percentile_ms(&latencies, 99),
            orders,
            requests: sum(|tally| tally.all.requests) / count(orders),
            stock_requests: sum(|tally| tally.stock.requests) / count(orders),
            refused: sum(|tally| tally.all.refused) / count(orders),
            repeated: mine.iter().map(|measured| measured.delivered.repeated).sum(),
            store_ms: took.as_secs_f64() * 1000.0 / sum(|tally| tally.all.requests),
            tallies,
        }
    }

    /// The median of the rounds' ratios.
    pub(crate) fn throughput_against(&self, other: &Self) -> f64 {
        median(self.orders_per_s.iter().zip(&other.orders_per_s).map(|(own, other)| own / other))
    }

    /// All request units of an order.
    pub(crate) fn ru(&self, refusal: Refusal) -> f64 {
        self.tallies.iter().map(|tally| tally.all.ru(refusal)).sum::<f64>() / count(self.orders)
    }

    /// Those for holding its stock.
    pub(crate) fn stock_ru(&self, refusal: Refusal) -> f64 {
        self.tallies.iter().map(|tally| tally.stock.ru(refusal)).sum::<f64>() / count(self.orders)
    }

    fn cells(&self) -> Vec<String> {
        let case = self.case;
        let mut cells: Vec<_> = [case.demand.name(), case.decider.name()].map(str::to_owned).to_vec();
        cells.push(case.concurrency.to_string());
        cells.push(format!("{:.0}", median(self.orders_per_s.iter().copied())));
        cells.extend([self.p50_ms, self.p95_ms, self.p99_ms].map(|latency| format!("{latency:.1}")));
        let requests = [self.requests, self.stock_requests, self.refused];
        cells.extend(requests.map(|requests| format!("{requests:.2}")));
        cells.extend([self.ru(TABLE_REFUSAL), self.stock_ru(TABLE_REFUSAL)].map(|ru| format!("{ru:.1}")));
        cells
    }

    fn json(&self) -> Value {
        let part = |pick: fn(&Tally) -> &Part| {
            let sum =
                |number: fn(&Part) -> u32| self.tallies.iter().map(|tally| number(pick(tally))).sum::<u32>();
            let ru = |refusal| self.tallies.iter().map(|tally| pick(tally).ru(refusal)).sum::<f64>();
            json!({
                "requests": sum(|part| part.requests),
                "reads": sum(|part| part.reads),
                "batches": sum(|part| part.batches),
                "refusedBatches": sum(|part| part.refused),
                "creates": sum(|part| part.creates),
                "replaces": sum(|part| part.replaces),
                "ru": {
                    "refusedFree": ru(Refusal::Free),
                    "refusedAsSeen": ru(Refusal::AsSeen),
                    "refusedAsWritten": ru(Refusal::AsWritten),
                },
            })
        };
        json!({
            "demand": self.case.demand.name(),
            "decider": self.case.decider.name(),
            "concurrency": self.case.concurrency,
            "latencyMs": self.case.latency.as_secs_f64() * 1000.0,
            "orders": self.orders,
            "ordersPerSecond": median(self.orders_per_s.iter().copied()),
            "ordersPerSecondOfRounds": self.orders_per_s,
            "p50Ms": self.p50_ms,
            "p95Ms": self.p95_ms,
            "p99Ms": self.p99_ms,
            "repeatedDeliveries": self.repeated,
            "meanStoreMs": self.store_ms,
            "all": part(|tally| &tally.all),
            "stock": part(|tally| &tally.stock),
        })
    }
}

impl Report {
    pub(crate) fn new(
        options: &Options,
        cases: &[Case],
        measurements: &[Measurement],
        envelope: Envelope,
        programs: Vec<Program>,
    ) -> Self {
        let rows: Vec<_> = cases.iter().map(|case| Row::new(*case, measurements)).collect();
        let latencies = options.latencies();
        Self { rows, latencies, rounds: options.rounds(), envelope, programs }
    }

    /// The claims, with the store as far away as it was at most.
    pub(crate) fn claims(&self) -> Vec<Claim> {
        claims::all(&self.rows, self.latencies.last().copied().unwrap_or_default())
    }

    pub(crate) fn json(&self) -> Value {
        let program = |program: &Program| {
            json!({
                "name": program.name,
                "sizeMib": program.size_mib,
                "startMs": program.start_ms,
                "worstStartMs": program.worst_start_ms,
                "restMib": program.rest_mib,
                "load": program.load.map(|load| json!({
                    "peakMib": load.peak_mib,
                    "afterMib": load.after_mib,
                    "ordersPerSecond": load.orders_per_s,
                })),
            })
        };
        let claim =
            |claim: &Claim| json!({"claim": claim.text, "figure": claim.figure, "kept": claim.is_kept});
        let latency = self.latencies.last().copied().unwrap_or_default();
        let ratios = claims::ru_ratios(&self.rows, latency).into_iter().map(|(refusal, stock, all)| {
            json!({"refusedBatchCosts": refusal.name(), "forHoldingStock": stock, "inAll": all})
        });
        json!({
            "rounds": self.rounds,
            "cores": cores(),
            "claims": self.claims().iter().map(claim).collect::<Vec<_>>(),
            "ruOfGroupCommitAgainstPlain": ratios.collect::<Vec<_>>(),
            "orders": self.rows.iter().map(Row::json).collect::<Vec<_>>(),
            "envelope": {"bareUs": self.envelope.bare_us, "shopUs": self.envelope.shop_us},
            "programs": self.programs.iter().map(program).collect::<Vec<_>>(),
        })
    }

    pub(crate) fn markdown(&self) -> String {
        let mut text = format!("Measured on {} cores.\n", cores());
        for latency in self.latencies.iter().rev() {
            text.push_str(&self.claims_markdown(*latency));
        }
        text.push_str(&self.orders_markdown());
        text.push_str(&self.rest_markdown());
        text
    }

    fn claims_markdown(&self, latency: Duration) -> String {
        let place = format!("{}, {MOST_AT_ONCE} at once", ms(latency));
        let mut text = table(&format!("Claims: {place}"), &["claim", "measured", "kept"]);
        for claim in claims::all(&self.rows, latency) {
            let kept = if claim.is_kept { "yes" } else { "no" };
            line(&mut text, &[claim.text, format!("{:.2}", claim.figure), kept.to_owned()]);
        }
        let heads = ["a refused batch costs", "for holding stock", "in all"];
        text.push_str(&table(&format!("RUs of group commit against plain: one product, {place}"), &heads));
        for (refusal, stock, all) in claims::ru_ratios(&self.rows, latency) {
            line(&mut text, &[refusal.name().to_owned(), format!("{stock:.2}"), format!("{all:.2}")]);
        }
        text
    }

    fn orders_markdown(&self) -> String {
        let heads = [
            "products",
            "decided by",
            "at once",
            "orders/s",
            "p50 ms",
            "p95 ms",
            "p99 ms",
            "requests/order",
            "of them for stock",
            "refused/order",
            "RU/order",
            "of them for stock",
        ];
        let mut text = String::new();
        for latency in &self.latencies {
            text.push_str(&table(&format!("Orders: {}, {} rounds", ms(*latency), self.rounds), &heads));
            for row in self.rows.iter().filter(|row| row.case.latency == *latency) {
                line(&mut text, &row.cells());
            }
        }
        text
    }

    fn rest_markdown(&self) -> String {
        let Envelope { bare_us, shop_us } = self.envelope;
        let mut text = table("Envelope", &["a call that asks no store", "µs"]);
        line(&mut text, &["bare axum handler".to_owned(), format!("{bare_us:.0}")]);
        line(&mut text, &["the shop".to_owned(), format!("{shop_us:.0}")]);
        let heads = [
            "build",
            "size MiB",
            "start ms",
            "worst start ms",
            "memory at rest MiB",
            "peak under load MiB",
            "after it MiB",
            "orders/s",
        ];
        text.push_str(&table("Program", &heads));
        for program in &self.programs {
            let mut cells = vec![program.name.clone(), format!("{:.2}", program.size_mib)];
            let figures = [program.start_ms, program.worst_start_ms, program.rest_mib];
            cells.extend(figures.map(|figure| format!("{figure:.1}")));
            match program.load {
                Some(load) => {
                    cells.extend([load.peak_mib, load.after_mib].map(|memory| format!("{memory:.1}")));
                    cells.push(format!("{:.0}", load.orders_per_s));
                }
                None => cells.extend(["–"; 3].map(str::to_owned)),
            }
            line(&mut text, &cells);
        }
        text
    }
}

/// What the machine, or its owner, lets this process use.
fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// How far away the store was.
fn ms(latency: Duration) -> String {
    format!("store answers after {} ms", latency.as_millis())
}

/// The head of a table.
fn table(title: &str, heads: &[&str]) -> String {
    format!("\n### {title}\n\n| {} |\n|{}\n", heads.join(" | "), " --- |".repeat(heads.len()))
}

fn line(text: &mut String, cells: &[String]) {
    text.push_str(&format!("| {} |\n", cells.join(" | ")));
}
