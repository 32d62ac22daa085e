//! What each step of an order's life, and of a review's, costs in requests for documents, exactly. Who makes a step cheaper lowers its number
//! here; who makes it dearer must raise it, and say why.
//!
//! One client that is warm and alone, so that it remembers containers and counts, and needs no second attempts.
#![cfg(test)]

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::shop::{Answer, TestShop, order_body};

const ONE_LINE: &[(&str, u32)] = &[("a", 1)];
const THREE_LINES: &[(&str, u32)] = &[("a", 1), ("b", 1), ("c", 1)];
/// More than there is.
const TOO_MANY: &[(&str, u32)] = &[("a", 1_000)];
/// Products of the catalogue: one page of 20, and more.
const PRODUCTS: usize = 25;

/// What the steps cost beside what they should, in the order in which they were made.
struct Ledger {
    shop: TestShop,
    /// Every bell that was rung, oldest first.
    bells: Vec<String>,
    lines: Vec<(&'static str, u64, u64)>,
    requests: u64,
}

impl Ledger {
    /// A shop that has worked before.
    async fn open() -> Self {
        let mut stock = vec![("a".to_owned(), 100), ("b".to_owned(), 100), ("c".to_owned(), 100)];
        stock.extend((stock.len()..PRODUCTS).map(|number| (format!("p-{number:02}"), 1)));
        let stock: Vec<_> = stock.iter().map(|(id, on_hand)| (id.as_str(), *on_hand)).collect();
        let shop = TestShop::open(&stock).await;
        shop.place("bob", THREE_LINES).await;
        shop.work().await;
        let requests = shop.requests();
        Self { shop, bells: Vec::new(), lines: Vec::new(), requests }
    }

    /// Notes what was asked for since the last note.
    fn note(&mut self, step: &'static str, budget: u64) {
        let requests = self.shop.requests();
        self.lines.push((step, requests - self.requests, budget));
        self.requests = requests;
    }

    async fn place(&self, key: &[(&str, &str)], lines: &[(&str, u32)]) -> String {
        let answer = self.shop.post("/api/orders", key, order_body("ada", lines)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    /// The worker's turn, in one delivery: the last bell that was rung for the order.
    async fn ring(&mut self, id: &str) {
        self.deliver(id, 1).await;
    }

    /// The same bell, delivered for the second time.
    async fn redeliver(&mut self, id: &str) {
        self.deliver(id, 2).await;
    }

    async fn deliver(&mut self, id: &str, dequeue_count: u32) {
        self.bells.extend(self.shop.drain("orders"));
        let bell = self.bells.iter().rfind(|bell| bell.contains(id)).unwrap();
        ok(&self.shop.deliver("ProcessOrder", bell, dequeue_count).await);
    }

    /// A bell that says nothing but the id, as recovery rings it.
    async fn ring_bare(&self, id: &str) {
        let bell = json!({ "orderId": id }).to_string();
        ok(&self.shop.deliver("ProcessOrder", &bell, 1).await);
    }

    /// A whole order in the queue, in one delivery.
    async fn check_out(&self, checkout: &str) {
        let mut message = order_body("ada", ONE_LINE);
        message["checkoutId"] = json!(checkout);
        ok(&self.shop.deliver("ProcessOrder", &message.to_string(), 1).await);
    }

    /// A change that a caller asks for.
    async fn change(&self, method: &str, id: &str, change: &str) {
        ok(&self.shop.send(method, &format!("/api/orders/{id}/{change}"), &[], None).await);
    }
}

impl Ledger {
    async fn review(&self, customer: &str, rating: u32) {
        let body = json!({"rating": rating, "title": "As it is"});
        let answer = self.shop.put(&format!("/api/products/a/reviews/{customer}"), &[], body).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
    }

    /// What somebody does with the review by `bob`.
    async fn about_review(&self, method: &str, rest: &str, body: Option<Value>) {
        let path = format!("/api/products/a/reviews/bob{rest}");
        let answer = self.shop.send(method, &path, &[], body.map(|body| body.to_string())).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
    }

    /// Fails with every step that cost something else than it should.
    fn close(&self) {
        let broken: Vec<_> = self
            .lines
            .iter()
            .filter(|(_, requests, budget)| requests != budget)
            .map(|(step, requests, budget)| format!("{step}: {requests} requests instead of {budget}"))
            .collect();
        assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
    }
}

fn ok(answer: &Answer) {
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
}

#[tokio::test]
async fn every_step_of_an_order_costs_exactly_its_requests() {
    let mut ledger = Ledger::open().await;

    let one = ledger.place(&[], ONE_LINE).await;
    // Read the customer and the product, store the order with its event.
    ledger.note("place one line", 3);
    let three = ledger.place(&[], THREE_LINES).await;
    // Read the customer and three products, store the order with its event.
    ledger.note("place three lines", 5);
    let keyed = ledger.place(&[("Idempotency-Key", "k")], ONE_LINE).await;
    // Look for an order under the key; read the customer and the product, store the order with its event.
    ledger.note("place with a key", 4);
    assert_eq!(ledger.place(&[("Idempotency-Key", "k")], ONE_LINE).await, keyed);
    // Find the order under the key.
    ledger.note("place again with the key", 1);
    let short = ledger.place(&[], TOO_MANY).await;
    // As one line.
    ledger.note("place beyond stock", 3);

    let bare = ledger.place(&[], ONE_LINE).await;
    ledger.note("place one line more", 3);

    confirm_and_fail(&mut ledger, (&one, &three, &short, &bare)).await;
    settle(&mut ledger, (&one, &three, &short, &keyed)).await;

    ledger.check_out("c-1").await;
    // Look for an order under the checkout's id, read the customer and the product, store the order with its event; hold,
    // confirm.
    ledger.note("place and confirm a checkout's line", 6);
    ledger.check_out("c-1").await;
    // Find the order under the checkout's id.
    ledger.note("the same checkout again", 1);

    ok(&ledger.shop.get(&format!("/api/orders/{one}")).await);
    // Read the order.
    ledger.note("read an order", 1);
    let page = ledger.shop.get("/api/products?limit=20").await;
    assert_eq!(page.body["items"].as_array().map(Vec::len), Some(20));
    // Query the products in each of the emulator's four partitions, and read the counts of each on the page.
    ledger.note("list twenty products", 24);

    ledger.close();
}

#[tokio::test]
async fn every_step_of_a_review_costs_exactly_its_requests() {
    let mut ledger = Ledger::open().await;
    ledger.review("ada", 4).await;
    // Read the product and the customer, query the customer's orders, read the review and, together, summary and month; write
    // all three.
    ledger.note("the first review of a product", 6);
    ledger.review("bob", 2).await;
    // The same; the summary is remembered.
    ledger.note("another review", 5);
    ledger.review("bob", 3).await;
    ledger.note("write a review anew", 5);
    ledger.review("bob", 3).await;
    // As above, and nothing is written.
    ledger.note("the same review again", 4);

    ledger.about_review("PUT", "/votes/ada", None).await;
    // Read the voter, the review and the vote, write the last two.
    ledger.note("vote", 4);
    ledger.about_review("PUT", "/votes/ada", None).await;
    ledger.note("vote again", 3);
    ledger.about_review("DELETE", "/votes/ada", None).await;
    // Read the review and the vote, write both.
    ledger.note("take the vote back", 3);
    ledger.about_review("PUT", "/reports/ada", Some(json!({"reason": "spam"}))).await;
    ledger.note("report", 4);
    let hidden = json!({"status": "hidden", "reason": "advertises"});
    ledger.about_review("PUT", "/moderation", Some(hidden)).await;
    // Read the review, write it with summary and month.
    ledger.note("hide", 2);

    ledger.about_review("GET", "", None).await;
    ledger.note("read a review", 1);
    ok(&ledger.shop.get("/api/products/a/reviews").await);
    // One query, in the product's partition.
    ledger.note("list a product's reviews", 1);
    ok(&ledger.shop.get("/api/products/a/review-summary").await);
    ledger.note("read a summary", 1);
    ledger.about_review("DELETE", "", None).await;
    // Read the review, write it; summary and month do not count it, because it is hidden.
    ledger.note("take a review back", 2);
    ledger.shop.send("DELETE", "/api/products/a/reviews/ada", &[], None).await;
    // Read the review, write it with summary and month.
    ledger.note("take a listed review back", 2);
    ledger.shop.advance(Duration::from_secs(32 * 24 * 60 * 60));
    ledger.review("ada", 3).await;
    // As the first one of all, and the summary once more by itself, because there is no month beside it.
    ledger.note("the first review of a month", 7);
    ledger.close();
}

/// The worker decides.
async fn confirm_and_fail(ledger: &mut Ledger, (one, three, short, bare): (&str, &str, &str, &str)) {
    ledger.ring(one).await;
    // Hold (the counts are remembered), confirm.
    ledger.note("confirm one line", 2);
    ledger.ring(three).await;
    // Hold each product, confirm.
    ledger.note("confirm three lines", 4);
    ledger.ring_bare(bare).await;
    // Read the order, hold, confirm.
    ledger.note("confirm one line, from a bell without a sight", 3);
    ledger.ring(short).await;
    // Read the counts, look whether the order itself holds, fail; look for a reservation, leave a tombstone; mark the
    // order settled.
    ledger.note("fail one line for lack of stock", 6);
    ledger.ring_bare(one).await;
    // Read the order.
    ledger.note("ring again for a confirmed order", 1);
    ledger.redeliver(one).await;
    // Read the order.
    ledger.note("deliver the bell of a confirmed order again", 1);
    ledger.ring(one).await;
    // Hold: refused, it exists; look at it; confirm: refused, another version; read the order.
    ledger.note("a copy of the bell of a confirmed order", 4);
}

/// Orders end, and the worker clears up after them.
async fn settle(ledger: &mut Ledger, (one, three, short, keyed): (&str, &str, &str, &str)) {
    ledger.change("PUT", one, "shipment").await;
    // Read the order, write the shipment with its event.
    ledger.note("ship", 2);
    ledger.ring(one).await;
    // Read the reservation and the counts, take; mark the order settled.
    ledger.note("settle one shipped line", 4);
    ledger.change("POST", three, "cancellation").await;
    // Read the order, write the cancellation with its event.
    ledger.note("cancel", 2);
    ledger.ring(three).await;
    // For each product read the reservation and the counts, release; mark the order settled.
    ledger.note("release three cancelled lines", 10);
    for (id, step) in [(one, "ring again for a shipped order"), (short, "ring again for a failed order")] {
        ledger.ring_bare(id).await;
        // Read the order.
        ledger.note(step, 1);
    }
    ledger.ring(one).await;
    // Look at the reservation; mark the order settled: refused, another version; read the order.
    ledger.note("a copy of the bell of a shipped order", 3);

    ledger.change("POST", keyed, "cancellation").await;
    // As above.
    ledger.note("cancel a pending order", 2);
    ledger.ring(keyed).await;
    // Look for a reservation, leave a tombstone; mark the order settled.
    ledger.note("settle one line that was never held", 3);
}
