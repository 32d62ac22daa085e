//! `GET /api/audit`: the last report of `AuditStock`.

use axum::extract::State;
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::audit::AuditReport;
use crate::functions::api::OPERATIONS;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::host::kind::NOT_FOUND;
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304, or 404 before the first report.
///
/// # Errors
/// A [`Problem`].
pub async fn get_audit(
    _: By<Staff>,
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let report = app.store.audits.report().await?;
    let report = report.ok_or_else(|| Problem::not_found("No audit has been made yet."))?;
    read(&headers, &report, Keep::Validate, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Whether counts and the documents that explain them agree, and which orders wait too long. 404 before the \
                       first report.";
    Operation::new(OPERATIONS, "Read the last audit", description)
        .reads::<AuditReport>("The report.", example::audit())
        .problems(&[&NOT_FOUND])
}
