//! The museum: each mistake that other shops shipped is put into the real handler, and the seeds must find it.
//!
//! What counts is the harm that the mistake does, not that its documents look different.
#![cfg(test)]

use std::sync::atomic::{AtomicUsize, Ordering};

use widgetco::museum::Mistake;

use super::{play, say};

/// Seeds after which a mistake counts as not found.
const SEEDS_MAX: u64 = 400;

/// The words of the harm that a mistake does, in what the books say at the end.
fn harm(mistake: Mistake) -> &'static str {
    match mistake {
        Mistake::ChecksThenDecrements | Mistake::DemandPerLine => "OVERSOLD",
        Mistake::RecoveryReleases => "is confirmed, but of",
        Mistake::CountsWithoutIfMatch => "but reservations hold",
        Mistake::OrdersWithoutIfMatch => " after [",
        Mistake::RandomIdPerProcessing => "TWICE",
        Mistake::KeyBeforeEffect => "LOST",
        Mistake::DeletesAfterTheSale => "came and",
        Mistake::LeavesNoTombstone => "KEPT",
        Mistake::RingsOnlyForPending => "never settled",
    }
}

#[test]
fn seeds_find_every_mistake_in_the_museum() {
    drop(rustls::crypto::ring::default_provider().install_default());
    let next = AtomicUsize::new(0);
    let find = || {
        while let Some(mistake) = Mistake::ALL.get(next.fetch_add(1, Ordering::Relaxed)) {
            let does_harm = |seed: &u64| {
                let report = play(*seed, Some(*mistake));
                report.violations.iter().any(|violation| violation.contains(harm(*mistake)))
            };
            let seed = (0..SEEDS_MAX).find(does_harm);
            let seed = seed.unwrap_or_else(|| panic!("{mistake:?} was not found: the seeds are too weak"));
            say(&format!("mistake {mistake:?}: \"{}\" after {} seeds", harm(*mistake), seed + 1));
        }
    };
    let players = std::thread::available_parallelism().map_or(1, usize::from) * 2;
    std::thread::scope(|scope| {
        (0..players).for_each(|_| drop(scope.spawn(find)));
    });
}
