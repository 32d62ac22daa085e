//! One run: who moves next and what goes wrong is drawn from the seed, until nothing is left to do; then the faults stop,
//! recovery and redelivery run until it is quiet, and the books are checked.
#![cfg(test)]

use std::ops::AddAssign;
use std::time::Duration;

use axum::http::StatusCode;
use widgetco::domain::id::OrderId;
use widgetco::store::emulator::Fate;

use super::account::Upheaval;
use super::books::{Books, Page};
use super::chance::Chance;
use super::job::{Job, Message};
use super::promises::Promises;
use super::scenario::{Plan, Scenario};
use super::world::World;
use crate::shop::{Answer, DEQUEUES_MAX};

/// Steps after which a run counts as one that never ends.
const STEPS_MAX: usize = 4_000;
/// Steps between two looks at the ledger while the work goes on.
const LEDGER_STEPS: usize = 24;
/// How often the callers of one run ask again, all together: after a failure, too early, or for no reason.
const RETRIES_MAX: u32 = 24;
/// Until recovery rings for an order that waits.
const OVERDUE: Duration = Duration::from_secs(121);
/// The waits of the last phase: two ordinary ones, then longer ones for orders on which the queue gave up before.
const CALM_WAITS_S: [u64; 10] = [121, 121, 540, 2_100, 8_400, 33_600, 90_000, 90_000, 90_000, 90_000];

/// What happened, line by line and in numbers, and what was wrong.
#[derive(Debug, Default)]
pub(super) struct Report {
    pub(super) log: Vec<String>,
    pub(super) tally: Tally,
    pub(super) violations: Vec<String>,
}

/// How often happened what must not be missing from the runs.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Tally {
    /// Reads answered by a region that was behind.
    pub(super) stale_reads: u64,
    /// Reads that such a region refused, because the process itself had written what was missing.
    pub(super) refused_reads: u64,
    pub(super) splits: u64,
    pub(super) failovers: u64,
    pub(super) restarts: u64,
}

impl Tally {
    /// What happened so seldom in so many seeds that they prove little about it.
    pub(super) fn seldom(self, seeds: u64) -> Vec<&'static str> {
        let least_per_100 = [
            ("stale reads", self.stale_reads, 100),
            ("refused reads", self.refused_reads, 100),
            ("splits", self.splits, 25),
            ("failovers", self.failovers, 15),
            ("restarts", self.restarts, 40),
        ];
        let seldom = least_per_100.into_iter().filter(|(_, count, least)| count * 100 < least * seeds);
        seldom.map(|(name, ..)| name).collect()
    }
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.stale_reads += other.stale_reads;
        self.refused_reads += other.refused_reads;
        self.splits += other.splits;
        self.failovers += other.failovers;
        self.restarts += other.restarts;
    }
}

pub(super) struct Run {
    chance: Chance,
    world: World,
    books: Books,
    promises: Promises,
    todo: Vec<Plan>,
    retries: u32,
    queue: Vec<Message>,
    /// Messages that were done with and will come once more.
    late: Vec<Message>,
    known: Vec<String>,
    bells: usize,
    slots: usize,
    faults_per_mille: u32,
    recoveries: u32,
    long_nights: u32,
    deaths: u32,
    steps: usize,
    is_calm: bool,
    report: Report,
}

/// What the scheduler may do next; numbers are processes.
#[derive(Debug, Clone, Copy)]
enum Choice {
    Start(usize),
    Release,
    PassTime(usize),
    Kill(usize),
    KillAll(usize),
    Duplicate,
    ReturnLate,
    Recover(usize),
    LongNight,
    Die(usize),
    Replace,
    Befall(Upheaval),
}

impl Run {
    pub(super) fn of(seed: u64) -> Report {
        let mut chance = Chance::of(seed);
        let scenario = Scenario::draw(&mut chance);
        let world = World::open(seed, &scenario);
        let products = scenario.stock.iter().map(|(product, _)| *product).collect();
        let books = world.office.block_on(Books::of(&world.owner, products));
        let mut report = Report::default();
        report.log.push(format!("{scenario:?}"));
        let mut run = Self {
            chance,
            world,
            books,
            promises: Promises::default(),
            todo: scenario.plans,
            retries: 0,
            queue: Vec::new(),
            late: Vec::new(),
            known: Vec::new(),
            bells: 0,
            slots: scenario.slots,
            faults_per_mille: scenario.faults_per_mille,
            recoveries: scenario.recoveries,
            long_nights: scenario.long_nights,
            deaths: scenario.deaths,
            steps: 0,
            is_calm: false,
            report,
        };
        run.play();
        let account = &run.world.account;
        run.report.tally.stale_reads = account.emulator.stale_reads();
        run.report.tally.refused_reads = account.emulator.refused_reads();
        (run.report.tally.splits, run.report.tally.failovers) = (account.splits, account.failovers);
        run.report
    }

    fn play(&mut self) {
        self.work();
        self.is_calm = true;
        self.note("-".repeat(20));
        self.world.server.block_on(self.world.account.calm(&mut self.chance));
        while self.world.replace() {}
        self.queue.append(&mut self.late);
        self.work();
        for (round, wait_s) in CALM_WAITS_S.into_iter().enumerate() {
            self.world.clock.advance(Duration::from_secs(wait_s));
            self.bells = 0;
            self.start(0, Job::Recover);
            self.work();
            let page = self.page();
            if round == 1 && page.undecided() > 0 {
                self.report.violations.push("recovery left an order undecided".to_owned());
            }
            if self.bells == 0 && page.unfinished() == 0 || !self.report.violations.is_empty() {
                break;
            }
        }
        let page = self.page();
        self.report.violations.extend(page.end(&self.promises));
    }

    /// Steps until nothing is left to do, or something is wrong.
    fn work(&mut self) {
        while self.report.violations.is_empty() && self.has_work() {
            self.steps += 1;
            if self.steps > STEPS_MAX {
                self.report.violations.push(format!("{} messages are retried for ever", self.queue.len()));
            }
            let choices = self.choices();
            let choice = self.chance.weigh(&choices);
            self.perform(choice);
            if self.steps.is_multiple_of(LEDGER_STEPS) && !self.world.account.is_splitting() {
                let page = self.page();
                self.report.violations.extend(page.ledger());
            }
        }
    }

    fn page(&self) -> Page {
        let region = self.world.account.emulator.write_region();
        self.world.office.block_on(self.books.read(&region))
    }

    fn has_work(&self) -> bool {
        let is_busy = self.world.processes.iter().any(|process| !process.deliveries.is_empty());
        is_busy || !self.todo.is_empty() || !self.queue.is_empty() || self.world.door.waiting(None) > 0
    }

    fn choices(&self) -> Vec<(u32, Choice)> {
        let has_more = !self.todo.is_empty() || !self.queue.is_empty();
        let mut choices = Vec::new();
        if self.world.door.waiting(None) > 0 {
            choices.push((80, Choice::Release));
        }
        for (number, process) in self.world.processes.iter().enumerate() {
            let busy = process.deliveries.len();
            if has_more && busy < self.slots {
                choices.push((40, Choice::Start(number)));
            }
            if self.world.is_asleep(number) {
                choices.push((30, Choice::PassTime(number)));
            } else if busy > 0 {
                choices.push((if self.is_calm { 0 } else { 2 }, Choice::PassTime(number)));
            }
            if busy > 0 && self.faults_per_mille > 0 && !self.is_calm {
                choices.extend([(1, Choice::Kill(number)), (1, Choice::KillAll(number))]);
            }
            if busy < self.slots && self.recoveries > 0 && !self.is_calm {
                choices.push((1, Choice::Recover(number)));
            }
            if self.deaths > 0 && !self.is_calm {
                choices.push((2, Choice::Die(number)));
            }
        }
        if !self.is_calm {
            choices.push((if self.queue.is_empty() { 0 } else { 3 }, Choice::Duplicate));
            choices.push((if self.late.is_empty() { 0 } else { 2 }, Choice::ReturnLate));
            choices.push((self.long_nights, Choice::LongNight));
            choices.push((if self.world.vacancies.is_empty() { 0 } else { 12 }, Choice::Replace));
            let next = self.world.account.next().into_iter();
            choices.extend(next.map(|(weight, upheaval)| (weight, Choice::Befall(upheaval))));
        }
        choices
    }

    fn perform(&mut self, choice: Choice) {
        match choice {
            Choice::Start(process) => {
                if let Some(job) = self.draw_job() {
                    self.start(process, job);
                }
            }
            Choice::Release => self.release(),
            Choice::PassTime(process) => {
                self.note(format!("{}: time passes", self.name(process)));
                if let Err(stuck) = self.world.pass_time(process) {
                    self.report.violations.push(stuck);
                }
                self.collect(process);
            }
            Choice::Kill(process) => {
                let delivery = self.chance.below(self.world.processes[process].deliveries.len());
                self.kill(process, delivery);
            }
            Choice::KillAll(process) => {
                while !self.world.processes[process].deliveries.is_empty() {
                    self.kill(process, 0);
                }
            }
            Choice::Duplicate => {
                let index = self.chance.below(self.queue.len());
                self.note(format!("twice: {}", self.queue[index].text));
                self.queue.push(self.queue[index].clone());
            }
            Choice::ReturnLate => {
                let index = self.chance.below(self.late.len());
                let message = self.late.swap_remove(index);
                self.note(format!("late: {}", message.text));
                self.queue.push(message);
            }
            Choice::Recover(process) => {
                self.recoveries -= 1;
                self.world.clock.advance(OVERDUE);
                self.start(process, Job::Recover);
            }
            Choice::LongNight => {
                self.long_nights -= 1;
                self.note("a day and an hour pass".to_owned());
                self.world.clock.advance(Duration::from_secs(25 * 3600));
            }
            Choice::Die(process) => self.die(process),
            Choice::Replace => {
                self.world.replace();
                self.report.tally.restarts += 1;
                self.note("a new process".to_owned());
            }
            Choice::Befall(upheaval) => {
                let World { server, account, .. } = &mut self.world;
                let words = server.block_on(account.meet(upheaval, &mut self.chance));
                self.note(words);
            }
        }
    }

    /// The next thing to do: a message, or what somebody planned. `None` when the plan has to wait or needs no process.
    fn draw_job(&mut self) -> Option<Job> {
        if !self.queue.is_empty() && (self.todo.is_empty() || self.chance.happens(500)) {
            let index = self.chance.below(self.queue.len());
            let mut message = self.queue.remove(index);
            message.dequeues += 1;
            return Some(Job::Message(message));
        }
        let index = self.chance.below(self.todo.len().min(3));
        let plan = self.todo.remove(index);
        let order = if self.known.is_empty() { None } else { Some(self.chance.pick(&self.known)) };
        let job = match (plan.clone(), order) {
            (Plan::Place(wish), _) => Job::Place(wish),
            (Plan::Checkout(wish), _) => {
                let id = wish.derived_id().unwrap();
                self.promises.orders.insert(id.clone());
                self.known.push(id);
                self.queue.push(Message { text: wish.checkout(), poison: false, dequeues: 0 });
                return None;
            }
            (Plan::Adjust { product, delta, name, keyed }, _) => Job::Adjust { product, delta, name, keyed },
            (Plan::Count { product, on_hand }, _) => Job::Count { product, on_hand },
            (Plan::Cancel, Some(id)) => Job::Cancel(id),
            (Plan::Ship, Some(id)) => Job::Ship(id),
            (Plan::Cancel | Plan::Ship, None) => {
                self.plan_again(plan);
                return None;
            }
        };
        // Whoever gets no good answer may ask again, and some ask twice although they got one.
        if self.chance.happens(300) {
            self.plan_again(plan);
        }
        Some(job)
    }

    fn plan_again(&mut self, plan: Plan) {
        if self.retries < RETRIES_MAX {
            self.retries += 1;
            let index = self.chance.below(self.todo.len() + 1);
            self.todo.insert(index, plan);
        }
    }

    fn start(&mut self, process: usize, job: Job) {
        self.note(format!("{} begins: {}", self.name(process), job.words()));
        self.promises.tried(&job);
        self.world.start(process, job);
        self.collect(process);
    }

    /// Lets one of those go on who wait at the door.
    fn release(&mut self) {
        let index = self.chance.below(self.world.door.waiting(None));
        let waiting = self.world.door.call(index);
        let fate = self.draw_fate();
        let (number, arrival) = (waiting.process, waiting.arrival.clone());
        let path = arrival.path.trim_start_matches("/dbs/test/colls/");
        self.note(format!("p{number} {} {path} in {} {fate:?}", arrival.method, arrival.region));
        let stale_reads = self.world.account.emulator.stale_reads();
        waiting.meet(fate);
        match self.world.find(number) {
            Some(process) => {
                self.world.settle(process);
                self.collect(process);
            }
            None => self.world.settle_store(),
        }
        if self.world.account.emulator.stale_reads() > stale_reads {
            self.note("that was stale".to_owned());
        }
    }

    fn draw_fate(&mut self) -> Fate {
        if self.is_calm || !self.chance.happens(self.faults_per_mille) {
            return Fate::Pass;
        }
        self.chance.weigh(&[
            (3, Fate::Refuse(503)),
            (3, Fate::Refuse(429)),
            (2, Fate::Refuse(408)),
            (1, Fate::Refuse(500)),
            (3, Fate::Mislead(503)),
            (2, Fate::Mislead(408)),
            (1, Fate::Mislead(500)),
            (2, Fate::Vanish),
            (3, Fate::Silence),
        ])
    }

    fn kill(&mut self, process: usize, delivery: usize) {
        let job = self.world.kill(process, delivery);
        self.note(format!("{} is stopped in: {}", self.name(process), job.words()));
        if let Job::Message(message) = job {
            self.give_back(message);
        }
        self.collect(process);
    }

    fn die(&mut self, process: usize) {
        self.deaths -= 1;
        self.note(format!("{} dies", self.name(process)));
        for job in self.world.die(process) {
            if let Job::Message(message) = job {
                self.give_back(message);
            }
        }
    }

    fn name(&self, process: usize) -> String {
        format!("p{}", self.world.processes[process].number)
    }

    /// Hears the answers that a process has given.
    fn collect(&mut self, process: usize) {
        for (job, answer) in self.world.finished(process) {
            let Some(answer) = answer else {
                self.report.violations.push(format!("panic in: {}", job.words()));
                continue;
            };
            let (name, status) = (self.name(process), answer.status.as_u16());
            self.note(format!("{name} {status} after: {}", job.words()));
            if !job.allows(answer.status) {
                self.report.violations.push(format!("{answer:?} after {job:?}"));
            }
            self.promises.answered(&job, &answer);
            self.hear(job, &answer);
        }
        let shop = &self.world.processes[process].shop;
        let (bells, rejected) = (shop.drain("orders"), shop.drain("orders-rejected"));
        self.bells += bells.len();
        self.queue.extend(bells.into_iter().map(|text| Message { text, poison: false, dequeues: 0 }));
        self.report.violations.extend(rejected.into_iter().map(|text| format!("rejected: {text}")));
    }

    fn hear(&mut self, job: Job, answer: &Answer) {
        match job {
            Job::Place(_) if answer.status == StatusCode::ACCEPTED => {
                self.known.push(OrderId::parse(answer.body["id"].as_str().unwrap()).unwrap().to_string());
            }
            Job::Ship(_) if answer.status == StatusCode::CONFLICT && !self.is_calm => {
                self.plan_again(Plan::Ship);
            }
            Job::Message(message) if answer.status == StatusCode::OK => {
                if !self.is_calm && self.chance.happens(150) {
                    self.late.push(Message { dequeues: 0, ..message });
                }
            }
            Job::Message(message) => self.give_back(message),
            Job::Place(_)
            | Job::Cancel(_)
            | Job::Ship(_)
            | Job::Adjust { .. }
            | Job::Count { .. }
            | Job::Recover => {}
        }
    }

    /// A message that was not done with comes again, or is poison. What is poison already comes until it is done with.
    fn give_back(&mut self, message: Message) {
        let is_spent = !message.poison && message.dequeues >= DEQUEUES_MAX;
        let again = Message { poison: true, dequeues: 0, ..message.clone() };
        self.queue.push(if is_spent { again } else { message });
    }

    fn note(&mut self, line: String) {
        // What a bell says about the order holds its version, which is another in every run.
        let line = match line.split_once(",\"sight\":") {
            Some((bell, _)) => format!("{bell} and a sight}}"),
            None => line,
        };
        self.report.log.push(format!("{:4} {line}", self.steps));
    }
}
