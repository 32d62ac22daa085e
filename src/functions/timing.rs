//! `Server-Timing` for those who develop: what a request cost in the store, and how long it took.
//!
//! Never in Azure: it would tell everybody what is looked up for whom. Does not know how the store counts.

use axum::Router;
use axum::extract::Request;
use axum::http::{HeaderName, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;
use tokio::time::Instant;

use crate::host::Answer;
use crate::store::cosmos::meter;

const SERVER_TIMING: HeaderName = HeaderName::from_static("server-timing");

tokio::task_local! {
    static BEGUN: Instant;
}

/// The same routes, which tell in each answer what it cost.
pub fn timed(routes: Router) -> Router {
    routes.layer(from_fn(tell))
}

async fn tell(request: Request, next: Next) -> Response {
    let work = meter::scope(async {
        let mut response = next.run(request).await;
        if let Some(Ok(value)) = timing().map(HeaderValue::try_from) {
            response.headers_mut().insert(SERVER_TIMING, value);
        }
        response
    });
    BEGUN.scope(Instant::now(), work).await
}

/// The same answer with what it has cost so far, for a function whose answer leaves in an envelope.
pub fn with_timing(answer: Answer) -> Answer {
    match timing() {
        Some(value) => answer.header(SERVER_TIMING, value),
        None => answer,
    }
}

/// `None` when nobody is to be told.
fn timing() -> Option<String> {
    let total_ms = BEGUN.try_with(Instant::elapsed).ok()?.as_secs_f64() * 1000.0;
    let meter::Spent { requests, charge_ru } = meter::spent()?;
    let noun = if requests == 1 { "request" } else { "requests" };
    Some(format!("cosmos;desc=\"{requests} {noun}, {charge_ru:.2} RU\", total;dur={total_ms:.1}"))
}
