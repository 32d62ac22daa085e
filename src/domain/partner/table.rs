//! What a partner gets as a table: a column for each field of its contract, lists spread over as many columns as they may
//! have items.
//!
//! Does not know how cells are quoted.

use serde_json::Value;

use crate::domain::customer::fields::SharedField;
use crate::domain::customer::{ADDRESS_LINES_MAX, ADDRESSES_MAX};
use crate::domain::spreadsheet::guarded;

/// The columns of a contract, as JSON pointers without `*`, in the order in which a person reads them: one address after
/// the other.
pub fn columns(fields: &[SharedField]) -> Vec<String> {
    let pointers = fields.iter().map(|field| vec![field.pointer().to_owned()]);
    let (single, addresses): (Vec<_>, Vec<_>) = pointers.partition(|one| !one[0].starts_with("/addresses/"));
    let mut columns = single.concat();
    for index in 0..ADDRESSES_MAX {
        for pointer in addresses.iter().flatten() {
            let pointer = pointer.replacen('*', &index.to_string(), 1);
            match pointer.contains('*') {
                true => columns
                    .extend((0..ADDRESS_LINES_MAX).map(|line| pointer.replacen('*', &line.to_string(), 1))),
                false => columns.push(pointer),
            }
        }
    }
    columns
}

/// A column's name: `/addresses/0/city` is `addresses.0.city`.
pub fn name(column: &str) -> String {
    column.trim_start_matches('/').replace('/', ".")
}

/// The cell of this column, safe to be opened in a program for tables; empty where there is nothing.
pub fn cell(fields: &Value, column: &str) -> String {
    let text = fields.pointer(column).and_then(Value::as_str).unwrap_or_default();
    guarded(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn field(pointer: &str) -> SharedField {
        SharedField::parse(pointer).unwrap()
    }

    #[test]
    fn lists_are_spread_over_as_many_columns_as_they_may_have_items() {
        let fields = ["/addresses/*/lines/*", "/addresses/*/city", "/name"].map(field);
        let columns = columns(&fields);
        assert_eq!(columns.len(), 1 + ADDRESSES_MAX * (ADDRESS_LINES_MAX + 1));
        let names: Vec<_> = columns.iter().take(7).map(|column| name(column)).collect();
        let expected = [
            "name",
            "addresses.0.lines.0",
            "addresses.0.lines.1",
            "addresses.0.lines.2",
            "addresses.0.lines.3",
            "addresses.0.city",
            "addresses.1.lines.0",
        ];
        assert_eq!(names, expected);
        let customer = json!({"name": "Ada", "addresses": [{"city": "Berlin", "lines": ["a", "b"]}]});
        let cells: Vec<_> = columns.iter().take(7).map(|column| cell(&customer, column)).collect();
        assert_eq!(cells, ["Ada", "a", "b", "", "", "Berlin", ""]);
    }

    #[test]
    fn every_field_of_the_table_has_its_columns() {
        let all: Vec<_> = SharedField::all().collect();
        let columns = columns(&all);
        assert!(columns.iter().all(|column| !column.contains('*')), "{columns:?}");
        assert_eq!(columns.len(), 3 + ADDRESSES_MAX * (ADDRESS_LINES_MAX + 3));
    }
}
