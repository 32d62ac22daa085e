//! `PATCH /api/products/{id}`: a merge patch (RFC 7396) of what the back office maintains of a product.

use std::borrow::Cow;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde_json::{Map, Value, json};

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::catalogue::{PRICE_MINOR_MAX, ProductDraft, merge_patch};
use crate::domain::draft::Invalid;
use crate::domain::id::ProductId;
use crate::domain::money::Currency;
use crate::functions::api::PRODUCTS;
use crate::functions::error::invalid_body;
use crate::functions::example;
use crate::functions::kind::{PRODUCT_DELETED, UNPROCESSABLE_BODY, UNPROCESSABLE_PRODUCT};
use crate::functions::product::{change_product, details_for};
use crate::functions::resource::ProductResource;
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, parse_value};

/// A [`ProductDraft`] of which everything may be left out, and `null` stands for what is so by default.
struct Patch;

impl JsonSchema for Patch {
    fn schema_name() -> Cow<'static, str> {
        "ProductPatch".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut schema = ProductDraft::json_schema(generator);
        let required = schema.remove("required").unwrap_or_default();
        let is_required =
            |name: &str| required.as_array().is_some_and(|names| names.iter().any(|one| one == name));
        if let Some(Value::Object(fields)) = schema.get_mut("properties") {
            for (name, field) in fields.iter_mut() {
                match name.as_str() {
                    "price" => *field = part_of_money(generator),
                    name if is_required(name) => {}
                    _ => *field = json!({"anyOf": [field.take(), {"type": "null"}]}),
                }
            }
        }
        schema.insert("description".to_owned(), "What is to change of a product.".into());
        schema
    }
}

/// A patch goes into an object, so a price may keep its currency.
fn part_of_money(generator: &mut SchemaGenerator) -> Value {
    let currency = generator.subschema_for::<Currency>();
    json!({
        "type": "object",
        "additionalProperties": false,
        "description": "What is to change of the price.",
        "properties": {
            "amountMinor": {
                "type": "integer", "minimum": 0, "maximum": PRICE_MINOR_MAX, "examples": [900],
                "description": "Whole minor units of the currency, such as cents.",
            },
            "currency": currency,
        },
    })
}

/// Answers 200 with the product, 404, 409 when it is deleted, 412 when `If-Match` names another version, or 422. Without
/// `If-Match` the patch is made to whatever version there is.
///
/// # Errors
/// A [`Problem`].
pub async fn patch_product(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let patch: Map<String, Value> = parse(&headers, &body)?;
    change_product(&app, &id, &headers, |product| {
        let draft = json!(ProductDraft::from(product));
        let unknown = unknown("", &patch, &draft);
        if !unknown.is_empty() {
            return Err(invalid_body(unknown));
        }
        details_for(product, parse_value(merge_patch(draft, Value::Object(patch.clone())))?)
    })
    .await
}

/// Fields of a patch that the draft does not have. One that is `null` would vanish in the merge without a word.
fn unknown(place: &str, patch: &Map<String, Value>, draft: &Value) -> Vec<Invalid> {
    let mut found = Vec::new();
    for (name, change) in patch {
        let place = format!("{place}/{}", name.replace('~', "~0").replace('/', "~1"));
        match (draft.get(name), change) {
            (None, _) => found.push(Invalid::new(place, "unknown field")),
            (Some(draft), Value::Object(change)) if draft.is_object() => {
                found.extend(unknown(&place, change, draft))
            }
            (Some(_), _) => {}
        }
    }
    found
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
