//! Every function that changes an order, with every kind of fault at every one of its requests: the books add up and
//! every order comes to its end, wherever a worker dies, an answer is lost or the store refuses.
//!
//! Each case is a shop of its own: the real router and the real client, over HTTP to an emulator behind a gate. The gate
//! counts what arrives, the client's own retries included, and lets exactly one request go wrong. A killed worker is a
//! dropped invocation; nothing that it sends later gets through, and a new process with a client of its own goes on. In
//! all other cases the same process goes on.
//!
//! Where an answer never comes, none comes to what the client sends instead either, until it gives up. It waits for 10 s.
//! Such a case has a runtime and a clock of its own, which runs with the machine's until a request is gone and then jumps.
#![cfg(test)]

use std::fmt::Write;
use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::sync::{Notify, oneshot};
use tokio::task::{spawn_blocking, yield_now};
use widgetco::config::{CosmosConfig, Endpoint, Identity};
use widgetco::domain::id::{CustomerId, OrderId, Partition, ProductId};
use widgetco::store::Store;
use widgetco::store::emulator::{Arrival, Emulator, Fate, Gate};
use widgetco::store::stock::Claim;

use crate::shop::{Answer, DATABASE, TestShop, order_body, time};

/// Cases of one test that are under way at once: much of their time they wait for the client's pauses.
const CASES_AT_ONCE: usize = 12;
/// How often a caller asks again after an answer that is not 200.
const CALLS_MAX: u32 = 5;
/// Rounds of work and recovery after which a shop should be quiet.
const ROUNDS_MAX: u32 = 8;
/// Turns given to the emulator to finish a request that it has begun.
const TURNS_MAX: u32 = 10_000;
/// How long other requests are given to be answered before the clock jumps, and how far: beyond the time-out of a store
/// operation.
const SETTLING: Duration = Duration::from_millis(20);
const PATIENCE: Duration = Duration::from_secs(11);
/// Pieces of each product, unless it is the one that lacks.
const ON_HAND: u32 = 9;
/// Pieces of each product that another order holds before, where the process is warm.
const NEIGHBOUR: u32 = 1;
/// A worker that was killed long ago: recovery's patience is 2 minutes.
const OVERDUE: Duration = Duration::from_secs(121);
const EXPIRED: Duration = Duration::from_secs(24 * 3600 + 1);

const ONE_LINE: Lines = &[("a", 2)];
const THREE_LINES: Lines = &[("a", 2), ("b", 1), ("c", 3)];

type Lines = &'static [(&'static str, u32)];

const CONFIRMED: &[&str] = &["orderPlaced", "orderConfirmed"];
const FAILED: &[&str] = &["orderPlaced", "orderFailed"];
const SHIPPED: &[&str] = &["orderPlaced", "orderConfirmed", "orderShipped"];
const CANCELLED: &[&str] = &["orderPlaced", "orderCancelled"];
const CANCELLED_LATE: &[&str] = &["orderPlaced", "orderConfirmed", "orderCancelled"];

/// What happens to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// The worker is killed and the request never arrives.
    KilledBefore,
    /// The worker is killed after the request took effect.
    KilledAfter,
    /// The worker is killed, and the request takes effect only after others have finished the work.
    KilledAndLate,
    /// It takes effect, but the worker hears this status.
    AnswerLost(u16),
    /// It has no effect, and the worker hears this status.
    Refused(u16),
    /// It takes effect, and the worker hears nothing more of the store until it gives up.
    NeverAnswered,
    /// It has no effect, and the worker hears nothing more of the store until it gives up.
    NeverArrived,
}

const FAULTS: [Fault; 10] = [
    Fault::KilledBefore,
    Fault::KilledAfter,
    Fault::KilledAndLate,
    Fault::AnswerLost(408),
    Fault::AnswerLost(503),
    Fault::Refused(429),
    Fault::Refused(503),
    Fault::Refused(408),
    Fault::NeverAnswered,
    Fault::NeverArrived,
];

const READ_FAULTS: [Fault; 5] =
    [Fault::KilledBefore, Fault::Refused(429), Fault::Refused(503), Fault::Refused(408), Fault::NeverArrived];

impl Fault {
    /// What can go wrong with a request. A read has no effect that could be late, or could be there all the same.
    fn of(is_read: bool) -> &'static [Self] {
        if is_read { &READ_FAULTS } else { &FAULTS }
    }

    fn kills(self) -> bool {
        match self {
            Self::KilledBefore | Self::KilledAfter | Self::KilledAndLate => true,
            Self::AnswerLost(_) | Self::Refused(_) | Self::NeverAnswered | Self::NeverArrived => false,
        }
    }

    /// Whether the client must wait until it gives up.
    fn lasts(self) -> bool {
        matches!(self, Self::NeverAnswered | Self::NeverArrived)
    }
}

/// What has happened to the order, after it was placed, when the invocation begins.
#[derive(Debug, Clone, Copy)]
enum Deed {
    /// Every message was worked off.
    Work,
    /// The messages were lost.
    Lose,
    /// A worker held the first line and was killed.
    HoldFirst,
    /// Somebody broke the books of the first line's product.
    Miscount,
    /// It was cancelled.
    Cancel,
    /// It was shipped.
    Ship,
    /// Time went by.
    Wait(Duration),
}

/// The invocation under test.
#[derive(Debug, Clone, Copy)]
enum Act {
    /// The order's bell, from the queue `orders`.
    Bell,
    /// The order's bell, from the queue `orders-poison`.
    Poison,
    /// The whole order from a checkout; none was placed before.
    Checkout,
    /// The same, from the queue `orders-poison`.
    PoisonCheckout,
    /// A caller cancels and asks again, at most so often, until the answer is 200.
    Cancel(u32),
    /// The courier says that it left, in the same way.
    Ship(u32),
    /// Recovery's timer.
    Tick,
    /// The auditor's timer.
    Audit,
}

/// One function in one situation.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    name: &'static str,
    /// Pieces that the last line lacks.
    lack: u32,
    /// The process under test has held a piece of each product before, for `bob`, and may remember what it saw.
    warm: bool,
    before: &'static [Deed],
    act: Act,
    /// The timelines that the order may have in the end.
    ends: &'static [&'static [&'static str]],
    /// Why it failed, if it did.
    failure: &'static str,
}

/// The invocation under test, with what it needs of the shop that it goes into.
#[derive(Debug)]
enum Call {
    Message { function: &'static str, queue: &'static str, text: String },
    Http { method: &'static str, path: String, calls_max: u32 },
    Tick(&'static str),
}

const fn scenario(
    name: &'static str,
    before: &'static [Deed],
    act: Act,
    ends: &'static [&'static [&'static str]],
) -> Scenario {
    Scenario { name, lack: 0, warm: false, before, act, ends, failure: "" }
}

impl Act {
    fn function(self) -> &'static str {
        match self {
            Self::Bell | Self::Checkout => "ProcessOrder",
            Self::Poison | Self::PoisonCheckout => "RecordPoisonOrder",
            Self::Cancel(_) => "CancelOrder",
            Self::Ship(_) => "MarkShipped",
            Self::Tick => "RecoverOrders",
            Self::Audit => "AuditStock",
        }
    }

    /// Whether the request only reads: its method says so, but for queries, of which the auditor makes many before it writes
    /// its report.
    fn is_read(self, method: &str, is_last: bool) -> bool {
        method == "GET" || matches!(self, Self::Audit) && !is_last
    }
}

impl Scenario {
    /// Takes a shop to where the invocation begins.
    async fn prepare(&self, shop: &TestShop, lines: Lines) -> Call {
        let function = self.act.function();
        if let Act::Checkout | Act::PoisonCheckout = self.act {
            let lines = &order_body("ada", lines)["lines"];
            let text = json!({"checkoutId": "c-1", "customerId": "ada", "lines": lines}).to_string();
            let queue = if function == "ProcessOrder" { "orders" } else { "orders-poison" };
            return Call::Message { function, queue, text };
        }
        let id = shop.place("ada", lines).await;
        let path = |change| format!("/api/orders/{id}/{change}");
        for deed in self.before {
            match deed {
                Deed::Work => shop.work().await,
                Deed::Lose => drop(shop.drain("orders")),
                Deed::HoldFirst => hold(shop, &id, lines[0]).await,
                Deed::Miscount => miscount(shop, lines[0].0, 1).await,
                Deed::Cancel => drop(shop.send("POST", &path("cancellation"), &[], None).await),
                Deed::Ship => drop(shop.send("PUT", &path("shipment"), &[], None).await),
                Deed::Wait(by) => shop.advance(*by),
            }
        }
        match self.act {
            Act::Bell | Act::Checkout => {
                Call::Message { function, queue: "orders", text: shop.drain("orders").remove(0) }
            }
            Act::Poison | Act::PoisonCheckout => {
                Call::Message { function, queue: "orders-poison", text: shop.drain("orders").remove(0) }
            }
            Act::Cancel(calls_max) => Call::Http { method: "POST", path: path("cancellation"), calls_max },
            Act::Ship(calls_max) => Call::Http { method: "PUT", path: path("shipment"), calls_max },
            Act::Tick | Act::Audit => Call::Tick(function),
        }
    }
}

async fn hold(shop: &TestShop, order: &str, (product, quantity): (&str, u32)) {
    let (order_id, product_id) = (OrderId::parse(order).unwrap(), ProductId::parse(product).unwrap());
    let claim = Claim { order_id: &order_id, product_id: &product_id, quantity };
    shop.app.store.stock.hold(claim, shop.app.clock.now()).await.unwrap();
}

impl Call {
    /// Makes the invocation once, as the host does.
    async fn invoke(&self, shop: &TestShop) -> Answer {
        match self {
            Self::Message { function, text, .. } => shop.deliver(function, text, 1).await,
            Self::Http { method, path, .. } => shop.send(method, path, &[], None).await,
            Self::Tick(function) => shop.tick(function).await,
        }
    }

    /// What host or caller do when the invocation failed or never came back. A message comes as a new one here, so that it
    /// is tried once more with what it says about the order.
    async fn repeat(&self, shop: &TestShop) {
        match self {
            Self::Message { queue, text, .. } => shop.put_message(queue, text),
            Self::Http { calls_max, .. } => {
                for _ in 1..*calls_max {
                    if self.invoke(shop).await.status == StatusCode::OK {
                        return;
                    }
                }
                assert_eq!(*calls_max, 1, "a caller is refused again and again");
            }
            Self::Tick(function) => {
                assert_eq!(shop.tick(function).await.status, StatusCode::OK, "the next tick");
            }
        }
    }
}

/// What stands in the way of the process under test.
#[derive(Debug)]
struct Door {
    /// The request that goes wrong, counted from 1, and how.
    plan: Option<(u64, Fault)>,
    /// The invocation under test has begun.
    begun: AtomicBool,
    /// It has come to an end.
    ended: AtomicBool,
    /// The methods of the requests since then.
    arrivals: Mutex<Vec<String>>,
    /// The worker is dead.
    killed: Notify,
    /// The late request may go on.
    late: Notify,
    /// A request was left without an answer.
    gone: Notify,
}

impl Door {
    fn new(plan: Option<(u64, Fault)>) -> Arc<Self> {
        let (begun, ended, arrivals) = (AtomicBool::new(false), AtomicBool::new(false), Mutex::default());
        let (killed, late, gone) = (Notify::new(), Notify::new(), Notify::new());
        Arc::new(Self { plan, begun, ended, arrivals, killed, late, gone })
    }

    fn gate(self: Arc<Self>) -> Gate {
        Arc::new(move |arrival| -> BoxFuture<'static, Fate> { Arc::clone(&self).decide(arrival).boxed() })
    }

    async fn decide(self: Arc<Self>, arrival: Arrival) -> Fate {
        if !self.begun.load(Ordering::SeqCst) {
            return Fate::Pass;
        }
        let number = {
            let mut arrivals = self.arrivals.lock().unwrap();
            arrivals.push(arrival.method);
            u64::try_from(arrivals.len()).unwrap()
        };
        let Some((at, fault)) = self.plan else { return Fate::Pass };
        let is_cut_off = fault.kills() || fault.lasts() && !self.ended.load(Ordering::SeqCst);
        if number != at && !(number > at && is_cut_off) {
            return Fate::Pass;
        }
        if fault.lasts() {
            self.gone.notify_one();
        }
        if number > at {
            return Fate::Vanish;
        }
        if fault.kills() {
            self.killed.notify_one();
        }
        match fault {
            Fault::KilledBefore | Fault::NeverArrived => Fate::Vanish,
            Fault::KilledAfter | Fault::NeverAnswered => Fate::Silence,
            Fault::KilledAndLate => {
                self.late.notified().await;
                Fate::Silence
            }
            Fault::AnswerLost(status) => Fate::Mislead(status),
            Fault::Refused(status) => Fate::Refuse(status),
        }
    }

    /// Whenever a request is without an answer, lets so much time pass that its client gives up. Nobody else may live by
    /// the clock of this thread's runtime.
    async fn pass_time(&self) {
        loop {
            self.gone.notified().await;
            tokio::time::sleep(SETTLING).await;
            tokio::time::pause();
            tokio::time::advance(PATIENCE).await;
            tokio::time::resume();
        }
    }
}

/// Waits until the emulator has served so many requests in all. It serves each in one go, and all on this thread.
async fn served(shop: &TestShop, requests: u64) {
    for _ in 0..TURNS_MAX {
        if shop.requests() == requests {
            return;
        }
        yield_now().await;
    }
    panic!("the emulator served {} requests instead of {requests}", shop.requests());
}

/// Plays the scenario with one fault, or none, and checks the books. Gives the methods of the invocation's requests.
async fn play(scenario: &Scenario, lines: Lines, plan: Option<(u64, Fault)>) -> Vec<String> {
    let door = Door::new(plan);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let emulator = Arc::new(Emulator::new(&endpoint).unwrap().with_gate(Arc::clone(&door).gate()));
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(Arc::clone(&emulator).serve(listener, stopped.map(drop)));

    let stock = initial(scenario, lines);
    let mut shop = TestShop::open_in(Arc::clone(&emulator), &stock).await;
    let cosmos = CosmosConfig {
        endpoint: Endpoint::Loopback(endpoint),
        database: DATABASE.into(),
        region: None,
        identity: Identity::Developer,
    };
    if scenario.warm {
        Box::pin(start(&mut shop, &cosmos)).await;
        let pieces: Vec<_> = lines.iter().map(|(product, _)| (*product, NEIGHBOUR)).collect();
        shop.place("bob", &pieces).await;
        shop.work().await;
    }
    let call = scenario.prepare(&shop, lines).await;
    if !scenario.warm {
        Box::pin(start(&mut shop, &cosmos)).await;
    }
    let audited = matches!(scenario.act, Act::Audit);
    let books = if audited { books(&shop, lines).await } else { Vec::new() };
    let before = shop.requests();
    door.begun.store(true, Ordering::SeqCst);
    let answer = tokio::select! {
        biased;
        () = door.killed.notified() => None,
        answer = call.invoke(&shop) => Some(answer.status),
        () = door.pass_time() => None,
    };
    door.ended.store(true, Ordering::SeqCst);
    let arrivals = door.arrivals.lock().unwrap().clone();
    if let Some((at, fault)) = plan {
        assert!(arrivals.get(usize::try_from(at).unwrap() - 1).is_some(), "only these came: {arrivals:?}");
        assert_eq!(answer.is_none(), fault.kills(), "killed or answered");
        // Recovery goes on with the other orders; all others say that they could not.
        let says_so = answer != Some(StatusCode::OK) || matches!(scenario.act, Act::Tick);
        assert!(says_so || !fault.lasts(), "{answer:?} without an answer of the store");
        if fault.kills() {
            served(&shop, before + at - u64::from(fault != Fault::KilledAfter)).await;
            shop.restart(Store::embedded(emulator, DATABASE));
        }
    }
    if answer != Some(StatusCode::OK) {
        call.repeat(&shop).await;
    }
    if audited {
        check_audit(&books, lines, &shop).await;
    }
    quieten(&shop).await;
    if let Some((_, Fault::KilledAndLate)) = plan {
        let before = shop.requests();
        door.late.notify_one();
        served(&shop, before + 1).await;
        quieten(&shop).await;
    }
    check(scenario, lines, &shop).await;
    drop((shop, stop));
    serving.abort();
    arrivals
}

/// Every document about the order and its products, read behind the shop's back. The auditor's report is not among them.
async fn books(shop: &TestShop, lines: Lines) -> Vec<Value> {
    let mut books = shop.documents("orders", partition().as_str()).await;
    for (product, _) in lines {
        books.extend(shop.documents("stock", product).await);
    }
    books
}

/// The audit has found what is wrong and changed nothing. Afterwards the books are put right.
async fn check_audit(before: &[Value], lines: Lines, shop: &TestShop) {
    assert_eq!(books(shop, lines).await, before, "the audit changed something");
    assert_eq!(shop.messages("orders"), Vec::<String>::new(), "the audit rang");
    let report = shop.get("/api/audit").await.body;
    let found: Vec<_> =
        report["differences"].as_array().unwrap().iter().map(|one| &one["productId"]).collect();
    assert_eq!(found, [lines[0].0], "{report}");
    miscount(shop, lines[0].0, -1).await;
}

/// Says that so many more pieces are held than orders hold.
async fn miscount(shop: &TestShop, product: &'static str, by: i64) {
    let documents = shop.documents("stock", product).await;
    let mut stock = documents.into_iter().find(|document| document["id"] == "stock").unwrap();
    stock["held"] = json!(stock["held"].as_i64().unwrap() + by);
    shop.container("stock").await.replace_item(product, "stock", &stock, None).await.unwrap();
}

/// Starts the process under test and lets it open every container, so that a busy machine cannot fail it on the way.
async fn start(shop: &mut TestShop, cosmos: &CosmosConfig) {
    shop.restart(Store::connect(cosmos));
    let Store { orders, stock, products, customers, .. } = &shop.app.store;
    let nobody = CustomerId::parse("nobody").unwrap();
    let (nothing, none) = (ProductId::parse("nothing").unwrap(), OrderId::from_chance(&nobody, [0; 16]));
    for _ in 0..CALLS_MAX {
        let (order, counts) = tokio::join!(orders.read(&none), stock.read(&nothing));
        let (customer, catalogue) = tokio::join!(customers.find(&nobody), products.page(None, 1));
        if order.is_ok() && counts.is_ok() && customer.is_ok() && catalogue.is_ok() {
            return;
        }
    }
    panic!("the process cannot connect");
}

/// The stock before anybody ordered.
fn initial(scenario: &Scenario, lines: Lines) -> Vec<(&'static str, u32)> {
    let mut stock: Vec<_> = lines.iter().map(|(product, _)| (*product, ON_HAND)).collect();
    if let (Some(last), Some((_, quantity))) = (stock.last_mut(), lines.last()) {
        last.1 = if scenario.lack == 0 { ON_HAND } else { quantity - scenario.lack };
    }
    stock
}

/// Works and recovers until nobody is waiting for anything.
async fn quieten(shop: &TestShop) {
    for _ in 0..ROUNDS_MAX {
        shop.work().await;
        let documents = shop.documents("orders", partition().as_str()).await;
        let rings = documents.iter().filter_map(|document| document.get("ringAt"));
        let Some(ring_at) = rings.map(time).max() else { return };
        let wait = (ring_at - shop.app.clock.now()).to_std().unwrap_or_default();
        shop.advance(wait + Duration::from_secs(1));
        shop.tick("RecoverOrders").await;
    }
    panic!("the shop does not come to rest");
}

fn partition() -> Partition {
    Partition::of(&CustomerId::parse("ada").unwrap())
}

/// Reads the books behind the shop's back.
async fn check(scenario: &Scenario, lines: Lines, shop: &TestShop) {
    for queue in ["orders", "orders-poison", "orders-poison-poison", "orders-rejected"] {
        assert_eq!(shop.messages(queue), Vec::<String>::new(), "left in {queue}");
    }
    let documents = shop.documents("orders", partition().as_str()).await;
    let (mut events, orders): (Vec<_>, Vec<_>) =
        documents.iter().partition(|document| document["type"] == "event");
    assert_eq!(orders.len(), 1, "orders: {orders:?}");
    let order = orders[0];
    events.sort_by_key(|event| event["sequence"].as_u64());
    let sequences: Vec<_> = events.iter().filter_map(|event| event["sequence"].as_u64()).collect();
    let count = order["events"].as_u64().unwrap();
    assert_eq!(sequences, (1..=count).collect::<Vec<_>>(), "sequence numbers of {events:?}");
    let timeline: Vec<_> = events.iter().filter_map(|event| event["kind"].as_str()).collect();
    assert!(scenario.ends.contains(&timeline.as_slice()), "timeline {timeline:?}");
    let last = *timeline.last().unwrap();
    let (status, state, settled) = match last {
        "orderConfirmed" => ("confirmed", "held", false),
        "orderFailed" => ("failed", "released", true),
        "orderShipped" => ("shipped", "taken", true),
        "orderCancelled" => ("cancelled", "released", true),
        other => panic!("{other} is no end"),
    };
    assert_eq!((&order["status"], &order["settled"]), (&json!(status), &json!(settled)), "{order}");
    assert_eq!(order["failure"]["code"].as_str().unwrap_or_default(), scenario.failure, "{order}");
    for ((product, quantity), (_, on_hand)) in lines.iter().zip(initial(scenario, lines)) {
        shop.audit(product).await;
        let documents = shop.documents("stock", product).await;
        let of_type = |kind: &str| -> Vec<&Value> {
            documents.iter().filter(|document| document["type"] == kind).collect()
        };
        let reservations: Vec<_> = of_type("reservation")
            .iter()
            .filter(|reservation| reservation["id"] == order["id"])
            .map(|one| json!([one["id"], one["orderId"], one["quantity"], one["state"]]))
            .collect();
        let id = &order["id"];
        assert_eq!(reservations, [json!([id, id, quantity, state])], "reservations of {product}");
        let stock = of_type("stock")[0];
        let taken = if state == "taken" { *quantity } else { 0 };
        let held = if state == "held" { *quantity } else { 0 };
        let held = held + if scenario.warm { NEIGHBOUR } else { 0 };
        assert_eq!((&stock["onHand"], &stock["held"]), (&json!(on_hand - taken), &json!(held)), "{product}");
    }
}

/// Plays the scenarios with one line and with three: without a fault, then with every fault at every request.
async fn survive(scenarios: &[Scenario]) {
    survive_with(&[ONE_LINE, THREE_LINES], scenarios).await;
}

/// The same with these lines.
async fn survive_with(orders: &[Lines], scenarios: &[Scenario]) {
    let (mut table, mut plans, mut broken) = (String::new(), Vec::new(), Vec::new());
    for scenario in scenarios {
        for &lines in orders {
            let title = format!("{}, {}, lines: {}", scenario.act.function(), scenario.name, lines.len());
            match attempt(scenario, lines, None).await {
                Ok(methods) => {
                    let count = plans.len();
                    for (at, method) in (1..).zip(&methods) {
                        let is_last = u64::try_from(methods.len()).unwrap() == at;
                        let faults = Fault::of(scenario.act.is_read(method, is_last));
                        plans.extend(faults.iter().map(|fault| (*scenario, lines, (at, *fault))));
                    }
                    let (requests, cases) = (methods.len(), plans.len() - count);
                    writeln!(table, "{title}: {requests} requests, {cases} cases").unwrap();
                }
                Err(message) => broken.push(format!("{title}, no fault: {message}")),
            }
        }
    }
    let cases = plans.into_iter().map(|(scenario, lines, (at, fault))| async move {
        let message = if fault.lasts() {
            spawn_blocking(move || {
                let runtime = Builder::new_current_thread().enable_all().build().unwrap();
                runtime.block_on(attempt(&scenario, lines, Some((at, fault))))
            })
            .await
            .unwrap()
        } else {
            attempt(&scenario, lines, Some((at, fault))).await
        };
        let message = message.err()?;
        let (function, name, lines) = (scenario.act.function(), scenario.name, lines.len());
        Some(format!("{function}, {name}, lines: {lines}, {fault:?} at request {at}: {message}"))
    });
    let found: Vec<_> = stream::iter(cases).buffer_unordered(CASES_AT_ONCE).collect().await;
    broken.extend(found.into_iter().flatten());
    #[allow(clippy::print_stdout, reason = "the figures are for whoever asks with --nocapture")]
    {
        println!("{table}");
    }
    assert!(broken.is_empty(), "\n{}\n", broken.join("\n"));
}

/// One case; a failed check is a message, so that the others are played all the same.
async fn attempt(
    scenario: &Scenario,
    lines: Lines,
    plan: Option<(u64, Fault)>,
) -> Result<Vec<String>, String> {
    let played = AssertUnwindSafe(Box::pin(play(scenario, lines, plan))).catch_unwind().await;
    played.map_err(|panic| match panic.downcast::<String>() {
        Ok(message) => *message,
        Err(panic) => panic.downcast::<&str>().map_or_else(|_| "?".to_owned(), |text| (*text).to_owned()),
    })
}

#[tokio::test]
async fn worker_that_confirms_survives_every_fault_at_every_request() {
    let enough = scenario("enough stock", &[], Act::Bell, &[CONFIRMED]);
    survive(&[
        enough,
        Scenario { name: "enough stock, warm process", warm: true, ..enough },
        scenario("checkout", &[], Act::Checkout, &[CONFIRMED]),
    ])
    .await;
}

#[tokio::test]
async fn worker_that_fails_an_order_survives_every_fault_at_every_request() {
    let short = scenario("too little stock", &[], Act::Bell, &[FAILED]);
    let short = Scenario { lack: 1, failure: "outOfStock", ..short };
    survive(&[short, Scenario { name: "too little stock, warm process", warm: true, ..short }]).await;
}

#[tokio::test]
async fn worker_with_an_old_bell_survives_every_fault_at_every_request() {
    // The first bell is the one that the order was placed with; the one that was rung later is lost.
    const MEANWHILE: &[Deed] = &[Deed::HoldFirst, Deed::Cancel];
    survive(&[scenario("old bell, cancelled amid the holds", MEANWHILE, Act::Bell, &[CANCELLED])]).await;
}

#[tokio::test]
async fn worker_that_settles_survives_every_fault_at_every_request() {
    survive(&[
        scenario("shipped", &[Deed::Work, Deed::Ship], Act::Bell, &[SHIPPED]),
        scenario("cancelled", &[Deed::Work, Deed::Cancel], Act::Bell, &[CANCELLED_LATE]),
        scenario("cancelled before any hold", &[Deed::Lose, Deed::Cancel], Act::Bell, &[CANCELLED]),
    ])
    .await;
}

#[tokio::test]
async fn cancellation_survives_every_fault_at_every_request() {
    const EITHER: &[&[&str]] = &[CONFIRMED, CANCELLED_LATE];
    survive(&[
        scenario("pending", &[Deed::Lose], Act::Cancel(CALLS_MAX), &[CANCELLED]),
        scenario("confirmed", &[Deed::Work], Act::Cancel(CALLS_MAX), &[CANCELLED_LATE]),
        scenario("confirmed, the caller asks once", &[Deed::Work], Act::Cancel(1), EITHER),
    ])
    .await;
}

#[tokio::test]
async fn shipment_survives_every_fault_at_every_request() {
    const EITHER: &[&[&str]] = &[CONFIRMED, SHIPPED];
    survive(&[
        scenario("confirmed", &[Deed::Work], Act::Ship(CALLS_MAX), &[SHIPPED]),
        scenario("confirmed, the courier says so once", &[Deed::Work], Act::Ship(1), EITHER),
    ])
    .await;
}

#[tokio::test]
async fn recording_of_poison_survives_every_fault_at_every_request() {
    const FAILURE: &str = "processingFailed";
    let half_held = scenario("pending, first line held", &[Deed::HoldFirst], Act::Poison, &[FAILED]);
    let checkout = scenario("checkout", &[], Act::PoisonCheckout, &[FAILED]);
    survive(&[
        Scenario { failure: FAILURE, ..half_held },
        Scenario { failure: FAILURE, ..checkout },
        scenario("shipped", &[Deed::Work, Deed::Ship], Act::Poison, &[SHIPPED]),
    ])
    .await;
}

#[tokio::test]
async fn recovery_survives_every_fault_at_every_request() {
    const FORGOTTEN: &[Deed] = &[Deed::HoldFirst, Deed::Lose, Deed::Wait(EXPIRED)];
    const UNSETTLED: &[Deed] = &[Deed::Work, Deed::Cancel, Deed::Lose, Deed::Wait(OVERDUE)];
    let forgotten = scenario("undecided for a day, first line held", FORGOTTEN, Act::Tick, &[FAILED]);
    survive(&[
        scenario("lost bell", &[Deed::Lose, Deed::Wait(OVERDUE)], Act::Tick, &[CONFIRMED]),
        scenario("cancelled, lost bell", UNSETTLED, Act::Tick, &[CANCELLED_LATE]),
        Scenario { failure: "expired", ..forgotten },
    ])
    .await;
}

#[tokio::test]
async fn audit_survives_every_fault_at_every_request_and_repairs_nothing() {
    // It looks at each product in the same way, so one line is enough.
    const BROKEN: &[Deed] = &[Deed::Work, Deed::Miscount];
    survive_with(&[ONE_LINE], &[scenario("broken books", BROKEN, Act::Audit, &[CONFIRMED])]).await;
}
