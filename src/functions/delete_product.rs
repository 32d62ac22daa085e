//! `DELETE /api/products/{id}`: takes a product off every list, for good. Who knows its id, such as an old order, can
//! still read it.

use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::app::catalogue::Changed;
use crate::auth::caller::{By, Staff};
use crate::domain::id::ProductId;
use crate::functions::api::PRODUCTS;
use crate::functions::error::{no_such, product_id};
use crate::functions::resource::names_product;
use crate::host::{Answer, NoQuery, Operation, Problem, if_match};

/// Answers 204, also when it is deleted already, 404, or 412 when `If-Match` names another version.
///
/// # Errors
/// A [`Problem`].
pub async fn delete_product(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let wanted = if_match(&headers)?;
    match app.delete_product(&product_id(&id)?, |version| names_product(&wanted, version)).await? {
        Changed::Done(_) | Changed::Deleted => Ok(Answer::empty(StatusCode::NO_CONTENT)),
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound | Changed::Invalid(_) => Err(no_such("product", &id, None)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "It is gone from the lists and can be ordered no more. It can still be read, for the sake of old orders, and \
                       its SKU stays taken. Deleting it again changes nothing.";
    Operation::new(PRODUCTS, "Delete a product", description)
        .path::<ProductId>("id", "The product.")
        .if_match()
        .empty(StatusCode::NO_CONTENT, "The product is deleted.", &[])
}
