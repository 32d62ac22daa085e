//! Erasing a customer: a tombstone takes the place of their document, and then everything personal goes that lies elsewhere. Whatever
//! is cut off in between, the same call goes on with.
//!
//! Orders stay, under an id that leads nowhere. Does not know which of a customer's fields are personal; `domain` does.

use crate::app::App;
use crate::domain::id::CustomerId;
use crate::store::customers::Record;
use crate::store::{Error, Etag, Versioned, Written};

/// Attempts against others who write the same customer, before the caller is told to come back.
const ATTEMPTS_MAX: u32 = 8;
/// Documents that are looked for at a time.
const AT_ONCE: usize = 100;
/// How often, in one call.
const ROUNDS_MAX: u32 = 100;

/// What came of a wish to erase a customer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erasure {
    /// Nothing personal is left, whether this call saw to it or an earlier one.
    Done,
    /// They are not in the version that the caller named.
    Stale,
    /// An order of theirs is not done yet, which needs its address.
    OrdersOpen,
    /// There is none.
    NotFound,
}

impl App {
    /// Erases a customer if the caller `allows` their version: a tombstone takes the place of the document, and then the
    /// address is given free, what they said of products is taken back, where their orders went is forgotten, and so are the
    /// words that people wrote to them. Orders name the id alone, and stay; while one is pending or confirmed nobody is erased.
    /// Three requests and five queries, and those for each review, address and such order; called again it only takes away what a call that was cut off, or a review or order that
    /// was under way, has left.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] they may be erased, and calling again is safe.
    pub async fn erase(&self, id: &CustomerId, allows: impl Fn(&Etag) -> bool) -> Result<Erasure, Error> {
        let customers = &self.store.customers;
        for _ in 0..ATTEMPTS_MAX {
            let email = match customers.newest(id).await? {
                Some(Versioned { value: Record::Customer(customer), etag }) => {
                    if !allows(&etag) {
                        return Ok(Erasure::Stale);
                    }
                    if self.store.orders.has_open(id).await? {
                        return Ok(Erasure::OrdersOpen);
                    }
                    let tombstone = customer.tombstone(self.clock.now());
                    if customers.bury(&etag, id, &tombstone).await? == Written::Overtaken {
                        continue;
                    }
                    Some(customer.details.email)
                }
                Some(Versioned { value: Record::Erased(_), .. }) => None,
                Some(Versioned { value: Record::Vacant, .. }) | None => return Ok(Erasure::NotFound),
            };
            customers.release_all(id, email.as_ref()).await?;
            self.withdraw_reviews_of(id).await?;
            self.forget_addresses_of(id).await?;
            self.forget_words_to_orders_of(id).await?;
            return Ok(Erasure::Done);
        }
        Err(Error::Contended { operation: format!("erase customer {id}") })
    }

    async fn forget_addresses_of(&self, id: &CustomerId) -> Result<(), Error> {
        for _ in 0..ROUNDS_MAX {
            if self.store.orders.forget_addresses_of(id, AT_ONCE).await? < AT_ONCE {
                return Ok(());
            }
        }
        Err(Error::Contended { operation: format!("forget the addresses of {id}") })
    }

    /// What somebody wrote on a cancellation, and the number under which a carrier knows whose parcel it was.
    async fn forget_words_to_orders_of(&self, id: &CustomerId) -> Result<(), Error> {
        let orders = &self.store.orders;
        for _ in 0..ROUNDS_MAX {
            let found = orders.with_words_of(id, AT_ONCE).await?;
            for order_id in &found {
                orders.forget_words(order_id).await?;
            }
            if found.is_empty() {
                return Ok(());
            }
        }
        Err(Error::Contended { operation: format!("forget what was written to the orders of {id}") })
    }
}
