//! What the shop is measured against: an axum handler that has the answer ready, with the same status, headers and bytes.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use axum::routing::get;

use crate::asking::Asking;

#[derive(Debug, Clone)]
struct Ready {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

/// Answers at this address as it was answered before.
pub(crate) fn routes(route: &str, asking: &Asking) -> Router {
    let mut headers = asking.headers();
    // The server writes these, for everybody.
    headers.remove(header::DATE);
    headers.remove(header::CONTENT_LENGTH);
    let status = StatusCode::from_u16(asking.status()).unwrap_or_default();
    let ready = Ready { status, headers, body: asking.body().clone() };
    Router::new().route(route, get(answer)).with_state(Arc::new(ready))
}

async fn answer(State(ready): State<Arc<Ready>>) -> Response {
    let mut response = Response::new(Body::from(ready.body.clone()));
    *response.status_mut() = ready.status;
    *response.headers_mut() = ready.headers.clone();
    response
}
