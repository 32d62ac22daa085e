//! What one request does to the documents, and under which condition: `store::stock` and `store::orders` over the model.
//!
//! A mutant differs from the shop here and nowhere else.
#![cfg(test)]

use super::mutants::Mutation;
use super::rules::Rules;
use super::state::{Change, Counts, End, Events, Line, Next, Order, Reservation, Sight, Stage, State};

/// What came of a batch that creates a reservation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    Done,
    Exists,
    Changed,
}

/// The decisions, and what is wrong with the store, if anything.
pub(crate) struct Store {
    pub(crate) rules: Rules,
    pub(crate) mutation: Option<Mutation>,
}

impl Store {
    /// `Orders::advance` and `Orders::note`: create the event, replace the order at the version that was read.
    pub(crate) fn advance(
        &self,
        state: &mut State,
        order: usize,
        (sight, fresh): (Order, bool),
        change: Change,
    ) -> bool {
        let blind = change == Change::Confirm && self.is(Mutation::ConfirmsWithoutIfMatch);
        let Some(stage) = self.rules.change(order, sight, change) else { return false };
        if !(fresh || blind) || !announce(&mut state.events[order], change) {
            return false;
        }
        let settled = sight.settled || change == Change::Settle;
        self.write_order(state, order, Order { stage, settled });
        true
    }

    /// The counts as they would be written after a hold; `None` when too little is available.
    pub(crate) fn sight_to_hold(
        &self,
        (order, product): (usize, usize),
        read: (Counts, bool),
    ) -> Option<Sight> {
        let next = self.rules.hold(product, read.0, self.rules.pieces(order, product))?;
        Some(self.sight(next, read.1))
    }

    /// The counts as they would be written after the end of a hold; `None` when they contradict it.
    pub(crate) fn sight_to_end(
        &self,
        end: End,
        (order, product): (usize, usize),
        read: (Counts, bool),
    ) -> Option<Sight> {
        let next = self.rules.end(end, product, read.0, self.rules.pieces(order, product))?;
        Some(self.sight(next, read.1))
    }

    /// The batch of a hold: create the reservation, replace the counts at the version that was read.
    pub(crate) fn hold(&self, state: &mut State, (order, product): (usize, usize), sight: Sight) -> Held {
        if state.reservations[order][product].now != Reservation::Absent {
            return Held::Exists;
        }
        let next = match self.mutation {
            Some(Mutation::ChecksThenDecrements) => {
                let now = state.counts[product].now;
                Counts { held: now.held + self.rules.pieces(order, product), ..now }
            }
            _ if sight.fresh || self.is(Mutation::CountsWithoutIfMatch) => sight.next,
            _ => return Held::Changed,
        };
        self.write_counts(state, product, next);
        self.write_reservation(state, (order, product), Reservation::Held);
        Held::Done
    }

    /// The batch of an end: replace the reservation and the counts, both at the version that was read. Whoever comes here
    /// has not been outdated.
    pub(crate) fn end(&self, state: &mut State, end: End, (order, product): (usize, usize), sight: Sight) {
        let ended = match end {
            End::Take if self.is(Mutation::DeletesAfterTheSale) => Reservation::Absent,
            End::Take => Reservation::Taken,
            End::Release => Reservation::Released,
        };
        self.write_counts(state, product, sight.next);
        self.write_reservation(state, (order, product), ended);
    }

    /// Creates the tombstone of a reservation that never was; `false` when there is one by now.
    pub(crate) fn forbid(&self, state: &mut State, (order, product): (usize, usize)) -> bool {
        if self.is(Mutation::LeavesNoTombstone) {
            return true;
        }
        if state.reservations[order][product].now != Reservation::Absent {
            return false;
        }
        self.write_reservation(state, (order, product), Reservation::Released);
        true
    }

    /// A mutant's recovery: releases what a pending order holds, whoever is working on it.
    pub(crate) fn sweep(&self, state: &mut State, (order, product): (usize, usize)) -> bool {
        let is_held = state.reservations[order][product].now == Reservation::Held;
        if !is_held || state.orders[order].now.stage != Stage::Pending {
            return false;
        }
        let counts = (state.counts[product].now, true);
        let sight = self.sight_to_end(End::Release, (order, product), counts);
        sight.map(|sight| self.end(state, End::Release, (order, product), sight)).is_some()
    }

    pub(crate) fn is(&self, mutation: Mutation) -> bool {
        self.mutation == Some(mutation)
    }

    fn sight(&self, next: Counts, fresh: bool) -> Sight {
        // What an outdated sight would write matters only to a store that lets it.
        let next = if fresh || self.is(Mutation::CountsWithoutIfMatch) { next } else { Counts::default() };
        Sight { next, fresh }
    }

    /// Replaces the order; every sight of it is outdated, and who was about to write it has to read again.
    pub(crate) fn write_order(&self, state: &mut State, order: usize, next: Order) {
        let old = state.orders[order].now.stage;
        state.reopened |= old.is_terminal() && old != next.stage;
        state.orders[order].write(next);
        let blind = self.is(Mutation::ConfirmsWithoutIfMatch);
        for slot in &mut state.workers {
            let Some(worker) = slot.as_mut().filter(|worker| worker.order == order) else { continue };
            worker.fresh = false;
            if matches!(worker.next, Next::Write(_)) && !blind {
                *slot = None;
            }
        }
    }

    fn write_counts(&self, state: &mut State, product: usize, next: Counts) {
        state.counts[product].write(next);
        self.each_line(state, |(_, at), line| match *line {
            Line::HoldWrite(sight) if at == product => *line = Line::HoldWrite(self.sight(sight.next, false)),
            Line::EndWrite(end, _) if at == product && !self.is(Mutation::CountsWithoutIfMatch) => {
                *line = Line::EndFind(end);
            }
            _ => {}
        });
    }

    fn write_reservation(&self, state: &mut State, place: (usize, usize), next: Reservation) {
        let document = &mut state.reservations[place.0][place.1];
        let forwards = matches!(
            (document.now, next),
            (Reservation::Absent, Reservation::Held | Reservation::Released)
                | (Reservation::Held, Reservation::Taken | Reservation::Released)
        );
        state.reversed |= !forwards;
        document.write(next);
        self.each_line(state, |at, line| {
            if let (true, Line::EndRead(end) | Line::EndWrite(end, _)) = (at == place, *line) {
                *line = Line::EndFind(end);
            }
        });
    }

    /// Lets `outdate` at every line that is under way, with its order and product.
    fn each_line(&self, state: &mut State, mut outdate: impl FnMut((usize, usize), &mut Line)) {
        for worker in state.workers.iter_mut().flatten() {
            if let Next::Lines(lines) = &mut worker.next {
                for (line, (product, _)) in lines.iter_mut().zip(self.rules.lines(worker.order)) {
                    line.iter_mut().for_each(|line| outdate((worker.order, *product), line));
                }
            }
        }
    }
}

/// Whether the event could be created. Settling announces nothing.
fn announce(events: &mut Events, change: Change) -> bool {
    let event = match change {
        Change::Confirm => &mut events.confirmed,
        Change::Fail => &mut events.failed,
        Change::Ship => &mut events.shipped,
        Change::Cancel => &mut events.cancelled,
        Change::Settle => return true,
    };
    !std::mem::replace(event, true)
}
