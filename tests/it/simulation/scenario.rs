//! What a seed has in store: products, orders, what else is asked, how many processes serve it, and how bad it gets.
#![cfg(test)]

use super::account::{REGIONS, Upheavals};
use super::chance::Chance;
use super::job::Wish;

const PRODUCTS: [&str; 3] = ["a", "b", "c"];
const CUSTOMERS: [&str; 2] = ["ada", "bob"];

/// A thing that somebody will ask for. Which order is cancelled or shipped is drawn when the time has come.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    Place(Wish),
    /// Comes as a message, not as a request.
    Checkout(Wish),
    Cancel,
    Ship,
    Adjust {
        product: &'static str,
        delta: i64,
        name: String,
        keyed: bool,
    },
    Count {
        product: &'static str,
        on_hand: u32,
    },
}

#[derive(Debug)]
pub(super) struct Scenario {
    pub(super) stock: Vec<(&'static str, u32)>,
    pub(super) plans: Vec<Plan>,
    /// The region that each process reads from first; the write region without one.
    pub(super) processes: Vec<Option<&'static str>>,
    /// Deliveries that one process works on at once.
    pub(super) slots: usize,
    /// Requests in a thousand that go wrong.
    pub(super) faults_per_mille: u32,
    /// Bells of recovery while faults last.
    pub(super) recoveries: u32,
    /// How often the clock jumps by more than a day.
    pub(super) long_nights: u32,
    /// How many processes die, to be replaced by new ones.
    pub(super) deaths: u32,
    pub(super) upheavals: Upheavals,
}

impl Scenario {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        let products = &PRODUCTS[..chance.pick(&[2, 2, 3])];
        let stock: Vec<_> = products.iter().map(|product| (*product, chance.between(1, 6))).collect();
        let mut plans: Vec<Plan> = Vec::new();
        for number in 0..chance.between(3, 8) {
            plan_order(chance, products, number, &mut plans);
        }
        plans.extend((0..chance.between(0, 3)).map(|_| Plan::Cancel));
        plans.extend((0..chance.between(1, 4)).map(|_| Plan::Ship));
        for number in 0..chance.between(0, 3) {
            let delta = chance.pick(&[-2, -1, 1, 2, 3]);
            let (name, keyed) = (format!("adjustment-{number}"), chance.happens(500));
            plans.push(Plan::Adjust { product: chance.pick(products), delta, name, keyed });
        }
        for _ in 0..chance.between(0, 2) {
            plans.push(Plan::Count { product: chance.pick(products), on_hand: chance.between(0, 7) });
        }
        // Mixed, but not so much that cancellations come before there is anything to cancel.
        for index in 0..plans.len() {
            let other = (index + chance.below(6)).min(plans.len() - 1);
            plans.swap(index, other);
        }
        let (processes, slots) = chance.pick(&[(2, 1), (1, 2), (2, 2), (3, 1), (1, 4)]);
        let regions = [None, Some(REGIONS[0]), Some(REGIONS[1]), Some(REGIONS[1])];
        Self {
            stock,
            plans,
            processes: (0..processes).map(|_| chance.pick(&regions)).collect(),
            slots,
            faults_per_mille: chance.pick(&[0, 20, 60, 150]),
            recoveries: chance.between(0, 4),
            long_nights: u32::from(chance.happens(80)),
            deaths: chance.pick(&[0, 0, 1, 3]),
            upheavals: Upheavals::draw(chance),
        }
    }
}

/// One order, in one of its ways into the shop; with a key perhaps in two.
fn plan_order(chance: &mut Chance, products: &[&'static str], number: u32, plans: &mut Vec<Plan>) {
    let customer = chance.pick(&CUSTOMERS);
    let line = |_| (chance.pick(products), chance.between(1, 3));
    let mut lines: Vec<_> = (0..3).map(line).collect();
    lines.truncate(chance.pick(&[1, 1, 2, 2, 3]));
    let key = Some(format!("key-{number}"));
    match chance.below(6) {
        0 | 1 => plans.push(Plan::Place(Wish { customer, key: None, lines })),
        2 | 3 => plans.push(Plan::Place(Wish { customer, key, lines })),
        4 => plans.push(Plan::Checkout(Wish { customer, key, lines })),
        _ => {
            let wish = Wish { customer, key, lines };
            plans.extend([Plan::Checkout(wish.clone()), Plan::Place(wish)]);
        }
    }
}
