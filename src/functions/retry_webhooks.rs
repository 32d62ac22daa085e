//! Every minute: rings for events that were to be delivered to webhooks by now, also for those whose first bell was lost.

use axum::extract::State;

use crate::app::App;
use crate::domain::webhook::delivery::Bell;
use crate::host::{Failure, Invocation, Reply};

/// Most deliveries that one run rings for; those waiting longest come first, the rest have their turn a minute later.
pub const DELIVERIES_MAX: usize = 500;

/// Answers with the bells to ring.
///
/// # Errors
/// A [`Failure`] when they cannot be found; the next run tries again.
pub async fn retry_webhooks(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    invocation.timer("timer")?;
    let due = app.store.deliveries.due(app.clock.now(), DELIVERIES_MAX).await?;
    if due.len() == DELIVERIES_MAX {
        tracing::warn!(count = due.len(), "more events wait for webhooks than are rung for in a minute");
    }
    Ok(Reply::new().queue("webhooks", due.iter().map(Bell::text)))
}
