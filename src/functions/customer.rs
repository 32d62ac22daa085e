//! A customer as callers see it, and the answers that the functions on customers have in common.

use axum::http::{StatusCode, header};
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::app::customers::Amendment;
use crate::auth::caller::Scope;
use crate::domain::customer::{Consents, Customer, Details};
use crate::domain::id::CustomerId;
use crate::functions::error::{invalid_body, no_such};
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{CUSTOMER_ERASED, EMAIL_TAKEN};
use crate::host::{Answer, Problem};
use crate::store::Versioned;
use crate::store::customers::Record;

/// A customer.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Customer")]
pub struct CustomerResource<'a> {
    /// Their id.
    id: &'a CustomerId,
    #[serde(flatten)]
    details: &'a Details,
    /// What they agreed to.
    consents: &'a Consents,
    /// When they were added.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    /// When anything of this last changed.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Customer> for CustomerResource<'a> {
    fn from(customer: &'a Customer) -> Self {
        let Customer { id, details, consents, created_at, updated_at, creation: _ } = customer;
        Self { id, details, consents, created_at: *created_at, updated_at: *updated_at }
    }
}

/// The customer id in a path, whose affairs are the caller's.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing, and of others a customer learns nothing.
pub fn owned_id(scope: &Scope, text: &str) -> Result<CustomerId, Problem> {
    let id = CustomerId::parse(text).map_err(|error| no_such("customer", text, Some(&error)))?;
    if scope.covers(&id) { Ok(id) } else { Err(no_such("customer", text, None)) }
}

/// The customer of this id.
///
/// # Errors
/// 404, or 410 after they were erased.
pub async fn read_customer(app: &App, id: &CustomerId) -> Result<Versioned<Customer>, Problem> {
    match app.store.customers.look_up(id).await? {
        Some(Versioned { value: Record::Customer(customer), etag }) => {
            Ok(Versioned { value: *customer, etag })
        }
        Some(Versioned { value: Record::Erased(_), .. }) => Err(erased()),
        Some(Versioned { value: Record::Vacant, .. }) | None => Err(no_such("customer", id.as_str(), None)),
    }
}

/// The customer with this status, and their version.
pub fn customer_answer(status: StatusCode, customer: &Versioned<Customer>) -> Answer {
    let answer = Answer::json(status, &CustomerResource::from(&customer.value));
    with_keep(answer, Keep::Private).header(header::ETAG, customer.etag.as_str())
}

/// The customer after a change, or why it was not made.
///
/// # Errors
/// A [`Problem`].
pub fn amended(amendment: Amendment, id: &str) -> Result<Answer, Problem> {
    match amendment {
        Amendment::Done(customer) => Ok(customer_answer(StatusCode::OK, &customer)),
        Amendment::Stale => Err(Problem::precondition_failed()),
        Amendment::NotFound => Err(no_such("customer", id, None)),
        Amendment::Erased => Err(erased()),
        Amendment::EmailTaken => Err(email_taken()),
        Amendment::Invalid(invalid) => Err(invalid_body(vec![invalid])),
    }
}

/// 409, which does not say whose the address is.
pub fn email_taken() -> Problem {
    Problem::new(&EMAIL_TAKEN).field("/email", "is the address of another customer")
}

fn erased() -> Problem {
    Problem::new(&CUSTOMER_ERASED).detail("Nothing is left of this customer but the id.")
}
