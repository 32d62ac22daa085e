//! Events: the staff gets one mail when a product has come down to its low-water mark.

use axum::extract::State;

use crate::app::App;
use crate::events::announcement;
use crate::host::{Failure, Invocation, Reply};

/// Acknowledges the event once the mail about it is sent, or will never be.
///
/// # Errors
/// A [`Failure`]: the event comes again.
pub async fn warn_low_stock(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let event = invocation.event("event")?;
    if let Some(heard) = announcement(&event) {
        app.warn_low_stock(&heard).await?;
    }
    Ok(Reply::new())
}
