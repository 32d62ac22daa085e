//! The order ids in paths, for callers who may read some orders and not others.

use crate::app::App;
use crate::auth::caller::Scope;
use crate::domain::id::{OrderId, Partition};
use crate::functions::error::{no_such, order_id};
use crate::host::Problem;

/// The order id in a path, if the order can be the caller's: an id begins with the partition of its customer. So nobody learns, not
/// even from how long the answer takes, whether there is an order of somebody else's. Almost nobody: customers share a partition once
/// in 10^12 pairs, and so the order itself is asked, too.
///
/// # Errors
/// 404.
pub fn visible_id(scope: &Scope, text: &str) -> Result<OrderId, Problem> {
    let id = order_id(text)?;
    match scope {
        Scope::Only(own) if id.partition() != Partition::of(own) => Err(no_such("order", text, None)),
        Scope::Only(_) | Scope::Everybody => Ok(id),
    }
}

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
