//! Reviews when things go wrong, and when everybody comes at once: whatever fault happens at whichever request, and whoever
//! else writes, the summary and the months say what the reviews say, and nobody's vote counts twice.
//!
//! The real router over HTTP to the Cosmos emulator, through the door at which the pictures' requests go wrong, too. A killed
//! worker is a dropped invocation; nothing that it sends later gets through.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use futures::FutureExt;
use futures::future::join_all;
use serde_json::json;
use widgetco::app::App;
use widgetco::config::CosmosConfig;
use widgetco::sources::Ids;
use widgetco::store::Store;
use widgetco::store::emulator::Fate;

use crate::door::{Door, FAULTS, Fault};
use crate::group_commit::behind;
use crate::shop::{Answer, DATABASE, TestShop};

/// How often a caller asks again after an answer that is not a success.
const CALLS_MAX: usize = 5;
/// Customers who review at once.
const CUSTOMERS: u64 = 200;

/// The request under test, on a review by `ada` with a vote of `bob`, both of which are there beforehand but for the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Write,
    /// In a month in which nobody has reviewed the product.
    WriteLater,
    Rewrite,
    /// In other words, at the same rating.
    Reword,
    TakeBack,
    Vote,
    TakeVoteBack,
    Report,
    Hide,
}

const ACTS: [Act; 9] = [
    Act::Write,
    Act::WriteLater,
    Act::Rewrite,
    Act::Reword,
    Act::TakeBack,
    Act::Vote,
    Act::TakeVoteBack,
    Act::Report,
    Act::Hide,
];
/// Longer than any month.
const MONTH: Duration = Duration::from_secs(32 * 24 * 60 * 60);

struct Stage {
    door: Arc<Door>,
    shop: TestShop,
    config: CosmosConfig,
}

impl Stage {
    async fn build() -> Self {
        let door = Arc::new(Door::refusing(503));
        let (shop, config) = behind(Arc::clone(&door).gate(), &[]).await;
        Self { door, shop, config }
    }

    /// Plays the act on a product of its own, with one fault or none. Gives the number of requests.
    async fn play(&mut self, case: usize, act: Act, plan: Option<(usize, Fault)>) -> usize {
        self.door.begin(None);
        let product = format!("p{case}");
        let review = format!("/api/products/{product}/reviews/ada");
        self.shop.restart(Store::embedded(Arc::clone(&self.shop.emulator), DATABASE));
        self.shop.add_product(&product, 1).await;
        self.shop.put(&format!("/api/products/{product}/reviews/bob"), &[], body(5)).await;
        if act == Act::WriteLater {
            self.shop.advance(MONTH);
        } else if act != Act::Write {
            self.shop.put(&review, &[], body(2)).await;
        }
        if act == Act::TakeVoteBack {
            self.perform(Act::Vote, &review).await;
        }

        // The worker under test has a client of its own, which is connected to all containers.
        self.shop.restart(Store::connect(&self.config));
        self.shop.get(&format!("/api/products/{product}/review-summary")).await;
        self.shop.get("/api/customers/ada/orders").await;
        self.shop.get(&format!("/api/products/{product}")).await;
        self.door.begin(plan);
        let killed = tokio::select! {
            biased;
            () = self.door.killed.notified() => true,
            _ = self.perform(act, &review) => false,
        };
        let requests = self.door.arrived.load(Ordering::SeqCst);
        if let Some((_, fault)) = plan {
            assert_eq!(killed, fault.kills(), "{act:?} {plan:?}: {requests} requests came");
        }

        // Another worker finds what the first one left.
        self.door.begin(None);
        self.shop.restart(Store::embedded(Arc::clone(&self.shop.emulator), DATABASE));
        self.shop.audit_reviews(&product).await;
        let mut done = false;
        for _ in 0..CALLS_MAX {
            let answer = self.perform(act, &review).await;
            done = done || answer.status.is_success();
        }
        assert!(done, "{act:?} {plan:?}: it cannot be done at all");
        let listed = match act {
            Act::TakeBack | Act::Hide => 1,
            Act::Write | Act::WriteLater | Act::Rewrite | Act::Reword => 2,
            Act::Vote | Act::TakeVoteBack | Act::Report => 2,
        };
        assert_eq!(self.shop.audit_reviews(&product).await, listed, "{act:?} {plan:?}");
        let (helpful, reports) = (u32::from(act == Act::Vote), u32::from(act == Act::Report));
        let kept = self.shop.get(&review).await.body;
        if act != Act::TakeBack {
            assert_eq!((&kept["helpful"], &kept["reports"]), (&json!(helpful), &json!(reports)), "{act:?}");
        }
        requests
    }

    async fn perform(&self, act: Act, review: &str) -> Answer {
        let shop = &self.shop;
        match act {
            Act::Write | Act::WriteLater | Act::Rewrite => shop.put(review, &[], body(4)).await,
            Act::Reword => shop.put(review, &[], json!({"rating": 2, "title": "Broke after a day"})).await,
            Act::TakeBack => shop.send("DELETE", review, &[], None).await,
            Act::Vote => shop.send("PUT", &format!("{review}/votes/bob"), &[], None).await,
            Act::TakeVoteBack => shop.send("DELETE", &format!("{review}/votes/bob"), &[], None).await,
            Act::Report => shop.put(&format!("{review}/reports/bob"), &[], json!({"reason": "fake"})).await,
            Act::Hide => {
                let hidden = json!({"status": "hidden", "reason": "names a person"});
                shop.put(&format!("{review}/moderation"), &[], hidden).await
            }
        }
    }
}

fn body(rating: u32) -> serde_json::Value {
    json!({"rating": rating, "title": "As it is"})
}

#[tokio::test]
async fn every_change_of_a_review_survives_every_fault_at_every_request() {
    let mut stage = Box::pin(Stage::build()).await;
    let mut case = 0;
    for act in ACTS {
        let requests = Box::pin(stage.play(case, act, None)).await;
        assert!(requests >= 3, "{act:?} took only {requests} requests");
        case += 1;
        for plan in (1..=requests).flat_map(|at| FAULTS.map(|fault| (at, fault))) {
            Box::pin(stage.play(case, act, Some(plan))).await;
            case += 1;
        }
    }
}

/// A shop to whose store others go over HTTP, too, with many customers.
async fn crowded() -> (TestShop, CosmosConfig, Vec<String>) {
    let (shop, config) = behind(Arc::new(|_| std::future::ready(Fate::Pass).boxed()), &[("w", 1)]).await;
    let customers: Vec<_> = (0..CUSTOMERS).map(|number| format!("c{number}")).collect();
    for customer in &customers {
        shop.add_customer(customer).await;
    }
    shop.review("ada", 5).await;
    (shop, config, customers)
}

fn rating(number: usize) -> u32 {
    u32::try_from(number % 5).unwrap() + 1
}

#[tokio::test]
async fn two_hundred_who_review_at_once_cost_five_requests_each_and_are_all_counted() {
    let (shop, _, customers) = crowded().await;
    let before = shop.requests();
    let answers = join_all(
        customers.iter().enumerate().map(|(number, customer)| shop.review(customer, rating(number))),
    )
    .await;
    // Read the product and the customer, query the orders, read the review, write it with summary and month, which are remembered.
    let requests = shop.requests() - before;
    assert!(answers.iter().all(|answer| answer.status == StatusCode::CREATED));
    assert_eq!(requests, 5 * CUSTOMERS);
    let summary = shop.get("/api/products/w/review-summary").await.body;
    assert_eq!(
        (&summary["count"], &summary["histogram"], &summary["mean"]),
        (&json!(201), &json!([40, 40, 40, 40, 41]), &json!(3.01))
    );
    assert_eq!(shop.audit_reviews("w").await, 201);
}

#[tokio::test]
async fn reviews_at_once_in_two_processes_are_all_counted_and_overtake_each_other_a_bounded_number_of_times()
{
    let (shop, config, customers) = crowded().await;
    let app = App::new(Store::connect(&config), shop.app.clock.clone(), Ids::seeded(2));
    let other = TestShop::over(app, Arc::clone(&shop.emulator));
    let before = shop.requests();
    let answers = join_all(customers.iter().enumerate().map(|(number, customer)| {
        let shop = if number % 2 == 0 { &shop } else { &other };
        async move {
            // Who is told to come back does.
            for _ in 0..CALLS_MAX {
                let answer = shop.review(customer, rating(number)).await;
                if answer.status.is_success() {
                    return answer.status;
                }
            }
            StatusCode::SERVICE_UNAVAILABLE
        }
    }))
    .await;
    let requests = shop.requests() - before;
    assert!(answers.iter().all(|status| status.is_success()));
    assert!(requests <= 15 * CUSTOMERS, "{requests} requests for {CUSTOMERS} reviews");
    let summary = shop.get("/api/products/w/review-summary").await.body;
    assert_eq!(summary["histogram"], json!([40, 40, 40, 40, 41]));
    assert_eq!(shop.audit_reviews("w").await, 201);
}
