//! `POST /api/products/{id}/stock/adjustments`: pieces that came or went, with a reason.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::draft::{Invalid, LINE_PATTERN, check_text};
use crate::domain::id::{Fingerprint, ProductId};
use crate::domain::number::whole;
use crate::domain::stock::{Adjustment, ON_HAND_MAX, REASON_CHARS_MAX};
use crate::functions::api::{STOCK, keyed};
use crate::functions::error::{
    IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, no_such, product_id, stock_refused,
};
use crate::functions::example;
use crate::functions::keep::{Keep, with_content_etag};
use crate::functions::kind::STOCK_REFUSED;
use crate::functions::resource::AdjustmentResource;
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse};
use crate::store::stock::Adjusted;

/// Pieces that came or went.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "AdjustmentDraft")]
struct Body {
    /// Pieces that came (above 0) or went; not 0.
    #[schemars(
        range(min = -i64::from(ON_HAND_MAX), max = ON_HAND_MAX),
        extend("not" = {"const": 0}),
        example = -3
    )]
    #[serde(deserialize_with = "whole")]
    delta: i64,
    /// Why.
    #[schemars(
        length(min = 1, max = REASON_CHARS_MAX),
        regex(pattern = LINE_PATTERN),
        example = &"broken in the warehouse"
    )]
    reason: String,
}

/// Answers 201 with the adjustment, the same again under the same `Idempotency-Key`, 404, or 409 when the counts do not
/// allow it.
///
/// # Errors
/// A [`Problem`].
pub async fn adjust_stock(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let key = idempotency_key(&headers)?;
    let body: Body = parse(&headers, &body)?;
    body.check().map_err(invalid_body)?;
    let now = app.clock.now();
    let adjustment = Adjustment {
        id: key.map_or_else(|| Adjustment::id_from_chance(app.ids.bytes16()), |key| Adjustment::id_for(&key)),
        product_id: product_id.clone(),
        delta: body.delta,
        on_hand_after: 0,
        created_at: now,
        fingerprint: Fingerprint::of([product_id.as_str(), &body.delta.to_string(), &body.reason]),
        reason: body.reason,
    };
    let created = |adjustment: &Adjustment| {
        let answer = Answer::json(StatusCode::CREATED, &AdjustmentResource::from(adjustment));
        with_content_etag(answer, Keep::Validate)
    };
    match app.store.stock.adjust(&adjustment, now).await? {
        Adjusted::Done(adjustment) => Ok(created(&adjustment)),
        Adjusted::Replayed(adjustment) => Ok(created(&adjustment).header(IDEMPOTENCY_REPLAYED, "true")),
        Adjusted::KeyReused => Err(key_reused()),
        Adjusted::Refused(refusal) => Err(stock_refused(refusal, "/delta")),
        Adjusted::Unknown => Err(no_such("stock of a product", &id, None)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Pieces that came or went, with a reason, as an entry in the ledger.";
    keyed(
        Operation::new(STOCK, "Adjust a product's stock", description)
            .path::<ProductId>("id", "The product.")
            .body::<Body>(json!({"delta": -3, "reason": "broken in the warehouse"}))
            .answers::<AdjustmentResource<'_>>(
                StatusCode::CREATED,
                "The entry in the ledger.",
                &[Header::Etag],
                example::adjustment(),
            )
            .problems(&[&STOCK_REFUSED]),
    )
}

impl Body {
    fn check(&self) -> Result<(), Vec<Invalid>> {
        let mut invalid = Vec::new();
        if self.delta == 0 || self.delta.unsigned_abs() > u64::from(ON_HAND_MAX) {
            let detail = format!("must be a whole number from -{ON_HAND_MAX} to {ON_HAND_MAX}, and not 0");
            invalid.push(Invalid::new("/delta", detail));
        }
        check_text(&mut invalid, "/reason", Some(&self.reason), REASON_CHARS_MAX);
        if invalid.is_empty() { Ok(()) } else { Err(invalid) }
    }
}
