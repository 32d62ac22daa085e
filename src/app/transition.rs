//! Changing an order: read, decide, write at that version, and again when somebody else was faster.
//!
//! Does not know which change is wanted; that is a pure function of the order.

use crate::app::App;
use crate::domain::id::OrderId;
use crate::domain::order::{Decision, Order, Status};
use crate::store::{Error, Versioned, Written};

/// Attempts against others who change the same order, before the caller is told to come back. An order changes at most
/// four times in its life.
const ATTEMPTS_MAX: u32 = 8;

/// What came of a change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Changed {
    /// The order is as asked for, whether this call did it or an earlier one.
    Done(Versioned<Order>),
    /// The order is in a state that does not allow it.
    Refused(Status),
    /// The order is in the state that is asked for, but with other details.
    Different(Versioned<Order>),
    /// The order is no longer what the caller expected.
    Stale,
    /// There is no such order.
    NotFound,
}

impl App {
    /// Makes the change that `decide` finds right for the order as it is, if the caller expected it so. What was done
    /// before is done, whatever is expected now. Two requests when nobody else writes.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be made, and calling again is safe.
    pub async fn change(
        &self,
        id: &OrderId,
        expected: impl Fn(&Order) -> bool,
        decide: impl Fn(&Order) -> Decision,
    ) -> Result<Changed, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(seen) = self.store.orders.find(id).await? else { return Ok(Changed::NotFound) };
            match decide(&seen.value) {
                Decision::Already => return Ok(Changed::Done(seen)),
                Decision::Refused(status) => return Ok(Changed::Refused(status)),
                Decision::Different => return Ok(Changed::Different(seen)),
                Decision::Change(_) if !expected(&seen.value) => return Ok(Changed::Stale),
                Decision::Change(transition) => {
                    if let Written::Done(order) = self.store.orders.advance(&seen.etag, &transition).await? {
                        return Ok(Changed::Done(order));
                    }
                }
            }
        }
        Err(Error::Contended { operation: format!("change order {id}") })
    }
}
