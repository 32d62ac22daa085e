//! `POST /api/product-imports`: products as NDJSON or CSV, with a report of every row. The same file again changes nothing.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use serde::Serialize;

use crate::app::App;
use crate::app::import::{Imported, Outcome};
use crate::domain::draft::Invalid;
use crate::domain::id::ProductId;
use crate::domain::import::{Format, rows};
use crate::functions::error::{idempotency_key, invalid_body};
use crate::functions::resource::{Keep, with_keep};
use crate::host::{Answer, Failure, NoQuery, Problem};

/// Most rows of one request; a larger file is for `widgetco import`, or for several requests.
const ROWS_MAX: usize = 1000;

#[derive(Default, Serialize)]
struct Report {
    created: usize,
    updated: usize,
    unchanged: usize,
    failed: usize,
    rows: Vec<Line>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Line {
    row: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<ProductId>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Mistake>,
}

#[derive(Serialize)]
struct Mistake {
    pointer: String,
    detail: String,
}

/// Answers 200 with what came of each row, also when some could not be brought in; 400 when the file is not of its format,
/// 413 with too many rows, 415 unless it is `application/x-ndjson` or `text/csv`.
///
/// # Errors
/// A [`Problem`].
pub async fn import_products(
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    idempotency_key(&headers)?;
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let format = content_type
        .and_then(Format::of_content_type)
        .ok_or_else(|| Problem::unsupported_media_type().detail("Send application/x-ndjson or text/csv."))?;
    let mistaken = |detail: &str| invalid_body(vec![Invalid::new("", detail)]);
    let text = std::str::from_utf8(&body).map_err(|_| mistaken("must be UTF-8"))?;
    let rows = rows(format, text).map_err(|invalid| invalid_body(vec![invalid]))?;
    if rows.is_empty() || rows.len() > ROWS_MAX {
        return Err(mistaken(&format!("must have 1 to {ROWS_MAX} rows, and has {}", rows.len())));
    }
    let mut report = Report::default();
    let mut outcomes = Box::pin(app.import(rows));
    while let Some(imported) = outcomes.next().await {
        report.add(imported);
    }
    Ok(with_keep(Answer::json(StatusCode::OK, &report), Keep::Private))
}

impl Report {
    fn add(&mut self, imported: Imported) {
        let Imported { number, id, outcome } = imported;
        let (count, outcome, errors) = match outcome {
            Outcome::Created => (&mut self.created, "created", Vec::new()),
            Outcome::Updated => (&mut self.updated, "updated", Vec::new()),
            Outcome::Unchanged => (&mut self.unchanged, "unchanged", Vec::new()),
            Outcome::Invalid(invalid) => (&mut self.failed, "invalid", invalid),
            Outcome::Failed(error) => {
                Failure::transient(error).log();
                let again = Invalid::new("", "could not be stored now; bring it in again");
                (&mut self.failed, "failed", vec![again])
            }
        };
        *count += 1;
        let errors = errors.into_iter().map(|Invalid { pointer, detail }| Mistake { pointer, detail });
        self.rows.push(Line { row: number, product_id: id, outcome, errors: errors.collect() });
    }
}
