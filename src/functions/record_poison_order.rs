//! Queue `orders-poison`: messages on which `ProcessOrder` failed too often. A pending order is failed; recovery then rings
//! for it, and its stock comes back by the ordinary protocol. Nothing is lost, and nothing is rung for ever.

use axum::extract::State;

use crate::app::App;
use crate::app::transition::Changed;
use crate::domain::id::OrderId;
use crate::domain::message::{OrderMessage, Rejection, rejected};
use crate::domain::order::Failure::ProcessingFailed;
use crate::domain::order::Status;
use crate::host::{Failure, Invocation, Reply, context};
use crate::store::{Error, Written};

/// Acknowledges the message once its order is failed, or it is noted in the order or in `orders-rejected`.
///
/// # Errors
/// A [`Failure`]: the message stays in the queue until the store answers again.
pub async fn record_poison_order(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let text = invocation.queue_text("message")?;
    let recorded = match record(&app, &text).await {
        // Waiting does not make it readable, and nobody reads the poison of a poison queue.
        Err(error @ Error::Corrupt { .. }) => {
            Failure::from(error).log();
            Err(Rejection::new("unreadable-order", "what the store holds about it cannot be read"))
        }
        recorded => recorded?,
    };
    match recorded {
        Ok(()) => Ok(Reply::new()),
        Err(rejection) => {
            tracing::error!(reason = rejection.reason, "a poisoned message was rejected");
            Ok(Reply::new().queue("rejected", rejected(&rejection, &text, app.clock.now())))
        }
    }
}

async fn record(app: &App, text: &str) -> Result<Result<(), Rejection>, Error> {
    let id = match OrderMessage::parse(text) {
        // It failed often enough; how the order was at first does not matter any more.
        Ok(OrderMessage::Doorbell { order_id, traceparent, .. }) => {
            traceparent.iter().for_each(|parent| context::follow(parent));
            Ok(order_id)
        }
        Ok(OrderMessage::Checkout { key, request, traceparent }) => {
            traceparent.iter().for_each(|parent| context::follow(parent));
            app.place(&request, Some(&key)).await?.order().map(|order| order.value.id)
        }
        Err(rejection) => Err(rejection),
    };
    match id {
        Ok(id) => give_up(app, &id).await,
        Err(rejection) => Ok(Err(rejection)),
    }
}

/// Fails a pending order. One that is decided but not settled is counted, so that recovery rings for it ever more rarely.
async fn give_up(app: &App, id: &OrderId) -> Result<Result<(), Rejection>, Error> {
    let now = app.clock.now();
    match app.change(id, |_| true, |order| order.give_up(ProcessingFailed, now)).await? {
        Changed::Done(_) => {
            tracing::error!(order_id = %id, "an order was failed because its message could not be processed");
            Ok(Ok(()))
        }
        Changed::Refused(Status::Failed | Status::Shipped | Status::Cancelled) => {
            count(app, id).await.map(Ok)
        }
        Changed::Refused(Status::Pending | Status::Confirmed) | Changed::Different(_) | Changed::Stale => {
            Ok(Ok(()))
        }
        Changed::NotFound => Ok(Err(Rejection::new("unknown-order", format!("there is no order {id}")))),
    }
}

async fn count(app: &App, id: &OrderId) -> Result<(), Error> {
    let Some(seen) = app.store.orders.find(id).await? else { return Ok(()) };
    if !seen.value.has_work() {
        return Ok(());
    }
    let noted = seen.value.poisoned(app.clock.now());
    tracing::error!(order_id = %id, poisonings = noted.poisonings, "an order cannot be settled: somebody must look at it");
    match app.store.orders.note(&seen.etag, &noted).await? {
        Written::Done(_) => Ok(()),
        Written::Overtaken => {
            Err(Error::Contended { operation: format!("note the poisoning of order {id}") })
        }
    }
}
