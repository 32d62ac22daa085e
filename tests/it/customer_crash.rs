//! Adding, moving and erasing customers, with every kind of fault at every request: no two customers ever have one address,
//! each has the claim to its own, and no address is lost for good, whoever goes on afterwards and however late a write comes.
//!
//! The real router and the real client, over HTTP to an emulator behind a gate that lets one request go wrong. A killed
//! worker is a dropped invocation; nothing that it sends later gets through, but for the one write that is late.
#![cfg(test)]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use axum::http::StatusCode;
use azure_data_cosmos::FeedScope;
use futures::TryStreamExt;
use futures::future::{BoxFuture, FutureExt};
use serde_json::{Value, json};
use tokio::sync::Notify;
use tokio::task::yield_now;
use widgetco::app::App;
use widgetco::domain::customer::contact::Email;
use widgetco::domain::id::CustomerId;
use widgetco::sources::Ids;
use widgetco::store::Store;
use widgetco::store::customers::claims::PATIENCE;
use widgetco::store::emulator::{Fate, Gate};

use crate::group_commit::beside;
use crate::shop::{Answer, TestShop};

/// How often a caller asks again after an answer that is not final.
const CALLS_MAX: usize = 5;
/// Turns given to the emulator to finish a request that it has begun.
const TURNS_MAX: u32 = 100_000;

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The worker is killed and the request never arrives.
    KilledBefore,
    /// The worker is killed after the request took effect.
    KilledAfter,
    /// The worker is killed, and the request takes effect only after others went on.
    KilledAndLate,
    /// It takes effect, but the worker hears that it failed.
    AnswerLost,
    /// It has no effect, and the worker hears that it failed.
    Refused,
}

const FAULTS: [Fault; 5] =
    [Fault::KilledBefore, Fault::KilledAfter, Fault::KilledAndLate, Fault::AnswerLost, Fault::Refused];

impl Fault {
    fn kills(self) -> bool {
        matches!(self, Self::KilledBefore | Self::KilledAfter | Self::KilledAndLate)
    }
}

/// The invocation under test, which is about one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// Adds a customer with it.
    Enrol,
    /// Adds one, after a request for another was cut off that had claimed it.
    EnrolAfterNobody,
    /// Gives it to a customer who had another.
    Move,
    /// The same, after a request of another customer was cut off that had claimed it.
    MoveAfterOther,
    /// Erases the customer who has it.
    Erase,
}

/// Who goes on after the fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Then {
    /// The same caller again.
    Again,
    /// First somebody else who wants the address.
    Rival,
}

/// What stands in the way of the worker.
#[derive(Default)]
struct Door {
    plan: Mutex<Option<(u64, Fault)>>,
    arrived: Mutex<u64>,
    killed: Notify,
    late: Notify,
}

impl Door {
    /// Counts from here on, and lets this request go wrong.
    fn begin(&self, plan: Option<(u64, Fault)>) {
        *self.arrived.lock().unwrap() = 0;
        *self.plan.lock().unwrap() = plan;
    }

    fn gate(self: Arc<Self>) -> Gate {
        Arc::new(move |_| -> BoxFuture<'static, Fate> { Arc::clone(&self).decide().boxed() })
    }

    async fn decide(self: Arc<Self>) -> Fate {
        let number = {
            let mut arrived = self.arrived.lock().unwrap();
            *arrived += 1;
            *arrived
        };
        let Some((at, fault)) = *self.plan.lock().unwrap() else { return Fate::Pass };
        if number != at {
            return if number > at && fault.kills() { Fate::Vanish } else { Fate::Pass };
        }
        if fault.kills() {
            self.killed.notify_one();
        }
        match fault {
            Fault::KilledBefore => Fate::Vanish,
            Fault::KilledAfter => Fate::Silence,
            Fault::KilledAndLate => {
                self.late.notified().await;
                Fate::Silence
            }
            Fault::AnswerLost => Fate::Mislead(503),
            Fault::Refused => Fate::Refuse(503),
        }
    }
}

/// A shop with two handlers: one behind the door, and one that goes on.
struct Stage {
    door: Arc<Door>,
    worker: TestShop,
    shop: TestShop,
}

/// One case: its own customers, and an address that they are about.
struct Case<'a> {
    stage: &'a Stage,
    act: Act,
    me: String,
    other: String,
    rival: String,
    wanted: String,
}

impl Stage {
    async fn build() -> Self {
        let door = Arc::new(Door::default());
        let (shop, cosmos) = beside(Arc::clone(&door).gate(), &[]).await;
        let app = App::new(Store::connect(&cosmos), shop.app.clock.clone(), Ids::seeded(3));
        let worker = TestShop::over(app, Arc::clone(&shop.emulator));
        assert_eq!(worker.get("/api/customers/ada").await.status, StatusCode::OK);
        Self { door, worker, shop }
    }

    /// Plays the act with one fault or none. Gives the number of requests.
    async fn play(&self, number: usize, act: Act, plan: Option<(u64, Fault)>, then: Then) -> u64 {
        let name = |who: &str| format!("{who}{number}");
        let wanted = format!("wanted{number}@example.com");
        let case =
            Case { stage: self, act, me: name("me"), other: name("other"), rival: name("rival"), wanted };
        case.prepare().await;
        let before = self.shop.requests();
        self.door.begin(plan);
        let killed = tokio::select! {
            biased;
            () = self.door.killed.notified() => true,
            _ = case.perform(&self.worker) => false,
        };
        let requests = *self.door.arrived.lock().unwrap();
        if let Some((at, fault)) = plan {
            assert_eq!(killed, fault.kills(), "{act:?} {plan:?}: {requests} requests came");
            if killed {
                self.served(before + at - u64::from(fault != Fault::KilledAfter)).await;
            }
        }
        let context = format!("{act:?} {plan:?} {then:?}");
        self.check(&context).await;
        match then {
            Then::Again => drop(case.insist(&context).await),
            Then::Rival => {
                self.shop.advance(PATIENCE.to_std().unwrap());
                let answer = case.enrol(&self.shop, &case.rival).await;
                let is_final = [StatusCode::CREATED, StatusCode::CONFLICT].contains(&answer.status);
                assert!(is_final, "{context}: {:?}", answer.body);
            }
        }
        self.check(&context).await;
        if let Some((_, Fault::KilledAndLate)) = plan {
            let before = self.shop.requests();
            self.door.late.notify_one();
            self.served(before + 1).await;
            self.check(&context).await;
        }
        let last = case.insist(&context).await;
        self.check(&context).await;
        case.conclude(then, &last, &context).await;
        requests
    }

    /// Waits until the emulator has served so many requests in all.
    async fn served(&self, requests: u64) {
        for _ in 0..TURNS_MAX {
            if self.shop.requests() == requests {
                return;
            }
            yield_now().await;
        }
        panic!("the emulator served {} requests instead of {requests}", self.shop.requests());
    }

    async fn documents(&self) -> Vec<Value> {
        let container = self.shop.container("customers").await;
        let all = container.query_items("SELECT * FROM c", FeedScope::full_container(), None).await;
        all.unwrap().try_collect().await.unwrap()
    }

    /// No two customers have one address, and each has the claim to its own. Read behind the shop's back.
    async fn check(&self, context: &str) {
        let documents = self.documents().await;
        let claims: BTreeMap<_, _> = documents
            .iter()
            .filter(|one| one["type"] == "claim")
            .map(|one| (one["id"].as_str().unwrap(), one["customerId"].as_str().unwrap()))
            .collect();
        for customer in documents.iter().filter(|one| one["type"] == "customer") {
            let email = Email::parse(customer["email"].as_str().unwrap()).unwrap();
            let claim = format!("_email-{}", email.fingerprint().as_str());
            // Two of one address would both have to be named by one claim.
            assert_eq!(claims.get(claim.as_str()).copied(), customer["id"].as_str(), "{context}: {customer}");
        }
    }
}

impl Case<'_> {
    async fn prepare(&self) {
        let shop = &self.stage.shop;
        self.stage.door.begin(None);
        match self.act {
            Act::Enrol | Act::EnrolAfterNobody => {}
            Act::Move => shop.add_customer(&self.me).await,
            Act::MoveAfterOther => {
                shop.add_customer(&self.me).await;
                shop.add_customer(&self.other).await;
            }
            Act::Erase => assert_eq!(self.enrol(shop, &self.me).await.status, StatusCode::CREATED),
        }
        if let Act::EnrolAfterNobody | Act::MoveAfterOther = self.act {
            let (wanted, other) =
                (Email::parse(&self.wanted).unwrap(), CustomerId::parse(&self.other).unwrap());
            assert!(shop.app.store.customers.claim(&wanted, &other, shop.app.clock.now()).await.unwrap());
        }
        shop.advance(PATIENCE.to_std().unwrap());
    }

    async fn enrol(&self, shop: &TestShop, id: &str) -> Answer {
        let body = json!({"id": id, "email": self.wanted, "name": id});
        shop.post("/api/customers", &[("Idempotency-Key", id)], body).await
    }

    /// Makes the invocation under test once.
    async fn perform(&self, shop: &TestShop) -> Answer {
        let path = format!("/api/customers/{}", self.me);
        match self.act {
            Act::Enrol | Act::EnrolAfterNobody => self.enrol(shop, &self.me).await,
            Act::Move | Act::MoveAfterOther => {
                let body = json!({"id": self.me, "email": self.wanted, "name": "Moved"});
                shop.put(&path, &[("If-Match", "*")], body).await
            }
            Act::Erase => shop.send("DELETE", &path, &[], None).await,
        }
    }

    /// Asks until the answer is final.
    async fn insist(&self, context: &str) -> Answer {
        for _ in 0..CALLS_MAX {
            let answer = self.perform(&self.stage.shop).await;
            if answer.status != StatusCode::SERVICE_UNAVAILABLE {
                return answer;
            }
        }
        panic!("{context}: it cannot be done at all");
    }

    /// Exactly one has the address: who asked for it, or the rival who was faster.
    async fn conclude(&self, then: Then, last: &Answer, context: &str) {
        let mut documents = self.stage.documents().await;
        if self.act == Act::Erase {
            assert_eq!(last.status, StatusCode::NO_CONTENT, "{context}");
            let left: Vec<_> =
                documents.iter().filter(|one| one["id"] == self.me || one["customerId"] == self.me).collect();
            assert!(matches!(left.as_slice(), [one] if one["type"] == "erased"), "{context}: {left:?}");
            self.enrol(&self.stage.shop, &self.rival).await;
            documents = self.stage.documents().await;
        }
        let holders: Vec<_> = documents
            .iter()
            .filter(|one| one["email"] == self.wanted)
            .map(|one| one["id"].as_str().unwrap())
            .collect();
        let mine = match (self.act, then) {
            (Act::Erase, _) => false,
            (_, Then::Again) => true,
            (_, Then::Rival) => last.status.is_success(),
        };
        assert_eq!(holders, [if mine { &self.me } else { &self.rival }], "{context}: {:?}", last.body);
    }
}

/// Plays the act without a fault, then with every fault at every request.
async fn survive(act: Act, least: u64) {
    let stage = Box::pin(Stage::build()).await;
    let requests = Box::pin(stage.play(0, act, None, Then::Again)).await;
    assert!(requests >= least, "{act:?} took only {requests} requests");
    let mut number = 0;
    for at in 1..=requests {
        for fault in FAULTS {
            for then in [Then::Again, Then::Rival] {
                number += 1;
                Box::pin(stage.play(number, act, Some((at, fault)), then)).await;
            }
        }
    }
}

#[tokio::test]
async fn adding_a_customer_survives_every_fault_at_every_request() {
    survive(Act::Enrol, 4).await;
}

#[tokio::test]
async fn adding_a_customer_with_a_forgotten_address_survives_every_fault_at_every_request() {
    survive(Act::EnrolAfterNobody, 8).await;
}

#[tokio::test]
async fn moving_a_customer_survives_every_fault_at_every_request() {
    survive(Act::Move, 5).await;
}

#[tokio::test]
async fn moving_a_customer_to_a_forgotten_address_survives_every_fault_at_every_request() {
    survive(Act::MoveAfterOther, 9).await;
}

#[tokio::test]
async fn erasing_a_customer_survives_every_fault_at_every_request() {
    survive(Act::Erase, 5).await;
}
