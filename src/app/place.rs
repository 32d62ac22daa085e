//! Placing an order: the same for the store front's request, a checkout's message and a checkout's poisoned message.
//!
//! Stores the order as pending and does not look at stock; that is decided later, once.

use crate::app::App;
use crate::domain::draft::{Invalid, OrderRequest};
use crate::domain::id::{CustomerId, IdempotencyKey, OrderId};
use crate::domain::message::Rejection;
use crate::domain::order::Order;
use crate::domain::shipping::ShippingAddress;
use crate::store::{Error, Versioned, Written};

/// What came of placing an order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placement {
    /// It is stored.
    Placed(Versioned<Order>),
    /// The same request was stored before, under the same key.
    Replayed(Versioned<Order>),
    /// Another request was stored under this key.
    KeyReused,
    /// It names a customer or product that does not exist, or its total cannot be formed.
    Invalid(Vec<Invalid>),
}

impl Placement {
    /// The order as it was just written or read, or why a checkout's message can never have one.
    ///
    /// # Errors
    /// A [`Rejection`]; a retry does not help.
    pub fn order(self) -> Result<Versioned<Order>, Rejection> {
        match self {
            Self::Placed(order) | Self::Replayed(order) => Ok(order),
            Self::KeyReused => {
                Err(Rejection::new("checkout-id-reused", "another order was placed under this checkout id"))
            }
            Self::Invalid(invalid) => Err(Rejection::invalid(&invalid)),
        }
    }
}

impl App {
    /// Places the order under its key, or under an id of its own without one. A replay costs one request; a new order
    /// two, and one for each product.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be stored, and with a key calling again is safe.
    pub async fn place(
        &self,
        request: &OrderRequest,
        key: Option<&IdempotencyKey>,
    ) -> Result<Placement, Error> {
        let id = match key {
            Some(key) => OrderId::derive(&request.customer_id, key),
            None => OrderId::from_chance(&request.customer_id, self.ids.bytes16()),
        };
        #[cfg(feature = "museum")]
        let id = match crate::museum::Mistake::RandomIdPerProcessing.is_on_show() {
            true => OrderId::from_chance(&request.customer_id, self.ids.bytes16()),
            false => id,
        };
        // Only a shortcut: in a region that lags behind it may be missing, and then the write finds it.
        if key.is_some()
            && let Some(earlier) = self.store.orders.read(&id).await?
        {
            return self.compared(earlier, request, true).await;
        }
        let products = self.store.products.read_all(request.lines.iter().map(|line| &line.product_id));
        let (customer, products) =
            tokio::try_join!(self.store.customers.find(&request.customer_id), products)?;
        let unknown_customer = customer.is_none().then(|| no_customer(&request.customer_id));
        let transition =
            match (Order::place(id.clone(), request, &products, self.clock.now()), unknown_customer) {
                (Ok(transition), None) => transition,
                (placed, unknown_customer) => {
                    let invalid = unknown_customer.into_iter().chain(placed.err().unwrap_or_default());
                    return Ok(Placement::Invalid(invalid.collect()));
                }
            };
        #[cfg(feature = "museum")]
        if crate::museum::Mistake::KeyBeforeEffect.is_on_show()
            && key.is_some()
            && self.store.orders.knows(&id).await?
        {
            let etag = crate::store::Etag::new("\"never written\"");
            return Ok(Placement::Replayed(Versioned { value: transition.order, etag }));
        }
        let own = || customer.as_ref().and_then(|customer| customer.value.details.addresses.first());
        let address = request.shipping_address.as_ref().or_else(own).map(|address| ShippingAddress {
            order_id: id.clone(),
            customer_id: request.customer_id.clone(),
            address: address.clone(),
        });
        match self.store.orders.place(&transition, address.as_ref()).await? {
            Written::Done(order) => Ok(Placement::Placed(order)),
            // Somebody placed it meanwhile, or our own first attempt did and its answer was lost.
            Written::Overtaken => match self.store.orders.find(&id).await? {
                Some(earlier) => self.compared(earlier, request, key.is_some()).await,
                None => Err(Error::Contended { operation: format!("place order {id}") }),
            },
        }
    }
}

impl App {
    /// What the order that is there already means for this request. Without a key the id was drawn for this call alone, so that
    /// what is found under it is our own. An address that the request names is compared as long as it is kept, with one request
    /// more.
    async fn compared(
        &self,
        earlier: Versioned<Order>,
        request: &OrderRequest,
        keyed: bool,
    ) -> Result<Placement, Error> {
        if !keyed {
            return Ok(Placement::Placed(earlier));
        }
        let names_address = request.shipping_address.is_some();
        if earlier.value.fingerprint != request.fingerprint() || earlier.value.names_address != names_address
        {
            return Ok(Placement::KeyReused);
        }
        if let Some(named) = &request.shipping_address {
            let kept = self.store.orders.shipping_address(&earlier.value.id).await?;
            if kept.is_some_and(|kept| kept.address != *named) {
                return Ok(Placement::KeyReused);
            }
        }
        Ok(Placement::Replayed(earlier))
    }
}

/// What is wrong with an order of somebody who is no customer, or none of whom the caller may know.
pub fn no_customer(id: &CustomerId) -> Invalid {
    Invalid::new("/customerId", format!("there is no customer {id}"))
}
