//! `POST /api/product-imports`: products as NDJSON or CSV, with a report of every row. The same file again changes nothing.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use futures::StreamExt;
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::app::import::{Imported, Outcome};
use crate::auth::caller::{By, Staff};
use crate::domain::draft::Invalid;
use crate::domain::id::{IdempotencyKey, ProductId};
use crate::domain::import::{Format, rows};
use crate::functions::api::PRODUCTS;
use crate::functions::error::{idempotency_key, invalid_body};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::host::kind::{INVALID_BODY, UNSUPPORTED_MEDIA_TYPE};
use crate::host::{Answer, FIELD_ERRORS_MAX, Failure, FileBody, NoQuery, Operation, Problem};

/// Most rows of one request; a larger file is for `widgetco import`, or for several requests.
const ROWS_MAX: usize = 1000;
/// Longest pointer and detail of a mistake that are told, in characters: both may repeat what the file says.
const POINTER_CHARS_MAX: usize = 300;
const DETAIL_CHARS_MAX: usize = 1000;

/// What came of a file.
#[derive(Default, JsonSchema, Serialize)]
#[schemars(rename = "ImportReport")]
struct Report {
    /// Rows that became new products.
    #[schemars(range(max = ROWS_MAX))]
    created: usize,
    /// Rows whose products were changed.
    #[schemars(range(max = ROWS_MAX))]
    updated: usize,
    /// Rows whose products were like that already.
    #[schemars(range(max = ROWS_MAX))]
    unchanged: usize,
    /// Rows that could not be brought in.
    #[schemars(range(max = ROWS_MAX))]
    failed: usize,
    /// What came of each row, in the order in which they were done.
    #[schemars(length(max = ROWS_MAX))]
    rows: Vec<Line>,
}

/// What came of one row.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ImportedRow")]
struct Line {
    /// Which row, from 1; the header of a CSV file and empty lines are not counted.
    #[schemars(range(min = 1, max = ROWS_MAX))]
    row: usize,
    /// The product; absent when the row is invalid.
    #[serde(skip_serializing_if = "Option::is_none")]
    product_id: Option<ProductId>,
    /// What came of it: `invalid` is for you to mend, `failed` is worth another try.
    #[schemars(extend("enum" = ["created", "updated", "unchanged", "invalid", "failed"]))]
    outcome: &'static str,
    /// What is wrong with it.
    #[schemars(length(max = FIELD_ERRORS_MAX))]
    #[serde(skip_serializing_if = "Vec::is_empty")]
    errors: Vec<Mistake>,
}

/// What is wrong in a row.
#[derive(JsonSchema, Serialize)]
#[schemars(rename = "RowMistake")]
struct Mistake {
    /// Where: a JSON pointer (RFC 6901), empty for the row as a whole.
    #[schemars(length(max = POINTER_CHARS_MAX), example = &"/price/amountMinor")]
    pointer: String,
    /// What must be there instead.
    #[schemars(length(max = DETAIL_CHARS_MAX), example = &"must be at most 100000000")]
    detail: String,
}

/// Answers 200 with what came of each row, also when some could not be brought in; 400 when the file is not of its format
/// or has too many rows, 413 when it is too long, 415 unless it is `application/x-ndjson` or `text/csv`.
///
/// # Errors
/// A [`Problem`].
pub async fn import_products(
    _: By<Staff>,
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

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Creates or replaces a product for each row, by SKU, and reports on each; rows that are wrong keep no other \
                       row back. The same file again changes nothing, so an import that broke off is simply sent again.";
    let ndjson = FileBody {
        media_type: "application/x-ndjson",
        description: "A product a line, as `POST /api/products` takes it; at most 1,000 lines and 1 MiB.",
        example: Some(
            "{\"sku\":\"MUG-RED\",\"name\":\"Mug, red\",\"price\":{\"amountMinor\":900,\"currency\":\"EUR\"}}\n",
        ),
    };
    let csv = FileBody {
        media_type: "text/csv",
        description: "The columns sku, name, priceMinor and currency; if wanted also description, status, categoryIds and \
                      collectionIds (parted by spaces), and `attribute:name [unit]`. At most 1,000 rows and 1 MiB.",
        example: Some(
            "sku,name,priceMinor,currency,attribute:weight [g]\nMUG-RED,\"Mug, red\",900,EUR,310\n",
        ),
    };
    Operation::new(PRODUCTS, "Import products", description)
        .file(&[ndjson, csv], None)
        .answers::<Report>(StatusCode::OK, "What came of each row.", &[], example::import_report())
        .idempotency_key::<IdempotencyKey>(
            "Checked for its form and not needed: the same file again changes nothing.",
        )
        .problems(&[&INVALID_BODY, &UNSUPPORTED_MEDIA_TYPE])
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
        let errors =
            errors.into_iter().take(FIELD_ERRORS_MAX).map(|Invalid { pointer, detail, .. }| Mistake {
                pointer: pointer.chars().take(POINTER_CHARS_MAX).collect(),
                detail: detail.chars().take(DETAIL_CHARS_MAX).collect(),
            });
        self.rows.push(Line { row: number, product_id: id, outcome, errors: errors.collect() });
    }
}
