//! Where every request for a document stops until the scheduler says what becomes of it.
//!
//! Does not know who may go next.
#![cfg(test)]

use std::sync::{Arc, Mutex};

use tokio::sync::oneshot;
use widgetco::store::emulator::{Arrival, Fate, Gate};

/// The gate of the emulator, with those who wait before it.
#[derive(Debug, Default)]
pub(super) struct Door(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stops: bool,
    turn: usize,
    arrivals: usize,
    waiting: Vec<Waiting>,
}

/// A request that has stopped.
#[derive(Debug)]
pub(super) struct Waiting {
    /// The number of the process that sent it. That process may have died since.
    pub(super) process: usize,
    pub(super) arrival: Arrival,
    number: usize,
    fate: oneshot::Sender<Fate>,
}

impl Waiting {
    pub(super) fn meet(self, fate: Fate) {
        // Nobody listens only when the whole emulator is gone.
        _ = self.fate.send(fate);
    }
}

impl Door {
    /// What stands before the emulator. A request belongs to the process whose turn it is: no other is running then.
    pub(super) fn gate(self: &Arc<Self>) -> Gate {
        let door = Arc::clone(self);
        Arc::new(move |arrival| {
            let fate = door.arrive(arrival);
            Box::pin(async move {
                match fate {
                    Some(fate) => fate.await.unwrap_or(Fate::Vanish),
                    None => Fate::Pass,
                }
            })
        })
    }

    fn arrive(&self, arrival: Arrival) -> Option<oneshot::Receiver<Fate>> {
        let mut inner = self.0.lock().unwrap();
        if !inner.stops {
            return None;
        }
        let (fate, met) = oneshot::channel();
        let (process, number) = (inner.turn, inner.arrivals);
        inner.arrivals += 1;
        inner.waiting.push(Waiting { process, arrival, number, fate });
        // Of equal requests of one process, the first to arrive is the first in the list.
        inner.waiting.sort_by(|one, other| {
            let key = |waiting: &Waiting| {
                let Arrival { region, method, path } = waiting.arrival.clone();
                (waiting.process, method, path, region, waiting.number)
            };
            key(one).cmp(&key(other))
        });
        Some(met)
    }

    /// From now on requests stop.
    pub(super) fn shut(&self) {
        self.0.lock().unwrap().stops = true;
    }

    pub(super) fn give_turn(&self, process: usize) {
        self.0.lock().unwrap().turn = process;
    }

    /// How many wait; of one process, or of all.
    pub(super) fn waiting(&self, process: Option<usize>) -> usize {
        let inner = self.0.lock().unwrap();
        inner
            .waiting
            .iter()
            .filter(|waiting| process.is_none_or(|process| waiting.process == process))
            .count()
    }

    /// Takes one of those who wait out of the list.
    pub(super) fn call(&self, index: usize) -> Waiting {
        self.0.lock().unwrap().waiting.remove(index)
    }
}
