//! `DELETE /api/customers/{id}`: erases a customer. What is left is the id, when it was, and which partners have to
//! be told; orders name the id alone, and
//! stay.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::app::erasure::Erasure;
use crate::auth::caller::{By, Owner};
use crate::domain::id::CustomerId;
use crate::functions::api::CUSTOMERS;
use crate::functions::customer::owned_id;
use crate::functions::error::no_such;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::ORDERS_OPEN;
use crate::host::{Answer, NoQuery, Operation, Problem, if_match};

/// Answers 204, also when they are erased already, 404, 409 while an order of theirs is not done, or 412 when `If-Match` names another version.
///
/// # Errors
/// A [`Problem`].
pub async fn delete_customer(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let customer_id = owned_id(&scope, &id)?;
    let wanted = if_match(&headers)?;
    match app.erase(&customer_id, |etag| wanted.allows(etag.as_str())).await? {
        Erasure::Done => Ok(with_keep(Answer::empty(StatusCode::NO_CONTENT), Keep::Private)),
        Erasure::Stale => Err(Problem::precondition_failed()),
        Erasure::OrdersOpen => {
            Err(Problem::new(&ORDERS_OPEN).detail("An order of this customer is pending or confirmed."))
        }
        Erasure::NotFound => Err(no_such("customer", &id, None)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Erases all that is personal. Their orders stay under an id that says nothing any more; they can place no \
                       others, and the id is given to nobody else. Refused while an order is pending or confirmed, which needs its \
                       address. Doing it again changes nothing.";
    Operation::new(CUSTOMERS, "Erase a customer", description)
        .path::<CustomerId>("id", "The customer.")
        .if_match()
        .empty(StatusCode::NO_CONTENT, "The customer is erased.", &[])
        .problems(&[&ORDERS_OPEN])
}
