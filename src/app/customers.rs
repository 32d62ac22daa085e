//! Keeping customers: each has an email address that no other has.
//!
//! Does not know how an address is claimed; that is the store's.

use futures::{StreamExt, TryStreamExt, stream};

use crate::app::App;
use crate::domain::customer::draft::ConsentsRequest;
use crate::domain::customer::{Customer, Details};
use crate::domain::draft::Invalid;
use crate::domain::event::Event;
use crate::domain::id::CustomerId;
use crate::domain::order::Order;
use crate::store::containers::Container;
use crate::store::customers::Record;
use crate::store::{Error, Etag, Versioned, Written};

/// Attempts against others who write the same customer, before the caller is told to come back.
const ATTEMPTS_MAX: u32 = 8;
/// Timelines that are read side by side.
const AT_ONCE_MAX: usize = 8;

/// What came of a wish to add a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Enrolment {
    /// They are there.
    Done(Versioned<Customer>),
    /// The same request added them before.
    Replayed(Versioned<Customer>),
    /// The key belongs to a request with another body.
    KeyReused,
    /// There is a customer of this id, or there was.
    IdTaken,
    /// Another customer has the email address.
    EmailTaken,
}

/// What came of a wish to change a customer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Amendment {
    /// They are as asked for.
    Done(Box<Versioned<Customer>>),
    /// They are not in the version that the caller named.
    Stale,
    /// There is none.
    NotFound,
    /// They were erased.
    Erased,
    /// Another customer has the email address.
    EmailTaken,
    /// They cannot be as asked for.
    Invalid(Invalid),
}

impl App {
    /// Adds a customer. A request that comes again finds what it added, without a key as long as that is as it was. Three
    /// requests, one more with a key.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] they may be there, and calling again is safe.
    pub async fn enrol(&self, customer: &Customer) -> Result<Enrolment, Error> {
        if !self.has_key(Container::Customers, customer.creation.as_ref()).await? {
            return Ok(Enrolment::KeyReused);
        }
        let customers = &self.store.customers;
        for _ in 0..ATTEMPTS_MAX {
            let vacant = match customers.newest(&customer.id).await? {
                Some(Versioned { value: Record::Customer(earlier), etag }) => {
                    return Ok(match earlier.is_created_like(customer) {
                        true => Enrolment::Replayed(Versioned { value: *earlier, etag }),
                        false => Enrolment::IdTaken,
                    });
                }
                Some(Versioned { value: Record::Erased(_), .. }) => return Ok(Enrolment::IdTaken),
                Some(Versioned { value: Record::Vacant, etag }) => Some(etag),
                None => None,
            };
            if !customers.claim(&customer.details.email, &customer.id, self.clock.now()).await? {
                return Ok(Enrolment::EmailTaken);
            }
            let written = match &vacant {
                Some(seen) => customers.replace(seen, customer).await?,
                None => customers.create(customer).await?,
            };
            if let Written::Done(customer) = written {
                return Ok(Enrolment::Done(customer));
            }
        }
        Err(Error::Contended { operation: format!("add customer {}", customer.id) })
    }

    /// Gives a customer other details if the caller `allows` their version. Two requests, three more for another address.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] they may be changed, and calling again is safe.
    pub async fn replace_details(
        &self,
        id: &CustomerId,
        details: &Details,
        allows: impl Fn(&Etag) -> bool,
    ) -> Result<Amendment, Error> {
        let now = self.clock.now();
        self.amend(id, allows, |customer| Ok(customer.with_details(details.clone(), now))).await
    }

    /// Gives a customer other consents if the caller `allows` their version. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] they may be changed, and calling again is safe.
    pub async fn set_consents(
        &self,
        id: &CustomerId,
        request: &ConsentsRequest,
        allows: impl Fn(&Etag) -> bool,
    ) -> Result<Amendment, Error> {
        let now = self.clock.now();
        self.amend(id, allows, |customer| customer.with_consents(request, now)).await
    }

    async fn amend(
        &self,
        id: &CustomerId,
        allows: impl Fn(&Etag) -> bool,
        decide: impl Fn(&Customer) -> Result<Customer, Invalid>,
    ) -> Result<Amendment, Error> {
        let customers = &self.store.customers;
        for _ in 0..ATTEMPTS_MAX {
            let (seen, etag) = match customers.newest(id).await? {
                Some(Versioned { value: Record::Customer(customer), etag }) => (*customer, etag),
                Some(Versioned { value: Record::Erased(_), .. }) => return Ok(Amendment::Erased),
                Some(Versioned { value: Record::Vacant, .. }) | None => return Ok(Amendment::NotFound),
            };
            if !allows(&etag) {
                return Ok(Amendment::Stale);
            }
            let next = match decide(&seen) {
                Ok(next) if next == seen => {
                    return Ok(Amendment::Done(Box::new(Versioned { value: seen, etag })));
                }
                Ok(next) => next,
                Err(invalid) => return Ok(Amendment::Invalid(invalid)),
            };
            let (old, new) = (&seen.details.email, &next.details.email);
            let moves = old.fingerprint() != new.fingerprint();
            // Looked at before the customer is written, so that a claim made anew after that is not taken away.
            let former = if moves { customers.claim_of(old).await? } else { None };
            if moves && !customers.claim(new, id, self.clock.now()).await? {
                return Ok(Amendment::EmailTaken);
            }
            if let Written::Done(customer) = customers.replace(&etag, &next).await? {
                if let Some(former) = former {
                    customers.release(old, id, &former).await?;
                }
                return Ok(Amendment::Done(Box::new(customer)));
            }
        }
        Err(Error::Contended { operation: format!("change customer {id}") })
    }

    /// The timelines of these orders, in their order. One query for each.
    ///
    /// # Errors
    /// [`Error`] when a query fails.
    pub async fn timelines(&self, orders: &[Order]) -> Result<Vec<Vec<Event>>, Error> {
        let ids: Vec<_> = orders.iter().map(|order| order.id.clone()).collect();
        let timelines = ids.into_iter().map(|id| async move { self.store.orders.events(&id).await });
        // Boxed: futures of queries are large.
        Box::pin(stream::iter(timelines).buffered(AT_ONCE_MAX).try_collect()).await
    }
}
