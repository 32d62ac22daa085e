//! What the shop counts and times about itself, by name, and the part of a trace that a request to an outside party is.
//!
//! Both are events and spans of `tracing`, so that they cost next to nothing while nobody listens, and whoever tells of one
//! knows nothing of who does: `telemetry` makes metrics and dependencies of them. Labels come from short lists, never from
//! what callers send.

use chrono::TimeDelta;
use tracing::Span;
use tracing::field::Empty;

/// How the values of a measure are put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// They are added up.
    Sum,
    /// They are counted by size.
    Spread,
}

/// Something that is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Measure {
    /// What it is called wherever it goes.
    pub name: &'static str,
    /// Its unit, as UCUM writes it.
    pub unit: &'static str,
    /// How its values are put together.
    pub form: Form,
    /// What it says.
    pub meaning: &'static str,
}

/// Orders by what became of them.
const ORDERS: Measure = Measure {
    name: "widgetco.orders",
    unit: "{order}",
    form: Form::Sum,
    meaning: "Orders by what became of them: placed, confirmed, failed with its code, shipped, cancelled",
};
/// How long customers wait for a decision.
const DECISION_TIME: Measure = Measure {
    name: "widgetco.order.decision.duration",
    unit: "s",
    form: Form::Spread,
    meaning: "Time from an order's placing to its confirmation or failure",
};
/// What group commit gains.
const HOLDS_PER_BATCH: Measure = Measure {
    name: "widgetco.stock.holds_per_batch",
    unit: "{hold}",
    form: Form::Spread,
    meaning: "Holds of one product that were written in one batch",
};
/// What contention costs.
const CLASHES: Measure = Measure {
    name: "widgetco.store.clashes",
    unit: "{write}",
    form: Form::Sum,
    meaning: "Writes refused because the document had changed since it was read (412), by container",
};
/// How far the workers are behind.
const QUEUE_AGE: Measure = Measure {
    name: "widgetco.queue.age",
    unit: "s",
    form: Form::Spread,
    meaning: "Time from a message's arrival in its queue to the beginning of its handling, by queue",
};

/// Every measure that is told by a function of this file.
pub const TOLD: [Measure; 5] = [ORDERS, DECISION_TIME, HOLDS_PER_BATCH, CLASHES, QUEUE_AGE];

/// The name of an event that tells a measure; its field `measure` says which, `value` how much, and the others are labels.
pub const EVENT: &str = "measure";
/// The name of a span that is a request to an outside party.
pub const DEPENDENCY: &str = "dependency";
/// The status of a request that nobody answered.
pub const NO_STATUS: u16 = 0;

/// This became of an order, so long after it was placed; a failure has its code.
pub fn order(outcome: &'static str, code: Option<&'static str>, age: TimeDelta) {
    tracing::trace!(name: "measure", measure = ORDERS.name, value = 1.0, outcome, code);
    if matches!(outcome, "confirmed" | "failed") {
        tracing::trace!(name: "measure", measure = DECISION_TIME.name, value = age.as_seconds_f64(), outcome);
    }
}

/// So many holds were written in one batch.
pub fn holds(count: usize) {
    let value = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    tracing::trace!(name: "measure", measure = HOLDS_PER_BATCH.name, value);
}

/// A write to this container found that somebody else was faster.
pub fn clash(container: &'static str) {
    tracing::trace!(name: "measure", measure = CLASHES.name, value = 1.0, container);
}

/// A message of this queue began to be handled at this age.
pub fn queue_age(queue: &'static str, age: TimeDelta) {
    let value = age.as_seconds_f64().max(0.0);
    tracing::trace!(name: "measure", measure = QUEUE_AGE.name, value, queue);
}

/// A request to an outside party: what is asked of which container of which system, never for which id. How it ended goes into
/// `status`, the attempts into `requests`, what was charged into `charge_ru`; one without `status` was never made.
pub fn dependency(system: &'static str, operation: &'static str, container: &'static str) -> Span {
    let (status, requests, charge_ru) = (Empty, Empty, Empty);
    tracing::debug_span!("dependency", system, operation, container, status, requests, charge_ru)
}
