//! `POST /api/orders/{id}/cancellation`: calls off a pending or confirmed order and rings, so that its stock comes back.

use axum::extract::State;
use axum::http::StatusCode;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::app::App;
use crate::app::transition::Changed;
use crate::auth::caller::{CallBy, Owner};
use crate::domain::draft::{Invalid, LINE_PATTERN, check_text};
use crate::domain::id::{IdempotencyKey, OrderId};
use crate::domain::order::{Order, TEXT_CHARS_MAX};
use crate::functions::api::ORDERS;
use crate::functions::error::{idempotency_key, invalid_body, no_such, wrong_status};
use crate::functions::example;
use crate::functions::kind::WRONG_STATUS;
use crate::functions::order::{is_within, visible_id};
use crate::functions::resource::{OrderResource, order_answer, order_etag};
use crate::functions::ring::answer_and_ring;
use crate::host::{Answer, Header, HttpInput, Operation, Problem, Reply, if_match, parse_optional};
use crate::store::Versioned;

/// Why an order is called off.
#[derive(Default, JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
#[schemars(rename = "CancellationDraft")]
struct Body {
    /// Why.
    #[schemars(
        length(min = 1, max = TEXT_CHARS_MAX),
        regex(pattern = LINE_PATTERN),
        example = &"ordered twice"
    )]
    reason: Option<String>,
}

/// Answers 200 with the order, the same again when repeated, whatever reason is given then (an order is cancelled once,
/// so it needs no key for that); 404; 409 in a state that cannot be called off; 412.
pub async fn cancel_order(State(app): State<App>, CallBy(call): CallBy<Owner>) -> Reply {
    answer_and_ring(async { cancel(&app, call?).await }.await)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Calls off a pending or confirmed order; what it held goes back on sale. Calling it off again changes \
                       nothing.";
    let key = "Checked for its form and not needed: an order is cancelled once, whatever the key.";
    Operation::new(ORDERS, "Cancel an order", description)
        .path::<OrderId>("id", "The order.")
        .if_match()
        .optional_body::<Body>(example::cancellation())
        .idempotency_key::<IdempotencyKey>(key)
        .answers::<OrderResource<'_>>(
            StatusCode::OK,
            "The order is cancelled.",
            &[Header::Etag],
            example::cancelled_order(),
        )
        .problems(&[&WRONG_STATUS])
}

async fn cancel(
    app: &App,
    (Owner(scope), input): (Owner, HttpInput),
) -> Result<(Versioned<Order>, Answer), Problem> {
    idempotency_key(&input.headers)?;
    let expected = if_match(&input.headers)?;
    let id = input.params.get("id").map_or("", String::as_str);
    let Body { reason } = parse_optional(&input.headers, &input.body)?;
    let mut invalid: Vec<Invalid> = Vec::new();
    check_text(&mut invalid, "/reason", reason.as_deref(), TEXT_CHARS_MAX);
    if !invalid.is_empty() {
        return Err(invalid_body(invalid));
    }
    let now = app.clock.now();
    let is_expected = |order: &Order| expected.allows(&order_etag(order));
    let order_id = visible_id(&scope, id)?;
    if !is_within(app, &scope, &order_id).await? {
        return Err(no_such("order", id, None));
    }
    match app.change(&order_id, is_expected, |order| order.cancel(reason.clone(), now)).await? {
        Changed::Done(order) | Changed::Different(order) => {
            let answer = order_answer(&order.value);
            Ok((order, answer))
        }
        Changed::Refused(status) => Err(wrong_status(status, "cancelled")),
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound => Err(no_such("order", id, None)),
    }
}
