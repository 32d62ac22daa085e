//! Queue `orders-poison`: messages on which `ProcessOrder` failed too often. The order is failed, and its stock comes
//! back by the ordinary protocol; nothing is lost and nothing is rung for ever.

use axum::extract::State;

use crate::app::App;
use crate::app::transition::Changed;
use crate::domain::id::OrderId;
use crate::domain::message::{OrderMessage, Rejection, rejected};
use crate::domain::order::{self, Decision, Order, Status};
use crate::host::{Failure, Invocation, Reply};
use crate::store::{Error, Written};

/// Acknowledges the message once its order is failed or the message is recorded in `orders-rejected`.
///
/// # Errors
/// A [`Failure`]: the message stays in the queue until the store answers again.
pub async fn record_poison_order(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let text = invocation.queue_text("message")?;
    let rejection = match OrderMessage::parse(&text) {
        Ok(OrderMessage::Doorbell(id)) => give_up(&app, &id).await?,
        Ok(OrderMessage::Checkout { key, request }) => {
            match app.place(&request, Some(&key)).await?.order_id() {
                Ok(id) => give_up(&app, &id).await?,
                Err(rejection) => Outcome::Rejected(rejection),
            }
        }
        Err(rejection) => Outcome::Rejected(rejection),
    };
    Ok(match rejection {
        Outcome::Recorded => Reply::new(),
        Outcome::Failed(id) => {
            tracing::error!(order_id = %id, "an order was failed because its message could not be processed");
            Reply::new().queue("orders", [OrderMessage::doorbell(&id)])
        }
        Outcome::Rejected(rejection) => {
            tracing::error!(reason = rejection.reason, "a poisoned message was rejected");
            Reply::new().queue("rejected", rejected(&rejection, &text, app.clock.now()))
        }
    })
}

enum Outcome {
    /// The order was pending and is failed now: one more bell, to release its stock.
    Failed(OrderId),
    /// The order was decided before; it is noted that the queue gave up on it.
    Recorded,
    /// There is no order to fail.
    Rejected(Rejection),
}

/// Fails a pending order. One that is decided but not settled is counted, so that recovery stops ringing for it one day;
/// the last time is logged as an error for a person to look at.
async fn give_up(app: &App, id: &OrderId) -> Result<Outcome, Error> {
    let now = app.clock.now();
    let fail = |order: &Order| match order.fail(order::Failure::ProcessingFailed, now) {
        Some(transition) => Decision::Change(Box::new(transition)),
        None => Decision::Refused(order.status),
    };
    match app.change(id, fail).await? {
        Changed::Done(_) => Ok(Outcome::Failed(id.clone())),
        Changed::Refused(Status::Failed | Status::Shipped | Status::Cancelled) => count(app, id).await,
        Changed::Refused(Status::Pending | Status::Confirmed) | Changed::Different(_) => {
            Ok(Outcome::Recorded)
        }
        Changed::NotFound => {
            Ok(Outcome::Rejected(Rejection::new("unknown-order", format!("there is no order {id}"))))
        }
    }
}

async fn count(app: &App, id: &OrderId) -> Result<Outcome, Error> {
    let Some(seen) = app.store.orders.read(id).await? else { return Ok(Outcome::Recorded) };
    if !seen.value.has_work() {
        return Ok(Outcome::Recorded);
    }
    let noted = seen.value.poisoned();
    if noted.poisonings >= order::POISONINGS_MAX {
        tracing::error!(order_id = %id, "an order cannot be settled and is left alone: somebody must look at it");
    }
    match app.store.orders.note(&seen.etag, &noted).await? {
        Written::Done(_) => Ok(Outcome::Recorded),
        Written::Overtaken => {
            Err(Error::Contended { operation: format!("note the poisoning of order {id}") })
        }
    }
}
