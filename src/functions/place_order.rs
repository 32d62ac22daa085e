//! `POST /api/orders`: stores an order as pending and rings the bell; stock is checked by `ProcessOrder`.
//!
//! The bell leaves as a queue output, so this function speaks the JSON protocol.

use axum::extract::State;
use axum::http::{StatusCode, header};

use crate::app::App;
use crate::app::place::{Placement, no_customer};
use crate::auth::caller::{CallBy, Owner};
use crate::domain::draft::OrderDraft;
use crate::domain::order::Order;
use crate::functions::api::{ORDERS, keyed};
use crate::functions::error::{
    IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, unprocessable,
};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{UNPROCESSABLE_BODY, UNPROCESSABLE_ORDER};
use crate::functions::resource::{PlacedOrderResource, order_path};
use crate::functions::ring::answer_and_ring;
use crate::host::{Answer, Header, HttpInput, Operation, Problem, Reply, parse};
use crate::store::Versioned;

/// Answers 202 with `Location`, and the same again for the same request under the same `Idempotency-Key`.
pub async fn place_order(State(app): State<App>, CallBy(call): CallBy<Owner>) -> Reply {
    answer_and_ring(async { place(&app, call?).await }.await)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Stores the order as pending and answers at once; whether there is enough stock is decided right after. \
                       Read the order to see whether it was confirmed, or failed for lack of stock.";
    keyed(
        Operation::new(ORDERS, "Place an order", description)
            .body::<OrderDraft>(example::order_draft())
            .answers::<PlacedOrderResource<'_>>(
                StatusCode::ACCEPTED,
                "The order was accepted.",
                &[Header::Location, Header::RetryAfter],
                example::placed_order(),
            )
            .leads_to("GetOrder", &[("id", "$response.body#/id")])
            .problems(&[&UNPROCESSABLE_BODY, &UNPROCESSABLE_ORDER]),
    )
}

async fn place(
    app: &App,
    (Owner(scope), input): (Owner, HttpInput),
) -> Result<(Versioned<Order>, Answer), Problem> {
    let key = idempotency_key(&input.headers)?;
    let draft: OrderDraft = parse(&input.headers, &input.body)?;
    let request = draft.check().map_err(invalid_body)?;
    if !scope.covers(&request.customer_id) {
        return Err(unprocessable(vec![no_customer(&request.customer_id)]));
    }
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
