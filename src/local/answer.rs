//! The answer of a handler to a JSON invocation: whether it is one, and what it makes of the output bindings.
//!
//! Pure. Every rule here is one of the real host, including those that surprise.

use axum::http::{HeaderName, HeaderValue, StatusCode};
use data_encoding::BASE64_MIME_PERMISSIVE;
use serde_json::{Map, Value};

use super::envelope::scalar_text;
use super::function::{Function, RETURN_BINDING};

const TEXT_PLAIN: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json; charset=utf-8";

/// A handler's answer that counts as success.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Answer {
    /// `None` when the answer has no `Outputs`.
    outputs: Option<Map<String, Value>>,
    return_value: Value,
    /// Lines to log inside the invocation.
    pub(super) logs: Vec<String>,
}

/// What an HTTP function that is not proxied sends to its caller.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct HttpAnswer {
    pub(super) status: StatusCode,
    pub(super) headers: Vec<(HeaderName, HeaderValue)>,
    pub(super) body: Vec<u8>,
}

impl Answer {
    /// Reads an answer.
    ///
    /// # Errors
    /// Why the invocation has failed; the real host redelivers then.
    pub(super) fn read(status: StatusCode, content_type: Option<&str>, body: &[u8]) -> Result<Self, String> {
        if !status.is_success() {
            return Err(format!("the handler answered {status}"));
        }
        if body.trim_ascii().is_empty() {
            return Err(hang("an empty body"));
        }
        let kind = content_type.unwrap_or_default();
        let media_type = kind.split(';').next().unwrap_or_default().trim();
        if !["application/json", "text/json"].iter().any(|json| media_type.eq_ignore_ascii_case(json)) {
            return Err(format!(
                "the handler's answer has content type `{kind}` where application/json is needed"
            ));
        }
        let answer = serde_json::from_slice(body)
            .map_err(|error| format!("the handler's answer is not JSON: {error}"))?;
        match answer {
            Value::Object(fields) => Self::from_fields(fields),
            Value::Null => Err(hang("null")),
            Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                Err("the handler's answer is not a JSON object".to_owned())
            }
        }
    }

    fn from_fields(fields: Map<String, Value>) -> Result<Self, String> {
        let mut answer = Self::default();
        for (name, value) in fields {
            match name.to_lowercase().as_str() {
                "outputs" => {
                    answer.outputs = match value {
                        Value::Object(outputs) => Some(outputs),
                        Value::Null => None,
                        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => {
                            return Err("`Outputs` is not an object".to_owned());
                        }
                    }
                }
                "logs" => {
                    answer.logs = serde_json::from_value::<Option<Vec<String>>>(value)
                        .map_err(|_| "`Logs` is not an array of strings".to_owned())?
                        .unwrap_or_default();
                }
                "returnvalue" => answer.return_value = value,
                _ => {}
            }
        }
        Ok(answer)
    }

    /// Without a `$return` binding, the properties of a `ReturnValue` object override the outputs.
    pub(super) fn merge_return_value(&mut self, function: &Function) {
        let bound = function.outputs.iter().any(|output| output.binding() == RETURN_BINDING);
        if !bound && let Value::Object(fields) = self.return_value.take() {
            self.outputs.get_or_insert_default().extend(fields);
        }
    }

    /// The value for a binding; names are case-sensitive and null is none.
    pub(super) fn output(&self, binding: &str) -> Option<&Value> {
        let value = if binding == RETURN_BINDING {
            Some(&self.return_value)
        } else {
            self.outputs.as_ref()?.get(binding)
        };
        value.filter(|value| !value.is_null())
    }

    /// What the caller of an HTTP function gets.
    ///
    /// # Errors
    /// When the value is not a response; the caller gets 500.
    pub(super) fn http(&self, binding: Option<&str>) -> Result<HttpAnswer, String> {
        let Some(value) = binding.and_then(|binding| self.output(binding)) else {
            return Ok(match self.outputs {
                Some(_) => HttpAnswer::ok(b"{}".to_vec(), JSON),
                None => HttpAnswer::ok(Vec::new(), TEXT_PLAIN),
            });
        };
        match value {
            Value::Object(fields) => HttpAnswer::from_fields(fields),
            Value::String(text) => match serde_json::from_str(text) {
                Ok(Value::Object(fields)) => HttpAnswer::from_fields(&fields),
                Ok(_) | Err(_) => Err("the HTTP output is a text that holds no object".to_owned()),
            },
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
                Err("the HTTP output is not an object".to_owned())
            }
        }
    }
}

fn hang(what: &str) -> String {
    format!(
        "the handler answered {what}; the real host would wait until functionTimeout and then restart the handler, \
         so always answer at least {{}}"
    )
}

impl HttpAnswer {
    fn ok(body: Vec<u8>, content_type: &'static str) -> Self {
        Self {
            status: StatusCode::OK,
            headers: vec![(axum::http::header::CONTENT_TYPE, HeaderValue::from_static(content_type))],
            body,
        }
    }

    fn from_fields(fields: &Map<String, Value>) -> Result<Self, String> {
        let body = match fields.get("body") {
            None | Some(Value::Null) => Vec::new(),
            Some(Value::String(text)) => text.clone().into_bytes(),
            Some(other) => indented(other).into_bytes(),
        };
        let mut answer = Self::ok(body, TEXT_PLAIN);
        if let Some(status) = fields.get("statusCode").filter(|status| !status.is_null()) {
            answer.status =
                scalar_text(status).parse().map_err(|_| format!("statusCode `{status}` is not a status"))?;
        }
        match fields.get("headers") {
            None | Some(Value::Null) => {}
            Some(Value::Object(headers)) => {
                for (name, value) in headers {
                    answer.set_header(name, value)?;
                }
            }
            Some(_) => return Err("`headers` of the HTTP output is not an object".to_owned()),
        }
        Ok(answer)
    }

    fn set_header(&mut self, name: &str, value: &Value) -> Result<(), String> {
        let scalar = !(value.is_null() || value.is_array() || value.is_object());
        let pair = scalar
            .then(|| {
                let value = HeaderValue::from_str(&scalar_text(value)).ok()?;
                Some((name.parse::<HeaderName>().ok()?, value))
            })
            .flatten();
        let (name, value) =
            pair.ok_or_else(|| format!("header `{name}` of the HTTP output cannot be {value}"))?;
        self.headers.retain(|(taken, _)| *taken != name);
        self.headers.push((name, value));
        Ok(())
    }
}

/// The messages that the value of a queue output becomes.
///
/// # Errors
/// When a text looks like JSON and is not; the invocation fails.
pub(super) fn queue_messages(value: &Value, binary: bool) -> Result<Vec<Vec<u8>>, String> {
    if let Value::String(text) = value
        && !binary
        && let Some(bytes) = base64(text)
    {
        return Ok(vec![bytes]);
    }
    Ok(texts(value)?.into_iter().map(String::into_bytes).collect())
}

/// The bytes of a text that happens to be base64: it is decoded.
fn base64(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.chars().filter(|c| !matches!(c, ' ' | '\t' | '\r' | '\n')).collect();
    BASE64_MIME_PERMISSIVE.decode(compact.as_bytes()).ok().filter(|_| !compact.is_empty())
}

/// The texts that the value of an output becomes: one for each element of an array, and a text that looks like JSON is
/// parsed before.
///
/// # Errors
/// When a text looks like JSON and is not; the invocation fails.
pub(super) fn texts(value: &Value) -> Result<Vec<String>, String> {
    match value {
        Value::Array(items) => Ok(elements(items)),
        Value::String(text) => parsed_texts(text),
        Value::Null => Ok(Vec::new()),
        Value::Object(_) | Value::Bool(_) | Value::Number(_) => Ok(vec![element(value)]),
    }
}

fn elements(items: &[Value]) -> Vec<String> {
    items.iter().filter(|item| !item.is_null()).map(element).collect()
}

fn element(value: &Value) -> String {
    match value {
        Value::Object(_) | Value::Array(_) => indented(value),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => scalar_text(value),
    }
}

fn parsed_texts(text: &str) -> Result<Vec<String>, String> {
    let trimmed = text.trim();
    let looks_like_json = (trimmed.starts_with('{') && trimmed.ends_with('}'))
        || (trimmed.starts_with('[') && trimmed.ends_with(']'));
    if !looks_like_json {
        return Ok(vec![text.to_owned()]);
    }
    match serde_json::from_str(trimmed) {
        Ok(Value::Array(items)) => Ok(elements(&items)),
        Ok(other) => Ok(vec![element(&other)]),
        Err(error) => Err(format!("an output looks like JSON but is not: {error}")),
    }
}

fn indented(value: &Value) -> String {
    format!("{value:#}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(body: &str) -> Result<Answer, String> {
        Answer::read(StatusCode::OK, Some("application/json"), body.as_bytes())
    }

    fn http(answer: &str) -> Result<HttpAnswer, String> {
        read(answer).unwrap().http(Some("res"))
    }

    #[test]
    fn empty_object_is_a_success() {
        assert_eq!(read("{}").unwrap(), Answer::default());
    }

    #[test]
    fn names_of_the_answer_may_have_any_case_but_bindings_may_not() {
        let answer = read(r#"{"outputs":{"out":"x","none":null},"LOGS":["a"]}"#).unwrap();
        assert_eq!(answer.output("out"), Some(&json!("x")));
        assert_eq!(answer.output("Out"), None);
        assert_eq!(answer.output("none"), None);
        assert_eq!(answer.logs, ["a"]);
    }

    #[test]
    fn bad_answers_fail_with_their_reason() {
        let cases = [
            (500, Some("application/json"), "{}", "answered 500"),
            (302, Some("application/json"), "{}", "answered 302"),
            (200, None, "{}", "content type"),
            (200, Some("text/plain"), "{}", "content type"),
            (200, Some("application/json"), "", "would wait until functionTimeout"),
            (204, None, "", "would wait until functionTimeout"),
            (200, Some("application/json"), "null", "would wait until functionTimeout"),
            (200, Some("application/json"), "{", "not JSON"),
            (200, Some("application/json"), "[]", "not a JSON object"),
            (200, Some("application/json"), r#"{"Logs":"x"}"#, "`Logs`"),
            (200, Some("application/json"), r#"{"Logs":[1]}"#, "`Logs`"),
            (200, Some("application/json"), r#"{"Outputs":[]}"#, "`Outputs`"),
        ];
        for (status, content_type, body, reason) in cases {
            let status = StatusCode::from_u16(status).unwrap();
            let error = Answer::read(status, content_type, body.as_bytes()).unwrap_err();
            assert!(error.contains(reason), "{body}: {error}");
        }
    }

    #[test]
    fn json_content_types_are_accepted_with_parameters() {
        for kind in ["application/json; charset=utf-8", "Text/JSON"] {
            assert!(Answer::read(StatusCode::OK, Some(kind), b"{}").is_ok());
        }
    }

    #[test]
    fn http_output_is_plain_text_unless_it_says_otherwise() {
        let answer = http(r#"{"Outputs":{"res":{"statusCode":"202","body":"hi","status":500}}}"#);
        let answer = answer.unwrap();
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        assert_eq!(answer.body, b"hi");
        assert_eq!(answer.headers[0].1, TEXT_PLAIN);
        let answer = http(r#"{"Outputs":{"res":{"headers":{"Content-Type":"a/b","n":1},"body":{"a":1}}}}"#);
        let answer = answer.unwrap();
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.body, b"{\n  \"a\": 1\n}");
        assert_eq!(answer.headers.len(), 2);
        assert_eq!(answer.headers[0].1, "a/b");
    }

    #[test]
    fn missing_http_output_is_200() {
        assert_eq!(http(r#"{"Outputs":{}}"#).unwrap().body, b"{}");
        assert_eq!(http("{}").unwrap().body, b"");
    }

    #[test]
    fn http_output_inside_a_string_is_read() {
        let answer = http(r#"{"Outputs":{"res":"{\"statusCode\":204}"}}"#).unwrap();
        assert_eq!(answer.status, StatusCode::NO_CONTENT);
    }

    #[test]
    fn malformed_http_outputs_fail() {
        for res in [
            r#""text""#,
            "7",
            r#"{"statusCode":"x"}"#,
            r#"{"headers":{"a":["b"]}}"#,
            r#"{"headers":{"a":null}}"#,
            r#"{"headers":[]}"#,
        ] {
            assert!(http(&format!(r#"{{"Outputs":{{"res":{res}}}}}"#)).is_err(), "{res}");
        }
    }

    fn texts(value: &Value, binary: bool) -> Vec<String> {
        queue_messages(value, binary)
            .unwrap()
            .into_iter()
            .map(|body| String::from_utf8_lossy(&body).into_owned())
            .collect()
    }

    #[test]
    fn array_of_strings_is_the_one_exact_form() {
        let value = json!(["test", "{\"a\":1}", "[1]"]);
        assert_eq!(texts(&value, false), ["test", "{\"a\":1}", "[1]"]);
    }

    #[test]
    fn array_elements_become_one_message_each() {
        let value = json!([{"a": 1}, true, false, 4, null]);
        assert_eq!(texts(&value, false), ["{\n  \"a\": 1\n}", "True", "False", "4"]);
    }

    #[test]
    fn object_is_one_indented_message() {
        assert_eq!(texts(&json!({"a": [1]}), false), ["{\n  \"a\": [\n    1\n  ]\n}"]);
    }

    #[test]
    fn string_that_happens_to_be_base64_is_decoded() {
        assert_eq!(queue_messages(&json!("test"), false).unwrap(), [[0xb5, 0xeb, 0x2d]]);
        assert_eq!(texts(&json!("aGVs\r\nbG8="), false), ["hello"]);
        assert_eq!(texts(&json!("test"), true), ["test"]);
        assert_eq!(texts(&json!("tests"), false), ["tests"]);
    }

    #[test]
    fn string_that_looks_like_json_is_parsed() {
        assert_eq!(texts(&json!("[\"a b\", 2]"), false), ["a b", "2"]);
        assert_eq!(texts(&json!(" {\"a\":1} "), false), ["{\n  \"a\": 1\n}"]);
        assert!(queue_messages(&json!("{a}"), false).is_err());
        assert_eq!(texts(&json!("plain text"), false), ["plain text"]);
    }
}
