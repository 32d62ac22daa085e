//! The museum: mistakes that other shops made, each built into the model's store, and each found by the same properties.
#![cfg(test)]

use stateright::{Checker, HasDiscoveries, Model};

use super::rules::Scenario;
use super::{
    COMES_TO_REST, ENOUGH, LAST_PIECE, NEVER_OVERSOLD, ONE_OVER_BOTH, SAME_PRODUCT_TWICE,
    SETTLED_HOLDS_NOTHING, Shop, TERMINAL_STAYS, report,
};

/// One mistake.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mutation {
    /// The counts are replaced whatever version they have: a lost update.
    CountsWithoutIfMatch,
    /// The hold checks in one request and counts up in the next, without a condition.
    ChecksThenDecrements,
    /// Demand is not summed: two lines of one product are each held under the same reservation.
    ComparesPerLine,
    /// Recovery puts back on sale what an overdue order holds.
    RecoveryReleases,
    /// The reservation is deleted with the sale.
    DeletesAfterTheSale,
    /// A failed or cancelled order leaves nothing where it held nothing.
    LeavesNoTombstone,
    /// The order is confirmed whatever version it has.
    ConfirmsWithoutIfMatch,
    /// Recovery rings for pending orders only.
    RingsOnlyForPending,
}

/// The mistake, where it is made, and what it must break. A property that a mutant breaks by its mere text, such as
/// "a reservation never goes backwards" where one is deleted, does not count.
const MUSEUM: [(Mutation, Scenario, &str); 8] = [
    (Mutation::CountsWithoutIfMatch, LAST_PIECE, NEVER_OVERSOLD),
    (Mutation::ChecksThenDecrements, LAST_PIECE, NEVER_OVERSOLD),
    (Mutation::ComparesPerLine, SAME_PRODUCT_TWICE, NEVER_OVERSOLD),
    (Mutation::RecoveryReleases, LAST_PIECE, NEVER_OVERSOLD),
    (Mutation::DeletesAfterTheSale, ENOUGH, SETTLED_HOLDS_NOTHING),
    (Mutation::LeavesNoTombstone, LAST_PIECE, SETTLED_HOLDS_NOTHING),
    (Mutation::ConfirmsWithoutIfMatch, ONE_OVER_BOTH, TERMINAL_STAYS),
    (Mutation::RingsOnlyForPending, LAST_PIECE, COMES_TO_REST),
];

#[test]
fn model_finds_every_mistake_in_the_museum() {
    for (mutation, scenario, broken) in MUSEUM {
        let checker = Shop::new(scenario, 0, Some(mutation))
            .checker()
            .finish_when(HasDiscoveries::AllOf([broken].into()))
            .spawn_bfs()
            .join();
        let path = checker.discovery(broken);
        let path = path.unwrap_or_else(|| panic!("{mutation:?} was not found: the model is too weak"));
        report(&format!(
            "mutant {mutation:?}: \"{broken}\" is broken by {} actions, found after {} unique states",
            path.into_actions().len(),
            checker.unique_state_count(),
        ));
    }
}
