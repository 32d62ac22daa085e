//! Events `ProductCreated` and `ProductUpdated`: the product has counts, and a mark at which staff are warned. A product that is
//! older than marks are gets its own when it is changed.

use axum::extract::State;

use crate::app::App;
use crate::domain::announcement::News;
use crate::domain::stock::LOW_WATER_DEFAULT;
use crate::events::news;
use crate::host::{Failure, Invocation, Reply};

/// Acknowledges an event that is about something else, or was heard before.
///
/// # Errors
/// A [`Failure`] that is worth another delivery.
pub async fn update_inventory(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let event = invocation.event("event")?;
    if let Some(News::ProductCreated(product) | News::ProductUpdated(product)) = news(&event) {
        app.store.stock.watch(&product.product_id, LOW_WATER_DEFAULT, app.clock.now()).await?;
    }
    Ok(Reply::new())
}
