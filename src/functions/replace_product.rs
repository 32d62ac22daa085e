//! `PUT /api/products/{id}`: what the back office maintains of a product, anew. Pictures and stock have addresses of their own.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::catalogue::ProductDraft;
use crate::domain::id::ProductId;
use crate::functions::api::PRODUCTS;
use crate::functions::example;
use crate::functions::kind::{PRODUCT_DELETED, UNPROCESSABLE_BODY, UNPROCESSABLE_PRODUCT};
use crate::functions::product::{change_product, details_for};
use crate::functions::resource::ProductResource;
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, require_if_match};

/// Answers 200 with the product, 404, 409 when it is deleted, 412, 422, or 428 without `If-Match`.
///
/// # Errors
/// A [`Problem`].
pub async fn replace_product(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    require_if_match(&headers)?;
    let draft: ProductDraft = parse(&headers, &body)?;
    change_product(&app, &id, &headers, |product| details_for(product, draft.clone())).await
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "All that the back office maintains of it, anew. What is left out of the body becomes what it is by default. \
                       Pictures and stock stay as they are.";
    Operation::new(PRODUCTS, "Replace a product", description)
        .path::<ProductId>("id", "The product.")
        .if_match_required()
        .body::<ProductDraft>(example::product_draft())
        .answers::<ProductResource<'_>>(StatusCode::OK, "The product.", &[Header::Etag], example::product())
        .problems(&[&PRODUCT_DELETED, &UNPROCESSABLE_BODY, &UNPROCESSABLE_PRODUCT])
}
