//! The whole shop under a scheduler that a seed controls: several processes of the real handler with the real SDK client,
//! over HTTP to the emulator, interleaved at every request for a document. Requests are refused, take effect and are
//! answered with an error, or are never answered; deliveries are killed while their requests are still on their way, and
//! those take effect later or never; messages come twice, late, and end as poison; clocks jump. A process dies whole and
//! another one starts in its place, which remembers nothing and is not connected.
//!
//! The account has two regions, and each process reads from the one that it prefers. The region that takes no writes lags
//! behind, catches up, and lags again, so that it answers with the past; what a process has written itself it sees all the
//! same, because the region says that it does not know it yet, and the client asks the other one. Partitions split while
//! requests wait, and the write region moves. Then the faults stop, recovery and redelivery run until it is quiet, and the
//! books are checked behind the shop's back.
//!
//! `cargo test` plays [`SEEDS`] seeds. `SIMULATION_SEEDS=0..20000` plays as many as one likes, in an optimized build, and
//! `SIMULATION_SEED=7` replays one and prints its log:
//!
//! ```text
//! SIMULATION_SEEDS=0..20000 cargo test --profile simulation --test it simulation::seeds -- --nocapture
//! SIMULATION_SEED=7 cargo test --test it simulation::seeds -- --nocapture
//! ```
//!
//! A third of the time of an optimized build goes into reading the machine's certificates, which every client does and
//! none needs here: `SSL_CERT_FILE=` with the path of a file with a single one spares that.
//!
//! **What is deterministic.** Everything that a seed decides runs on one thread. Each process has a runtime and a paused
//! clock of its own and moves only in its turn, so that a request at the door is known to be its. Pauses and time-outs
//! of the store and of the SDK end when the scheduler lets the time pass, never by themselves.
//!
//! **What is not.** The SDK draws the jitter of its back-offs from the machine's clock; time passes in steps that are
//! longer than all of them, so that it does not decide who wakes first. By the machine's clock it also counts its deadline
//! of 10 s, and 5 s between two questions for the account's regions, which no run comes near unless the machine stands
//! still. Of two equal requests of one process the one that reached the emulator's socket first comes first; that order is
//! the kernel's, and the same as long as it hands loopback data over within the short pauses that the scheduler makes for
//! it. `one_seed_is_one_run` holds what this comes to, and `SIMULATION_TWICE=0..100` tries it on more seeds.
//!
//! **What it does not play.** A failover is a planned one: the new region has everything before it takes over. A forced
//! failover loses writes that were acknowledged, and no protocol between a client and its store can promise anything
//! about those. A region lags as a whole, while in Azure each partition lags on its own; all regions have caught up when a
//! partition begins to split. Only reads are stale: there is one write region at a time. Partitions never merge.
#![cfg(test)]

use std::io::Write;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

mod account;
mod books;
mod chance;
mod door;
mod job;
mod museum;
mod promises;
mod scenario;
mod scheduler;
mod world;

use widgetco::museum::{self as mistakes, Mistake};

use self::scheduler::{Report, Run, Tally};

/// What `cargo test` plays.
const SEEDS: Range<u64> = 0..80;
/// What it plays twice, to see that both runs are the same.
const SEEDS_TWICE: Range<u64> = 1..5;

fn setting(name: &str) -> Option<String> {
    #[allow(clippy::disallowed_methods, reason = "which seeds to play is not a setting of the shop")]
    std::env::var(name).ok()
}

/// The seeds that are asked for: one, or a range like `0..100`.
fn seeds(name: &str) -> Option<Range<u64>> {
    let text = setting(name)?;
    let parse = |text: &str| text.trim().parse().unwrap_or_else(|_| panic!("{name}: {text:?} is no number"));
    Some(match text.split_once("..") {
        Some((first, end)) => parse(first)..parse(end),
        None => parse(&text)..parse(&text) + 1,
    })
}

fn say(text: &str) {
    writeln!(std::io::stderr(), "{text}").unwrap();
}

/// Plays one seed, in the shop as it is or with a mistake in it; a panic is a violation, too.
fn play(seed: u64, mistake: Option<Mistake>) -> Report {
    catch_unwind(|| mistakes::with(mistake, || Run::of(seed))).unwrap_or_else(|panic| {
        let text = panic.downcast_ref::<String>().cloned();
        let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        let violations = vec![format!("panic: {}", text.unwrap_or_default())];
        Report { violations, ..Report::default() }
    })
}

#[test]
fn seeds_never_break_the_books() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let replay = seeds("SIMULATION_SEED");
    let is_replay = replay.is_some();
    let seeds = replay.or_else(|| seeds("SIMULATION_SEEDS")).unwrap_or(SEEDS);
    let (next, broken) = (AtomicU64::new(seeds.start), Mutex::new(Vec::new()));
    let tally = Mutex::new(Tally::default());
    // Each waits for the kernel now and then, so that there is room for more than one on a core.
    let players = std::thread::available_parallelism().map_or(1, usize::from) * 2;
    std::thread::scope(|scope| {
        for _ in 0..players {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let report = play(seed, None);
                    if is_replay {
                        say(&report.log.join("\n"));
                    }
                    *tally.lock().unwrap() += report.tally;
                    if !report.violations.is_empty() {
                        say(&format!("seed {seed}: {:#?}", report.violations));
                        broken.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    let (tally, count) = (tally.into_inner().unwrap(), seeds.end - seeds.start);
    say(&format!("seeds {seeds:?}: {tally:?}"));
    assert!(
        broken.is_empty(),
        "seeds {broken:?} broke the books; to replay one: SIMULATION_SEED={} cargo test --test it simulation::seeds",
        broken[0]
    );
    let seldom = tally.seldom(count);
    assert!(count < SEEDS.end || seldom.is_empty(), "hardly ever happened in {count} seeds: {seldom:?}");
}

#[test]
fn one_seed_is_one_run() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let mut different = Vec::new();
    for seed in seeds("SIMULATION_TWICE").unwrap_or(SEEDS_TWICE) {
        let (first, second) = (play(seed, None), play(seed, None));
        assert!(first.log.len() > 20, "{:?}", first.violations);
        if first.log != second.log {
            let parts = first.log.iter().zip(&second.log).position(|(line, other)| line != other);
            different.push(seed);
            say(&format!(
                "seed {seed} parts at line {parts:?}:\n{}\n\n{}",
                last(&first, parts),
                last(&second, parts)
            ));
        }
    }
    assert!(different.is_empty(), "seeds {different:?} did not repeat");
}

/// Some lines of a log up to this one.
fn last(report: &Report, end: Option<usize>) -> String {
    let end = end.map_or(report.log.len(), |end| end + 1);
    report.log[end.saturating_sub(8)..end].join("\n")
}
