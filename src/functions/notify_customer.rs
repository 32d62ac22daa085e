//! Events: a customer gets one mail when their order is confirmed, has failed, has shipped or is cancelled.

use axum::extract::State;

use crate::app::App;
use crate::events::announcement;
use crate::host::{Failure, Invocation, Reply};

/// Acknowledges the event once the mail about it is sent, or will never be.
///
/// # Errors
/// A [`Failure`]: the event comes again.
pub async fn notify_customer(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let event = invocation.event("event")?;
    if let Some(heard) = announcement(&event) {
        app.notify_customer(&heard).await?;
    }
    Ok(Reply::new())
}
