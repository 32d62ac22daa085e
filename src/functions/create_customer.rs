//! `POST /api/customers`: a new customer, under the identity provider's name for them.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::customers::Enrolment;
use crate::auth::caller::{By, Owner, Scope};
use crate::domain::creation::Creation;
use crate::domain::customer::Customer;
use crate::domain::customer::draft::CustomerDraft;
use crate::functions::api::{CUSTOMERS, keyed};
use crate::functions::customer::{CustomerResource, customer_answer, email_taken};
use crate::functions::error::{IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, taken};
use crate::functions::example;
use crate::functions::kind::{EMAIL_TAKEN, ID_TAKEN, UNPROCESSABLE_BODY};
use crate::host::kind::FORBIDDEN;
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse};
use crate::store::Versioned;

/// Answers 201 with the customer and their `Location`, the same again for the same request, or 409 when the id or the email
/// address is taken. Without an `Idempotency-Key` it is the same request as long as what it created is as it was.
///
/// # Errors
/// A [`Problem`].
pub async fn create_customer(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let key = idempotency_key(&headers)?;
    let draft: CustomerDraft = parse(&headers, &body)?;
    // Customers do not know each other's keys.
    let creation = key.map(|key| match &scope {
        Scope::Everybody => Creation::of(&key, &draft),
        Scope::Only(own) => Creation::of_customer(own, &key, &draft),
    });
    let (id, details) = draft.check().map_err(invalid_body)?;
    if !scope.covers(&id) {
        return Err(Problem::new(&FORBIDDEN).field("/id", "is not the id of the customer who is signed in"));
    }
    let customer = Customer { creation, ..Customer::new(id, details, app.clock.now()) };
    match app.enrol(&customer).await? {
        Enrolment::Done(customer) => Ok(created(&customer)),
        Enrolment::Replayed(customer) => Ok(created(&customer).header(IDEMPOTENCY_REPLAYED, "true")),
        Enrolment::KeyReused => Err(key_reused()),
        Enrolment::IdTaken => Err(taken("/id", "is the id of another customer, who may be erased")),
        Enrolment::EmailTaken => Err(email_taken()),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "The id is the identity provider's. No two customers have one email address; a refusal does not say whose \
                       it is. They have agreed to nothing yet.";
    keyed(
        Operation::new(CUSTOMERS, "Add a customer", description)
            .body::<CustomerDraft>(example::customer_draft())
            .answers::<CustomerResource<'_>>(
                StatusCode::CREATED,
                "The customer was added.",
                &[Header::Location, Header::Etag],
                example::customer(),
            )
            .leads_to("GetCustomer", &[("id", "$response.body#/id")])
            .problems(&[&ID_TAKEN, &EMAIL_TAKEN, &UNPROCESSABLE_BODY]),
    )
}

fn created(customer: &Versioned<Customer>) -> Answer {
    let path = format!("/api/customers/{}", customer.value.id);
    customer_answer(StatusCode::CREATED, customer).header(header::LOCATION, path)
}
