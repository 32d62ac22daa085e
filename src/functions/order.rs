//! Whose an order is, for functions on orders that do not read it anyway.

use crate::app::App;
use crate::auth::caller::Scope;
use crate::domain::id::OrderId;
use crate::host::Problem;

/// Whether the order is among the affairs that the caller may look after, which it stays for good. No request for those who
/// look after everybody's, otherwise one.
///
/// # Errors
/// When that cannot be known.
pub async fn is_within(app: &App, scope: &Scope, id: &OrderId) -> Result<bool, Problem> {
    if *scope == Scope::Everybody {
        return Ok(true);
    }
    let order = app.store.orders.find(id).await?;
    Ok(order.is_some_and(|order| scope.covers(&order.value.customer_id)))
}
