//! The machines: an emulator that serves HTTP in two regions, and handler processes, each with a runtime, a clock, an SDK client and
//! connections of its own. They all live on the calling thread and move only when they are told to.
//!
//! Does not know who should move next.
#![cfg(test)]

use std::sync::Arc;
use std::time::Duration;

use chrono::{TimeZone, Utc};
use tokio::net::{TcpListener, TcpSocket};
use tokio::runtime::{Builder, Runtime};
use tokio::task::{JoinHandle, yield_now};
use widgetco::app::App;
use widgetco::config::{CosmosConfig, Endpoint, Identity};
use widgetco::domain::id::{CustomerId, OrderId, ProductId};
use widgetco::sources::{Clock, Ids};
use widgetco::store::Store;
use widgetco::store::emulator::Emulator;

use super::account::{Account, REGIONS};
use super::door::Door;
use super::job::Job;
use super::scenario::Scenario;
use crate::shop::{Answer, DATABASE, TestShop};

/// Rounds without news after which a process counts as quiet, and how long the kernel is given before each: it may hand
/// loopback data over a little later when the machine is busy.
const QUIET_ROUNDS: u32 = 3;
const QUIET_PAUSE: Duration = Duration::from_micros(50);
/// The same where news should have come: a process that seems to sleep, or one whose request was answered.
const STILL_ROUNDS: u32 = 12;
const STILL_PAUSE: Duration = Duration::from_micros(200);
/// How often a machine looks at its sockets in one round.
const LOOKS: u32 = 3;
/// Rounds that opening the containers may take, in real time.
const CONNECTING_ROUNDS_MAX: u32 = 200_000;
/// How much time passes at once for a process that sleeps: more than any pause between two attempts, whose length the SDK
/// draws by the machine's clock (at most 2.75 s), and no divisor of the time-outs, so that it does not matter by how
/// little one of them is missed.
const TICK: Duration = Duration::from_millis(3_100);
/// Ticks after which a process that still does nothing is stuck: every operation has a time-out of 10 s.
const TICKS_MAX: u32 = 40;

pub(super) struct World {
    pub(super) clock: Clock,
    pub(super) door: Arc<Door>,
    pub(super) account: Account,
    pub(super) processes: Vec<Process>,
    /// Where each process preferred to read that has died and has no successor yet.
    pub(super) vacancies: Vec<Option<&'static str>>,
    /// How many processes there have been.
    born: usize,
    seed: u64,
    endpoint: String,
    /// The way to the store behind the shop's back.
    pub(super) office: Runtime,
    pub(super) owner: TestShop,
    pub(super) server: Runtime,
}

/// One instance of the handler.
pub(super) struct Process {
    /// No two that ever lived have the same.
    pub(super) number: usize,
    region: Option<&'static str>,
    runtime: Runtime,
    pub(super) shop: Arc<TestShop>,
    pub(super) deliveries: Vec<Delivery>,
}

/// One call of the handler that has not been answered.
#[derive(Debug)]
pub(super) struct Delivery {
    pub(super) job: Job,
    task: JoinHandle<Answer>,
}

fn machine(paused: bool) -> Runtime {
    Builder::new_current_thread().enable_all().start_paused(paused).build().unwrap()
}

/// A free port. Its connections inherit that they send at once; otherwise the kernel would hold answers back for 40 ms.
fn listener() -> TcpListener {
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_nodelay(true).unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    socket.listen(1024).unwrap()
}

/// Makes the containers, the products and the customers.
async fn fill(owner: &TestShop, stock: &[(&str, u32)]) {
    owner.app.store.create_containers().await.unwrap();
    for (product, on_hand) in stock {
        owner.add_product(product, *on_hand).await;
    }
    for id in ["ada", "bob"] {
        owner.add_customer(id).await;
    }
}

/// Lets every task of a machine run as far as it can. Yielding keeps the runtime from moving its paused clock by itself.
async fn look_around() {
    for _ in 0..LOOKS {
        yield_now().await;
    }
}

impl World {
    /// The shop of this scenario, with processes that have connected to its store.
    pub(super) fn open(seed: u64, scenario: &Scenario) -> Self {
        let (server, office) = (machine(false), machine(false));
        let listeners = server.block_on(async { REGIONS.map(|_| listener()) });
        let addresses = listeners.each_ref().map(|one| format!("http://{}/", one.local_addr().unwrap()));
        let regions = [0, 1].map(|index| (REGIONS[index], addresses[index].as_str()));
        let door = Arc::new(Door::default());
        let emulator = Arc::new(Emulator::in_regions(&regions).unwrap().with_gate(door.gate()));
        let clock = Clock::manual(Utc.with_ymd_and_hms(2026, 3, 2, 9, 15, 0).unwrap());
        for listener in listeners {
            server.spawn(Arc::clone(&emulator).serve(listener, std::future::pending()));
        }
        let store = Store::embedded(Arc::clone(&emulator), DATABASE);
        let app = App::new(store, clock.clone(), Ids::seeded(seed ^ 0xB00C));
        let owner = TestShop::over(app, Arc::clone(&emulator));
        office.block_on(fill(&owner, &scenario.stock));
        let products: Vec<_> = scenario.stock.iter().map(|(product, _)| *product).collect();
        let account = Account::of(emulator, scenario.upheavals, &products);
        let (processes, vacancies) = (Vec::new(), scenario.processes.clone());
        let [endpoint, _] = addresses;
        let mut world = Self {
            clock,
            door,
            account,
            processes,
            vacancies,
            born: 0,
            seed,
            endpoint,
            office,
            owner,
            server,
        };
        while world.replace() {}
        world.connect();
        world.door.shut();
        world
    }

    /// A new process, which knows nothing and is not connected, takes the place of one that is missing. `false` when
    /// none is.
    pub(super) fn replace(&mut self) -> bool {
        let Some(region) = self.vacancies.pop() else { return false };
        let number = self.born;
        self.born += 1;
        let config = CosmosConfig {
            endpoint: Endpoint::Loopback(self.endpoint.clone()),
            database: DATABASE.to_owned(),
            region: region.map(str::to_owned),
            identity: Identity::Developer,
        };
        let ids = Ids::seeded(self.seed.wrapping_mul(64).wrapping_add(u64::try_from(number).unwrap()));
        let app = App::new(Store::connect(&config), self.clock.clone(), ids);
        let shop = Arc::new(TestShop::over(app, Arc::clone(&self.account.emulator)));
        self.processes.push(Process { number, region, runtime: machine(true), shop, deliveries: Vec::new() });
        true
    }

    /// Has every process open every container, while nobody is stopped.
    fn connect(&mut self) {
        for number in 0..self.processes.len() {
            let shop = Arc::clone(&self.processes[number].shop);
            let connected = self.processes[number].runtime.spawn(async move {
                let store = &shop.app.store;
                store.orders.read(&OrderId::parse(&"a".repeat(34)).unwrap()).await.unwrap();
                store.stock.read(&ProductId::parse("none").unwrap()).await.unwrap();
                store.products.read(&ProductId::parse("none").unwrap()).await.unwrap();
                store.customers.find(&CustomerId::parse("none").unwrap()).await.unwrap();
            });
            for _ in 0..CONNECTING_ROUNDS_MAX {
                if connected.is_finished() {
                    break;
                }
                self.everybody_looks_around();
            }
            assert!(connected.is_finished(), "process {number} cannot connect");
            self.processes[number].runtime.block_on(connected).unwrap();
        }
    }

    fn everybody_looks_around(&mut self) {
        self.server.block_on(look_around());
        for process in &self.processes {
            process.runtime.block_on(look_around());
        }
        std::thread::yield_now();
    }

    /// Begins a delivery, and follows it until it stops.
    pub(super) fn start(&mut self, process: usize, job: Job) {
        let Process { runtime, shop, deliveries, .. } = &mut self.processes[process];
        let (shop, begun) = (Arc::clone(shop), job.clone());
        let task = runtime.spawn(async move { begun.perform(&shop).await });
        deliveries.push(Delivery { job, task });
        self.settle(process);
    }

    /// Gives a process its turn, until it waits at the door, sleeps or has finished.
    pub(super) fn settle(&mut self, process: usize) {
        self.door.give_turn(self.processes[process].number);
        let begun = self.news(process);
        self.listen(process, QUIET_ROUNDS, QUIET_PAUSE);
        if self.news(process) == begun || self.is_asleep(process) {
            self.listen(process, STILL_ROUNDS, STILL_PAUSE);
        }
    }

    /// Lets a process and the emulator talk to each other until so many rounds have brought no news.
    fn listen(&mut self, process: usize, rounds: u32, pause: Duration) {
        let mut quiet = 0;
        while quiet < rounds {
            let before = self.news(process);
            self.server.block_on(look_around());
            self.processes[process].runtime.block_on(look_around());
            if self.news(process) == before {
                quiet += 1;
                std::thread::sleep(pause);
            } else {
                quiet = 0;
            }
        }
    }

    /// Whether a process works on something and waits for nobody but the time.
    pub(super) fn is_asleep(&self, process: usize) -> bool {
        let deliveries = &self.processes[process].deliveries;
        deliveries.iter().any(|delivery| !delivery.task.is_finished())
            && self.door.waiting(Some(self.processes[process].number)) == 0
    }

    /// Time passes for this process, and for no other: until something happens if it sleeps, and a moment if it does not.
    ///
    /// # Errors
    /// When it sleeps for longer than anything in it should.
    pub(super) fn pass_time(&mut self, process: usize) -> Result<(), String> {
        let before = self.news(process);
        for _ in 0..TICKS_MAX {
            self.processes[process].runtime.block_on(tokio::time::advance(TICK));
            self.settle(process);
            if self.news(process) != before || !self.is_asleep(process) {
                return Ok(());
            }
        }
        Err(format!("process {process} hangs in {:?}", self.processes[process].deliveries))
    }

    fn news(&self, process: usize) -> (u64, usize) {
        let deliveries = &self.processes[process].deliveries;
        let finished = deliveries.iter().filter(|delivery| delivery.task.is_finished()).count();
        (self.account.emulator.traffic(), finished)
    }

    /// Takes the deliveries that have come to an end, with their answers; `None` for one that panicked.
    pub(super) fn finished(&mut self, process: usize) -> Vec<(Job, Option<Answer>)> {
        let Process { runtime, deliveries, .. } = &mut self.processes[process];
        let ended = deliveries.extract_if(.., |delivery| delivery.task.is_finished());
        ended.map(|delivery| (delivery.job, runtime.block_on(delivery.task).ok())).collect()
    }

    /// Ends a delivery in the middle of what it does. What it has sent is still on its way.
    pub(super) fn kill(&mut self, process: usize, delivery: usize) -> Job {
        let Delivery { job, task } = self.processes[process].deliveries.remove(delivery);
        task.abort();
        self.settle(process);
        job
    }

    /// Ends a whole process: what it was doing, its connections and all that it remembers. What it has sent is still on
    /// its way.
    pub(super) fn die(&mut self, process: usize) -> Vec<Job> {
        let Process { region, deliveries, .. } = self.processes.remove(process);
        self.vacancies.push(region);
        self.settle_store();
        deliveries.into_iter().map(|delivery| delivery.job).collect()
    }

    /// Lets the emulator do what it was told, while no process moves.
    pub(super) fn settle_store(&self) {
        self.server.block_on(look_around());
    }

    /// Where the process with this number is, if it lives.
    pub(super) fn find(&self, number: usize) -> Option<usize> {
        self.processes.iter().position(|process| process.number == number)
    }
}
