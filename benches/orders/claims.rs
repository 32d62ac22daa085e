//! What the measurement must show, and whether it does.

use std::time::Duration;

use crate::cases::{Case, Decider, Demand, MOST_AT_ONCE};
use crate::charge::{Refusal, TABLE_REFUSAL};
use crate::report::Row;

/// Most requests to the container `stock` for an order of the hot product, in the mean.
const HOLD_REQUESTS_MAX: f64 = 1.5;
/// Least throughput against the plain implementation.
const THROUGHPUT_MIN: f64 = 3.0;
/// Most request units against the plain implementation.
const RU_MAX: f64 = 0.5;
/// Least throughput under uniform load against no group commit: as fast, but for what two runs differ by.
const UNIFORM_MIN: f64 = 0.95;

/// One of them.
#[derive(Debug, Clone)]
pub(crate) struct Claim {
    pub(crate) text: String,
    pub(crate) figure: f64,
    pub(crate) is_kept: bool,
}

/// The claims, measured at this latency. That no order was refused while stock remained, and that the books are right,
/// was checked after every run already.
pub(crate) fn all(rows: &[Row], latency: Duration) -> Vec<Claim> {
    let find = |demand, decider| row(rows, latency, demand, decider);
    let refusal = TABLE_REFUSAL;
    let (Some(plain), Some(grouped)) =
        (find(Demand::Hot, Decider::Plain), find(Demand::Hot, Decider::Grouped))
    else {
        return Vec::new();
    };
    let at_most = |text: String, figure: f64, most: f64| Claim { text, figure, is_kept: figure <= most };
    let at_least = |text: String, figure: f64, least: f64| Claim { text, figure, is_kept: figure >= least };
    let mut claims = vec![
        at_most(
            format!("one product: requests for holding stock, an order; at most {HOLD_REQUESTS_MAX}"),
            grouped.stock_requests,
            HOLD_REQUESTS_MAX,
        ),
        at_least(
            format!("one product: throughput against plain; at least {THROUGHPUT_MIN}"),
            grouped.throughput_against(plain),
            THROUGHPUT_MIN,
        ),
        at_most(
            format!(
                "one product: RUs against plain, if a refused batch costs {}; at most {RU_MAX}",
                refusal.name()
            ),
            grouped.ru(refusal) / plain.ru(refusal),
            RU_MAX,
        ),
    ];
    if let (Some(single), Some(grouped)) =
        (find(Demand::Uniform, Decider::Single), find(Demand::Uniform, Decider::Grouped))
    {
        claims.push(at_least(
            format!("1,000 products: throughput against no group commit; at least {UNIFORM_MIN}"),
            grouped.throughput_against(single),
            UNIFORM_MIN,
        ));
    }
    claims
}

/// What the hot product costs with group commit against plain, under each assumption about refused batches: for holding
/// stock, and in all.
pub(crate) fn ru_ratios(rows: &[Row], latency: Duration) -> Vec<(Refusal, f64, f64)> {
    let find = |decider| row(rows, latency, Demand::Hot, decider);
    let (Some(plain), Some(grouped)) = (find(Decider::Plain), find(Decider::Grouped)) else {
        return Vec::new();
    };
    let ratios = |refusal| {
        (
            refusal,
            grouped.stock_ru(refusal) / plain.stock_ru(refusal),
            grouped.ru(refusal) / plain.ru(refusal),
        )
    };
    Refusal::ALL.map(ratios).to_vec()
}

fn row(rows: &[Row], latency: Duration, demand: Demand, decider: Decider) -> Option<&Row> {
    let case = Case { latency, demand, concurrency: MOST_AT_ONCE, decider };
    rows.iter().find(|row| row.case == case)
}
