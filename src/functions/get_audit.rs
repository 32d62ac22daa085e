//! `GET /api/audit`: the last report of `AuditStock`.

use axum::extract::State;
use axum::http::HeaderMap;

use crate::app::App;
use crate::functions::resource::{Keep, read};
use crate::host::{Answer, NoQuery, Problem};

/// Answers 200, 304, or 404 before the first report.
///
/// # Errors
/// A [`Problem`].
pub async fn get_audit(State(app): State<App>, _: NoQuery, headers: HeaderMap) -> Result<Answer, Problem> {
    let report = app.store.audits.report().await?;
    let report = report.ok_or_else(|| Problem::not_found("No audit has been made yet."))?;
    read(&headers, &report, Keep::Validate, None)
}
