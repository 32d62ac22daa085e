//! `GET /api/heartbeat`: the version, how long it has been at work, and whether the store answers.

use axum::extract::State;
use axum::http::{StatusCode, header};
use serde_json::json;

use crate::app::App;
use crate::host::{Answer, NoQuery, Problem};

/// Answers 200, or 503 when the store does not answer.
///
/// # Errors
/// A [`Problem`].
pub async fn heartbeat(State(app): State<App>, _: NoQuery) -> Result<Answer, Problem> {
    app.store.ping().await?;
    let body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": app.uptime().num_seconds(),
        "store": "reachable",
    });
    Ok(Answer::json(StatusCode::OK, &body).header(header::CACHE_CONTROL, "no-store"))
}
