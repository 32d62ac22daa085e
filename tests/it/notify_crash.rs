//! The mails with every kind of fault at every request to the store and to the mail service: no event is lost, and nobody
//! gets a second mail about it, whoever goes on afterwards and whoever is at it at the same time.
//!
//! The real router and both real clients, over HTTP. The stand-in for the mail service sends whatever it takes, also twice
//! under the same name, so that all depends on the shop. A killed worker is a dropped invocation; nothing that it sends later
//! gets through. Events come again as Event Grid delivers them.
#![cfg(test)]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use futures::FutureExt;
use tokio::sync::Notify;
use widgetco::app::App;
use widgetco::domain::notification::Progress;
use widgetco::host::CloudEvent;
use widgetco::sources::Ids;
use widgetco::store::Store;
use widgetco::store::emulator::{Fate, Gate};

use crate::door::{Door, FAULTS, Fault};
use crate::group_commit::beside;
use crate::mail_stand_in::MailService;
use crate::notify_customer::{order_event, record};
use crate::shop::TestShop;
use crate::warn_low_stock::stock_event;

/// When Event Grid delivers an event again, in seconds after the last time.
const SCHEDULE_S: [u64; 7] = [10, 30, 60, 300, 600, 1800, 3600];

/// Requests to the store of one mail to a customer.
const STORE_REQUESTS: u64 = 5;

/// What is heard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    /// For the first time.
    Customer,
    /// For the first time, by the staff.
    Staff,
    /// After a worker died before the mail was sent.
    AfterNothing,
    /// After a worker died when the mail was sent.
    AfterMail,
}

/// A shop with two handlers: one behind the door, and one that goes on.
struct Stage {
    door: Arc<Door>,
    worker: TestShop,
    shop: TestShop,
    /// The mail service past the door.
    service: MailService,
    _behind_door: MailService,
}

/// One event.
struct Case {
    function: &'static str,
    event: CloudEvent,
    subject: String,
}

impl Stage {
    async fn build() -> Self {
        let door = Arc::new(Door::refusing(503));
        let (mut shop, cosmos) = beside(Arc::clone(&door).gate(), &[("w", 1000)]).await;
        let service = MailService::start().await;
        let decide = {
            let door = Arc::clone(&door);
            Arc::new(move || {
                let fate = door.decide();
                if matches!(fate, Fate::Vanish | Fate::Silence) {
                    door.killed.notify_one();
                }
                fate
            })
        };
        let behind_door = MailService::open(Arc::clone(&service.book), decide).await;
        shop.mail_by(service.mailer());
        let app = App::new(Store::connect(&cosmos), shop.app.clock.clone(), Ids::seeded(3));
        let worker = TestShop::over(app.with_mailer(behind_door.mailer()), Arc::clone(&shop.emulator));
        Self { door, worker, shop, service, _behind_door: behind_door }
    }

    async fn case(&self, number: usize, act: Act) -> Case {
        let now = self.shop.app.clock.now();
        if act == Act::Staff {
            let event = stock_event("w", &format!("w-low-{number}"), now);
            return Case { function: "WarnLowStock", event, subject: "w".to_owned() };
        }
        let order = self.shop.place("ada", &[("w", 1)]).await;
        self.shop.work().await;
        let event = order_event(&order, "confirmed", now);
        let case = Case { function: "NotifyCustomer", event, subject: order };
        if act != Act::Customer {
            assert_eq!(self.tell(&self.shop, &case).await, StatusCode::OK);
            self.forget(&case, act).await;
        }
        case
    }

    /// As if the worker had died, a while ago, before it wrote down that it had sent the mail, or before it sent it.
    async fn forget(&self, case: &Case, act: Act) {
        let notifications = &self.shop.app.store.notifications;
        let seen = notifications.newest(&case.subject, &case.event.id).await.unwrap().unwrap();
        let now = self.shop.app.clock.now();
        let sending = seen.value.at(Progress::Sending { until: now }, now);
        notifications.write(Some(&seen.etag), &sending).await.unwrap();
        if act == Act::AfterNothing {
            let operation_id = seen.value.operation_id.as_str();
            self.service.book.taken.lock().unwrap().retain(|taken| taken.operation_id != operation_id);
        }
    }

    async fn tell(&self, shop: &TestShop, case: &Case) -> StatusCode {
        shop.tell(case.function, &case.event).await.status
    }

    fn mails_about(&self, case: &Case) -> usize {
        let operation_id = widgetco::domain::notification::OperationId::of(&case.event.id);
        self.service.taken().iter().filter(|taken| taken.operation_id == operation_id.as_str()).count()
    }

    /// Delivers the event until it is acknowledged, and then once more. Gives how often that took.
    async fn deliver(&self, case: &Case, context: &str) -> usize {
        let mut deliveries = 0;
        for wait_s in SCHEDULE_S {
            self.shop.advance(Duration::from_secs(wait_s));
            deliveries += 1;
            if self.tell(&self.shop, case).await == StatusCode::OK {
                break;
            }
        }
        assert_eq!(self.tell(&self.shop, case).await, StatusCode::OK, "{context}: never acknowledged");
        assert_eq!(self.mails_about(case), 1, "{context}");
        assert_eq!(record(&self.shop, &case.subject, &case.event.id).await["state"], "sent", "{context}");
        deliveries
    }

    /// Plays the act with one fault or none. Gives the number of requests.
    async fn play(&self, number: usize, act: Act, plan: Option<(usize, Fault)>) -> usize {
        let context = format!("{act:?} {plan:?}");
        self.door.begin(None);
        let case = self.case(number, act).await;
        self.door.begin(plan);
        let killed = tokio::select! {
            biased;
            () = self.door.killed.notified() => true,
            _ = self.tell(&self.worker, &case) => false,
        };
        let requests = self.door.arrived.load(Ordering::SeqCst);
        if let Some((_, fault)) = plan {
            assert_eq!(killed, fault.kills(), "{context}: {requests} requests came");
        }
        assert!(self.mails_about(&case) <= 1, "{context}");
        self.door.begin(None);
        self.deliver(&case, &context).await;
        requests
    }

    /// Plays it without a fault, twice, so that connections are there, and then with every fault at every request.
    async fn survive(&self, act: Act, cost: usize) {
        self.play(0, act, None).await;
        let requests = self.play(1, act, None).await;
        assert_eq!(requests, cost, "requests of {act:?}");
        let cases = (1..=requests).flat_map(|at| FAULTS.map(|fault| (at, fault)));
        for (number, plan) in cases.enumerate() {
            Box::pin(self.play(number + 2, act, Some(plan))).await;
        }
    }
}

#[tokio::test]
async fn mail_to_a_customer_survives_every_fault_at_every_request() {
    Box::pin(Box::pin(Stage::build()).await.survive(Act::Customer, 6)).await;
}

#[tokio::test]
async fn mail_to_the_staff_survives_every_fault_at_every_request() {
    Box::pin(Box::pin(Stage::build()).await.survive(Act::Staff, 5)).await;
}

#[tokio::test]
async fn taking_over_from_a_dead_worker_survives_every_fault_at_every_request() {
    let stage = Box::pin(Stage::build()).await;
    Box::pin(stage.survive(Act::AfterNothing, 7)).await;
    Box::pin(stage.survive(Act::AfterMail, 6)).await;
}

#[tokio::test]
async fn mail_whose_answer_never_comes_is_sent_once() {
    for fate in [Fate::Vanish, Fate::Silence] {
        let (mut shop, book) = (TestShop::open(&[("w", 9)]).await, Arc::default());
        let first = Arc::new(Mutex::new(Some(fate)));
        let decide = { move || first.lock().unwrap().take().unwrap_or(Fate::Pass) };
        let service = MailService::open(book, Arc::new(decide)).await;
        shop.mail_by(service.mailer());
        let order = shop.place("ada", &[("w", 1)]).await;
        shop.work().await;
        let event = order_event(&order, "confirmed", shop.app.clock.now());
        let mut acknowledged = false;
        for wait_s in SCHEDULE_S {
            acknowledged = acknowledged || shop.tell("NotifyCustomer", &event).await.status == StatusCode::OK;
            shop.advance(Duration::from_secs(wait_s));
        }
        assert!(acknowledged, "{fate:?}");
        assert_eq!(service.taken().len(), 1, "{fate:?}");
    }
}

/// Two workers, one of whom stops at each of its requests to the store while the other hears the same event, at once or when
/// the first one's time is up.
#[tokio::test]
async fn two_workers_at_once_send_one_mail() {
    for pause_s in [0, 121] {
        for at in 1..=STORE_REQUESTS {
            let arrived = Arc::new(AtomicU64::new(0));
            let (stopped, go) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
            let gate: Gate = {
                let (arrived, stopped, go) = (Arc::clone(&arrived), Arc::clone(&stopped), Arc::clone(&go));
                Arc::new(move |_| {
                    let stops = arrived.fetch_add(1, Ordering::SeqCst) + 1 == at;
                    let (stopped, go) = (Arc::clone(&stopped), Arc::clone(&go));
                    async move {
                        if stops {
                            stopped.notify_one();
                            go.notified().await;
                        }
                        Fate::Pass
                    }
                    .boxed()
                })
            };
            let (mut shop, cosmos) = beside(gate, &[("w", 9)]).await;
            let service = MailService::start().await;
            shop.mail_by(service.mailer());
            let app = App::new(Store::connect(&cosmos), shop.app.clock.clone(), Ids::seeded(3));
            let slow = TestShop::over(app.with_mailer(service.mailer()), Arc::clone(&shop.emulator));
            let order = shop.place("ada", &[("w", 1)]).await;
            shop.work().await;
            let event = order_event(&order, "confirmed", shop.app.clock.now());
            let mut first = Box::pin(slow.tell("NotifyCustomer", &event));
            let is_stopped = tokio::select! {
                _ = &mut first => false,
                () = stopped.notified() => true,
            };
            assert!(is_stopped, "there is no request {at}");
            shop.advance(Duration::from_secs(pause_s));
            shop.tell("NotifyCustomer", &event).await;
            go.notify_one();
            first.await;
            for _ in 0..2 {
                shop.advance(Duration::from_secs(121));
                shop.tell("NotifyCustomer", &event).await;
            }
            let answer = shop.tell("NotifyCustomer", &event).await;
            assert_eq!((answer.status, service.taken().len()), (StatusCode::OK, 1), "{pause_s} s at {at}");
        }
    }
}
