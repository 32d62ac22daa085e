//! `import`: products from an NDJSON or CSV file into the catalogue. What is as the file says already stays untouched, so
//! that an import can be repeated, or go on where it stopped.

use std::path::Path;

use futures::StreamExt;

use crate::app::App;
use crate::app::import::Outcome;
use crate::config::Config;
use crate::domain::import::{Format, rows};

use super::{Failure, say};

/// Rows after which the progress is told.
const PROGRESS_ROWS: usize = 1000;

/// Brings the file's rows in, from this one on; fails when a row could not be brought in.
pub(super) async fn import(config: &Config, file: &Path, from: usize) -> Result<(), Failure> {
    let shown = file.display();
    let extension = file.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    let format = Format::of_extension(extension)
        .ok_or_else(|| format!("{shown}: the name must end in .ndjson, .jsonl or .csv"))?;
    let text = std::fs::read_to_string(file).map_err(|error| format!("{shown}: {error}"))?;
    let mut rows = rows(format, &text).map_err(|invalid| format!("{shown}: {}", invalid.detail))?;
    rows.retain(|row| row.number >= from);
    let count = rows.len();
    let app = App::connect(config);
    let (mut created, mut updated, mut unchanged, mut failed) = (0, 0, 0, 0);
    let mut outcomes = Box::pin(app.import(rows));
    while let Some(imported) = outcomes.next().await {
        let (number, id) = (imported.number, imported.id.map_or_else(String::new, |id| format!(" ({id})")));
        match imported.outcome {
            Outcome::Created => created += 1,
            Outcome::Updated => updated += 1,
            Outcome::Unchanged => unchanged += 1,
            Outcome::Invalid(invalid) => {
                failed += 1;
                let list: Vec<_> =
                    invalid.iter().map(|one| format!("{} {}", one.pointer, one.detail)).collect();
                say(&format!("row {number}{id}: {}", list.join("; ")));
            }
            Outcome::Failed(error) => {
                let stopped = format!("row {number}{id}: {error}; go on with --from {number}");
                return Err(stopped.into());
            }
        }
        if number % PROGRESS_ROWS == 0 {
            say(&format!("row {number} is done"));
        }
    }
    say(&format!(
        "{count} rows: {created} created, {updated} updated, {unchanged} unchanged, {failed} not valid"
    ));
    if failed == 0 { Ok(()) } else { Err(format!("{failed} rows of {shown} are not valid").into()) }
}
