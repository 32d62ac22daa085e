//! `POST /api/orders/{id}/cancellation`: calls off a pending or confirmed order and rings, so that its stock comes back.

use axum::extract::State;
use axum::http::StatusCode;
use serde::Deserialize;

use crate::app::App;
use crate::app::transition::Changed;
use crate::domain::draft::Invalid;
use crate::domain::message::OrderMessage;
use crate::domain::order::{Order, TEXT_CHARS_MAX};
use crate::functions::error::{invalid_body, no_such, order_id, wrong_status};
use crate::functions::resource::{Keep, OrderResource, with_keep};
use crate::host::{Answer, Failure, HttpInput, Invocation, Problem, Reply, parse_optional, parse_query};

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    reason: Option<String>,
}

/// Answers 200 with the order, the same again when repeated, 404, or 409 in a state that cannot be called off.
///
/// # Errors
/// A [`Failure`] when the envelope is not one; everything else is answered as a problem.
pub async fn cancel_order(State(app): State<App>, invocation: Invocation) -> Result<Reply, Failure> {
    let input = invocation.http("req")?;
    let reply = Reply::new();
    Ok(match cancel(&app, &input).await {
        Ok(order) => {
            let bell = order.has_work().then(|| OrderMessage::doorbell(&order.id));
            let answer = Answer::json(StatusCode::OK, &OrderResource::from(&order));
            reply.queue("orders", bell).http("res", with_keep(answer, Keep::Private))
        }
        Err(problem) => reply.http("res", problem),
    })
}

async fn cancel(app: &App, input: &HttpInput) -> Result<Order, Problem> {
    parse_query(input.raw_query(), &["code"])?;
    let id = input.params.get("id").map_or("", String::as_str);
    let Body { reason } = parse_optional(&input.headers, &input.body)?;
    if reason.as_ref().is_some_and(|reason| reason.is_empty() || reason.chars().count() > TEXT_CHARS_MAX) {
        let detail = format!("must have 1 to {TEXT_CHARS_MAX} characters");
        return Err(invalid_body(vec![Invalid::new("/reason", detail)]));
    }
    let now = app.clock.now();
    match app.change(&order_id(id)?, |order| order.cancel(reason.clone(), now)).await? {
        Changed::Done(order) | Changed::Different(order) => Ok(order),
        Changed::Refused(status) => Err(wrong_status(status, "cancelled")),
        Changed::NotFound => Err(no_such("order", id, None)),
    }
}
