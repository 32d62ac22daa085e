//! The metrics: what `measure` tells, and what is read off requests and dependencies when they end.
//!
//! Labels come from short lists: routes are templates, and nothing that a caller sent becomes one.

use std::collections::BTreeMap;

use opentelemetry::metrics::{Counter, Histogram, Meter};
use opentelemetry::{KeyValue, Value};

use crate::measure::{Form, Measure, TOLD};

/// Time that requests of callers and of the host take.
pub(super) const REQUEST_TIME: Measure = Measure {
    name: "http.server.request.duration",
    unit: "s",
    form: Form::Spread,
    meaning: "Time that a request took, by route, method and status",
};
/// Time that others take.
pub(super) const DEPENDENCY_TIME: Measure = Measure {
    name: "db.client.operation.duration",
    unit: "s",
    form: Form::Spread,
    meaning: "Time that a request to Cosmos DB or Blob storage took, by system, operation, container and status",
};
/// What Cosmos DB charges.
pub(super) const CHARGE: Measure = Measure {
    name: "azure.cosmosdb.client.operation.request_charge",
    unit: "{request_unit}",
    form: Form::Sum,
    meaning: "Request units that Cosmos DB charged, by operation and container",
};

/// Bounds of times, in seconds: requests take milliseconds, decisions seconds, and what waits in a queue minutes.
const BOUNDS_S: [f64; 15] =
    [0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 60.0, 300.0, 3600.0];
/// Bounds of numbers of things; a batch has at most 99.
const BOUNDS_COUNT: [f64; 8] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 99.0];

/// Every metric.
#[derive(Debug)]
pub(super) struct Instruments(BTreeMap<&'static str, Instrument>);

#[derive(Debug)]
enum Instrument {
    Sum(Counter<f64>),
    Spread(Histogram<f64>),
}

impl Instruments {
    pub(super) fn new(meter: &Meter) -> Self {
        let all = TOLD.into_iter().chain([REQUEST_TIME, DEPENDENCY_TIME, CHARGE]);
        Self(all.map(|measure| (measure.name, instrument(meter, measure))).collect())
    }

    /// Adds a value under these labels; one of an unknown measure is nobody's.
    pub(super) fn add(&self, measure: &str, value: f64, labels: &[KeyValue]) {
        match self.0.get(measure) {
            Some(Instrument::Sum(counter)) => counter.add(value, labels),
            Some(Instrument::Spread(histogram)) => histogram.record(value, labels),
            None => {}
        }
    }

    /// What an event tells: its `measure` and `value`, and all other fields as labels.
    pub(super) fn tell(&self, mut fields: BTreeMap<&'static str, Value>) {
        if let (Some(Value::String(measure)), Some(Value::F64(value))) =
            (fields.remove("measure"), fields.remove("value"))
        {
            let labels: Vec<_> = fields.into_iter().map(|(name, value)| KeyValue::new(name, value)).collect();
            self.add(measure.as_str(), value, &labels);
        }
    }
}

fn instrument(meter: &Meter, measure: Measure) -> Instrument {
    let Measure { name, unit, form, meaning } = measure;
    match form {
        Form::Sum => {
            Instrument::Sum(meter.f64_counter(name).with_unit(unit).with_description(meaning).build())
        }
        Form::Spread => {
            let bounds = if unit == "s" { BOUNDS_S.to_vec() } else { BOUNDS_COUNT.to_vec() };
            let histogram = meter.f64_histogram(name).with_unit(unit).with_description(meaning);
            Instrument::Spread(histogram.with_boundaries(bounds).build())
        }
    }
}
