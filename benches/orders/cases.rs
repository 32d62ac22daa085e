//! What is measured: which orders come, who decides them, how many at once, and how far away the store is.

use std::fmt;
use std::time::Duration;

/// Orders in hand at once. 48 is what one host instance takes: `batchSize` and `newBatchThreshold` of host.json.
const CONCURRENCIES: [u32; 3] = [1, 16, MOST_AT_ONCE];
/// The concurrency of the claims.
pub(crate) const MOST_AT_ONCE: u32 = 48;

/// Which products are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Demand {
    /// Everybody wants the same one.
    Hot,
    /// As many orders for each of a thousand.
    Uniform,
}

impl Demand {
    pub(crate) const ALL: [Self; 2] = [Self::Hot, Self::Uniform];

    pub(crate) fn products(self) -> u32 {
        match self {
            Self::Hot => 1,
            Self::Uniform => 1000,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Hot => "one product",
            Self::Uniform => "1,000 products",
        }
    }
}

/// Who decides the orders.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decider {
    /// Read, check, replace, retry: `plain.rs`.
    Plain,
    /// The shop, with one hold in each batch.
    Single,
    /// The shop as it ships.
    Grouped,
    /// The shop as it ships, in as many handlers as [`Decider::instances`] says, which share nothing but the store.
    Spread,
}

impl Decider {
    pub(crate) const ALL: [Self; 4] = [Self::Plain, Self::Single, Self::Grouped, Self::Spread];

    pub(crate) fn instances(self) -> u32 {
        match self {
            Self::Plain | Self::Single | Self::Grouped => 1,
            Self::Spread => 3,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Single => "no group commit",
            Self::Grouped => "group commit",
            Self::Spread => "group commit, 3 instances",
        }
    }
}

/// One combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) latency: Duration,
    pub(crate) demand: Demand,
    pub(crate) concurrency: u32,
    pub(crate) decider: Decider,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (demand, decider) = (self.demand.name(), self.decider.name());
        write!(f, "{demand}, {decider}, {} at once, {:?} latency", self.concurrency, self.latency)
    }
}

/// Every case, those that are compared beside each other.
pub(crate) fn all(latencies: &[Duration]) -> Vec<Case> {
    let mut cases = Vec::new();
    for &latency in latencies {
        for demand in Demand::ALL {
            for concurrency in CONCURRENCIES {
                for decider in Decider::ALL {
                    let case = Case { latency, demand, concurrency, decider };
                    // Several handlers are of interest where they get into each other's way.
                    if decider != Decider::Spread || demand == Demand::Hot && concurrency == MOST_AT_ONCE {
                        cases.push(case);
                    }
                }
            }
        }
    }
    cases
}

/// The same, turned by one decider each round: whoever goes first has a cooler machine.
pub(crate) fn in_order_of_round(cases: &[Case], round: u32) -> Vec<&Case> {
    let same = |one: &Case, other: &Case| {
        (one.latency, one.demand, one.concurrency) == (other.latency, other.demand, other.concurrency)
    };
    let mut ordered = Vec::new();
    for compared in cases.chunk_by(same) {
        let first = usize::try_from(round).unwrap_or_default() % compared.len();
        ordered.extend(compared[first..].iter().chain(&compared[..first]));
    }
    ordered
}
