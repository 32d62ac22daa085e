//! Every minute: rings again for orders that are pending or unsettled for too long, and fails those that are far too old.
//!
//! Never touches stock: that would race with the workers. The bell makes them look again.

use axum::extract::State;

use crate::app::App;
use crate::domain::fulfil::is_too_old;
use crate::domain::message::OrderMessage;
use crate::domain::order::Failure::Expired;
use crate::host::{Failure, Invocation, Reply};

/// Most orders that one run rings for; those waiting longest come first, the rest have their turn a minute later.
pub const ORDERS_MAX: usize = 500;

/// Answers with the bells to ring.
///
/// # Errors
/// A [`Failure`] when the overdue orders cannot be found; the next run tries again.
pub async fn recover_orders(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    invocation.timer("timer")?;
    let now = app.clock.now();
    let overdue = app.store.audits.late(now, ORDERS_MAX).await?;
    #[cfg(feature = "museum")]
    let overdue = mistaken(&app, overdue).await?;
    for order in overdue.iter().filter(|order| is_too_old(order.status, order.placed_at, now)) {
        // One that cannot be failed now must not keep the others waiting; its bell is rung all the same.
        if let Err(error) = app.change(&order.id, |_| true, |order| order.give_up(Expired, now)).await {
            Failure::from(error).log();
        }
    }
    if !overdue.is_empty() {
        tracing::warn!(
            count = overdue.len(),
            full = overdue.len() == ORDERS_MAX,
            "overdue orders are rung for"
        );
    }
    Ok(Reply::new().queue("orders", overdue.iter().map(|order| OrderMessage::doorbell(&order.id))))
}

/// Mistakes on show: what recovery does to the overdue orders, or which of them it leaves alone.
#[cfg(feature = "museum")]
async fn mistaken(
    app: &App,
    overdue: Vec<crate::domain::audit::LateOrder>,
) -> Result<Vec<crate::domain::audit::LateOrder>, crate::store::Error> {
    use crate::domain::audit::LateOrder;
    use crate::domain::order::Status;
    use crate::store::stock::Claim;

    let is_pending = |order: &LateOrder| order.status == Status::Pending;
    if crate::museum::Mistake::RecoveryReleases.is_on_show() {
        for late in overdue.iter().filter(|order| is_pending(order)) {
            let Some(order) = app.store.orders.read(&late.id).await? else { continue };
            for line in &order.value.lines {
                let (product_id, quantity) = (&line.product_id, line.quantity);
                let claim = Claim { order_id: &late.id, product_id, quantity };
                app.store.stock.release(claim, app.clock.now()).await?;
            }
        }
    }
    Ok(match crate::museum::Mistake::RingsOnlyForPending.is_on_show() {
        true => overdue.into_iter().filter(is_pending).collect(),
        false => overdue,
    })
}
