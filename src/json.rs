//! Reading a JSON object, with a pointer to what is wrong in it.
//!
//! It deliberately does not know any object's shape, nor who hears of the mistake; a type refuses unknown fields by
//! `deny_unknown_fields`.

use serde::de::DeserializeOwned;
use serde_json::error::Category;
use serde_path_to_error::{Path, Segment};

/// Why a text or value is not what it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misread {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What is wrong with it.
    pub detail: String,
}

/// The text, which must be one JSON object and nothing else, as a `T`.
///
/// # Errors
/// [`Misread`]; a retry does not help.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, Misread> {
    // Serde would also read an array as a struct, field by field.
    if text.trim_start().starts_with(['[', '"']) {
        return Err(misread("", "must be a JSON object"));
    }
    let mut deserializer = serde_json::Deserializer::from_str(text);
    let value = serde_path_to_error::deserialize(&mut deserializer)
        .map_err(|error| explain(error.path(), error.inner()))?;
    deserializer.end().map_err(|error| explain_syntax(&error))?;
    Ok(value)
}

/// The value as a `T`.
///
/// # Errors
/// [`Misread`]; a retry does not help.
pub fn read_value<T: DeserializeOwned>(value: serde_json::Value) -> Result<T, Misread> {
    serde_path_to_error::deserialize(value).map_err(|error| explain(error.path(), error.inner()))
}

fn misread(pointer: impl Into<String>, detail: impl Into<String>) -> Misread {
    Misread { pointer: pointer.into(), detail: detail.into() }
}

fn explain(path: &Path, error: &serde_json::Error) -> Misread {
    match error.classify() {
        Category::Syntax | Category::Eof | Category::Io => explain_syntax(error),
        Category::Data => {
            let text = error.to_string();
            let position = format!(" at line {} column {}", error.line(), error.column());
            let detail = text.strip_suffix(&position).unwrap_or(&text);
            misread(pointer(path, field_named_in(detail)), detail)
        }
    }
}

fn explain_syntax(error: &serde_json::Error) -> Misread {
    misread("", format!("not valid JSON: {error}"))
}

/// The field that serde names in its message when the fault is the field's presence, not its value.
fn field_named_in(message: &str) -> Option<&str> {
    let kinds = ["unknown field `", "missing field `", "duplicate field `"];
    let rest = kinds.iter().find_map(|kind| message.strip_prefix(kind))?;
    // The name is the caller's own for an unknown field, so it may hold a backtick itself.
    let end = rest.find("`, ").or_else(|| rest.rfind('`'))?;
    rest.get(..end)
}

/// The path as a JSON pointer, which also names `field` unless the path already ends in it.
fn pointer(path: &Path, field: Option<&str>) -> String {
    let mut pointer = String::new();
    let mut last = String::new();
    for segment in path.iter() {
        last = match segment {
            Segment::Seq { index } => index.to_string(),
            Segment::Map { key } => key.clone(),
            Segment::Enum { variant } => variant.clone(),
            Segment::Unknown => break,
        };
        push(&mut pointer, &last);
    }
    match field {
        Some(field) if field != last => push(&mut pointer, field),
        Some(_) | None => {}
    }
    pointer
}

fn push(pointer: &mut String, token: &str) {
    pointer.push('/');
    pointer.push_str(&token.replace('~', "~0").replace('/', "~1"));
}
