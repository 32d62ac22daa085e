//! `PUT /api/customers/{id}`: what a customer told of themselves, anew. Their consents have an address of their own.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::customer::draft::CustomerDraft;
use crate::domain::draft::Invalid;
use crate::domain::id::CustomerId;
use crate::functions::api::CUSTOMERS;
use crate::functions::customer::{CustomerResource, amended, owned_id};
use crate::functions::error::invalid_body;
use crate::functions::example;
use crate::functions::kind::{CUSTOMER_ERASED, EMAIL_TAKEN, UNPROCESSABLE_BODY};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, require_if_match};

/// Answers 200 with the customer, 404, 409 when the email address is another's, 410 after they were erased, 412, or 428
/// without `If-Match`.
///
/// # Errors
/// A [`Problem`].
pub async fn replace_customer(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let customer_id = owned_id(&scope, &id)?;
    let wanted = require_if_match(&headers)?;
    let draft: CustomerDraft = parse(&headers, &body)?;
    let (named, details) = draft.check().map_err(invalid_body)?;
    if named != customer_id {
        return Err(invalid_body(vec![Invalid::sense("/id", "is not the id in the path")]));
    }
    let amendment = app.replace_details(&customer_id, &details, |etag| wanted.allows(etag.as_str())).await?;
    amended(amendment, &id)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "All that they told of themselves, anew; what is left out of the body is forgotten. Consents stay as they \
                       are. An address that is given up is free for others at once.";
    Operation::new(CUSTOMERS, "Replace a customer's details", description)
        .path::<CustomerId>("id", "The customer; the body's `id` is the same.")
        .if_match_required()
        .body::<CustomerDraft>(example::customer_draft())
        .answers::<CustomerResource<'_>>(
            StatusCode::OK,
            "The customer.",
            &[Header::Etag],
            example::customer(),
        )
        .problems(&[&CUSTOMER_ERASED, &EMAIL_TAKEN, &UNPROCESSABLE_BODY])
}
