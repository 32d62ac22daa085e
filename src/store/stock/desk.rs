//! Group commit: holds for the same product that wait in one process ride in one batch.
//!
//! Nobody waits for a timer. Whoever comes first goes at once; those who come while a batch is under way ride in the next.
//! There is no task in the background: one of those who wait does the work for all, and when it is called off, another
//! one takes over. Does not know what the held pieces are for.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use chrono::{DateTime, Utc};
use futures::future::join_all;
use tokio::sync::{Mutex as Turn, oneshot};

use super::{
    ATTEMPTS_MAX, Claim, STOCK_ID, StockLedger, contended, pause, reservation_document, seen, stock_document,
};
use crate::domain::announcement::Announcement;
use crate::domain::fulfil::Seen;
use crate::domain::id::{OrderId, ProductId};
use crate::domain::stock::{Reservation, Stock};
use crate::measure;
use crate::store::announced;
use crate::store::containers::Container;
use crate::store::cosmos::{Batch, Write};
use crate::store::{Error, Etag, Versioned};

/// Most holds in one batch: Cosmos takes 100 writes, of which one replaces the counts and one may announce that they are low.
const HOLDS_MAX: usize = 98;
/// Products whose counts are remembered; beyond that, those for which nobody waits are forgotten.
const DESKS_MAX: usize = 4096;

/// One desk for each product that was held lately.
#[derive(Debug)]
pub(super) struct Desks {
    open: Mutex<HashMap<ProductId, Arc<Desk>>>,
    /// Most holds in one batch.
    holds_max: usize,
}

/// Where the holds of one product wait.
#[derive(Debug, Default)]
struct Desk {
    waiting: Mutex<Vec<Waiting>>,
    /// Whose turn it is to do the work; and the counts as they were last seen or written, if nothing spoke against them.
    turn: Turn<Option<Versioned<Stock>>>,
}

/// A hold that waits for its answer.
#[derive(Debug)]
struct Waiting {
    order_id: OrderId,
    quantity: u32,
    now: DateTime<Utc>,
    answer: oneshot::Sender<Result<Seen, Error>>,
}

impl Waiting {
    fn claim<'a>(&'a self, product_id: &'a ProductId) -> Claim<'a> {
        Claim { order_id: &self.order_id, product_id, quantity: self.quantity }
    }

    /// Nobody may be listening any more; then the hold is found when its message comes again.
    fn answer(self, result: Result<Seen, Error>) {
        drop(self.answer.send(result));
    }
}

impl Default for Desks {
    fn default() -> Self {
        Self::new(HOLDS_MAX)
    }
}

impl Desks {
    /// Desks that put at most so many holds into one batch, and never more than one takes.
    pub(super) fn new(holds_max: usize) -> Self {
        Self { open: Mutex::default(), holds_max: holds_max.clamp(1, HOLDS_MAX) }
    }

    fn of(&self, product_id: &ProductId) -> Arc<Desk> {
        let mut desks = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if desks.len() >= DESKS_MAX && !desks.contains_key(product_id) {
            desks.retain(|_, desk| Arc::strong_count(desk) > 1);
        }
        Arc::clone(desks.entry(product_id.clone()).or_default())
    }
}

impl Desks {
    /// Tells the product's desk of counts that were written beside it, unless somebody is at work there. Should they be
    /// overtaken already, the next hold finds out.
    pub(super) fn remember(&self, product_id: &ProductId, counts: &Stock, etag: Option<&Etag>) {
        let desks = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(mut known) = desks.get(product_id).and_then(|desk| desk.turn.try_lock().ok()) {
            *known = etag.map(|etag| Versioned { value: counts.clone(), etag: etag.clone() });
        }
    }
}

impl Desk {
    fn queue(&self) -> std::sync::MutexGuard<'_, Vec<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The oldest that wait, without those whose caller has gone.
    fn next_group(&self, holds_max: usize) -> Vec<Waiting> {
        let mut queue = self.queue();
        queue.retain(|waiting| !waiting.answer.is_closed());
        let size = queue.len().min(holds_max);
        queue.drain(..size).collect()
    }
}

impl StockLedger {
    /// Holds the pieces for the order, unless it holds them already or they are lacking. One request when the counts are
    /// remembered and nobody else writes to the product, shared with all holds that ride along; two more when the answer
    /// is no, because the counts may have changed, and the order itself may be what took the last piece. What decides is read where it is
    /// newest, so that nobody is refused because a region lags behind.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] they may be held. Calling again is always safe.
    pub async fn hold(&self, claim: Claim<'_>, now: DateTime<Utc>) -> Result<Seen, Error> {
        let desk = self.desks.of(claim.product_id);
        for _ in 0..ATTEMPTS_MAX {
            // The claim waits with the others; when it is this caller's turn, it works for all of them.
            let (answer, mut answered) = oneshot::channel();
            let (order_id, quantity) = (claim.order_id.clone(), claim.quantity);
            desk.queue().push(Waiting { order_id, quantity, now, answer });
            let answered = loop {
                tokio::select! {
                    biased;
                    answered = &mut answered => break answered,
                    mut known = desk.turn.lock() => {
                        let group = desk.next_group(self.desks.holds_max);
                        self.serve(claim.product_id, &mut known, group).await;
                    }
                }
            };
            match answered {
                Ok(result) => return result,
                // Whoever worked for us was called off; the truth is in the store, so asking again is safe.
                Err(_) => continue,
            }
        }
        Err(contended("hold", claim))
    }

    /// Answers every hold of the group, in as few batches as it takes. Nobody is refused because of counts that are only
    /// remembered, or before those who can be admitted have their pieces.
    async fn serve(
        &self,
        product_id: &ProductId,
        known: &mut Option<Versioned<Stock>>,
        mut group: Vec<Waiting>,
    ) {
        let (mut is_fresh, mut clashes) = (false, 0);
        while !group.is_empty() && clashes < ATTEMPTS_MAX {
            let stock = match known.take() {
                Some(stock) => stock,
                None => match self.newest(product_id).await {
                    Ok(Some(stock)) => {
                        is_fresh = true;
                        stock
                    }
                    Ok(None) => return self.refuse(product_id, group, 0).await,
                    Err(error) => return answer_all(group, &Err(error)),
                },
            };
            let (next, mut admitted, others) = admit(&stock.value, group);
            group = others;
            if admitted.is_empty() {
                if is_fresh {
                    let available = stock.value.available();
                    *known = Some(stock);
                    return self.refuse(product_id, group, available).await;
                }
                continue;
            }
            #[cfg(feature = "museum")]
            let (stock, next) = if crate::museum::Mistake::ChecksThenDecrements.is_on_show() {
                self.decremented(product_id, stock, &next).await
            } else {
                (stock, next)
            };
            let (next, announcement) = next.following(&stock.value);
            let counts = (&next, announcement.as_ref());
            match self.write_group(product_id, &admitted, counts, &stock.etag).await {
                Ok(Batch::Done(etags)) => {
                    let etag = etags.into_iter().nth(admitted.len());
                    *known = etag.map(|etag| Versioned { value: next, etag });
                    is_fresh = true;
                    measure::holds(admitted.len());
                    answer_all(admitted, &Ok(Seen::Held));
                }
                Ok(Batch::Exists(index)) if index < admitted.len() => {
                    *known = Some(stock);
                    let found = admitted.remove(index);
                    admitted.append(&mut group);
                    group = admitted;
                    match self.newest_reservation(found.claim(product_id)).await {
                        Ok(Some(reservation)) => found.answer(Ok(seen(&reservation.value))),
                        // It has expired just now.
                        Ok(None) => {
                            clashes += 1;
                            group.push(found);
                        }
                        Err(error) => found.answer(Err(error)),
                    }
                }
                Ok(Batch::Exists(_) | Batch::Changed(_)) => {
                    is_fresh = false;
                    clashes += 1;
                    pause(clashes, admitted.first().map_or("", |first| first.order_id.as_str())).await;
                    admitted.append(&mut group);
                    group = admitted;
                }
                Err(error) => {
                    admitted.append(&mut group);
                    return answer_all(admitted, &Err(error));
                }
            }
        }
        let operation = format!("hold {product_id}");
        answer_all(group, &Err(Error::Contended { operation }));
    }

    /// The reservations of all that are admitted, the counts, and what is announced of these, all or none.
    async fn write_group(
        &self,
        product_id: &ProductId,
        admitted: &[Waiting],
        (next, announcement): (&Stock, Option<&Announcement>),
        seen: &Etag,
    ) -> Result<Batch, Error> {
        // The reservations first: a retry of our own success answers "exists", not a misleading "changed".
        let create = |waiting: &Waiting| {
            let held = Reservation::held(&waiting.order_id, product_id, waiting.quantity, waiting.now);
            reservation_document(&held).map(Write::Create)
        };
        let mut writes = admitted.iter().map(create).collect::<Result<Vec<_>, _>>()?;
        writes.push(Write::Replace(STOCK_ID.to_owned(), stock_document(next)?, seen.clone()));
        writes
            .extend(announcement.map(|one| announced::write(Container::Stock, product_id, one)).transpose()?);
        self.write(product_id, writes).await
    }

    /// A mistake on show: the counts as they are now, and those with as many pieces more held as were found to be there
    /// at an earlier sight.
    #[cfg(feature = "museum")]
    async fn decremented(
        &self,
        product_id: &ProductId,
        sight: Versioned<Stock>,
        checked: &Stock,
    ) -> (Versioned<Stock>, Stock) {
        let added = checked.held - sight.value.held;
        let stock = self.read(product_id).await.ok().flatten().unwrap_or(sight);
        let next = Stock { held: stock.value.held + added, ..stock.value.clone() };
        (stock, next)
    }

    /// Says no to all that do not hold their pieces already: the order itself may be what took the last one.
    async fn refuse(&self, product_id: &ProductId, group: Vec<Waiting>, available: u32) {
        join_all(group.into_iter().map(|waiting| async move {
            let found = self.newest_reservation(waiting.claim(product_id)).await;
            let refused = Seen::Refused { available };
            let result = found.map(|found| found.map_or(refused, |reservation| seen(&reservation.value)));
            waiting.answer(result);
        }))
        .await;
    }
}

/// The counts with the pieces of all that can be admitted, in the order in which they came; those; and the others. An
/// order that waits twice, because its message came twice, is admitted once.
fn admit(stock: &Stock, group: Vec<Waiting>) -> (Stock, Vec<Waiting>, Vec<Waiting>) {
    let (mut next, mut orders) = (stock.clone(), BTreeSet::new());
    let (mut admitted, mut others) = (Vec::new(), Vec::new());
    for waiting in group {
        match next.hold(waiting.quantity, waiting.now) {
            Ok(held) if orders.insert(waiting.order_id.clone()) => {
                next = held;
                admitted.push(waiting);
            }
            Ok(_) | Err(_) => others.push(waiting),
        }
    }
    (next, admitted, others)
}

fn answer_all(group: Vec<Waiting>, result: &Result<Seen, Error>) {
    group.into_iter().for_each(|waiting| waiting.answer(result.clone()));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::id::CustomerId;

    fn waiting(order: u8, quantity: u32) -> Waiting {
        let customer_id = CustomerId::parse("ada").unwrap();
        let order_id = OrderId::from_chance(&customer_id, [order; 16]);
        Waiting { order_id, quantity, now: DateTime::UNIX_EPOCH, answer: oneshot::channel().0 }
    }

    fn admitted(available: u32, group: &[(u8, u32)]) -> (u32, Vec<u32>, Vec<u32>) {
        let product_id = ProductId::parse("w").unwrap();
        let stock = Stock { on_hand: available, ..Stock::none(&product_id, DateTime::UNIX_EPOCH) };
        let group = group.iter().map(|(order, quantity)| waiting(*order, *quantity)).collect();
        let (next, admitted, others) = admit(&stock, group);
        let quantities = |group: Vec<Waiting>| group.iter().map(|waiting| waiting.quantity).collect();
        (next.held, quantities(admitted), quantities(others))
    }

    #[test]
    fn those_who_come_first_are_admitted_as_long_as_there_is_enough() {
        assert_eq!(admitted(5, &[(1, 2), (2, 3), (3, 1)]), (5, vec![2, 3], vec![1]));
        assert_eq!(admitted(5, &[(1, 6), (2, 3), (3, 2)]), (5, vec![3, 2], vec![6]));
    }

    #[test]
    fn order_that_waits_twice_is_admitted_once() {
        assert_eq!(admitted(9, &[(1, 2), (1, 2), (2, 1)]), (3, vec![2, 1], vec![2]));
    }

    #[test]
    fn group_is_never_larger_than_a_batch_and_leaves_out_who_has_gone() {
        let desk = Desk::default();
        let mut listeners = Vec::new();
        for order in 0..150 {
            let (answer, listener) = oneshot::channel();
            listeners.push(listener);
            desk.queue().push(Waiting { answer, ..waiting(order, 1) });
        }
        drop(listeners.drain(..10));
        assert_eq!(desk.next_group(1).len(), 1);
        assert_eq!(desk.next_group(HOLDS_MAX).len(), HOLDS_MAX);
        assert_eq!(desk.next_group(HOLDS_MAX).len(), 139 - HOLDS_MAX);
    }
}
