//! `PUT /api/orders/{id}/shipment`: the courier's word that the order left, and when; rings, so that the pieces leave
//! the stock.

use axum::extract::State;
use axum::http::StatusCode;
use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use serde::Deserialize;

use crate::app::App;
use crate::app::transition::Changed;
use crate::domain::draft::Invalid;
use crate::domain::message::OrderMessage;
use crate::domain::order::{Order, ShipmentClaim, TEXT_CHARS_MAX};
use crate::functions::error::{invalid_body, no_such, order_id, wrong_status};
use crate::functions::resource::{Keep, OrderResource, with_keep};
use crate::host::{Answer, Failure, HttpInput, Invocation, Problem, Reply, parse_optional, parse_query};

/// How far ahead of our clock a courier's may be.
const AHEAD_MAX: TimeDelta = TimeDelta::hours(24);

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Body {
    shipped_at: Option<String>,
    carrier: Option<String>,
    tracking_number: Option<String>,
}

/// Answers 200 with the order, the same again when repeated, 404, or 409 when the order cannot ship or has shipped
/// otherwise.
///
/// # Errors
/// A [`Failure`] when the envelope is not one; everything else is answered as a problem.
pub async fn mark_shipped(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let input = invocation.http("req")?;
    let reply = Reply::new();
    Ok(match ship(&app, &input).await {
        Ok(order) => {
            let bell = order.has_work().then(|| OrderMessage::doorbell(&order.id));
            let answer = Answer::json(StatusCode::OK, &OrderResource::from(&order));
            reply.queue("orders", bell).http("res", with_keep(answer, Keep::Private))
        }
        Err(problem) => reply.http("res", problem),
    })
}

async fn ship(app: &App, input: &HttpInput) -> Result<Order, Problem> {
    parse_query(input.raw_query(), &["code"])?;
    let id = input.params.get("id").map_or("", String::as_str);
    let body: Body = parse_optional(&input.headers, &input.body)?;
    let now = app.clock.now();
    let claim = body.check(now).map_err(invalid_body)?;
    match app.change(&order_id(id)?, |order| order.ship(&claim, now)).await? {
        Changed::Done(order) => Ok(order),
        Changed::Refused(status) => Err(wrong_status(status, "shipped")),
        Changed::Different(order) => Err(Problem::conflict(
            "shipped-otherwise",
            "The order has shipped otherwise",
        )
        .detail("The recorded shipment has another date, carrier or tracking number; it is not overwritten.")
        .extension("shipment", serde_json::json!(order.shipment))),
        Changed::NotFound => Err(no_such("order", id, None)),
    }
}

impl Body {
    fn check(self, now: DateTime<Utc>) -> Result<ShipmentClaim, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let shipped_at = self.shipped_at.and_then(|text| match DateTime::parse_from_rfc3339(&text) {
            Ok(at) if at - now.fixed_offset() <= AHEAD_MAX => Some(at.to_utc().trunc_subsecs(3)),
            Ok(_) => {
                invalid.push(Invalid::new("/shippedAt", "must not be more than 24 hours ahead"));
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
        for (pointer, text) in [("/carrier", &self.carrier), ("/trackingNumber", &self.tracking_number)] {
            if text.as_ref().is_some_and(|text| text.is_empty() || text.chars().count() > TEXT_CHARS_MAX) {
                invalid.push(Invalid::new(pointer, format!("must have 1 to {TEXT_CHARS_MAX} characters")));
            }
        }
        if !invalid.is_empty() {
            return Err(invalid);
        }
        Ok(ShipmentClaim { shipped_at, carrier: self.carrier, tracking_number: self.tracking_number })
    }
}
