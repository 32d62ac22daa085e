//! An order and its transitions: each gives the order as it would be next and the event that announces it.
//!
//! `pending`, then `confirmed` or `failed`; `confirmed`, then `shipped`; `pending` or `confirmed`, then `cancelled`.
//! Terminal states never change. Does not know how a transition is written, nor what stock there is.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::catalogue::NAME_CHARS_MAX;
use crate::domain::draft::{Invalid, LINES_MAX, OrderRequest, QUANTITY_MAX};
use crate::domain::event::{Event, EventKind};
use crate::domain::id::{CustomerId, Fingerprint, OrderId, ProductId};
use crate::domain::money::{Money, MoneyError};
use crate::domain::product::Product;
use crate::domain::stock::ON_HAND_MAX;

/// Longest carrier name, tracking number or reason, in characters.
pub const TEXT_CHARS_MAX: usize = 200;
/// How long an order may wait for its worker before recovery rings for it.
pub const RING_AFTER: TimeDelta = TimeDelta::minutes(2);
/// By how much that wait grows each time the queue gives up on the order.
const RING_GROWTH: i32 = 4;
/// Longest wait between two bells.
const RING_AFTER_MAX: TimeDelta = TimeDelta::days(1);
/// How often the queue may give up on an order before it is left alone for a person to look at: about a week, long
/// enough for a broken store to be repaired first.
pub const POISONINGS_MAX: u32 = 10;

/// What somebody ordered, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Order {
    /// Its id; begins with its partition.
    pub id: OrderId,
    /// Who placed it.
    pub customer_id: CustomerId,
    /// How far it has come.
    pub status: Status,
    /// Why it came to nothing; present exactly when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Failure>,
    /// Each product once, with name and price as they were when the order was placed.
    pub lines: Vec<Line>,
    /// The sum of the lines.
    pub total: Money,
    /// When it was accepted.
    #[serde(with = "crate::domain::time")]
    pub placed_at: DateTime<Utc>,
    /// When its status last changed.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
    /// When and how it left; present exactly when it shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub shipment: Option<Shipment>,
    /// Present exactly when it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cancellation: Option<Cancellation>,
    /// In a terminal state, and every reservation has ended: nothing is left to do.
    pub settled: bool,
    /// From when on recovery rings for it; absent while no worker is needed, and when it is left for a person.
    #[serde(default, with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    pub ring_at: Option<DateTime<Utc>>,
    /// Since when it is left for a person, because it cannot be settled.
    #[serde(default, with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    pub left_at: Option<DateTime<Utc>>,
    /// How many events it has announced.
    pub events: u32,
    /// What was asked for, so that a replay can be told from a reused key.
    pub fingerprint: Fingerprint,
    /// Whether it said where it goes, which the fingerprint leaves out.
    #[serde(default)]
    pub names_address: bool,
    /// How often the queue gave up on it since its status last changed.
    #[serde(default)]
    pub poisonings: u32,
}

/// How far an order has come.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Status {
    /// Accepted; stock is not checked yet.
    Pending,
    /// All its pieces are held.
    Confirmed,
    /// It came to nothing; terminal.
    Failed,
    /// It left the house; terminal.
    Shipped,
    /// It was called off; terminal.
    Cancelled,
}

impl Status {
    /// The word that stands in documents and answers.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Confirmed => "confirmed",
            Self::Failed => "failed",
            Self::Shipped => "shipped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// One product of an order.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Line {
    /// Which product.
    pub product_id: ProductId,
    /// What it was called when the order was placed.
    #[schemars(length(max = NAME_CHARS_MAX), example = &"Widget, classic")]
    pub name: String,
    /// How many pieces.
    #[schemars(range(min = 1, max = QUANTITY_MAX))]
    pub quantity: u32,
    /// What one piece cost when the order was placed.
    pub unit_price: Money,
}

/// Why an order came to nothing.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "code", rename_all = "camelCase")]
pub enum Failure {
    /// There was too little of these products.
    OutOfStock {
        /// The lines that lacked.
        #[schemars(length(min = 1, max = LINES_MAX))]
        shortages: Vec<Shortage>,
    },
    /// It was not decided in time.
    Expired,
    /// It could not be processed, for a reason that is the shop's fault; operators find it in the logs.
    ProcessingFailed,
}

impl Failure {
    /// The word for it, as documents and answers have it.
    pub fn code(&self) -> &'static str {
        match self {
            Self::OutOfStock { .. } => "outOfStock",
            Self::Expired => "expired",
            Self::ProcessingFailed => "processingFailed",
        }
    }
}

/// A line for which there was too little stock.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shortage {
    /// Which product.
    pub product_id: ProductId,
    /// Pieces asked for.
    #[schemars(range(min = 1, max = QUANTITY_MAX))]
    pub requested: u32,
    /// Pieces that could be sold when it was checked.
    #[schemars(range(max = ON_HAND_MAX))]
    pub available: u32,
}

/// How an order left the house.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Shipment {
    /// The shipping date.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub shipped_at: DateTime<Utc>,
    /// Who carries it.
    #[schemars(length(max = TEXT_CHARS_MAX), example = &"Parcel Express")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
    /// The carrier's number for it.
    #[schemars(length(max = TEXT_CHARS_MAX), example = &"PX-2026-0042")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tracking_number: Option<String>,
}

/// How an order was called off.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cancellation {
    /// When.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub cancelled_at: DateTime<Utc>,
    /// Why, if somebody said.
    #[schemars(length(max = TEXT_CHARS_MAX), example = &"ordered twice")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What the courier says about a shipment; what is absent is not claimed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ShipmentClaim {
    /// The shipping date; the present when absent.
    pub shipped_at: Option<DateTime<Utc>>,
    /// Who carries it.
    pub carrier: Option<String>,
    /// The carrier's number for it.
    pub tracking_number: Option<String>,
}

/// A change that is ready to be written: both parts or neither.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transition {
    /// The order as it will be.
    pub order: Order,
    /// What is announced with it.
    pub event: Event,
}

/// What a request for a change comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It is to be written.
    Change(Box<Transition>),
    /// It was written before; answer the same again.
    Already,
    /// The order is in a state that does not allow it.
    Refused(Status),
    /// The order is in the state that is asked for, but with other details.
    Different,
}

impl Order {
    /// The order without what people wrote to it: the reason of a cancellation, and the number under which a carrier knows whose
    /// parcel it was.
    pub fn without_words(&self) -> Self {
        let cancellation = self.cancellation.clone().map(|told| Cancellation { reason: None, ..told });
        let shipment = self.shipment.clone().map(|told| Shipment { tracking_number: None, ..told });
        Self { cancellation, shipment, ..self.clone() }
    }

    /// A new order, priced from the catalogue's products, and its first event.
    ///
    /// # Errors
    /// A product that is not in `products` or not on sale, or a sum that cannot be formed; a retry does not help.
    pub fn place(
        id: OrderId,
        request: &OrderRequest,
        products: &[Product],
        now: DateTime<Utc>,
    ) -> Result<Transition, Vec<Invalid>> {
        let (mut lines, mut invalid) = (Vec::new(), Vec::new());
        for (index, demand) in request.lines.iter().enumerate() {
            let mut refuse = |why: &str| {
                let detail = format!("{why} {}", demand.product_id);
                invalid.push(Invalid::new(format!("/lines/{index}/productId"), detail));
            };
            match products.iter().find(|product| product.id == demand.product_id) {
                Some(product) if product.is_on_sale() => lines.push(Line {
                    product_id: product.id.clone(),
                    name: product.details.name.clone(),
                    quantity: demand.quantity,
                    unit_price: product.details.price,
                }),
                Some(_) => refuse("there is nothing on sale under"),
                None => refuse("there is no product"),
            }
        }
        let total = total(&lines).map_err(|error| vec![Invalid::new("/lines", error.to_string())]);
        if !invalid.is_empty() {
            return Err(invalid);
        }
        let event = Event::new(&id, 1, EventKind::OrderPlaced, now);
        let order = Self {
            id,
            customer_id: request.customer_id.clone(),
            status: Status::Pending,
            failure: None,
            lines,
            total: total?,
            placed_at: now,
            updated_at: now,
            shipment: None,
            cancellation: None,
            settled: false,
            ring_at: Some(now + RING_AFTER),
            left_at: None,
            events: 1,
            fingerprint: request.fingerprint(),
            names_address: request.shipping_address.is_some(),
            poisonings: 0,
        };
        Ok(Transition { order, event })
    }

    /// Confirms a pending order; `None` when it is not pending.
    pub fn confirm(&self, now: DateTime<Utc>) -> Option<Transition> {
        let pending = self.status == Status::Pending;
        pending.then(|| self.announce(self.clone(), Status::Confirmed, EventKind::OrderConfirmed, now))
    }

    /// Fails a pending order; `None` when it is not pending.
    pub fn fail(&self, failure: Failure, now: DateTime<Utc>) -> Option<Transition> {
        let next = Self { failure: Some(failure.clone()), ..self.clone() };
        let pending = self.status == Status::Pending;
        pending.then(|| self.announce(next, Status::Failed, EventKind::OrderFailed { failure }, now))
    }

    /// Ships a confirmed order.
    pub fn ship(&self, claim: &ShipmentClaim, now: DateTime<Utc>) -> Decision {
        match (self.status, &self.shipment) {
            (Status::Shipped, Some(shipment)) if claim.agrees_with(shipment) => Decision::Already,
            (Status::Shipped, _) => Decision::Different,
            (Status::Confirmed, _) => {
                let shipment = Shipment {
                    shipped_at: claim.shipped_at.unwrap_or(now),
                    carrier: claim.carrier.clone(),
                    tracking_number: claim.tracking_number.clone(),
                };
                let next = Self { shipment: Some(shipment.clone()), ..self.clone() };
                let kind = EventKind::OrderShipped { shipment };
                Decision::Change(Box::new(self.announce(next, Status::Shipped, kind, now)))
            }
            (Status::Pending | Status::Failed | Status::Cancelled, _) => Decision::Refused(self.status),
        }
    }

    /// Calls off a pending or confirmed order. A second call is the same cancellation, whatever reason it gives.
    pub fn cancel(&self, reason: Option<String>, now: DateTime<Utc>) -> Decision {
        match self.status {
            Status::Cancelled => Decision::Already,
            Status::Pending | Status::Confirmed => {
                let cancellation = Cancellation { cancelled_at: now, reason };
                let next = Self { cancellation: Some(cancellation.clone()), ..self.clone() };
                let kind = EventKind::OrderCancelled { cancellation };
                Decision::Change(Box::new(self.announce(next, Status::Cancelled, kind, now)))
            }
            Status::Failed | Status::Shipped => Decision::Refused(self.status),
        }
    }

    /// Fails a pending order, as a decision about any order.
    pub fn give_up(&self, failure: Failure, now: DateTime<Utc>) -> Decision {
        match self.fail(failure, now) {
            Some(transition) => Decision::Change(Box::new(transition)),
            None => Decision::Refused(self.status),
        }
    }

    /// The order with nothing left to do.
    pub fn settle(&self) -> Self {
        Self { settled: true, ring_at: None, left_at: None, ..self.clone() }
    }

    /// The order after the queue gave up on it once more: rung for ever more rarely, and one day not at all.
    pub fn poisoned(&self, now: DateTime<Utc>) -> Self {
        let poisonings = self.poisonings.saturating_add(1);
        let growth = RING_GROWTH.saturating_pow(poisonings);
        let wait = RING_AFTER.checked_mul(growth).unwrap_or(RING_AFTER_MAX).min(RING_AFTER_MAX);
        let (ring_at, left_at) = match poisonings < POISONINGS_MAX {
            true => (Some(now + wait), None),
            false => (None, Some(now)),
        };
        Self { poisonings, ring_at, left_at, ..self.clone() }
    }

    /// Whether `ProcessOrder` has something to do for it.
    pub fn has_work(&self) -> bool {
        match self.status {
            Status::Pending => true,
            Status::Confirmed => false,
            Status::Failed | Status::Shipped | Status::Cancelled => !self.settled,
        }
    }

    fn announce(&self, next: Self, status: Status, kind: EventKind, now: DateTime<Utc>) -> Transition {
        let events = self.events.saturating_add(1);
        let event = Event::new(&self.id, events, kind, now);
        let order = Self { status, events, updated_at: now, poisonings: 0, ..next };
        let ring_at = order.has_work().then_some(now + RING_AFTER);
        Transition { order: Self { ring_at, ..order }, event }
    }
}

impl ShipmentClaim {
    /// Whether everything that is claimed is what was recorded.
    fn agrees_with(&self, shipment: &Shipment) -> bool {
        self.shipped_at.is_none_or(|at| at == shipment.shipped_at)
            && (self.carrier.is_none() || self.carrier == shipment.carrier)
            && (self.tracking_number.is_none() || self.tracking_number == shipment.tracking_number)
    }
}

fn total(lines: &[Line]) -> Result<Money, MoneyError> {
    let Some(first) = lines.first() else {
        return Err(MoneyError::TooLarge);
    };
    let zero = Money::zero(first.unit_price.currency);
    lines.iter().try_fold(zero, |sum, line| sum.plus(line.unit_price.times(line.quantity)?))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::domain::draft::Demand;
    use crate::domain::id::Sku;
    use crate::domain::money::Currency;
    use crate::domain::product::Details;

    pub(crate) const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    pub(crate) fn pending(lines: &[(&str, u32)]) -> Order {
        let customer_id = CustomerId::parse("ada").unwrap();
        let price = Money { amount_minor: 250, currency: Currency::parse("EUR").unwrap() };
        let product = |id: &str| {
            Product::new(
                Sku::parse(&id.to_uppercase()).unwrap(),
                Details::on_sale(id.to_uppercase(), price),
                NOW,
            )
        };
        let products: Vec<_> = lines.iter().map(|(id, _)| product(id)).collect();
        let demand = |(id, quantity): &(&str, u32)| Demand {
            product_id: ProductId::parse(id).unwrap(),
            quantity: *quantity,
        };
        let request = OrderRequest {
            customer_id: customer_id.clone(),
            lines: lines.iter().map(demand).collect(),
            shipping_address: None,
        };
        Order::place(OrderId::from_chance(&customer_id, [7; 16]), &request, &products, NOW).unwrap().order
    }

    fn changed(decision: Decision) -> Order {
        match decision {
            Decision::Change(transition) => transition.order,
            other => panic!("expected a change, got {other:?}"),
        }
    }

    #[test]
    fn placing_copies_names_and_prices_and_sums_them() {
        let order = pending(&[("a", 2), ("b", 3)]);
        assert_eq!(order.total.amount_minor, 5 * 250);
        assert_eq!(order.lines[1].name, "B");
        assert!(order.has_work());
    }

    #[test]
    fn placing_names_every_unknown_product() {
        let order = pending(&[("a", 1)]);
        let unknown = |id| Demand { product_id: ProductId::parse(id).unwrap(), quantity: 1 };
        let request = OrderRequest {
            customer_id: order.customer_id,
            lines: vec![unknown("x"), unknown("y")],
            shipping_address: None,
        };
        let errors = Order::place(order.id, &request, &[], NOW).unwrap_err();
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/lines/0/productId", "/lines/1/productId"]);
    }

    #[test]
    fn terminal_states_never_change() {
        let order = pending(&[("a", 1)]);
        let confirmed = order.confirm(NOW).unwrap().order;
        let failed = order.fail(Failure::Expired, NOW).unwrap().order;
        let shipped = changed(confirmed.ship(&ShipmentClaim::default(), NOW));
        let cancelled = changed(confirmed.cancel(None, NOW));
        for terminal in [&failed, &shipped, &cancelled] {
            assert_eq!(terminal.confirm(NOW), None);
            assert_eq!(terminal.fail(Failure::Expired, NOW), None);
        }
        assert_eq!(failed.cancel(None, NOW), Decision::Refused(Status::Failed));
        assert_eq!(shipped.cancel(None, NOW), Decision::Refused(Status::Shipped));
        assert_eq!(cancelled.cancel(Some("again".into()), NOW), Decision::Already);
        assert_eq!(cancelled.ship(&ShipmentClaim::default(), NOW), Decision::Refused(Status::Cancelled));
        assert_eq!(order.ship(&ShipmentClaim::default(), NOW), Decision::Refused(Status::Pending));
    }

    #[test]
    fn repeated_shipment_agrees_or_is_refused() {
        let claim = ShipmentClaim { carrier: Some("DHL".into()), ..ShipmentClaim::default() };
        let shipped = changed(pending(&[("a", 1)]).confirm(NOW).unwrap().order.ship(&claim, NOW));
        assert_eq!(shipped.ship(&claim, NOW), Decision::Already);
        assert_eq!(shipped.ship(&ShipmentClaim::default(), NOW), Decision::Already);
        let other = ShipmentClaim { carrier: Some("UPS".into()), ..ShipmentClaim::default() };
        assert_eq!(shipped.ship(&other, NOW), Decision::Different);
    }

    #[test]
    fn bells_grow_rare_with_every_poisoning_and_end() {
        let mut order = pending(&[("a", 1)]).fail(Failure::Expired, NOW).unwrap().order;
        let mut waits = Vec::new();
        while let Some(at) = order.ring_at {
            waits.push((at - NOW).num_minutes());
            order = order.poisoned(NOW);
        }
        assert_eq!(waits, [2, 8, 32, 128, 512, 1440, 1440, 1440, 1440, 1440]);
        assert_eq!(order.poisonings, POISONINGS_MAX);
    }

    #[test]
    fn order_is_rung_for_only_while_it_needs_a_worker() {
        let order = pending(&[("a", 1)]);
        assert!(order.ring_at.is_some());
        let confirmed = order.confirm(NOW).unwrap().order;
        assert_eq!(confirmed.ring_at, None);
        let cancelled = changed(confirmed.cancel(None, NOW));
        assert!(cancelled.ring_at.is_some());
        assert_eq!(cancelled.settle().ring_at, None);
    }

    #[test]
    fn events_are_numbered_without_gaps() {
        let order = pending(&[("a", 1)]);
        let confirmed = order.confirm(NOW).unwrap();
        assert_eq!((confirmed.event.sequence, confirmed.order.events), (2, 2));
        assert_eq!(confirmed.event.id, format!("{}-confirmed", order.id));
    }
}
