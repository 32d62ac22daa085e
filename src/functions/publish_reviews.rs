//! Change feed of `reviews`: sends what is announced beside changes of reviews.

use axum::extract::State;

use crate::app::App;
use crate::functions::publish::publish;
use crate::host::{Batch, Failure, Reply};
use crate::store::containers::Container;

/// Answers with the events to send.
///
/// # Errors
/// A [`Failure`] when the batch is none; the host brings it again.
pub async fn publish_reviews(State(app): State<App>, Batch(batch): Batch) -> Result<Reply, Failure> {
    publish(&app, Container::Reviews, &batch)
}
