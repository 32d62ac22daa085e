//! `POST /api/webhooks/{id}/deliveries/{deliveryId}/redelivery`: sends an event once more, whatever came of it before. For staff.

use axum::extract::State;
use axum::http::{StatusCode, header};

use crate::app::App;
use crate::app::deliver::Redelivery;
use crate::auth::caller::{CallBy, Staff};
use crate::domain::id::{DeliveryId, IdempotencyKey, WebhookId};
use crate::domain::webhook::delivery::{Bell, Delivery};
use crate::functions::api::WEBHOOKS;
use crate::functions::error::{idempotency_key, no_such};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::WEBHOOK_DISABLED;
use crate::functions::timing::with_timing;
use crate::functions::webhook::{DeliveryResource, deliveries_path, no_such_delivery, webhook_id};
use crate::host::{Answer, HTTP_OUTPUT, Header, HttpInput, Operation, Problem, Reply, context};

/// Answers 202 with the delivery, 404, or 409 when the webhook is disabled; and rings for it.
pub async fn redeliver_webhook(State(app): State<App>, CallBy(call): CallBy<Staff>) -> Reply {
    match async { redeliver(&app, call?).await }.await {
        Ok(delivery) => {
            let bell = Bell::of(&delivery, context::traceparent());
            let answer = Answer::json(StatusCode::ACCEPTED, &DeliveryResource::from(&delivery))
                .header(header::LOCATION, deliveries_path(&delivery.webhook_id));
            let answer = with_timing(with_keep(answer, Keep::Private));
            Reply::new().queue("webhooks", [bell.text()]).http(HTTP_OUTPUT, answer)
        }
        Err(problem) => Reply::new().http(HTTP_OUTPUT, with_timing(problem.into())),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Sends the event once more, under the same id, whatever came of it before; if that fails it is tried again \
                       as often as at first.";
    let key = "Checked for its form and not needed: asking again sends it again, which the receiver knows by its id.";
    Operation::new(WEBHOOKS, "Deliver an event once more", description)
        .path::<WebhookId>("id", "The webhook.")
        .path::<DeliveryId>("deliveryId", "The event.")
        .idempotency_key::<IdempotencyKey>(key)
        .answers::<DeliveryResource<'_>>(
            StatusCode::ACCEPTED,
            "It is tried at once.",
            &[Header::Location],
            example::delivery(),
        )
        .problems(&[&WEBHOOK_DISABLED])
}

async fn redeliver(app: &App, (_, input): (Staff, HttpInput)) -> Result<Delivery, Problem> {
    idempotency_key(&input.headers)?;
    let param = |name: &str| input.params.get(name).map_or("", String::as_str);
    let id = param("id");
    let webhook_id = webhook_id(id)?;
    let delivery_id = DeliveryId::parse(param("deliveryId")).map_err(|_| no_such_delivery())?;
    match app.redeliver(&webhook_id, &delivery_id).await? {
        Redelivery::Asked(delivery) => Ok(delivery),
        Redelivery::NoWebhook => Err(no_such("webhook", id, None)),
        Redelivery::NoDelivery => Err(no_such_delivery()),
        Redelivery::Disabled => Err(Problem::new(&WEBHOOK_DISABLED)),
    }
}
