//! Cells of tables that people open in a program for tables, which would take some texts for formulas.
//!
//! Does not know how cells are quoted.

/// What a cell must not begin with.
const FORMULA_STARTS: [char; 7] = ['=', '+', '-', '@', '\t', '\r', '\n'];

/// The text with an apostrophe in front if it would be taken for a formula. Phone numbers, which begin with `+`, get one too.
pub fn guarded(text: &str) -> String {
    match text.starts_with(FORMULA_STARTS) {
        true => format!("'{text}"),
        false => text.to_owned(),
    }
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
