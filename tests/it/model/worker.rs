//! `ProcessOrder` cut into its single requests, in the order in which `functions::process_order` and `store::stock` make
//! them. What is to be done between them is the crate's `next_step`.
#![cfg(test)]

use super::mutants::Mutation;
use super::rules::Move;
use super::state::{Answer, Change, End, Known, Line, Next, Order, Reservation, State, TWO, Worker};
use super::store::{Held, Store};

/// How a line stands after a request.
enum Progress {
    /// This is its next request.
    At(Line),
    /// The verb is through, and this is what it saw.
    Through(Known),
}

impl Worker {
    /// How many requests it has under way at once, by line.
    pub(crate) fn requests(&self) -> impl Iterator<Item = usize> {
        let lines = match self.next {
            Next::Write(_) => [true, false],
            Next::Lines(lines) => lines.map(|line| line.is_some()),
        };
        lines.into_iter().enumerate().filter_map(|(line, wanted)| wanted.then_some(line))
    }
}

impl Store {
    /// How this request could be answered.
    pub(crate) fn answers(&self, state: &State, worker: &Worker, line: usize) -> &'static [Answer] {
        let product = self.product(worker.order, line);
        let request = match worker.next {
            Next::Write(_) => return &[Answer::Plain, Answer::Lost],
            Next::Lines(lines) => lines[line],
        };
        let is_old = match request {
            Some(Line::HoldWrite(_) | Line::EndWrite(..) | Line::EndForbid) => {
                return &[Answer::Plain, Answer::Lost];
            }
            Some(Line::HoldRead | Line::EndRead(_)) => state.counts[product].before.is_some(),
            Some(Line::HoldShort | Line::HoldExists | Line::EndFind(_)) => {
                state.reservations[worker.order][product].before.is_some()
            }
            None => false,
        };
        if is_old { &[Answer::Plain, Answer::Old] } else { &[Answer::Plain] }
    }

    /// A worker that waited is handed a message and reads its order. `None` when it then has nothing to do.
    pub(crate) fn deliver(&self, state: &mut State, order: usize, answer: Answer, late: bool) -> Option<()> {
        let idle = state.workers.iter().position(Option::is_none)?;
        let (sight, fresh) = state.orders[order].read(answer);
        let worker = self.decide(order, (sight, fresh), [Known::Unknown; TWO], late)?;
        state.workers[idle] = Some(worker);
        Some(())
    }

    /// A worker that waited begins from a sight of its order that somebody else has outdated since. It is not `late`: an old
    /// bell is read for.
    pub(crate) fn try_sight(&self, state: &mut State, order: usize, sight: Order) -> Option<()> {
        let idle = state.workers.iter().position(Option::is_none)?;
        let worker = self.decide(order, (sight, false), [Known::Unknown; TWO], false)?;
        state.workers[idle] = Some(worker);
        Some(())
    }

    /// The worker's next request, and what it makes of the answer. `None` when it could not end like this.
    pub(crate) fn request(
        &self,
        state: &mut State,
        (at, line): (usize, usize),
        answer: Answer,
        late: bool,
    ) -> Option<()> {
        let worker = state.workers[at].clone()?;
        let order = worker.order;
        match worker.next {
            Next::Write(change) => {
                let written = self.advance(state, order, (worker.sight, worker.fresh), change);
                state.workers[at] = match (written, answer) {
                    (true, Answer::Plain) => {
                        self.decide(order, (state.orders[order].now, true), worker.known, late)
                    }
                    (false, Answer::Lost) => return None,
                    // Overtaken, or so it seems: it forgets everything and has to read again.
                    (_, _) => None,
                };
            }
            Next::Lines(lines) => {
                let progress = self.line(state, order, (line, lines[line]?), answer)?;
                // The write may have outdated what the same worker's other line has seen.
                let worker = state.workers[at].take()?;
                state.workers[at] = self.proceed(worker, line, progress, late);
            }
        }
        Some(())
    }

    fn proceed(&self, mut worker: Worker, line: usize, progress: Progress, late: bool) -> Option<Worker> {
        let Next::Lines(mut lines) = worker.next else { return Some(worker) };
        match progress {
            Progress::At(next) => lines[line] = Some(next),
            Progress::Through(known) => {
                lines[line] = None;
                worker.known[self.product(worker.order, line)] = known;
            }
        }
        worker.next = Next::Lines(lines);
        if lines != [None; TWO] {
            return Some(worker);
        }
        self.decide(worker.order, (worker.sight, worker.fresh), worker.known, late)
    }

    /// The worker after the decision; `None` when it is through with the message or has to read the order again. The latter
    /// is the same here, for any order's message may be delivered at any time.
    fn decide(
        &self,
        order: usize,
        (sight, fresh): (Order, bool),
        known: [Known; TWO],
        late: bool,
    ) -> Option<Worker> {
        let begin = |mask: [bool; TWO], first: Line| Next::Lines(mask.map(|wanted| wanted.then_some(first)));
        let next = match self.rules.step(order, sight, known, late) {
            Move::Hold(mask) => begin(mask, Line::HoldRead),
            Move::End(end, mask) => begin(mask, Line::EndFind(end)),
            Move::Write(_) if !fresh && !self.is(Mutation::ConfirmsWithoutIfMatch) => return None,
            Move::Write(change) => Next::Write(change),
            Move::Reread | Move::Done => return None,
        };
        Some(Worker { order, sight, fresh, known, next })
    }

    fn product(&self, order: usize, line: usize) -> usize {
        self.rules.lines(order).get(line).map_or(0, |line| line.0)
    }

    /// One request of a verb of the ledger.
    fn line(
        &self,
        state: &mut State,
        order: usize,
        (index, line): (usize, Line),
        answer: Answer,
    ) -> Option<Progress> {
        let place = (order, self.product(order, index));
        let counts = state.counts[place.1];
        let (found, found_fresh) = state.reservations[order][place.1].read(answer);
        let lost = answer == Answer::Lost;
        Some(match line {
            Line::HoldRead => Progress::At(match self.sight_to_hold(place, counts.read(answer)) {
                Some(sight) => Line::HoldWrite(sight),
                None => Line::HoldShort,
            }),
            Line::HoldWrite(sight) => match self.hold(state, place, sight) {
                Held::Done if lost => Progress::At(Line::HoldExists),
                _ if lost => return None,
                Held::Done => Progress::Through(Known::Held),
                Held::Exists => Progress::At(Line::HoldExists),
                Held::Changed => Progress::At(Line::HoldRead),
            },
            Line::HoldShort if found == Reservation::Absent => Progress::Through(Known::Refused),
            Line::HoldExists if found == Reservation::Absent => Progress::At(Line::HoldRead),
            Line::HoldShort | Line::HoldExists => Progress::Through(found.into()),
            Line::EndFind(end) => match (end, found) {
                (_, Reservation::Held) if found_fresh => Progress::At(Line::EndRead(end)),
                (_, Reservation::Held) => return None,
                (End::Release, Reservation::Absent) => Progress::At(Line::EndForbid),
                (End::Take | End::Release, ended) => Progress::Through(ended.into()),
            },
            Line::EndRead(end) => Progress::At(match self.sight_to_end(end, place, counts.read(answer)) {
                Some(sight) if sight.fresh || self.is(Mutation::CountsWithoutIfMatch) => {
                    Line::EndWrite(end, sight)
                }
                // Bound to be refused, or the counts are an older sight than the reservation: once more.
                Some(_) | None => Line::EndFind(end),
            }),
            Line::EndWrite(end, sight) => {
                self.end(state, end, place, sight);
                match (end, lost) {
                    (_, true) => Progress::At(Line::EndFind(end)),
                    (End::Take, false) => Progress::Through(Known::Taken),
                    (End::Release, false) => Progress::Through(Known::Released),
                }
            }
            Line::EndForbid => match (self.forbid(state, place), lost) {
                (true, false) => Progress::Through(Known::Released),
                (false, true) => return None,
                (true, true) | (false, false) => Progress::At(Line::EndFind(End::Release)),
            },
        })
    }

    /// Somebody else than a worker changes the order, on a sight that is true when it writes.
    pub(crate) fn intervene(&self, state: &mut State, order: usize, change: Change) -> bool {
        let sight = state.orders[order].now;
        self.advance(state, order, (sight, true), change)
    }
}
