//! Tables for programs that people open them with: CSV as RFC 4180 has it, and cells that are not taken for formulas.
//!
//! Does not know what a table is about.

use csv::{Terminator, WriterBuilder};

/// What a cell must not begin with.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// The text with an apostrophe in front if it would be taken for a formula. Phone numbers, which begin with `+`, get one too.
pub fn guarded(text: &str) -> String {
    match text.starts_with(FORMULA_STARTS) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
}

/// Rows as RFC 4180 has them, in UTF-8.
///
/// # Errors
/// When rows differ in length, which is a mistake of ours.
pub fn csv<Row>(rows: impl IntoIterator<Item = Row>) -> Result<Vec<u8>, csv::Error>
where
    Row: IntoIterator<Item: AsRef<[u8]>>,
{
    let mut writer = WriterBuilder::new().terminator(Terminator::CRLF).from_writer(Vec::new());
    for row in rows {
        writer.write_record(row)?;
    }
    writer.into_inner().map_err(|error| error.into_error().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_begins_like_a_formula_is_guarded() {
        for text in ["=1+1", "+49301234567", "-1", "@SUM(A1)", "\tx", "\rx", "\nx"] {
            assert_eq!(guarded(text), format!("'{text}"));
        }
        for text in ["", "Ada", "1=1", "'=1"] {
            assert_eq!(guarded(text), text);
        }
    }
}
