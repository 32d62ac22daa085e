//! The order protocol, model-checked: every state that two workers, two orders and two products can get into is visited.
//!
//! The documents of the store, the workers between any two of their requests, the customer, the courier, recovery and the
//! queue are the state; one action is one request or one act of those around. Every decision is the crate's own:
//! `next_step`, the transitions of `Order`, the arithmetic of `Stock` (`model/rules.rs`). The requests of a verb, their
//! order and their conditions are written again here, after `store::stock` and `store::orders` (`model/worker.rs`,
//! `model/store.rs`); the lines of an order proceed independently of each other, as they do in the handler. A hold on
//! remembered counts is a hold right after a read, or refused without effect; holds that ride in one batch are holds with
//! nothing in between; so neither has an action of its own.
//!
//! Without a bound, at any moment: a message about any order is delivered, for the first time or again (so the queue
//! needs no place in the state: whatever it, `PlaceOrder` or recovery may ring or lose is among it), a worker begins
//! from the order that a bell brings, as it was first written, cancelled or shipped, without reading it, a worker is
//! killed, a customer cancels, the courier ships, the queue or recovery gives up on an order, and a worker's clock is
//! past the deadline or not, whatever the other's says. Bounded, and drawn from one purse: reads that answer with the
//! version before the last one, and writes that take effect while their answer is lost and the client's retry finds
//! them there. The purse is empty for two products and holds two for one product; `WIDGETCO_MODEL_FAULTS=1` at compile
//! time fills it for all. A request that is still under way when its worker dies is a worker that dies after it.
//!
//! Safety is a set of `always` properties. Liveness is one as well: from every reachable state, a shop in which nobody
//! meddles any more (workers work, recovery rings for what has work) comes to rest, with every order confirmed, or
//! settled in a terminal state. In a finite graph that is "eventually, if what stays possible happens at some time".
//! `eventually` of the checker is not used, because it looks only at the ends of paths and overlooks cycles, and this
//! graph is full of cycles.
//!
//! What it does not prove: that the store keeps to these conditions, and that the handler makes these requests (the tests
//! on the emulator do that); more orders, workers or lines than two; reads older than one version; the limits on
//! attempts and steps, at which a worker only gives up, as if it were killed; adjustments of stock; expiry of tombstones;
//! bells that end after `POISONINGS_MAX`. States are told apart by a hash of 64 bits.
#![cfg(test)]

mod mutants;
mod rules;
mod state;
mod store;
mod worker;

use std::collections::HashSet;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Mutex;

use stateright::{Checker, Model, Property};

use self::mutants::Mutation;
use self::rules::{Rules, Scenario};
use self::state::{
    Action, Answer, Change, Counts, Document, Events, Line, Next, Order, Reservation, Stage, State, TWO,
    Worker,
};
use self::store::Store;

/// One order over both products, the other over more of the first than would then remain.
const ONE_OVER_BOTH: Scenario = Scenario { demands: [&[(0, 1), (1, 1)], &[(0, 2)]], stock: [2, 1] };
/// Two orders over the same two products, of each of which there is one piece.
const BOTH_OVER_BOTH: Scenario = Scenario { demands: [&[(0, 1), (1, 1)], &[(0, 1), (1, 1)]], stock: [1, 1] };
/// Two orders for the same last piece.
const LAST_PIECE: Scenario = Scenario { demands: [&[(0, 1)], &[(0, 1)]], stock: [1, 0] };
/// Two orders for one product, of which there is enough.
const ENOUGH: Scenario = Scenario { demands: [&[(0, 1)], &[(0, 1)]], stock: [2, 0] };
/// An order whose demand nobody summed.
const SAME_PRODUCT_TWICE: Scenario = Scenario { demands: [&[(0, 1), (0, 1)], &[(1, 1)]], stock: [1, 1] };
/// Requests and deliveries that a shop left alone may need until nothing is left to do.
const CALM_STEPS_MAX: usize = 200;

const COUNTS_STAY_ORDERED: &str = "0 <= held <= on hand";
const HELD_IS_EXPLAINED: &str = "held is the sum of the held reservations";
const ON_HAND_IS_EXPLAINED: &str = "on hand is the first stock less what was taken";
const TERMINAL_STAYS: &str = "a terminal order keeps its status";
const ONE_EVENT_DECIDES: &str = "an order has exactly the events of its status";
const SETTLED_HOLDS_NOTHING: &str = "a settled order holds nothing";
const NEVER_OVERSOLD: &str = "no more is sold than there was";
const SOLD_IS_SET_ASIDE: &str = "what is sold is held or taken";
const NEVER_BACKWARDS: &str = "a reservation never goes backwards";
const COMES_TO_REST: &str = "left alone, every order is decided and settled";

/// The shop: the store, what was in it at first, and how much may go wrong.
struct Shop {
    store: Store,
    stock: [u32; TWO],
    faults: u8,
    /// States from which the calm is known to come.
    calm: Mutex<HashSet<u64>>,
}

impl Shop {
    fn new(Scenario { demands, stock }: Scenario, faults: u8, mutation: Option<Mutation>) -> Self {
        Self { store: Store { rules: Rules::new(demands), mutation }, stock, faults, calm: Mutex::default() }
    }

    fn has_work(&self, state: &State, order: usize) -> bool {
        self.store.rules.has_work(order, state.orders[order].now)
    }

    fn requests(&self, state: &State, actions: &mut Vec<Action>) {
        for (at, worker) in state.workers.iter().enumerate() {
            let Some(worker) = worker else { continue };
            actions.push(Action::Crash { worker: at });
            // Lateness matters to who decides about a pending order next.
            let decides = worker.sight.stage == Stage::Pending && worker.requests().count() == 1;
            for line in worker.requests() {
                for answer in self.store.answers(state, worker, line) {
                    if state.faults > 0 || *answer == Answer::Plain {
                        let request = |late| Action::Request { worker: at, line, answer: *answer, late };
                        actions.push(request(false));
                        actions.extend(decides.then(|| request(true)));
                    }
                }
            }
        }
    }

    fn world(&self, state: &State, order: usize, actions: &mut Vec<Action>) {
        let document = state.orders[order];
        if state.workers.contains(&None) {
            let deliver = |answer| [false, true].map(|late| Action::Deliver { order, answer, late });
            actions.extend(deliver(Answer::Plain));
            if state.faults > 0 && document.before.is_some() {
                actions.extend(deliver(Answer::Old));
            }
            actions.extend(rung_before(document.now).map(|sight| Action::Try { order, sight }));
        }
        match document.now.stage {
            Stage::Pending => actions.extend([Action::Cancel { order }, Action::GiveUp { order }]),
            Stage::Confirmed => actions.extend([Action::Cancel { order }, Action::Ship { order }]),
            Stage::Failed | Stage::Shipped | Stage::Cancelled => {
                if !document.now.settled {
                    actions.push(Action::Note { order });
                }
            }
        }
        if self.store.is(Mutation::RecoveryReleases) {
            actions.extend([0, 1].map(|product| Action::SweepReleases { order, product }));
        }
    }

    fn apply(&self, state: &mut State, action: Action) -> Option<()> {
        let done = match action {
            Action::Deliver { order, answer, late } => {
                state.faults -= u8::from(answer != Answer::Plain);
                self.store.deliver(state, order, answer, late).is_some()
            }
            Action::Try { order, sight } => self.store.try_sight(state, order, sight).is_some(),
            Action::Request { worker, line, answer, late } => {
                state.faults -= u8::from(answer != Answer::Plain);
                self.store.request(state, (worker, line), answer, late).is_some()
            }
            Action::Crash { worker } => state.workers[worker].take().is_some(),
            Action::Cancel { order } => self.store.intervene(state, order, Change::Cancel),
            Action::Ship { order } => self.store.intervene(state, order, Change::Ship),
            Action::GiveUp { order } => self.store.intervene(state, order, Change::Fail),
            Action::Note { order } => {
                self.store.write_order(state, order, state.orders[order].now);
                true
            }
            Action::SweepReleases { order, product } => self.store.sweep(state, (order, product)),
        };
        done.then_some(())
    }

    /// What happens when nobody meddles any more: workers work, and recovery rings. `None`: nothing is left to do.
    fn left_alone(&self, state: &State) -> Option<Action> {
        let busy = state.workers.iter().enumerate().find_map(|(at, worker)| Some((at, worker.as_ref()?)));
        if let Some((worker, busy)) = busy {
            let line = busy.requests().next()?;
            return Some(Action::Request { worker, line, answer: Answer::Plain, late: false });
        }
        let rings = |order: &usize| {
            let forgotten = self.store.is(Mutation::RingsOnlyForPending)
                && state.orders[*order].now.stage != Stage::Pending;
            self.has_work(state, *order) && !forgotten
        };
        let rung = (0..TWO).find(rings);
        rung.map(|order| Action::Deliver { order, answer: Answer::Plain, late: false })
    }

    /// Whether the shop, left alone, comes to rest with every order decided and settled or confirmed.
    fn comes_to_rest(&self, state: &State) -> bool {
        let mut walked = Vec::new();
        let mut state = state.clone();
        for _ in 0..CALM_STEPS_MAX {
            let mut hasher = DefaultHasher::new();
            state.hash(&mut hasher);
            let hash = hasher.finish();
            if self.calm.lock().unwrap().contains(&hash) {
                break;
            }
            walked.push(hash);
            let Some(action) = self.left_alone(&state) else {
                if (0..TWO).any(|order| self.has_work(&state, order)) {
                    return false;
                }
                break;
            };
            let Some(next) = self.next_state(&state, action) else { return false };
            state = next;
        }
        let rests = walked.len() < CALM_STEPS_MAX;
        if rests {
            self.calm.lock().unwrap().extend(walked);
        }
        rests
    }
}

impl Shop {
    /// Pieces of the product in reservations of this kind.
    fn sum(&self, state: &State, product: usize, kind: Reservation) -> u32 {
        let orders = (0..TWO).filter(|order| state.reservations[*order][product].now == kind);
        orders.map(|order| self.store.rules.pieces(order, product)).sum()
    }

    /// Pieces of the product that customers were told are theirs.
    fn sold(&self, state: &State, product: usize) -> u32 {
        let orders = (0..TWO)
            .filter(|order| matches!(state.orders[*order].now.stage, Stage::Confirmed | Stage::Shipped));
        orders.map(|order| self.store.rules.demand(order, product)).sum()
    }

    /// Whether every line of a sold order is held, or taken once it is shipped.
    fn is_set_aside(&self, state: &State, order: usize) -> bool {
        let Order { stage, settled } = state.orders[order].now;
        self.store.rules.lines(order).iter().all(|(product, _)| {
            match (stage, state.reservations[order][*product].now) {
                (Stage::Confirmed, kind) => kind == Reservation::Held,
                (Stage::Shipped, Reservation::Held) => !settled,
                (Stage::Shipped, kind) => kind == Reservation::Taken,
                (Stage::Pending | Stage::Failed | Stage::Cancelled, _) => true,
            }
        })
    }

    /// Whether somebody is about to hold for an order that has ended.
    fn meets_tombstone(&self, state: &State) -> bool {
        state.workers.iter().flatten().any(|worker| {
            let Next::Lines(lines) = worker.next else { return false };
            lines.iter().zip(self.store.rules.lines(worker.order)).any(|(line, (product, _))| {
                let ended = state.reservations[worker.order][*product].now == Reservation::Released;
                ended && matches!(line, Some(Line::HoldWrite(sight)) if sight.fresh)
            })
        })
    }
}

/// The orders in bells that were rung before this order came to be what it is, and are out of date. One in which the same
/// is left to do is a worker that read, and an order that was noted after that.
fn rung_before(now: Order) -> impl Iterator<Item = Order> {
    let placed = (now != Order::default()).then(Order::default);
    let changed = matches!(now, Order { stage: Stage::Shipped | Stage::Cancelled, settled: true });
    placed.into_iter().chain(changed.then_some(Order { settled: false, ..now }))
}

/// Whether exactly the events that lead to the stage are there.
fn is_explained(stage: Stage, events: Events) -> bool {
    let Events { confirmed, failed, shipped, cancelled } = events;
    match stage {
        Stage::Pending => events == Events::default(),
        Stage::Confirmed => confirmed && !failed && !shipped && !cancelled,
        Stage::Failed => failed && !confirmed && !shipped && !cancelled,
        Stage::Shipped => shipped && confirmed && !failed && !cancelled,
        Stage::Cancelled => cancelled && !failed && !shipped,
    }
}

impl Model for Shop {
    type State = State;
    type Action = Action;

    fn init_states(&self) -> Vec<State> {
        vec![State {
            orders: [Document::default(); TWO],
            events: [Events::default(); TWO],
            counts: self.stock.map(|on_hand| Document::new(Counts { on_hand, ..Counts::default() })),
            reservations: [[Document::default(); TWO]; TWO],
            workers: [None, None],
            faults: self.faults,
            reopened: false,
            reversed: false,
        }]
    }

    fn actions(&self, state: &State, actions: &mut Vec<Action>) {
        self.requests(state, actions);
        for order in 0..TWO {
            self.world(state, order, actions);
        }
    }

    fn next_state(&self, state: &State, action: Action) -> Option<State> {
        let mut next = state.clone();
        self.apply(&mut next, action)?;
        next.workers.sort();
        if next.faults == 0 {
            next.forget();
        }
        (next != *state).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always(COUNTS_STAY_ORDERED, |_, state: &State| {
                state.counts.iter().all(|counts| counts.now.held <= counts.now.on_hand)
            }),
            Property::always(HELD_IS_EXPLAINED, |shop: &Self, state: &State| {
                (0..TWO).all(|product| {
                    state.counts[product].now.held == shop.sum(state, product, Reservation::Held)
                })
            }),
            Property::always(ON_HAND_IS_EXPLAINED, |shop: &Self, state: &State| {
                (0..TWO).all(|product| {
                    let Counts { on_hand, taken, .. } = state.counts[product].now;
                    let sum = shop.sum(state, product, Reservation::Taken);
                    taken == u64::from(sum) && on_hand + sum == shop.stock[product]
                })
            }),
            Property::always(TERMINAL_STAYS, |_, state: &State| !state.reopened),
            Property::always(ONE_EVENT_DECIDES, |_, state: &State| {
                (0..TWO).all(|order| is_explained(state.orders[order].now.stage, state.events[order]))
            }),
            Property::always(SETTLED_HOLDS_NOTHING, |_, state: &State| {
                (0..TWO).all(|order| {
                    let holds = state.reservations[order].iter().any(|one| one.now == Reservation::Held);
                    !(state.orders[order].now.settled && holds)
                })
            }),
            Property::always(NEVER_OVERSOLD, |shop: &Self, state: &State| {
                (0..TWO).all(|product| shop.sold(state, product) <= shop.stock[product])
            }),
            Property::always(SOLD_IS_SET_ASIDE, |shop: &Self, state: &State| {
                (0..TWO).all(|order| shop.is_set_aside(state, order))
            }),
            Property::always(NEVER_BACKWARDS, |_, state: &State| !state.reversed),
            Property::always(COMES_TO_REST, Self::comes_to_rest),
            Property::sometimes("an order is shipped and settled", |_, state: &State| {
                state.orders.iter().any(|order| order.now.stage == Stage::Shipped && order.now.settled)
            }),
            Property::sometimes("one order is confirmed while the other is refused", |_, state: &State| {
                state.events[0].confirmed && state.events[1].failed
            }),
            Property::sometimes("two workers write the same order", |_, state: &State| {
                let writes = |worker: &Worker| matches!(worker.next, Next::Write(_)) && worker.fresh;
                let mut writers = state.workers.iter().flatten().filter(|worker| writes(worker));
                let orders = (writers.next(), writers.next());
                matches!(orders, (Some(one), Some(other)) if one.order == other.order)
            }),
            Property::sometimes("a late hold meets a tombstone", Self::meets_tombstone),
        ]
    }
}

#[expect(clippy::print_stdout, reason = "the size of the proof is its result")]
fn report(text: &str) {
    println!("{text}");
}

fn check(name: &str, scenario: Scenario, faults: u8) {
    let checker = Shop::new(scenario, faults, None).checker().threads(2).spawn_bfs().join();
    report(&format!(
        "model: {name}, faults {faults}: {} unique states, {} ways into them, at most {} actions deep",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth()
    ));
    checker.assert_properties();
}

/// How many old reads and lost answers are allowed over two products; more than none takes minutes in a debug build.
fn faults_wanted() -> Option<u8> {
    option_env!("WIDGETCO_MODEL_FAULTS").map(|text| text.parse().unwrap())
}

#[test]
fn two_orders_over_two_products_keep_every_promise_in_every_interleaving() {
    check("one order over both products", ONE_OVER_BOTH, faults_wanted().unwrap_or(0));
    if let Some(faults) = faults_wanted() {
        check("both orders over both products", BOTH_OVER_BOTH, faults);
    }
}

#[test]
fn two_orders_for_the_last_piece_keep_every_promise_under_old_reads_and_lost_answers() {
    check("two orders for the last piece", LAST_PIECE, faults_wanted().unwrap_or(0).max(2));
}
