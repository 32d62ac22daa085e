//! What the functions at the change feeds have in common: documents in, events out, and nothing stops the feed.
//!
//! The feed moves on when the events have been sent, so each is sent at least once, under the same id each time. A document
//! that cannot be read would come again for ever; it is named in a queue that people look into, and passed over.

use serde_json::json;

use crate::app::App;
use crate::domain::time;
use crate::events;
use crate::host::{Failure, Invocation, Reply};
use crate::store::announced::announcements;
use crate::store::containers::Container;

/// The reply to a batch of documents of this container: events in the output `events`, what cannot be read in `rejected`.
///
/// # Errors
/// A [`Failure`] when it is no batch.
pub fn publish(app: &App, container: Container, invocation: &Invocation) -> Result<Reply, Failure> {
    let (mut sent, mut rejected) = (Vec::new(), Vec::new());
    for document in invocation.documents("documents")? {
        match announcements(container, document) {
            Ok(announcements) => sent.extend(announcements.iter().map(events::event)),
            Err(unreadable) => {
                tracing::error!(%unreadable, "an event cannot be published: somebody must look at it");
                rejected.push(json!({
                    "container": unreadable.container,
                    "documentId": unreadable.id,
                    "detail": unreadable.detail,
                    "rejectedAt": time::text(app.clock.now()),
                }));
            }
        }
    }
    let rejected = rejected.into_iter().map(|rejection| rejection.to_string());
    Ok(Reply::new().events("events", sent).queue("rejected", rejected))
}
