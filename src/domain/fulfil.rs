//! The workflow of an order, whole, as one pure function: what is seen goes in, the next step comes out.
//!
//! Does not perform steps, and does not trust what is seen to be new: a step on a stale sight is refused by the store.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::domain::id::ProductId;
use crate::domain::order::{Failure, Line, Order, Shortage, Status};

/// Steps that one delivery of a message may take; a one-line order needs three.
pub const STEPS_MAX: u32 = 16;
/// How long an order may stay undecided before it is failed.
pub const UNDECIDED_MAX: TimeDelta = TimeDelta::hours(24);

/// What is known of an order's reservation of one product.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// There is none.
    Absent,
    /// The pieces are held.
    Held,
    /// The pieces were shipped.
    Taken,
    /// The pieces are on sale again, or never were held and never will be.
    Released,
    /// A hold was refused for lack of stock; there is none.
    Refused {
        /// Pieces that could be sold at that moment.
        available: u32,
    },
}

/// What is known of an order's reservations. A product that is not in the map has not been looked at.
pub type Reservations = BTreeMap<ProductId, Seen>;

/// What is to be done next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Hold these lines, all products at once.
    Hold(Vec<Line>),
    /// Confirm the order.
    Confirm,
    /// Fail the order.
    Fail(Failure),
    /// Take these lines out of stock.
    Take(Vec<Line>),
    /// Put these lines back on sale, or forbid that they are ever held.
    Release(Vec<Line>),
    /// Mark the order settled.
    Settle,
    /// What is seen cannot be true at once: read again.
    Reread,
    /// Nothing is left to do.
    Done,
}

/// The next step of this order, given what is known of its reservations.
pub fn next_step(order: &Order, reservations: &Reservations, now: DateTime<Utc>) -> Step {
    let seen = |line: &Line| reservations.get(&line.product_id).copied();
    let lines_where = |wanted: fn(Option<Seen>) -> bool| {
        order.lines.iter().filter(|line| wanted(seen(line))).cloned().collect()
    };
    match order.status {
        Status::Pending => pending_step(order, reservations, now),
        Status::Confirmed => Step::Done,
        Status::Shipped | Status::Failed | Status::Cancelled if order.settled => Step::Done,
        Status::Shipped => {
            let to_take: Vec<Line> = lines_where(|seen| matches!(seen, None | Some(Seen::Held)));
            let wrong: Vec<Line> = lines_where(|seen| !matches!(seen, None | Some(Seen::Held | Seen::Taken)));
            match (to_take.is_empty(), wrong.is_empty()) {
                (_, false) => Step::Reread,
                (false, true) => Step::Take(to_take),
                (true, true) => Step::Settle,
            }
        }
        Status::Failed | Status::Cancelled => {
            let to_release: Vec<Line> =
                lines_where(|seen| !matches!(seen, Some(Seen::Taken | Seen::Released)));
            let wrong: Vec<Line> = lines_where(|seen| matches!(seen, Some(Seen::Taken)));
            match (to_release.is_empty(), wrong.is_empty()) {
                (_, false) => Step::Reread,
                (false, true) => Step::Release(to_release),
                (true, true) => Step::Settle,
            }
        }
    }
}

fn pending_step(order: &Order, reservations: &Reservations, now: DateTime<Utc>) -> Step {
    if is_too_old(order.status, order.placed_at, now) {
        return Step::Fail(Failure::Expired);
    }
    let (mut to_hold, mut shortages) = (Vec::new(), Vec::new());
    for line in &order.lines {
        match reservations.get(&line.product_id) {
            Some(Seen::Held) => {}
            None | Some(Seen::Absent) => to_hold.push(line.clone()),
            Some(Seen::Taken | Seen::Released) => return Step::Reread,
            Some(Seen::Refused { available }) => shortages.push(Shortage {
                product_id: line.product_id.clone(),
                requested: line.quantity,
                available: *available,
            }),
        }
    }
    match (shortages.is_empty(), to_hold.is_empty()) {
        (false, _) => Step::Fail(Failure::OutOfStock { shortages }),
        (true, false) => Step::Hold(to_hold),
        (true, true) => Step::Confirm,
    }
}

/// Whether an order has been pending for so long that nobody waits for it any more.
pub fn is_too_old(status: Status, placed_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    status == Status::Pending && now - placed_at > UNDECIDED_MAX
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::order::tests::{NOW, pending};
    use crate::domain::order::{Decision, ShipmentClaim};

    fn see(pairs: &[(&str, Seen)]) -> Reservations {
        pairs.iter().map(|(id, seen)| (ProductId::parse(id).unwrap(), *seen)).collect()
    }

    fn ids(lines: &[Line]) -> Vec<&str> {
        lines.iter().map(|line| line.product_id.as_str()).collect()
    }

    fn two() -> Order {
        pending(&[("a", 1), ("b", 2)])
    }

    fn shipped() -> Order {
        match two().confirm(NOW).unwrap().order.ship(&ShipmentClaim::default(), NOW) {
            Decision::Change(transition) => transition.order,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn pending_order_holds_what_is_absent_then_confirms() {
        assert_eq!(next_step(&two(), &see(&[]), NOW), Step::Hold(two().lines));
        let half = see(&[("a", Seen::Held), ("b", Seen::Absent)]);
        assert_eq!(next_step(&two(), &half, NOW), Step::Hold(two().lines[1..].to_vec()));
        assert_eq!(next_step(&two(), &see(&[("a", Seen::Held), ("b", Seen::Held)]), NOW), Step::Confirm);
    }

    #[test]
    fn refused_hold_fails_with_the_lines_that_lacked() {
        let seen = see(&[("a", Seen::Held), ("b", Seen::Refused { available: 1 })]);
        let Step::Fail(Failure::OutOfStock { shortages }) = next_step(&two(), &seen, NOW) else { panic!() };
        assert_eq!(
            (shortages[0].product_id.as_str(), shortages[0].requested, shortages[0].available),
            ("b", 2, 1)
        );
        assert_eq!(shortages.len(), 1);
    }

    #[test]
    fn ended_reservation_of_a_pending_order_is_a_stale_sight() {
        for stale in [Seen::Taken, Seen::Released] {
            assert_eq!(next_step(&two(), &see(&[("a", stale), ("b", Seen::Held)]), NOW), Step::Reread);
        }
    }

    #[test]
    fn shipped_order_takes_then_settles() {
        let seen = see(&[("a", Seen::Taken), ("b", Seen::Held)]);
        let Step::Take(lines) = next_step(&shipped(), &seen, NOW) else { panic!() };
        assert_eq!(ids(&lines), ["b"]);
        let seen = see(&[("a", Seen::Taken), ("b", Seen::Taken)]);
        assert_eq!(next_step(&shipped(), &seen, NOW), Step::Settle);
        assert_eq!(next_step(&shipped(), &see(&[("a", Seen::Absent)]), NOW), Step::Reread);
        assert_eq!(next_step(&shipped().settle(), &see(&[]), NOW), Step::Done);
    }

    #[test]
    fn failed_order_releases_even_what_was_never_held() {
        let failed = two().fail(Failure::Expired, NOW).unwrap().order;
        let seen = see(&[("a", Seen::Refused { available: 0 })]);
        let Step::Release(lines) = next_step(&failed, &seen, NOW) else { panic!() };
        assert_eq!(ids(&lines), ["a", "b"]);
        let seen = see(&[("a", Seen::Released), ("b", Seen::Released)]);
        assert_eq!(next_step(&failed, &seen, NOW), Step::Settle);
    }

    #[test]
    fn order_that_waited_too_long_fails_even_with_stock() {
        let late = NOW + UNDECIDED_MAX + TimeDelta::milliseconds(1);
        assert_eq!(next_step(&two(), &see(&[]), late), Step::Fail(Failure::Expired));
        assert_eq!(next_step(&two().confirm(NOW).unwrap().order, &see(&[]), late), Step::Done);
    }
}
