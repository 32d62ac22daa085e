//! `PUT /api/orders/{id}/shipment`: the courier's word that the order left, and when; rings, so that the pieces leave
//! the stock.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::App;
use crate::app::transition::Changed;
use crate::auth::caller::{CallBy, Courier};
use crate::domain::draft::{Invalid, LINE_PATTERN, check_text};
use crate::domain::id::OrderId;
use crate::domain::order::{Order, ShipmentClaim, TEXT_CHARS_MAX};
use crate::functions::api::ORDERS;
use crate::functions::error::{invalid_body, no_such, order_id, wrong_status};
use crate::functions::example;
use crate::functions::kind::{SHIPPED_OTHERWISE, UNPROCESSABLE_BODY, WRONG_STATUS};
use crate::functions::resource::{OrderResource, order_answer, order_etag};
use crate::functions::ring::answer_and_ring;
use crate::host::{Answer, Header, HttpInput, Operation, Problem, Reply, if_match, parse_optional};
use crate::store::Versioned;

/// How far ahead of our clock a courier's may be.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(24);
/// How late a courier may say so.
const BEHIND_MAX: TimeDelta = TimeDelta::days(365);

/// What a courier says about a shipment; what is absent is not claimed.
#[derive(Default, JsonSchema, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[schemars(rename = "ShipmentClaim")]
struct Body {
    /// When it left: at most 24 hours ahead and a year ago; the present when absent.
    #[schemars(with = "Option<DateTime<Utc>>")]
    shipped_at: Option<String>,
    /// Who carries it.
    #[schemars(
        length(min = 1, max = TEXT_CHARS_MAX),
        regex(pattern = LINE_PATTERN),
        example = &"Parcel Express"
    )]
    carrier: Option<String>,
    /// The carrier's number for it.
    #[schemars(
        length(min = 1, max = TEXT_CHARS_MAX),
        regex(pattern = LINE_PATTERN),
        example = &"PX-2026-0042"
    )]
    tracking_number: Option<String>,
}

/// Answers 200 with the order, the same again when repeated, 404, 409 when the order cannot ship or has shipped otherwise,
/// or 412.
pub async fn mark_shipped(State(app): State<App>, CallBy(call): CallBy<Courier>) -> Reply {
    answer_and_ring(async { ship(&app, &call?.1).await }.await)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "The courier's word that a confirmed order left, and when. The pieces leave the stock. The same word again \
                       changes nothing.";
    Operation::new(ORDERS, "Mark an order as shipped", description)
        .path::<OrderId>("id", "The order.")
        .if_match()
        .optional_body::<Body>(example::shipment())
        .answers::<OrderResource<'_>>(
            StatusCode::OK,
            "The order has shipped.",
            &[Header::Etag],
            example::shipped_order(),
        )
        .problems(&[&WRONG_STATUS, &SHIPPED_OTHERWISE, &UNPROCESSABLE_BODY])
}

async fn ship(app: &App, input: &HttpInput) -> Result<(Versioned<Order>, Answer), Problem> {
    let expected = if_match(&input.headers)?;
    let id = input.params.get("id").map_or("", String::as_str);
    let body: Body = parse_optional(&input.headers, &input.body)?;
    let now = app.clock.now();
    let claim = body.check(now).map_err(invalid_body)?;
    let is_expected = |order: &Order| expected.allows(&order_etag(order));
    match app.change(&order_id(id)?, is_expected, |order| order.ship(&claim, now)).await? {
        Changed::Done(order) => {
            let answer = order_answer(&order.value);
            Ok((order, answer))
        }
        Changed::Refused(status) => Err(wrong_status(status, "shipped")),
        Changed::Different(order) => Err(shipped_otherwise(&order.value)),
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound => Err(no_such("order", id, None)),
    }
}

fn shipped_otherwise(order: &Order) -> Problem {
    Problem::new(&SHIPPED_OTHERWISE)
        .detail("The recorded shipment has another date, carrier or tracking number; it is not overwritten.")
        .extension("shipment", serde_json::json!(order.shipment))
}

impl Body {
    fn check(self, now: DateTime<Utc>) -> Result<ShipmentClaim, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let shipped_at = self.shipped_at.and_then(|text| match DateTime::parse_from_rfc3339(&text) {
            Ok(at) if (-BEHIND_MAX..=AHEAD_MAX).contains(&(at.to_utc() - now)) => {
                Some(at.to_utc().trunc_subsecs(3))
            }
            Ok(_) => {
                invalid.push(Invalid::sense("/shippedAt", "must be at most 24 hours ahead and a year ago"));
                None
            }
            Err(_) => {
                invalid.push(Invalid::new(
                    "/shippedAt",
                    "must be an RFC 3339 time such as 2026-05-01T09:30:00Z",
                ));
                None
            }
        });
        check_text(&mut invalid, "/carrier", self.carrier.as_deref(), TEXT_CHARS_MAX);
        check_text(&mut invalid, "/trackingNumber", self.tracking_number.as_deref(), TEXT_CHARS_MAX);
        if !invalid.is_empty() {
            return Err(invalid);
        }
        Ok(ShipmentClaim { shipped_at, carrier: self.carrier, tracking_number: self.tracking_number })
    }
}
