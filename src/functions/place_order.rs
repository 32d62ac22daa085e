//! `POST /api/orders`: stores an order as pending and rings the bell; stock is checked by `ProcessOrder`.
//!
//! The bell leaves as a queue output, so this function speaks the JSON protocol.

use axum::extract::State;
use axum::http::{StatusCode, header};

use crate::app::App;
use crate::app::place::Placement;
use crate::domain::draft::OrderDraft;
use crate::domain::order::Order;
use crate::functions::error::{
    IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, unprocessable,
};
use crate::functions::resource::{Keep, PlacedOrderResource, order_path, with_keep};
use crate::functions::ring::answer_and_ring;
use crate::host::{Answer, HttpCall, HttpInput, Problem, Reply, parse};
use crate::store::Versioned;

/// Answers 202 with `Location`, and the same again for the same request under the same `Idempotency-Key`.
pub async fn place_order(State(app): State<App>, HttpCall(input): HttpCall) -> Reply {
    answer_and_ring(async { place(&app, &input?).await }.await)
}

async fn place(app: &App, input: &HttpInput) -> Result<(Versioned<Order>, Answer), Problem> {
    let key = idempotency_key(&input.headers)?;
    let draft: OrderDraft = parse(&input.headers, &input.body)?;
    let request = draft.check().map_err(invalid_body)?;
    let (order, replayed) = match app.place(&request, key.as_ref()).await? {
        Placement::Placed(order) => (order, false),
        Placement::Replayed(order) => (order, true),
        Placement::KeyReused => return Err(key_reused()),
        Placement::Invalid(invalid) => return Err(unprocessable(invalid)),
    };
    let answer = Answer::json(StatusCode::ACCEPTED, &PlacedOrderResource::from(&order.value))
        .header(header::LOCATION, order_path(&order.value.id))
        .header(header::RETRY_AFTER, "1");
    let answer = if replayed { answer.header(IDEMPOTENCY_REPLAYED, "true") } else { answer };
    Ok((order, with_keep(answer, Keep::Private)))
}
