//! The reply of an HTTP function that changes an order: its answer, and a bell in the queue `orders` while the order needs
//! a worker. Ringing once too often does no harm, so a replay rings again.

use crate::domain::message::OrderMessage;
use crate::domain::order::Order;
use crate::host::{Answer, Problem, Reply};

/// The answer in the output `res`, the bell in the output `orders`.
pub fn answer_and_ring(result: Result<(Order, Answer), Problem>) -> Reply {
    match result {
        Ok((order, answer)) => {
            let bell = order.has_work().then(|| OrderMessage::doorbell(&order.id));
            Reply::new().queue("orders", bell).http("res", answer)
        }
        Err(problem) => Reply::new().http("res", problem),
    }
}
