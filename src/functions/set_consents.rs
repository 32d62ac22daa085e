//! `PUT /api/customers/{id}/consents`: all that a customer agrees to. Times are ours.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::customer::draft::ConsentsDraft;
use crate::domain::id::CustomerId;
use crate::functions::api::CUSTOMERS;
use crate::functions::customer::{CustomerResource, amended, owned_id};
use crate::functions::error::invalid_body;
use crate::functions::example;
use crate::functions::kind::{CUSTOMER_ERASED, UNPROCESSABLE_BODY};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, require_if_match};

/// Answers 200 with the customer, 404, 410 after they were erased, 412, 422, or 428 without `If-Match`.
///
/// # Errors
/// A [`Problem`].
pub async fn set_consents(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let customer_id = owned_id(&scope, &id)?;
    let wanted = require_if_match(&headers)?;
    let draft: ConsentsDraft = parse(&headers, &body)?;
    let request = draft.check().map_err(invalid_body)?;
    let amendment = app.set_consents(&customer_id, &request, |etag| wanted.allows(etag.as_str())).await?;
    amended(amendment, &id)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "All that they agree to: what is not named is not agreed to, and a partner that was named before and is not \
                       any more is withdrawn. What still holds keeps the time and the source of when it was first said.";
    Operation::new(CUSTOMERS, "Set a customer's consents", description)
        .path::<CustomerId>("id", "The customer.")
        .if_match_required()
        .body::<ConsentsDraft>(example::consents_draft())
        .answers::<CustomerResource<'_>>(
            StatusCode::OK,
            "The customer.",
            &[Header::Etag],
            example::customer(),
        )
        .problems(&[&CUSTOMER_ERASED, &UNPROCESSABLE_BODY])
}
