//! `GET /api/heartbeat`: the version, how long it has been at work, and whether the store answers.

use axum::extract::State;
use axum::http::{StatusCode, header};
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;

use crate::app::App;
use crate::auth::caller::{Anyone, By};
use crate::functions::api::OPERATIONS;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Signs of life.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Heartbeat")]
struct Pulse {
    /// Always `ok`; otherwise the answer is a problem.
    #[schemars(extend("const" = "ok"))]
    status: &'static str,
    /// The program's version.
    #[schemars(length(max = 32), example = &"0.1.0")]
    version: &'static str,
    /// Seconds since this instance started.
    #[schemars(range(min = 0), example = 60)]
    uptime_seconds: i64,
    /// Always `reachable`: the store has just answered.
    #[schemars(extend("const" = "reachable"))]
    store: &'static str,
}

/// Answers 200, or 503 when the store does not answer.
///
/// # Errors
/// A [`Problem`].
pub async fn heartbeat(_: By<Anyone>, State(app): State<App>, _: NoQuery) -> Result<Answer, Problem> {
    app.store.ping().await?;
    let pulse = Pulse {
        status: "ok",
        version: env!("CARGO_PKG_VERSION"),
        uptime_seconds: app.uptime().num_seconds(),
        store: "reachable",
    };
    Ok(Answer::json(StatusCode::OK, &pulse).header(header::CACHE_CONTROL, "no-store"))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "The version, how long this instance has been at work, and that the store answers.";
    Operation::new(OPERATIONS, "See whether the shop works", description).answers::<Pulse>(
        StatusCode::OK,
        "It works.",
        &[],
        json!(Pulse {
            status: "ok",
            version: env!("CARGO_PKG_VERSION"),
            uptime_seconds: 60,
            store: "reachable"
        }),
    )
}
