//! The invariants, checked on the documents themselves, behind the shop's back.
//!
//! Does not know how the documents came about.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use azure_data_cosmos::FeedScope;
use azure_data_cosmos::clients::ContainerClient;
use futures::TryStreamExt;
use serde_json::Value;
use widgetco::domain::id::{CustomerId, Partition};

use super::account::REGIONS;
use super::promises::Promises;
use crate::shop::TestShop;

/// Timelines that an order may have, by its status.
const TIMELINES: [(&str, &[&str]); 5] = [
    ("confirmed", &["orderPlaced", "orderConfirmed"]),
    ("failed", &["orderPlaced", "orderFailed"]),
    ("shipped", &["orderPlaced", "orderConfirmed", "orderShipped"]),
    ("cancelled", &["orderPlaced", "orderCancelled"]),
    ("cancelled", &["orderPlaced", "orderConfirmed", "orderCancelled"]),
];

/// Direct access to the containers that matter, in each region: stock and orders.
pub(super) struct Books {
    containers: Vec<(&'static str, [ContainerClient; 2])>,
    products: Vec<&'static str>,
}

/// All documents at one moment at which nobody moves.
pub(super) struct Page {
    /// The documents of each product.
    stock: Vec<(&'static str, Vec<Value>)>,
    orders: Vec<Value>,
    events: Vec<Value>,
}

/// What stands in a field that must be there.
fn text<'a>(document: &'a Value, field: &str) -> &'a str {
    document[field].as_str().unwrap_or_else(|| panic!("no {field} in {document}"))
}

fn number(document: &Value, field: &str) -> i64 {
    document[field].as_i64().unwrap_or_else(|| panic!("no {field} in {document}"))
}

fn sum<'a>(documents: impl IntoIterator<Item = &'a Value>, field: &str) -> i64 {
    documents.into_iter().map(|document| number(document, field)).sum()
}

impl Books {
    pub(super) async fn of(shop: &TestShop, products: Vec<&'static str>) -> Self {
        let mut containers = Vec::new();
        for region in REGIONS {
            containers.push((region, shop.containers_in(["stock", "orders"], Some(region)).await));
        }
        Self { containers, products }
    }

    /// Reads them where the writes go.
    pub(super) async fn read(&self, region: &str) -> Page {
        let (_, [stock, orders]) = self.containers.iter().find(|(other, _)| *other == region).unwrap();
        let mut page = Page { stock: Vec::new(), orders: Vec::new(), events: Vec::new() };
        for product in &self.products {
            page.stock.push((product, documents(stock, product).await));
        }
        for customer in ["ada", "bob"] {
            let partition = Partition::of(&CustomerId::parse(customer).unwrap());
            for document in documents(orders, partition.as_str()).await {
                let list = if document["type"] == "order" { &mut page.orders } else { &mut page.events };
                list.push(document);
            }
        }
        page
    }
}

async fn documents(container: &ContainerClient, partition: &str) -> Vec<Value> {
    let scope = FeedScope::partition(partition.to_owned());
    container.query_items("SELECT * FROM c", scope, None).await.unwrap().try_collect().await.unwrap()
}

impl Page {
    /// Orders that still need a worker.
    pub(super) fn unfinished(&self) -> usize {
        self.orders.iter().filter(|order| order["status"] != "confirmed" && order["settled"] != true).count()
    }

    pub(super) fn undecided(&self) -> usize {
        self.orders.iter().filter(|order| order["status"] == "pending").count()
    }

    /// What must hold at every moment: the ledger.
    pub(super) fn ledger(&self) -> Vec<String> {
        let mut wrong = Vec::new();
        for (product, documents) in &self.stock {
            let reserved = |state: &'static str| {
                documents.iter().filter(move |one| one["type"] == "reservation" && one["state"] == state)
            };
            let adjusted = documents.iter().filter(|one| one["type"] == "adjustment");
            let counts: Vec<_> = documents.iter().filter(|one| one["type"] == "stock").collect();
            let &[counts] = counts.as_slice() else {
                wrong.push(format!("{product} has {} counts", counts.len()));
                continue;
            };
            let (on_hand, held) = (number(counts, "onHand"), number(counts, "held"));
            let (holds, taken) = (sum(reserved("held"), "quantity"), sum(reserved("taken"), "quantity"));
            let came = sum(adjusted, "delta");
            if held != holds {
                wrong.push(format!("{product}: {held} held, but reservations hold {holds}"));
            }
            if on_hand != came - taken {
                wrong.push(format!("{product}: {on_hand} on hand, but {came} came and {taken} left"));
            }
            if !(0 <= held && held <= on_hand) {
                wrong.push(format!("{product}: {held} held of {on_hand} on hand"));
            }
            let promised: i64 = self
                .orders
                .iter()
                .filter(|order| order["status"] == "confirmed" || order["status"] == "shipped")
                .flat_map(|order| order["lines"].as_array().unwrap())
                .filter(|line| line["productId"] == *product)
                .map(|line| number(line, "quantity"))
                .sum();
            if promised > came {
                wrong.push(format!("OVERSOLD {product}: {promised} promised, but only {came} came"));
            }
        }
        wrong
    }

    /// What must hold when nobody works any more.
    pub(super) fn end(&self, promises: &Promises) -> Vec<String> {
        let mut wrong = self.ledger();
        for order in &self.orders {
            self.check_order(order, &mut wrong);
        }
        self.check_reservations_have_orders(&mut wrong);
        self.check_promises(promises, &mut wrong);
        self.check_adjustments(promises, &mut wrong);
        wrong
    }

    fn check_order(&self, order: &Value, wrong: &mut Vec<String>) {
        let (id, status) = (text(order, "id"), text(order, "status"));
        let mut events: Vec<_> = self.events.iter().filter(|event| event["orderId"] == id).collect();
        events.sort_by_key(|event| number(event, "sequence"));
        let sequences: Vec<_> = events.iter().map(|event| number(event, "sequence")).collect();
        if !sequences.iter().copied().eq(1..=number(order, "events")) {
            wrong.push(format!("{id} announced {} events, but has {sequences:?}", order["events"]));
        }
        let kinds: Vec<_> = events.iter().map(|event| text(event, "kind")).collect();
        if !TIMELINES.iter().any(|(of, timeline)| *of == status && *timeline == kinds.as_slice()) {
            wrong.push(format!("{id} is {status} after {kinds:?}"));
        }
        let state = match status {
            "confirmed" => "held",
            "shipped" => "taken",
            "failed" | "cancelled" => "released",
            _ => return wrong.push(format!("{id} is undecided: {status}")),
        };
        if status != "confirmed" && order["settled"] != true {
            wrong.push(format!("{id} is {status} and never settled"));
        }
        for line in order["lines"].as_array().unwrap() {
            let (product, quantity) = (text(line, "productId"), number(line, "quantity"));
            let documents = self.stock.iter().find(|(other, _)| *other == product).map(|(_, all)| all);
            let found = documents.into_iter().flatten().find(|one| one["id"] == id);
            let is_right =
                found.is_some_and(|found| found["state"] == state && found["quantity"] == quantity);
            if order["settled"] == true && found.is_some_and(|found| found["state"] == "held") {
                wrong.push(format!("KEPT {quantity} {product} for {id}, which is settled"));
            }
            if !is_right {
                wrong.push(format!("{id} is {status}, but of {quantity} {product} has {found:?}"));
            }
        }
    }

    fn check_reservations_have_orders(&self, wrong: &mut Vec<String>) {
        let ids: BTreeSet<_> = self.orders.iter().map(|order| text(order, "id")).collect();
        for (product, documents) in &self.stock {
            for reservation in documents.iter().filter(|one| one["type"] == "reservation") {
                let id = text(reservation, "orderId");
                if !ids.contains(id) {
                    wrong.push(format!("{product} is reserved for {id}, which does not exist"));
                }
            }
        }
        for event in &self.events {
            if !ids.contains(text(event, "orderId")) {
                wrong.push(format!("an event without its order: {event}"));
            }
        }
    }

    fn check_promises(&self, promises: &Promises, wrong: &mut Vec<String>) {
        wrong.extend(promises.doubled());
        let mut statuses = BTreeMap::new();
        for order in &self.orders {
            if statuses.insert(text(order, "id"), text(order, "status")).is_some() {
                wrong.push(format!("{} exists twice", order["id"]));
            }
        }
        for id in promises.orders.iter().filter(|id| !statuses.contains_key(id.as_str())) {
            wrong.push(format!("LOST {id}, which was accepted"));
        }
        let unexplained: Vec<_> = statuses.keys().filter(|id| !promises.explains(id)).collect();
        if unexplained.len() > promises.unknown_orders {
            wrong.push(format!("{} tries made {unexplained:?}", promises.unknown_orders));
        }
        for (ids, promised) in [(&promises.cancelled, "cancelled"), (&promises.shipped, "shipped")] {
            for id in ids.iter().filter(|id| statuses.get(id.as_str()) != Some(&promised)) {
                wrong
                    .push(format!("{id} was answered as {promised}, but is {:?}", statuses.get(id.as_str())));
            }
        }
    }

    fn check_adjustments(&self, promises: &Promises, wrong: &mut Vec<String>) {
        let mut found: BTreeMap<&str, usize> = BTreeMap::new();
        for adjustment in self.stock.iter().flat_map(|(_, all)| all).filter(|one| one["type"] == "adjustment")
        {
            *found.entry(text(adjustment, "reason")).or_default() += 1;
        }
        for (reason, tally) in &promises.adjustments {
            let found = found.remove(reason.as_str()).unwrap_or_default();
            let most = if tally.keyed { 1 } else { tally.tried };
            if !(tally.promised..=most).contains(&found) {
                wrong.push(format!("{reason}: {tally:?}, but it is {found} times in the ledger"));
            }
        }
        if found != [("delivered", self.stock.len())].into() {
            wrong.push(format!("nobody asked for all of these adjustments: {found:?}"));
        }
    }
}
