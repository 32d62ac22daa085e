//! Queue `orders`: takes an order as far as it can go. What is to be done is `domain::fulfil::next_step`; this does it.
//!
//! Safe to be killed anywhere and to run twice at once: every step is refused by the store when it builds on an old sight.
//! Therefore it may begin from the sight that a bell carries, however old, and reads the order when the store refuses.

use axum::extract::State;
use futures::future::try_join_all;

use crate::app::App;
use crate::domain::fulfil::{Reservations, STEPS_MAX, Seen, Step, next_step};
use crate::domain::id::{OrderId, ProductId};
use crate::domain::message::{OrderMessage, Rejection, rejected};
use crate::domain::order::{Line, Order, Transition};
use crate::host::{Failure, Invocation, Reply, context};
use crate::measure;
use crate::store::stock::Claim;
use crate::store::{Error, Etag, Versioned, Written};

/// Acknowledges the message when nothing is left to do or it never can be; otherwise it is delivered again.
///
/// # Errors
/// A [`Failure`] that is worth another delivery.
pub async fn process_order(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let text = invocation.queue_text("message")?;
    if let Some(inserted_at) = invocation.inserted_at() {
        measure::queue_age("orders", app.clock.now() - inserted_at);
    }
    // A message that comes again has most likely been worked on: what it says about the order is not worth a try.
    let is_first = invocation.dequeue_count().is_none_or(|count| count <= 1);
    match order_of(&app, &text, is_first).await? {
        Ok(order) => {
            fulfil(&app, order).await?;
            Ok(Reply::new())
        }
        Err(rejection) => {
            tracing::warn!(reason = rejection.reason, "a message was rejected");
            Ok(Reply::new().queue("rejected", rejected(&rejection, &text, app.clock.now())))
        }
    }
}

/// The order that the message is about: as the bell describes it, on the first delivery, or as it is now. A whole order is
/// placed first, under the id that its checkout derives, and is then known.
async fn order_of(
    app: &App,
    text: &str,
    is_first: bool,
) -> Result<Result<Versioned<Order>, Rejection>, Failure> {
    match OrderMessage::parse(text) {
        Ok(OrderMessage::Doorbell { order_id, sight, traceparent }) => {
            traceparent.iter().for_each(|parent| context::follow(parent));
            let now = app.clock.now();
            match sight.filter(|sight| is_first && sight.is_young(now)) {
                Some(sight) => Ok(Ok(Versioned { value: sight.order, etag: Etag::new(sight.etag) })),
                None => read(app, &order_id).await.map(Ok),
            }
        }
        Ok(OrderMessage::Checkout { key, request, traceparent }) => {
            traceparent.iter().for_each(|parent| context::follow(parent));
            Ok(app.place(&request, Some(&key)).await?.order())
        }
        Err(rejection) => Ok(Err(rejection)),
    }
}

/// Performs one step, looks again, and goes round until nothing is left to do. The order may be an old sight: it is done
/// only after a write that the store accepted, or after reading.
async fn fulfil(app: &App, mut order: Versioned<Order>) -> Result<(), Failure> {
    let id = &order.value.id.clone();
    let mut reservations = Reservations::new();
    for _ in 0..STEPS_MAX {
        let now = app.clock.now();
        let stock = &app.store.stock;
        let written = match next_step(&order.value, &reservations, now) {
            Step::Done => return Ok(()),
            Step::Hold(lines) => {
                reservations.extend(each(id, &lines, |claim| stock.hold(claim, now)).await?);
                continue;
            }
            Step::Take(lines) => {
                reservations.extend(each(id, &lines, |claim| stock.take(claim, now)).await?);
                continue;
            }
            Step::Release(lines) => {
                reservations.extend(each(id, &lines, |claim| stock.release(claim, now)).await?);
                continue;
            }
            Step::Confirm => advance(app, &order, order.value.confirm(now)).await?,
            Step::Fail(failure) => advance(app, &order, order.value.fail(failure, now)).await?,
            Step::Settle => app.store.orders.note(&order.etag, &order.value.settle()).await?,
            Step::Reread => Written::Overtaken,
        };
        order = match written {
            Written::Done(order) => order,
            Written::Overtaken => {
                reservations.clear();
                read(app, id).await?
            }
        };
    }
    Err(Failure::transient(format!("order {id} needs more than {STEPS_MAX} steps")))
}

/// A bell for an order that is not there is kept: who knows what it waits for.
async fn read(app: &App, id: &OrderId) -> Result<Versioned<Order>, Failure> {
    let order = app.store.orders.find(id).await?;
    order.ok_or_else(|| Failure::transient(format!("order {id} is not there yet, or never was")))
}

async fn advance(
    app: &App,
    seen: &Versioned<Order>,
    transition: Option<Transition>,
) -> Result<Written<Order>, Error> {
    match transition {
        Some(transition) => app.store.orders.advance(&seen.etag, &transition).await,
        None => Ok(Written::Overtaken),
    }
}

/// Does the same for all lines at once; each is a product, and so a partition, of its own.
async fn each<'a, F: Future<Output = Result<Seen, Error>>>(
    order_id: &'a OrderId,
    lines: &'a [Line],
    verb: impl Fn(Claim<'a>) -> F,
) -> Result<Vec<(ProductId, Seen)>, Error> {
    try_join_all(lines.iter().map(|line| {
        let done = verb(Claim { order_id, product_id: &line.product_id, quantity: line.quantity });
        async move { Ok((line.product_id.clone(), done.await?)) }
    }))
    .await
}
