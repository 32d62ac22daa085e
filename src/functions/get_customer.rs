//! `GET /api/customers/{id}`: one customer.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::id::CustomerId;
use crate::functions::api::CUSTOMERS;
use crate::functions::customer::{CustomerResource, owned_id, read_customer};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::kind::CUSTOMER_ERASED;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304, 404, or 410 after they were erased.
///
/// # Errors
/// A [`Problem`].
pub async fn get_customer(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = read_customer(&app, &owned_id(&scope, &id)?).await?;
    read(&headers, &CustomerResource::from(&found.value), Keep::Private, Some(found.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(CUSTOMERS, "Read a customer", "Their orders are a list: `/api/customers/{id}/orders`.")
        .path::<CustomerId>("id", "The customer.")
        .reads::<CustomerResource<'_>>("The customer.", example::customer())
        .problems(&[&CUSTOMER_ERASED])
}
