//! `GET /api/heartbeat`: the version, how long it has been at work, and whether the store answers.

use axum::extract::{RawQuery, State};
use axum::http::{StatusCode, header};
use serde_json::json;

use crate::app::App;
use crate::host::{Answer, Problem, parse_query};

/// Answers 200, or 503 when the store does not answer.
///
/// # Errors
/// A [`Problem`].
pub async fn heartbeat(State(app): State<App>, RawQuery(query): RawQuery) -> Result<Answer, Problem> {
    parse_query(query.as_deref(), &[])?;
    app.store.ping().await?;
    let body = json!({
        "status": "ok",
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": app.uptime().num_seconds(),
        "store": "reachable",
    });
    Ok(Answer::json(StatusCode::OK, &body).header(header::CACHE_CONTROL, "no-store"))
}
