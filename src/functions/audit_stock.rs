//! Every ten minutes: audits the next part of the catalogue, keeps the report for `GetAudit`, and logs what is wrong.

use axum::extract::State;

use crate::app::App;
use crate::host::{Failure, Invocation, Reply};

/// Audits up to a hundred products, where the last run left off.
///
/// # Errors
/// A [`Failure`] when something cannot be read; the next run goes on from the same place.
pub async fn audit_stock(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    invocation.timer("timer")?;
    let after = app.store.audits.report().await?.and_then(|last| last.next_after);
    let report = app.audit(after.as_ref()).await?;
    for found in &report.differences {
        let explained = (found.on_hand_explained, found.held_explained);
        let counted = (found.on_hand, found.held);
        tracing::warn!(product_id = %found.product_id, ?counted, ?explained, "the books of a product disagree");
    }
    for order in &report.late {
        tracing::warn!(order_id = %order.id, status = order.status.as_str(), "an order waits too long");
    }
    for order in &report.left {
        tracing::warn!(order_id = %order.id, status = order.status.as_str(), "an order is left for a person");
    }
    app.store.audits.keep(&report).await?;
    Ok(Reply::new())
}
