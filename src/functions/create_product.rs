//! `POST /api/products`: a new product. Its SKU is unique, so the same request twice makes one product.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::catalogue::Created;
use crate::auth::caller::{By, Staff};
use crate::domain::catalogue::ProductDraft;
use crate::domain::creation::Creation;
use crate::domain::product::Product;
use crate::domain::stock::Stock;
use crate::functions::api::{PRODUCTS, keyed};
use crate::functions::error::{
    IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, taken, unprocessable_product,
};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{ID_TAKEN, UNPROCESSABLE_BODY, UNPROCESSABLE_PRODUCT};
use crate::functions::resource::{ProductResource, product_etag, product_path};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse};
use crate::store::Versioned;

/// Answers 201 with the product and its `Location`, the same again under the same `Idempotency-Key`, 409 when the SKU is
/// taken, or 422 when it refers to what is not there.
///
/// # Errors
/// A [`Problem`].
pub async fn create_product(
    _: By<Staff>,
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let key = idempotency_key(&headers)?;
    let draft: ProductDraft = parse(&headers, &body)?;
    let creation = key.map(|key| Creation::of(&key, &draft));
    let (sku, details) = draft.check().map_err(invalid_body)?;
    match app.create_product(sku, details, creation).await? {
        Created::Done(product) => Ok(created(&product, None)),
        Created::Replayed(product) => {
            let stock = app.store.stock.recent(&product.value.id, app.clock.now()).await?;
            let stock = stock.map(|stock| stock.value);
            Ok(created(&product, stock.as_ref()).header(IDEMPOTENCY_REPLAYED, "true"))
        }
        Created::KeyReused => Err(key_reused()),
        Created::Exists => Err(taken("/sku", "is the SKU of another product, which may be deleted")),
        Created::Invalid(invalid) => Err(unprocessable_product(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description =
        "Its id is its SKU in small letters. It can be ordered once it is active and has stock.";
    keyed(
        Operation::new(PRODUCTS, "Create a product", description)
            .body::<ProductDraft>(example::product_draft())
            .answers::<ProductResource<'_>>(
                StatusCode::CREATED,
                "The product was created.",
                &[Header::Location, Header::Etag],
                example::product(),
            )
            .leads_to("GetProduct", &[("id", "$response.body#/id")])
            .problems(&[&ID_TAKEN, &UNPROCESSABLE_BODY, &UNPROCESSABLE_PRODUCT]),
    )
}

fn created(product: &Versioned<Product>, stock: Option<&Stock>) -> Answer {
    let (path, etag) = (product_path(&product.value.id), product_etag(&product.etag, stock));
    let answer = Answer::json(StatusCode::CREATED, &ProductResource::new(&product.value, stock));
    with_keep(answer, Keep::Validate).header(header::LOCATION, path).header(header::ETAG, etag)
}
