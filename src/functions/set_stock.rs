//! `PUT /api/products/{id}/stock`: sets the pieces on hand after a count. The difference enters the ledger.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::draft::Invalid;
use crate::domain::id::{Fingerprint, ProductId};
use crate::domain::number::{optional_whole, whole};
use crate::domain::stock::{Adjustment, ON_HAND_MAX};
use crate::functions::api::STOCK;
use crate::functions::error::{invalid_body, no_such, product_id, stock_refused};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::STOCK_REFUSED;
use crate::functions::resource::StockResource;
use crate::host::{
    Answer, Header, IfNoneMatch, Match, NoQuery, Operation, Problem, if_none_match, parse, require_if_match,
};
use crate::store::Etag;
use crate::store::stock::Counted;

/// What was counted.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "StockCount")]
struct Body {
    /// Pieces in the warehouse, those held for orders included.
    #[schemars(range(min = 0, max = ON_HAND_MAX), example = 250)]
    #[serde(deserialize_with = "whole")]
    on_hand: i64,
    /// The number of available pieces at which staff are warned; left as it is when it is not given.
    #[schemars(range(min = 0, max = ON_HAND_MAX), example = 10)]
    #[serde(default, deserialize_with = "optional_whole")]
    low_water: Option<i64>,
}

impl Body {
    fn check(&self) -> Result<(u32, Option<u32>), Vec<Invalid>> {
        let pieces = |given: i64, pointer: &'static str| {
            let pieces = u32::try_from(given).ok().filter(|pieces| *pieces <= ON_HAND_MAX);
            pieces.ok_or_else(|| {
                Invalid::new(pointer, format!("must be a whole number from 0 to {ON_HAND_MAX}"))
            })
        };
        let on_hand = pieces(self.on_hand, "/onHand");
        let low_water = self.low_water.map(|given| pieces(given, "/lowWater")).transpose();
        match (on_hand, low_water) {
            (Ok(on_hand), Ok(low_water)) => Ok((on_hand, low_water)),
            (on_hand, low_water) => Err(on_hand.err().into_iter().chain(low_water.err()).collect()),
        }
    }
}

/// Which counts the caller wants to replace.
enum Expected {
    None,
    Some(Match),
}

/// Answers 200 with the counts, 404, 409 below what orders hold, 412, or 428 without a condition. `If-None-Match: *`
/// gives a product its first counts.
///
/// # Errors
/// A [`Problem`].
pub async fn set_stock(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let expected = match if_none_match(&headers)? {
        // Both conditions must hold, and no counts can be absent and of a version.
        IfNoneMatch::Any if headers.contains_key(header::IF_MATCH) => {
            return Err(Problem::precondition_failed());
        }
        IfNoneMatch::Any => Expected::None,
        IfNoneMatch::None | IfNoneMatch::Tags(_) => Expected::Some(require_if_match(&headers)?),
    };
    let body: Body = parse(&headers, &body)?;
    let (on_hand, low_water) = body.check().map_err(invalid_body)?;
    if app.store.products.read(&product_id).await?.is_none() {
        return Err(no_such("product", &id, None));
    }
    let now = app.clock.now();
    let adjustment = Adjustment {
        id: Adjustment::id_from_chance(app.ids.bytes16()),
        product_id: product_id.clone(),
        delta: 0,
        reason: "counted".to_owned(),
        on_hand_after: on_hand,
        created_at: now,
        fingerprint: Fingerprint::of([product_id.as_str()]),
    };
    let allows = |current: Option<&Etag>| match (&expected, current) {
        (Expected::None, current) => current.is_none(),
        (Expected::Some(wanted), Some(etag)) => wanted.allows(etag.as_str()),
        (Expected::Some(_), None) => false,
    };
    match app.store.stock.count(allows, adjustment, (on_hand, low_water), now).await? {
        Counted::Done(stock) => {
            let answer = Answer::json(StatusCode::OK, &StockResource::from(&stock.value));
            Ok(with_keep(answer, Keep::Validate).header(header::ETAG, stock.etag.as_str()))
        }
        Counted::Changed => Err(Problem::precondition_failed()),
        Counted::Refused(refusal) => Err(stock_refused(refusal, "/onHand")),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Sets the pieces on hand after a count; the difference enters the ledger. Not below what orders hold.";
    Operation::new(STOCK, "Count a product's stock", description)
        .path::<ProductId>("id", "The product.")
        .if_match_or_none()
        .body::<Body>(json!({"onHand": 250}))
        .answers::<StockResource<'_>>(StatusCode::OK, "The counts.", &[Header::Etag], example::stock())
        .problems(&[&STOCK_REFUSED])
}
