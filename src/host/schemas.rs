//! JSON Schemas (draft 2020-12, as OpenAPI 3.1 has them) of the types that are asked for and answered with.
//!
//! A type has one schema where it is read and one where it is written: what may be left out of a request is always there in
//! an answer. It deliberately does not know any type.

use std::fmt;

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

/// Where references between schemas point to.
const PLACE: &str = "/components/schemas";

/// The schemas that one operation needs.
pub(super) struct Schemas {
    asked: SchemaGenerator,
    answered: SchemaGenerator,
}

impl fmt::Debug for Schemas {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Schemas").finish_non_exhaustive()
    }
}

impl Default for Schemas {
    fn default() -> Self {
        let mut settings = SchemaSettings::draft2020_12();
        settings.definitions_path = PLACE.into();
        settings.meta_schema = None;
        Self {
            asked: settings.clone().for_deserialize().into_generator(),
            answered: settings.for_serialize().into_generator(),
        }
    }
}

impl Schemas {
    /// The schema of a type that callers send.
    pub(super) fn asked<T: JsonSchema>(&mut self) -> Value {
        self.asked.subschema_for::<T>().to_value()
    }

    /// The schema of a type that callers get.
    pub(super) fn answered<T: JsonSchema>(&mut self) -> Value {
        self.answered.subschema_for::<T>().to_value()
    }

    /// All schemas that were referred to, by name: of what callers send, and of what they get.
    pub(super) fn into_definitions(mut self) -> [Map<String, Value>; 2] {
        let asked = self.asked.take_definitions(true);
        let mut answered = self.answered.take_definitions(true);
        answered.values_mut().for_each(say_absent_not_null);
        [asked, answered]
    }
}

/// All schemas together.
///
/// # Errors
/// Names a type that is sent and got in different forms, which would need two names. That a field may be `null` when it is sent
/// and is left out of answers is no difference: the schema allows both.
pub(super) fn merged(
    asked: Map<String, Value>,
    answered: Map<String, Value>,
) -> Result<Map<String, Value>, String> {
    let mut all = answered;
    for (name, schema) in asked {
        let mut strict = schema.clone();
        say_absent_not_null(&mut strict);
        match all.insert(name.clone(), schema) {
            Some(other) if other != strict => {
                return Err(format!("{name} is sent in one form and got in another"));
            }
            Some(_) | None => {}
        }
    }
    Ok(all)
}

/// Takes `null` out of what an answer may hold: a field without a value is left out.
fn say_absent_not_null(schema: &mut Value) {
    match schema {
        Value::Object(members) => {
            let is_null = |one: &Value| one == "null" || one.get("type").is_some_and(|kind| kind == "null");
            for word in ["type", "anyOf"] {
                let Some(Value::Array(options)) = members.get_mut(word) else { continue };
                options.retain(|one| !is_null(one));
                let Some(only) = options.first().filter(|_| options.len() == 1).cloned() else { continue };
                members.remove(word);
                match only {
                    Value::Object(only) => members.extend(only),
                    only => drop(members.insert(word.to_owned(), only)),
                }
            }
            members.values_mut().for_each(say_absent_not_null);
        }
        Value::Array(items) => items.iter_mut().for_each(say_absent_not_null),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}
