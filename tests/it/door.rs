//! What stands between a worker and its store: a gate that counts requests and lets exactly one of them go wrong.
//!
//! A killed worker is a dropped request; nothing that it sends later gets through.
#![cfg(test)]

use std::sync::{Arc, Mutex};

use futures::FutureExt;
use tokio::sync::Notify;
use widgetco::store::emulator::{Fate, Gate};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The worker is killed and the request never arrives.
    KilledBefore,
    /// The worker is killed after the request took effect.
    KilledAfter,
    /// It takes effect, but the worker hears that it failed.
    AnswerLost,
    /// It has no effect, and the worker hears that it failed; what the client does not try again by itself.
    Refused,
}

pub(crate) const FAULTS: [Fault; 4] =
    [Fault::KilledBefore, Fault::KilledAfter, Fault::AnswerLost, Fault::Refused];

impl Fault {
    pub(crate) fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }
}

/// What stands in the way of the worker.
#[derive(Default)]
pub(crate) struct Door {
    plan: Mutex<Option<(u64, Fault)>>,
    pub(crate) arrived: Mutex<u64>,
    pub(crate) killed: Notify,
}

impl Door {
    /// Counts from here on, and lets this request go wrong.
    pub(crate) fn begin(&self, plan: Option<(u64, Fault)>) {
        *self.arrived.lock().unwrap() = 0;
        *self.plan.lock().unwrap() = plan;
    }

    pub(crate) fn gate(self: Arc<Self>) -> Gate {
        Arc::new(move |_| {
            let fate = self.decide();
            async move { fate }.boxed()
        })
    }

    fn decide(&self) -> Fate {
        let mut arrived = self.arrived.lock().unwrap();
        *arrived += 1;
        let Some((at, fault)) = *self.plan.lock().unwrap() else { return Fate::Pass };
        if *arrived != at {
            return if *arrived > at && fault.kills() { Fate::Vanish } else { Fate::Pass };
        }
        if fault.kills() {
            self.killed.notify_one();
        }
        match fault {
            Fault::KilledBefore => Fate::Vanish,
            Fault::KilledAfter => Fate::Silence,
            Fault::AnswerLost => Fate::Mislead(503),
            Fault::Refused => Fate::Refuse(400),
        }
    }
}
