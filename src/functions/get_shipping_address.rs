//! `GET /api/orders/{id}/shipping-address`: where an order goes, for its customer and those who bring it.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, OwnerOrCourier};
use crate::domain::customer::Address;
use crate::domain::id::OrderId;
use crate::functions::api::ORDERS;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::order::visible_id;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304, or 404 when there is no such order, nobody said where it goes, or it is forgotten. One request, two when
/// there is none.
///
/// # Errors
/// A [`Problem`].
pub async fn get_shipping_address(
    By(OwnerOrCourier(scope)): By<OwnerOrCourier>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = app.store.orders.shipping_address(&visible_id(&scope, &id)?).await?;
    let found = found.filter(|found| scope.covers(&found.customer_id));
    let found = found.ok_or_else(|| {
        Problem::not_found("There is no address for this order, or no longer.")
            .parameter("id", "there is no order with this id whose address is kept")
    })?;
    read(&headers, &found.address, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "The address that the order named, or else the customer's first one, as it was then. It is removed 180 days \
                       after the order was placed, and when the customer is erased.";
    Operation::new(ORDERS, "Read where an order goes", description)
        .path::<OrderId>("id", "The order.")
        .reads::<Address>("The address.", example::address())
}
