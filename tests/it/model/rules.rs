//! The crate's own decisions, asked for in the model's compact form.
//!
//! `next_step`, the transitions of `Order` and the arithmetic of `Stock` are the production code. What depends on few
//! inputs is asked for once per input and remembered, so that millions of states can be visited in a debug build.
#![cfg(test)]

use chrono::{DateTime, TimeDelta, Utc};
use widgetco::domain::draft::{Demand, OrderRequest};
use widgetco::domain::fulfil::{Reservations, Seen, Step, UNDECIDED_MAX, next_step};
use widgetco::domain::id::{CustomerId, OrderId, ProductId, Sku};
use widgetco::domain::money::{Currency, Money};
use widgetco::domain::order::{self, Decision, Failure, ShipmentClaim, Transition};
use widgetco::domain::product::{Details, Product};
use widgetco::domain::stock::{Stock, StockRefusal};

use super::state::{Change, Counts, End, Known, Order, Stage, TWO};

const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

/// What the orders ask for: per line a product and how many pieces of it.
pub(crate) type Demands = [&'static [(usize, u32)]; TWO];

/// What is ordered, and what there is of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scenario {
    pub(crate) demands: Demands,
    pub(crate) stock: [u32; TWO],
}

/// A decision of `next_step`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Move {
    Hold([bool; TWO]),
    End(End, [bool; TWO]),
    Write(Change),
    Reread,
    Done,
}

/// The decisions about two orders.
pub(crate) struct Rules {
    demands: Demands,
    products: Vec<ProductId>,
    moves: Vec<Move>,
    changes: Vec<Option<Stage>>,
    has_work: Vec<bool>,
}

impl Rules {
    pub(crate) fn new(demands: Demands) -> Self {
        let products: Vec<ProductId> = ["a", "b"].map(|id| ProductId::parse(id).unwrap()).into();
        let mut rules =
            Self { demands, products, moves: Vec::new(), changes: Vec::new(), has_work: Vec::new() };
        for order in 0..TWO {
            for stage in Stage::ALL {
                for settled in [false, true] {
                    let real = order::Order { settled, ..rules.real(order, stage) };
                    rules.has_work.push(real.has_work());
                    rules.changes.extend(CHANGES.map(|change| changed(&real, change)));
                    for now in [NOW, NOW + UNDECIDED_MAX + TimeDelta::milliseconds(1)] {
                        for a in Known::ALL {
                            for b in Known::ALL {
                                let step = next_step(&real, &rules.reservations([a, b]), now);
                                rules.moves.push(compact(&real, step));
                            }
                        }
                    }
                }
            }
        }
        rules
    }

    /// The next step of the order.
    pub(crate) fn step(&self, order: usize, sight: Order, known: [Known; TWO], late: bool) -> Move {
        let place = |known: Known| Known::ALL.iter().position(|one| *one == known).unwrap();
        let at = index(order, sight) * 2 + usize::from(late);
        self.moves[(at * Known::ALL.len() + place(known[0])) * Known::ALL.len() + place(known[1])]
    }

    /// The stage after the change; `None` when the order does not allow it.
    pub(crate) fn change(&self, order: usize, sight: Order, change: Change) -> Option<Stage> {
        let place = CHANGES.iter().position(|one| *one == change).unwrap();
        self.changes[index(order, sight) * CHANGES.len() + place]
    }

    /// Whether the order needs a worker.
    pub(crate) fn has_work(&self, order: usize, sight: Order) -> bool {
        self.has_work[index(order, sight)]
    }

    /// Product and pieces of each line.
    pub(crate) fn lines(&self, order: usize) -> &'static [(usize, u32)] {
        self.demands[order]
    }

    /// Pieces that the order's reservation of the product is for.
    pub(crate) fn pieces(&self, order: usize, product: usize) -> u32 {
        let line = self.demands[order].iter().find(|line| line.0 == product);
        line.map_or(0, |line| line.1)
    }

    /// Pieces of the product that the order asks for, in all.
    pub(crate) fn demand(&self, order: usize, product: usize) -> u32 {
        self.demands[order].iter().filter(|line| line.0 == product).map(|line| line.1).sum()
    }

    /// The counts after a hold.
    pub(crate) fn hold(&self, product: usize, counts: Counts, pieces: u32) -> Option<Counts> {
        self.count(product, counts, |stock| stock.hold(pieces, NOW))
    }

    /// The counts after the end of a hold.
    pub(crate) fn end(&self, end: End, product: usize, counts: Counts, pieces: u32) -> Option<Counts> {
        self.count(product, counts, |stock| match end {
            End::Take => stock.take(pieces, NOW),
            End::Release => stock.release(pieces, NOW),
        })
    }

    fn count(
        &self,
        product: usize,
        counts: Counts,
        change: impl FnOnce(&Stock) -> Result<Stock, StockRefusal>,
    ) -> Option<Counts> {
        let Counts { on_hand, held, taken } = counts;
        let product_id = self.products[product].clone();
        let stock = change(&Stock { on_hand, held, taken, ..Stock::none(&product_id, NOW) }).ok()?;
        Some(Counts { on_hand: stock.on_hand, held: stock.held, taken: stock.taken })
    }

    /// The order as the shop would have it, in this stage.
    fn real(&self, order: usize, stage: Stage) -> order::Order {
        let price = Money { amount_minor: 250, currency: Currency::parse("EUR").unwrap() };
        let product = |id: &ProductId| {
            Product::new(Sku::parse(&id.as_str().to_uppercase()).unwrap(), Details::on_sale("W", price), NOW)
        };
        let catalogue: Vec<Product> = self.products.iter().map(product).collect();
        let demand = |&(product, quantity): &(usize, u32)| Demand {
            product_id: self.products[product].clone(),
            quantity,
        };
        let customer_id = CustomerId::parse("ada").unwrap();
        let id = OrderId::from_chance(&customer_id, [u8::try_from(order).unwrap(); 16]);
        let request = OrderRequest {
            customer_id,
            lines: self.demands[order].iter().map(demand).collect(),
            shipping_address: None,
        };
        let pending = order::Order::place(id, &request, &catalogue, NOW).unwrap().order;
        let confirmed = pending.confirm(NOW).unwrap().order;
        match stage {
            Stage::Pending => pending,
            Stage::Confirmed => confirmed,
            Stage::Failed => pending.fail(Failure::Expired, NOW).unwrap().order,
            Stage::Shipped => decided(confirmed.ship(&ShipmentClaim::default(), NOW)).unwrap().order,
            Stage::Cancelled => decided(confirmed.cancel(None, NOW)).unwrap().order,
        }
    }

    fn reservations(&self, known: [Known; TWO]) -> Reservations {
        let seen = |known| match known {
            Known::Unknown => None,
            Known::Absent => Some(Seen::Absent),
            Known::Held => Some(Seen::Held),
            Known::Taken => Some(Seen::Taken),
            Known::Released => Some(Seen::Released),
            Known::Refused => Some(Seen::Refused { available: 0 }),
        };
        let pairs = self.products.iter().zip(known);
        pairs.filter_map(|(id, known)| Some((id.clone(), seen(known)?))).collect()
    }
}

const CHANGES: [Change; 5] = [Change::Confirm, Change::Fail, Change::Ship, Change::Cancel, Change::Settle];

fn index(order: usize, Order { stage, settled }: Order) -> usize {
    let stage = Stage::ALL.iter().position(|one| *one == stage).unwrap();
    (order * Stage::ALL.len() + stage) * 2 + usize::from(settled)
}

fn decided(decision: Decision) -> Option<Transition> {
    match decision {
        Decision::Change(transition) => Some(*transition),
        Decision::Already | Decision::Refused(_) | Decision::Different => None,
    }
}

fn changed(order: &order::Order, change: Change) -> Option<Stage> {
    let transition = match change {
        Change::Confirm => order.confirm(NOW),
        Change::Fail => order.fail(Failure::Expired, NOW),
        Change::Ship => decided(order.ship(&ShipmentClaim::default(), NOW)),
        Change::Cancel => decided(order.cancel(None, NOW)),
        Change::Settle => return Some(order.settle().status.into()),
    };
    Some(transition?.order.status.into())
}

fn compact(order: &order::Order, step: Step) -> Move {
    let mask = |lines: Vec<order::Line>| {
        let mut mask = [false; TWO];
        for (wanted, line) in mask.iter_mut().zip(&order.lines) {
            *wanted = lines.contains(line);
        }
        mask
    };
    match step {
        Step::Hold(lines) => Move::Hold(mask(lines)),
        Step::Take(lines) => Move::End(End::Take, mask(lines)),
        Step::Release(lines) => Move::End(End::Release, mask(lines)),
        Step::Confirm => Move::Write(Change::Confirm),
        Step::Fail(_) => Move::Write(Change::Fail),
        Step::Settle => Move::Write(Change::Settle),
        Step::Reread => Move::Reread,
        Step::Done => Move::Done,
    }
}
