//! The reply of an HTTP function that changes an order: its answer, and a bell in the queue `orders` while the order needs
//! a worker. The bell says how the order is, so that the worker may begin at once. Ringing once too often does no harm, so
//! a replay rings again.

use crate::domain::message::OrderMessage;
use crate::domain::order::Order;
use crate::functions::timing::with_timing;
use crate::host::context::traceparent;
use crate::host::{Answer, HTTP_OUTPUT, Problem, Reply};
use crate::store::Versioned;

/// The answer in the output `res`, the bell in the output `orders`.
pub fn answer_and_ring(result: Result<(Versioned<Order>, Answer), Problem>) -> Reply {
    match result {
        Ok((Versioned { value: order, etag }, answer)) => {
            let ring = || {
                let traceparent = traceparent();
                OrderMessage::doorbell_with_sight(&order, etag.as_str(), traceparent.as_deref())
            };
            let bell = order.has_work().then(ring);
            Reply::new().queue("orders", bell).http(HTTP_OUTPUT, with_timing(answer))
        }
        Err(problem) => Reply::new().http(HTTP_OUTPUT, with_timing(problem.into())),
    }
}
