//! What stands between a worker and its store, and other services: a door that counts requests and lets exactly one of them go wrong.
//!
//! A killed worker is a dropped invocation; nothing that it sends later gets through.
#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use futures::FutureExt;
use futures::future::BoxFuture;
use tokio::sync::Notify;
use widgetco::store::emulator::{Arrival, Fate, Gate};

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The worker is killed and the request never arrives.
    KilledBefore,
    /// The worker is killed after the request took effect.
    KilledAfter,
    /// It takes effect, but the worker hears that it failed.
    AnswerLost,
    /// It has no effect, and the worker hears that it failed.
    Refused,
}

pub(crate) const FAULTS: [Fault; 4] =
    [Fault::KilledBefore, Fault::KilledAfter, Fault::AnswerLost, Fault::Refused];

impl Fault {
    pub(crate) fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter)
    }
}

/// The door that all requests of a worker go through.
pub(crate) struct Door {
    plan: Mutex<Option<(usize, Fault)>>,
    pub(crate) arrived: AtomicUsize,
    pub(crate) killed: Notify,
    refusal: u16,
}

impl Door {
    /// One that refuses with this status: 503 is tried again by the client itself, 400 is not.
    pub(crate) fn refusing(refusal: u16) -> Self {
        let (plan, arrived, killed) = (Mutex::default(), AtomicUsize::new(0), Notify::new());
        Self { plan, arrived, killed, refusal }
    }

    /// Counts from here on, and lets this request go wrong.
    pub(crate) fn begin(&self, plan: Option<(usize, Fault)>) {
        self.arrived.store(0, Ordering::SeqCst);
        *self.plan.lock().unwrap() = plan;
        // Requests that a dead worker had under way each told of its death.
        self.killed.notified().now_or_never();
    }

    /// What becomes of the request that has just arrived. Who carries that out says when the worker is dead.
    pub(crate) fn decide(&self) -> Fate {
        let number = self.arrived.fetch_add(1, Ordering::SeqCst) + 1;
        let Some((at, fault)) = *self.plan.lock().unwrap() else { return Fate::Pass };
        if number != at {
            return if number > at && fault.kills() { Fate::Vanish } else { Fate::Pass };
        }
        match fault {
            Fault::KilledBefore => Fate::Vanish,
            Fault::KilledAfter => Fate::Silence,
            Fault::AnswerLost => Fate::Mislead(503),
            Fault::Refused => Fate::Refuse(self.refusal),
        }
    }

    /// The door in front of the store.
    pub(crate) fn gate(self: Arc<Self>) -> Gate {
        Arc::new(move |_: Arrival| -> BoxFuture<'static, Fate> {
            let fate = self.decide();
            if fate == Fate::Vanish {
                self.killed.notify_one();
            }
            // The document is written a moment later, in one go; the worker does not hear of it.
            if fate == Fate::Silence {
                let door = Arc::clone(&self);
                tokio::spawn(async move {
                    tokio::task::yield_now().await;
                    door.killed.notify_one();
                });
            }
            async move { fate }.boxed()
        })
    }
}
