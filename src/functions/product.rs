//! Changing a product: the same end for the functions that replace it and that patch it.

use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::catalogue::Changed;
use crate::domain::product::{Details, Product};
use crate::functions::error::{no_such, product_deleted, product_id, unprocessable_product};
use crate::functions::keep::{Keep, with_keep};
use crate::functions::resource::{ProductResource, names_product, product_etag};
use crate::host::{Answer, Problem, if_match};

/// Changes the product if `If-Match` allows it; 200 with the product, 404, 409 when it is deleted, 412 or 422.
///
/// # Errors
/// A [`Problem`], also that of `change`.
pub async fn change_product(
    app: &App,
    id: &str,
    headers: &HeaderMap,
    change: impl Fn(&Product) -> Result<Details, Problem>,
) -> Result<Answer, Problem> {
    let product_id = product_id(id)?;
    let wanted = if_match(headers)?;
    match app.change_product(&product_id, |version| names_product(&wanted, version), change).await?? {
        Changed::Done(product) => {
            let stock = app.store.stock.read(&product_id).await?.map(|stock| stock.value);
            let etag = product_etag(&product.etag, stock.as_ref());
            let answer = Answer::json(StatusCode::OK, &ProductResource::new(&product.value, stock.as_ref()));
            Ok(with_keep(answer, Keep::Validate).header(header::ETAG, etag))
        }
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound => Err(no_such("product", id, None)),
        Changed::Deleted => Err(product_deleted()),
        Changed::Invalid(invalid) => Err(unprocessable_product(invalid)),
    }
}

/// The details that are asked for, for a product whose SKU stays what it is.
///
/// # Errors
/// 400 when the draft is not valid, 422 when it names another SKU.
pub fn details_for(
    product: &Product,
    draft: crate::domain::catalogue::ProductDraft,
) -> Result<Details, Problem> {
    let (sku, details) = draft.check().map_err(crate::functions::error::invalid_body)?;
    if sku != product.sku {
        let invalid =
            crate::domain::draft::Invalid::new("/sku", format!("is {} and cannot be changed", product.sku));
        return Err(unprocessable_product(vec![invalid]));
    }
    Ok(details)
}
