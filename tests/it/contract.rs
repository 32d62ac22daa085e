//! The API's document: complete, held together with `function.json` and the router, and true of every answer that any
//! test gets.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{LazyLock, Mutex};

use axum::http::StatusCode;
use jsonschema::{Validator, validator_for};
use serde_json::{Map, Value, json};
use widgetco::functions::{api::FRONT, described};
use widgetco::host::document;

use crate::shop::{Answer, TestShop};

static DOCUMENT: LazyLock<Value> = LazyLock::new(|| document(&FRONT, described()).unwrap());
/// Operations by the name of their function.
static OPERATIONS: LazyLock<BTreeMap<String, Value>> = LazyLock::new(|| {
    let methods =
        DOCUMENT["paths"].as_object().unwrap().values().flat_map(|path| path.as_object().unwrap().values());
    methods.map(|one| (one["operationId"].as_str().unwrap().to_owned(), one.clone())).collect()
});

/// A validator that knows the document's components.
fn validator(schema: &Value) -> Validator {
    let mut schema = schema.clone();
    if schema == true {
        schema = json!({});
    }
    schema["components"] = DOCUMENT["components"].clone();
    validator_for(&schema).unwrap()
}

fn is_json(media_type: &str) -> bool {
    media_type.ends_with("/json") || media_type.ends_with("+json")
}

/// Fails unless the document says that this function may answer like that.
pub(crate) fn hold(function: &str, answer: &Answer) {
    static VALIDATORS: Mutex<BTreeMap<(String, u16), Option<Validator>>> = Mutex::new(BTreeMap::new());
    let status = answer.status.as_u16();
    let Some(operation) = OPERATIONS.get(function) else { return };
    let said = &operation["responses"][status.to_string()];
    assert!(
        said.is_object(),
        "{function} answers {status}, which its document does not say: {}",
        answer.body
    );
    for header in said["headers"].as_object().into_iter().flat_map(Map::keys) {
        let is_required = DOCUMENT["components"]["headers"][header]["required"] == true;
        let is_there = answer.headers.contains_key(header);
        assert!(is_there || !is_required, "{function} answers {status} without {header}");
    }
    let content = said["content"].as_object();
    let Some(content_type) = answer.headers.get("content-type") else {
        assert!(content.is_none(), "{function} answers {status} without a body");
        return;
    };
    let content_type = content_type.to_str().unwrap();
    let media = content.and_then(|content| content.get(content_type));
    let media = media.unwrap_or_else(|| panic!("{function} answers {status} with a {content_type}"));
    if !is_json(content_type) {
        return;
    }
    let mut validators = VALIDATORS.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let validator =
        validators.entry((function.to_owned(), status)).or_insert_with(|| media.get("schema").map(validator));
    if let Some(error) = validator.as_ref().and_then(|validator| validator.iter_errors(&answer.body).next()) {
        panic!("{function} answers {status} with {}: {error} at {}", answer.body, error.instance_path());
    }
}

/// Calls `visit` with every schema in a value, and where it is.
fn schemas(value: &Value, place: &str, visit: &mut impl FnMut(&str, &Value)) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let place = format!("{place}/{name}");
                match (name.as_str(), member) {
                    ("schema", schema) => visit(&place, schema),
                    ("schemas" | "properties", Value::Object(named)) => {
                        named.iter().for_each(|(name, schema)| visit(&format!("{place}/{name}"), schema));
                    }
                    ("items", schema) if schema.is_object() => visit(&place, schema),
                    _ => {}
                }
                if name != "example" && name != "examples" {
                    schemas(member, &place, visit);
                }
            }
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| schemas(item, &format!("{place}/{at}"), visit));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn every_http_function_is_described_and_nothing_else() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("functions");
    let mut declared = BTreeSet::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(path.join("function.json")).unwrap();
        let text: Value = serde_json::from_str(&text).unwrap();
        let triggers = text["bindings"].as_array().unwrap().iter();
        for trigger in triggers.filter(|binding| binding["type"] == "httpTrigger") {
            // What has no methods of its own refuses all that others do not take.
            for method in trigger["methods"].as_array().into_iter().flatten() {
                let name = path.file_name().unwrap().to_str().unwrap().to_owned();
                let route = format!("/api/{}", trigger["route"].as_str().unwrap());
                declared.insert((name, method.as_str().unwrap().to_owned(), route));
            }
        }
    }
    let mut said = BTreeSet::new();
    for (path, methods) in DOCUMENT["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            said.insert((
                operation["operationId"].as_str().unwrap().to_owned(),
                method.clone(),
                path.clone(),
            ));
        }
    }
    assert_eq!(said, declared);
}

#[test]
fn every_field_says_what_it_is_and_how_much_it_may_hold() {
    let mut wanting = Vec::new();
    schemas(&DOCUMENT, "", &mut |place, schema| {
        let is_field = place.contains("/properties/") && !place.contains("/responses/");
        let has = |word: &str| schema.get(word).is_some();
        let is_told =
            has("$ref") || has("anyOf") || has("oneOf") || has("const") || has("enum") || has("allOf");
        if is_field && !has("description") && !is_told && !place.ends_with("/amountMinor") {
            wanting.push(format!("{place} has no description"));
        }
        if schema["description"].as_str().is_some_and(|text| text.contains("[`")) {
            wanting.push(format!("{place} links to code that a caller does not see"));
        }
        let types = match &schema["type"] {
            Value::String(one) => vec![one.as_str()],
            Value::Array(several) => several.iter().filter_map(Value::as_str).collect(),
            _ => Vec::new(),
        };
        let is_bounded = types.iter().all(|one| match *one {
            "string" => {
                is_told || ["maxLength", "pattern", "format", "contentMediaType"].into_iter().any(has)
            }
            "integer" => has("format") || (has("minimum") && has("maximum")),
            "array" => has("maxItems"),
            _ => true,
        });
        let is_ours = place.starts_with("/components/schemas/") && !place.contains("/schemas/Problem/");
        if is_ours && !is_bounded && !is_told {
            wanting.push(format!("{place} has no limit: {schema}"));
        }
    });
    for (name, schema) in DOCUMENT["components"]["schemas"].as_object().unwrap() {
        if schema["description"].as_str().is_none_or(str::is_empty) {
            wanting.push(format!("{name} has no description"));
        }
    }
    assert!(wanting.is_empty(), "\n{}\n", wanting.join("\n"));
}

#[test]
fn every_operation_says_what_it_takes_and_has_examples_that_are_right() {
    let mut wrong = Vec::new();
    for (name, operation) in &*OPERATIONS {
        for field in ["summary", "description"] {
            if operation[field].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("{name} has no {field}"));
            }
        }
        for parameter in operation["parameters"].as_array().unwrap() {
            if parameter["description"].as_str().is_none_or(str::is_empty) {
                wrong.push(format!("{name}: {} has no description", parameter["name"]));
            }
        }
        let responses = operation["responses"].as_object().unwrap().values();
        for said in responses.chain(operation.get("requestBody")) {
            for (media_type, media) in said["content"].as_object().into_iter().flatten() {
                match media.get("example") {
                    Some(example) => {
                        let errors: Vec<_> = validator(&media["schema"])
                            .iter_errors(example)
                            .map(|one| format!("{one} at {}", one.instance_path()))
                            .collect();
                        wrong.extend(
                            errors
                                .into_iter()
                                .map(|error| format!("{name}: example of {media_type}: {error}")),
                        );
                    }
                    None if is_json(media_type) => {
                        wrong.push(format!("{name} has no example of {media_type}"))
                    }
                    None => {}
                }
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
}

#[test]
fn every_kind_of_problem_is_in_the_table_of_problems() {
    let table = DOCUMENT["info"]["description"].as_str().unwrap();
    for path in ["src/host/kind.rs", "src/functions/kind.rs"] {
        let text = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap();
        let consts = text.split("pub const ").skip(1).filter(|text| text.contains(": Kind = "));
        for declared in consts {
            let code = declared.split('"').nth(1).unwrap();
            let is_routing = code == "method-not-allowed";
            assert!(
                is_routing || table.contains(&format!("| `{code}` |")),
                "no function says that it answers {code}"
            );
        }
    }
}

#[tokio::test]
async fn what_is_nowhere_is_refused_as_everything_is() {
    let shop = TestShop::open(&[]).await;
    for (method, path, status, allow) in [
        ("GET", "/api/nothing", 404, ""),
        ("GET", "/api/orders", 405, "POST"),
        ("TRACE", "/api/orders/x/shipment", 405, "PUT"),
        ("DELETE", "/api/heartbeat", 405, "GET,HEAD"),
        ("PATCH", "/api/products", 405, "GET,HEAD,POST"),
    ] {
        let answer = shop.send(method, path, &[], None).await;
        assert_eq!(answer.status.as_u16(), status, "{method} {path}");
        assert_eq!(answer.header("content-type"), "application/problem+json");
        let mut methods: Vec<_> = answer.header("allow").split(',').map(str::trim).collect();
        methods.sort_unstable();
        assert_eq!(methods.join(","), allow, "{method} {path}");
    }
}

#[tokio::test]
async fn document_is_served_and_kept_by_its_version() {
    let shop = TestShop::open(&[]).await;
    let answer = shop.get("/api/openapi.json").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.body["openapi"], "3.1.0");
    assert!(answer.body == *DOCUMENT, "the document is another one in a request");
    let again = [("If-None-Match", answer.header("etag"))];
    assert_eq!(shop.send("GET", "/api/openapi.json", &again, None).await.status, StatusCode::NOT_MODIFIED);
}

#[test]
fn answer_that_the_document_does_not_say_is_noticed() {
    let answer = |status, body| Answer { status, headers: Default::default(), body };
    let is_held = |answer: Answer| std::panic::catch_unwind(|| hold("GetStock", &answer)).is_ok();
    assert!(!is_held(answer(StatusCode::IM_A_TEAPOT, Value::Null)));
    let mut stock = answer(
        StatusCode::OK,
        json!({"productId": "a", "onHand": 1, "held": 0, "available": 1, "updatedAt": "2026-03-02T09:15:00.000Z"}),
    );
    for (name, value) in [
        ("content-type", "application/json"),
        ("etag", "\"a\""),
        ("cache-control", "no-cache"),
        ("x-request-id", "a"),
    ] {
        stock.headers.insert(name, value.parse().unwrap());
    }
    hold("GetStock", &stock);
    stock.body["onHand"] = json!(-1);
    assert!(!is_held(stock));
}
