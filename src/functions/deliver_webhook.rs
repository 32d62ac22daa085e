//! Queue `webhooks`: sends one event to one webhook, if that is due.
//!
//! The message is acknowledged whatever happens, so nothing of it ever becomes poison: the record says when the event is due, and
//! `RetryWebhooks` rings again while it is.

use axum::extract::State;

use crate::app::App;
use crate::domain::webhook::delivery::Bell;
use crate::host::{Failure, Invocation, Reply, context};

/// Acknowledges the message.
///
/// # Errors
/// A [`Failure`] when the host sends something else than a message.
pub async fn deliver_webhook(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let text = invocation.queue_text("message")?;
    let Some(bell) = Bell::parse(&text) else {
        tracing::warn!("a message in the queue of the webhooks is no bell");
        return Ok(Reply::new());
    };
    if let Some(traceparent) = &bell.traceparent {
        context::follow(traceparent);
    }
    if let Err(error) = Box::pin(app.deliver(&bell.webhook_id, &bell.delivery_id)).await {
        Failure::from(error).log();
    }
    Ok(Reply::new())
}
