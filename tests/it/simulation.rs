//! The whole shop under a scheduler that a seed controls: several processes of the real handler with the real SDK client,
//! over HTTP to the emulator, interleaved at every request for a document. Requests are refused, take effect and are
//! answered with an error, or are never answered; deliveries are killed while their requests are still on their way, and
//! those take effect later or never; messages come twice, late, and end as poison; clocks jump. Then the faults stop,
//! recovery and redelivery run until it is quiet, and the books are checked behind the shop's back.
//!
//! `cargo test` plays [`SEEDS`] seeds. `SIMULATION_SEEDS=0..20000` plays as many as one likes, and `SIMULATION_SEED=7`
//! replays one and prints its log:
//!
//! ```text
//! SIMULATION_SEED=7 cargo test --test it simulation::seeds
//! ```
//!
//! **What is deterministic.** Everything that a seed decides runs on one thread. Each process has a runtime and a paused
//! clock of its own and moves only in its turn, so that a request at the door is known to be its. Pauses and time-outs
//! of the store and of the SDK end when the scheduler lets the time pass, never by themselves.
//!
//! **What is not.** The SDK draws the jitter of its back-offs from the machine's clock; time passes in steps that are
//! longer than most of them, so that it rarely decides who wakes first. It counts its deadline of 10 s also by the
//! machine's clock, which no run comes near unless the machine stands still. Of two equal requests of one process the one
//! that reached the emulator's socket first comes first; that order is the kernel's, and the same as long as it hands
//! loopback data over within the short pauses that the scheduler makes for it. `one_seed_is_one_run` holds what this comes
//! to, and `SIMULATION_TWICE=0..100` tries it on more seeds.
//!
//! **What it does not play.** The emulator has one region and never splits a partition here, so no read is stale; a
//! killed delivery ends, but its process keeps its SDK client and connections.
#![cfg(test)]

use std::io::Write;
use std::ops::Range;
use std::panic::catch_unwind;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

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

use self::scheduler::{Report, Run};

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
                    if !report.violations.is_empty() {
                        say(&format!("seed {seed}: {:#?}", report.violations));
                        broken.lock().unwrap().push(seed);
                    }
                }
            });
        }
    });
    let broken = broken.into_inner().unwrap();
    assert!(
        broken.is_empty(),
        "seeds {broken:?} broke the books; to replay one: SIMULATION_SEED={} cargo test --test it simulation::seeds",
        broken[0]
    );
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
