//! Every event of the shop: notes for each webhook that wants it that it is to be delivered there, and rings.
//!
//! The record comes first. A bell that is lost costs a minute, an event that is heard again finds its records.

use axum::extract::State;

use crate::app::App;
use crate::domain::webhook::delivery::Bell;
use crate::host::{Failure, Invocation, Reply};

/// Answers with the bells to ring. Events of others are none of ours to pass on.
///
/// # Errors
/// A [`Failure`] when a record could not be written; the event is then heard again.
pub async fn dispatch_webhooks(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let event = invocation.event("event")?;
    let bells = app.dispatch(&event).await?;
    Ok(Reply::new().queue("webhooks", bells.iter().map(Bell::text)))
}
