//! The museum: mistakes that other shops shipped, for a test to put into this one, one at a time and on one thread.
//!
//! Only in a build with the feature `museum`, which the tests switch on and nothing else does. Knows the names of the
//! mistakes and which one is on show; what goes wrong stands where it would have been made.

use std::cell::Cell;

/// A mistake that a shop can make. `docs/never-oversell.md` says which shops made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mistake {
    /// One request looks whether there is enough, the next one counts down without looking again.
    ChecksThenDecrements,
    /// The counts are replaced whatever version they have: a lost update.
    CountsWithoutIfMatch,
    /// An order changes its status whatever version it has.
    OrdersWithoutIfMatch,
    /// Each processing of one request draws an id of its own, so that it has its effect twice.
    RandomIdPerProcessing,
    /// Two lines of one product are each compared with what is available, not their sum.
    DemandPerLine,
    /// Recovery puts back on sale what an overdue order holds.
    RecoveryReleases,
    /// The reservation is deleted with the sale, so that a late worker finds none.
    DeletesAfterTheSale,
    /// The idempotency key is stored first and the order after it, so that a crash in between loses the order.
    KeyBeforeEffect,
    /// An order that ends leaves nothing where it held nothing, so that a late worker may hold.
    LeavesNoTombstone,
    /// Recovery rings for pending orders only, so that what an ended order holds is never put back.
    RingsOnlyForPending,
}

impl Mistake {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::ChecksThenDecrements,
        Self::CountsWithoutIfMatch,
        Self::OrdersWithoutIfMatch,
        Self::RandomIdPerProcessing,
        Self::DemandPerLine,
        Self::RecoveryReleases,
        Self::DeletesAfterTheSale,
        Self::KeyBeforeEffect,
        Self::LeavesNoTombstone,
        Self::RingsOnlyForPending,
    ];

    /// Whether this mistake is in the shop now, on this thread.
    pub fn is_on_show(self) -> bool {
        ON_SHOW.get() == Some(self)
    }
}

thread_local! {
    static ON_SHOW: Cell<Option<Mistake>> = const { Cell::new(None) };
}

/// Runs something on this thread with a mistake in the shop, or without one.
pub fn with<T>(mistake: Option<Mistake>, run: impl FnOnce() -> T) -> T {
    struct Restore(Option<Mistake>);
    impl Drop for Restore {
        fn drop(&mut self) {
            ON_SHOW.set(self.0);
        }
    }
    let _restore = Restore(ON_SHOW.replace(mistake));
    run()
}
