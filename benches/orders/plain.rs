//! The implementation to compare with: what one writes first who knows Cosmos DB and wants no overselling. Read the order,
//! read the counts, check, write reservation and counts in one batch if nobody else has written, else pause and try
//! again; then confirm the order.
//!
//! It makes the same documents through the same client, and is as safe; only the way is its own.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::State;
use axum::routing::post;
use serde::Serialize;
use tokio::time::sleep;
use widgetco::config::CosmosConfig;
use widgetco::domain::message::OrderMessage;
use widgetco::domain::order::{Failure as Reason, Line, Order, Shortage, Status};
use widgetco::domain::stock::{Reservation, Stock};
use widgetco::host::{Failure, Invocation, Reply};
use widgetco::sources::{Clock, Ids};
use widgetco::store::containers::Container;
use widgetco::store::cosmos::{Batch, Cosmos, Document, Write};
use widgetco::store::{Error, Versioned};

/// Attempts against others, before the message is given back to the queue.
const ATTEMPTS_MAX: u32 = 100;
/// Longest pause between two attempts; each is a random part of it.
const PAUSE_MAX: Duration = Duration::from_millis(20);

/// The handler's state.
#[derive(Debug)]
pub(crate) struct Plain {
    cosmos: Cosmos,
    clock: Clock,
    ids: Ids,
}

impl Plain {
    pub(crate) fn new(config: &CosmosConfig) -> Self {
        Self { cosmos: Cosmos::lazy(config), clock: Clock::system(), ids: Ids::random() }
    }
}

/// The same address as that of the shop.
pub(crate) fn routes(plain: Plain) -> Router {
    Router::new().route("/ProcessOrder", post(process_order)).with_state(Arc::new(plain))
}

async fn process_order(State(plain): State<Arc<Plain>>, invocation: Invocation) -> Result<Reply, Failure> {
    let id = match OrderMessage::parse(&invocation.queue_text("message")?) {
        // It reads the order all the same: what a bell says may be old.
        Ok(OrderMessage::Doorbell { order_id, .. }) => order_id,
        Ok(OrderMessage::Checkout { .. }) | Err(_) => return Err(Failure::permanent("not a doorbell")),
    };
    let order: Option<Versioned<Order>> =
        plain.cosmos.read(Container::Orders, id.partition().as_str(), id.as_str()).await?;
    let order = order.ok_or_else(|| Failure::transient("there is no such order"))?;
    if order.value.status != Status::Pending {
        return Ok(Reply::new());
    }
    for line in &order.value.lines {
        if let Some(shortage) = plain.hold(&order.value, line).await? {
            plain.decide(&order, Some(Reason::OutOfStock { shortages: vec![shortage] })).await?;
            return Ok(Reply::new());
        }
    }
    plain.decide(&order, None).await?;
    Ok(Reply::new())
}

impl Plain {
    /// Reads, checks, replaces; again when somebody else was faster. Gives what lacks, if anything does.
    async fn hold(&self, order: &Order, line: &Line) -> Result<Option<Shortage>, Failure> {
        let product = line.product_id.as_str();
        for _ in 0..ATTEMPTS_MAX {
            let stock: Option<Versioned<Stock>> =
                self.cosmos.read(Container::Stock, product, "stock").await?;
            let stock = stock.ok_or_else(|| Failure::transient("the product has no counts"))?;
            let now = self.clock.now();
            let Ok(next) = stock.value.hold(line.quantity, now) else {
                let (product_id, requested) = (line.product_id.clone(), line.quantity);
                return Ok(Some(Shortage { product_id, requested, available: stock.value.available() }));
            };
            let reservation = Reservation::held(&order.id, &line.product_id, line.quantity, now);
            let reservation =
                document(Container::Stock, "reservation", (order.id.as_str(), product), &reservation)?;
            let counts = document(Container::Stock, "stock", ("stock", product), &next)?;
            let writes =
                vec![Write::Create(reservation), Write::Replace("stock".to_owned(), counts, stock.etag)];
            match self.cosmos.batch(Container::Stock, product, writes).await? {
                Batch::Done(_) | Batch::Exists(_) => return Ok(None),
                Batch::Changed(_) => {
                    let share = self.ids.bytes16()[0];
                    sleep(PAUSE_MAX * u32::from(share) / u32::from(u8::MAX)).await;
                }
            }
        }
        Err(Failure::transient("too many others write"))
    }

    /// Confirms or fails the order as it was read.
    async fn decide(&self, order: &Versioned<Order>, reason: Option<Reason>) -> Result<(), Failure> {
        let now = self.clock.now();
        let transition = match reason {
            Some(reason) => order.value.fail(reason, now),
            None => order.value.confirm(now),
        };
        let Some(transition) = transition else { return Ok(()) };
        let partition = order.value.id.partition();
        let partition = partition.as_str();
        let next = &transition.order;
        let event =
            document(Container::Orders, "event", (&transition.event.id, partition), &transition.event)?;
        let decided = document(Container::Orders, "order", (next.id.as_str(), partition), next)?;
        let writes =
            vec![Write::Create(event), Write::Replace(next.id.to_string(), decided, order.etag.clone())];
        match self.cosmos.batch(Container::Orders, partition, writes).await? {
            Batch::Done(_) => Ok(()),
            Batch::Exists(_) | Batch::Changed(_) => Err(Failure::transient("somebody else decided")),
        }
    }
}

fn document<T: Serialize>(
    container: Container,
    kind: &'static str,
    place: (&str, &str),
    body: &T,
) -> Result<Document, Error> {
    Document::new(container, kind, place, None, body)
}
