//! Products in a file, one row each: NDJSON or CSV in, drafts out, each row with its own mistakes.
//!
//! Does not know what the catalogue holds already.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::domain::catalogue::ProductDraft;
use crate::domain::draft::Invalid;
use crate::domain::money::{Currency, Money};
use crate::domain::product::{Attribute, AttributeValue, ProductStatus};
use crate::json::{self, Misread};

/// What begins the name of a CSV column that holds an attribute: `attribute:weight [g]`.
const ATTRIBUTE: &str = "attribute:";
/// What parts the ids in one cell.
const IDS_PARTED_BY: char = ' ';
/// Columns that a CSV file must have.
const NEEDED: [&str; 4] = ["sku", "name", "priceMinor", "currency"];
/// Columns that it may have.
const KNOWN: [&str; 8] =
    ["sku", "name", "priceMinor", "currency", "description", "status", "categoryIds", "collectionIds"];

/// The form of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object a line, as `POST /api/products` takes it.
    Ndjson,
    /// RFC 4180 with a header line.
    Csv,
}

impl Format {
    /// The format of a media type, whatever its parameters.
    pub fn of_content_type(text: &str) -> Option<Self> {
        match text.split(';').next().unwrap_or_default().trim().to_ascii_lowercase().as_str() {
            "application/x-ndjson" | "application/jsonl" => Some(Self::Ndjson),
            "text/csv" => Some(Self::Csv),
            _ => None,
        }
    }

    /// The format that the ending of a file's name says.
    pub fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "ndjson" | "jsonl" => Some(Self::Ndjson),
            "csv" => Some(Self::Csv),
            _ => None,
        }
    }
}

/// One row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// Which one, from 1; a CSV file's header is not counted, nor are empty lines.
    pub number: usize,
    /// What it asks for, or why that cannot be read.
    pub draft: Result<ProductDraft, Vec<Invalid>>,
}

/// The rows of a file. A second row for one SKU is a mistake of that row.
///
/// # Errors
/// When the file as a whole is not of its format: what is wrong with the header of a CSV file; a retry does not help.
pub fn rows(format: Format, text: &str) -> Result<Vec<Row>, Invalid> {
    let drafts = match format {
        Format::Ndjson => ndjson(text),
        Format::Csv => csv(text)?,
    };
    let mut skus: BTreeMap<String, usize> = BTreeMap::new();
    let rows = drafts.into_iter().zip(1..).map(|(draft, number)| {
        let draft = draft.and_then(|draft| match skus.insert(draft.sku.clone(), number) {
            None => Ok(draft),
            Some(first) => {
                skus.insert(draft.sku, first);
                Err(vec![Invalid::new("/sku", format!("is the SKU of row {first}"))])
            }
        });
        Row { number, draft }
    });
    Ok(rows.collect())
}

type Draft = Result<ProductDraft, Vec<Invalid>>;

fn ndjson(text: &str) -> Vec<Draft> {
    let lines = text.lines().filter(|line| !line.trim().is_empty());
    let invalid = |Misread { pointer, detail }| vec![Invalid::new(pointer, detail)];
    lines.map(|line| json::read(line).map_err(invalid)).collect()
}

fn csv(text: &str) -> Result<Vec<Draft>, Invalid> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| Invalid::new("", error.to_string()))?.clone();
    let columns: Vec<&str> = header.iter().map(|name| name.trim_start_matches('\u{feff}')).collect();
    if let Some(missing) = NEEDED.iter().find(|needed| !columns.contains(needed)) {
        return Err(Invalid::new("", format!("the header has no column {missing}")));
    }
    for (index, column) in columns.iter().enumerate() {
        let is_known = KNOWN.contains(column) || column.starts_with(ATTRIBUTE);
        if !is_known || columns[..index].contains(column) {
            let detail = format!(
                "the header has a column {column:?}, which is unknown or there twice; known are {} and {ATTRIBUTE}…",
                KNOWN.join(", ")
            );
            return Err(Invalid::new("", detail));
        }
    }
    let records = reader.records();
    Ok(records
        .map(|record| match record {
            Ok(record) => from_cells(&columns.iter().copied().zip(record.iter()).collect()),
            Err(error) => Err(vec![Invalid::new("", error.to_string())]),
        })
        .collect())
}

/// A row's draft from its cells by column; an empty cell says nothing.
fn from_cells(cells: &BTreeMap<&str, &str>) -> Draft {
    let mut invalid = Vec::new();
    let cell = |name: &str| cells.get(name).copied().unwrap_or_default();
    let amount_minor = cell("priceMinor").parse::<u64>().unwrap_or_else(|_| {
        invalid.push(Invalid::new("/price/amountMinor", "must be a whole number of minor units"));
        0
    });
    let currency = Currency::parse(cell("currency"));
    let status = match cell("status") {
        "" => Some(ProductStatus::default()),
        word => ProductStatus::parse(word),
    };
    if let Err(error) = currency {
        invalid.push(Invalid::new("/price/currency", error.to_string()));
    }
    if status.is_none() {
        invalid.push(Invalid::new("/status", "must be draft, active or archived"));
    }
    let ids =
        |name: &str| cell(name).split(IDS_PARTED_BY).filter(|id| !id.is_empty()).map(str::to_owned).collect();
    let attributes = cells.iter().filter_map(|(name, value)| attribute(name.strip_prefix(ATTRIBUTE)?, value));
    match (currency, status, invalid.is_empty()) {
        (Ok(currency), Some(status), true) => Ok(ProductDraft {
            sku: cell("sku").to_owned(),
            name: cell("name").to_owned(),
            description: cell("description").to_owned(),
            price: Money { amount_minor, currency },
            status,
            category_ids: ids("categoryIds"),
            collection_ids: ids("collectionIds"),
            attributes: attributes.collect(),
        }),
        _ => Err(invalid),
    }
}

/// The attribute of a column such as `weight [g]`: with a unit or the form of one, a number or a truth, else a text.
fn attribute(column: &str, value: &str) -> Option<Attribute> {
    if value.is_empty() {
        return None;
    }
    let (name, unit) = match column.strip_suffix(']').and_then(|rest| rest.split_once('[')) {
        Some((name, unit)) => (name.trim(), Some(unit.trim().to_owned())),
        None => (column.trim(), None),
    };
    let value = match serde_json::from_str(value) {
        Ok(Value::Bool(truth)) => AttributeValue::Boolean(truth),
        Ok(Value::Number(number)) => AttributeValue::Number(number),
        Ok(_) | Err(_) => AttributeValue::Text(value.to_owned()),
    };
    Some(Attribute { name: name.to_owned(), value, unit })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn csv_row_says_the_same_as_its_json() {
        let csv = "\u{feff}sku,name,priceMinor,currency,status,categoryIds,attribute:weight [g],attribute:washable\n\
                   MUG-1,\"Mug, red\",900,EUR,active,mugs red,300,true\n";
        let json = r#"{"sku":"MUG-1","name":"Mug, red","price":{"amountMinor":900,"currency":"EUR"},"status":"active",
            "categoryIds":["mugs","red"],"attributes":[{"name":"washable","value":true},{"name":"weight","value":300,"unit":"g"}]}"#
            .replace('\n', "");
        let (csv, json) = (rows(Format::Csv, csv).unwrap(), rows(Format::Ndjson, &json).unwrap());
        assert_eq!(csv, json);
        csv[0].draft.clone().unwrap().check().unwrap();
    }

    #[test]
    fn every_row_has_its_own_mistakes() {
        let text = "{\"sku\":\"A\"}\n\nnot json\n{\"sku\":\"B\",\"name\":\"b\",\"price\":{\"amountMinor\":1,\"currency\":\"EUR\"}}\n\
                    {\"sku\":\"B\",\"name\":\"b\",\"price\":{\"amountMinor\":2,\"currency\":\"EUR\"}}\n";
        let rows = rows(Format::Ndjson, text).unwrap();
        let is_right: Vec<_> = rows.iter().map(|row| (row.number, row.draft.is_ok())).collect();
        assert_eq!(is_right, [(1, false), (2, false), (3, true), (4, false)]);
        assert_eq!(rows[3].draft.clone().unwrap_err()[0].detail, "is the SKU of row 3");
        let cells = rows_of("sku,name,priceMinor,currency\nA,a,1.5,euro\n");
        let pointers: Vec<_> =
            cells[0].draft.clone().unwrap_err().into_iter().map(|one| one.pointer).collect();
        assert_eq!(pointers, ["/price/amountMinor", "/price/currency"]);
    }

    #[test]
    fn mistake_in_a_json_row_has_a_pointer() {
        let row = |attributes: &str| {
            format!(
                r#"{{"sku":"A","name":"a","price":{{"amountMinor":1,"currency":"EUR"}},"attributes":{attributes}}}"#
            )
        };
        for (text, pointer) in [
            (row(r#"[{"name":"b","value":1},{"name":7,"value":1}]"#), "/attributes/1/name"),
            (row(r#"[{"name":"b"}]"#), "/attributes/0/value"),
            (row("[]").replace("\"sku\"", "\"a/b\""), "/a~1b"),
            (r#"["A","a"]"#.to_owned(), ""),
        ] {
            let rows = rows(Format::Ndjson, &text).unwrap();
            assert_eq!(rows[0].draft.clone().unwrap_err()[0].pointer, pointer, "{text}");
        }
    }

    fn rows_of(text: &str) -> Vec<Row> {
        rows(Format::Csv, text).unwrap()
    }

    #[test]
    fn header_that_is_not_understood_is_refused_whole() {
        for (header, named) in [
            ("sku,name,currency", "priceMinor"),
            ("sku,name,priceMinor,currency,colour", "colour"),
            ("sku,sku,name,priceMinor,currency", "sku"),
        ] {
            let error = rows(Format::Csv, &format!("{header}\n")).unwrap_err();
            assert!(error.detail.contains(named), "{}", error.detail);
        }
    }

    #[test]
    fn format_is_told_by_type_or_ending() {
        assert_eq!(Format::of_content_type("text/csv; charset=utf-8"), Some(Format::Csv));
        assert_eq!(Format::of_content_type("application/x-ndjson"), Some(Format::Ndjson));
        assert_eq!(Format::of_content_type("application/json"), None);
        assert_eq!(Format::of_extension("CSV"), Some(Format::Csv));
        assert_eq!(Format::of_extension("xlsx"), None);
    }
}
