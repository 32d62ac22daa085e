//! `PATCH /api/products/{id}`: a merge patch (RFC 7396) of what the back office maintains of a product.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::domain::catalogue::{ProductDraft, merge_patch};
use crate::domain::id::ProductId;
use crate::functions::api::PRODUCTS;
use crate::functions::example;
use crate::functions::kind::{PRODUCT_DELETED, UNPROCESSABLE_BODY, UNPROCESSABLE_PRODUCT};
use crate::functions::product::{change_product, details_for};
use crate::functions::resource::ProductResource;
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, parse_value};

/// A [`ProductDraft`] of which everything may be left out.
struct Patch;

impl JsonSchema for Patch {
    fn schema_name() -> Cow<'static, str> {
        "ProductPatch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ProductDraft::json_schema(generator);
        schema.remove("required");
        schema.insert("description".to_owned(), "What is to change of a product.".into());
        schema
    }
}

/// Answers 200 with the product, 404, 409 when it is deleted, 412 when `If-Match` names another version, or 422. Without
/// `If-Match` the patch is made to whatever version there is.
///
/// # Errors
/// A [`Problem`].
pub async fn patch_product(
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let patch: Map<String, Value> = parse(&headers, &body)?;
    change_product(&app, &id, &headers, |product| {
        let patched = merge_patch(json!(ProductDraft::from(product)), Value::Object(patch.clone()));
        details_for(product, parse_value(patched)?)
    })
    .await
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "A merge patch (RFC 7396): what is left out stays, lists are replaced whole.";
    Operation::new(PRODUCTS, "Change a product", description)
        .path::<ProductId>("id", "The product.")
        .if_match()
        .merge_patch::<Patch>(json!({"status": "archived"}))
        .answers::<ProductResource<'_>>(StatusCode::OK, "The product.", &[Header::Etag], example::product())
        .problems(&[&PRODUCT_DELETED, &UNPROCESSABLE_BODY, &UNPROCESSABLE_PRODUCT])
}
