//! The reply to a JSON invocation: outputs by binding name, log lines, and nothing else.
//!
//! It deliberately does not know which bindings a function has; a name that `function.json` lacks is silently no output.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::answer::Answer;
use super::context;
use super::event::CloudEvent;

/// The most bytes of one queue message: Storage takes 64 KiB, and the host encodes the text as base64.
pub const QUEUE_TEXT_BYTES_MAX: usize = 48 * 1024;

/// The most log lines of one reply; later ones are left out.
pub const LOG_LINES_MAX: usize = 100;

/// What an invocation produced. It is always sent as a full object: the host waits for ever on an empty answer.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    outputs: Map<String, Value>,
    logs: Vec<String>,
}

impl Reply {
    /// Nothing produced: the invocation succeeded.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds messages to the queue output `binding`. They travel as an array of strings, the only form that the host
    /// leaves as it is, except that a message which is only an ISO date may be written anew. No messages, no output.
    ///
    /// A message above [`QUEUE_TEXT_BYTES_MAX`] is a mistake of ours: a debug build panics, a release build logs it and
    /// sends it all the same, so that the host refuses the invocation instead of losing the message.
    pub fn queue(self, binding: &str, messages: impl IntoIterator<Item = String>) -> Self {
        let checked = messages.into_iter().inspect(|message| {
            let size_bytes = message.len();
            if size_bytes > QUEUE_TEXT_BYTES_MAX {
                tracing::error!(binding, size_bytes, "a queue message is too large");
                debug_assert!(size_bytes <= QUEUE_TEXT_BYTES_MAX, "a queue message is too large");
            }
        });
        self.texts(binding, checked)
    }

    /// Adds events to the Event Grid output `binding`, likewise as an array of strings: the host rewrites dates in objects.
    /// No events, no output.
    pub fn events(self, binding: &str, events: impl IntoIterator<Item = CloudEvent>) -> Self {
        self.texts(binding, events.into_iter().map(|event| event.to_json()))
    }

    fn texts(mut self, binding: &str, texts: impl IntoIterator<Item = String>) -> Self {
        let mut texts: Vec<_> = texts.into_iter().map(Value::String).collect();
        match self.outputs.get_mut(binding) {
            Some(Value::Array(earlier)) => earlier.append(&mut texts),
            _ if texts.is_empty() => {}
            _ => {
                self.outputs.insert(binding.to_owned(), Value::Array(texts));
            }
        }
        self
    }

    /// Sets the HTTP output `binding`. The body goes as text with its content type, since the host would call it
    /// `text/plain` otherwise; an answer without a body has none. Header values are scalars, as the host demands.
    pub fn http(mut self, binding: &str, answer: impl Into<Answer>) -> Self {
        let answer = answer.into();
        // The host does not pass on the headers of the response that carries this reply.
        let mut signed = answer.headers().clone();
        context::sign(&mut signed);
        context::answered(answer.status());
        let mut headers = Map::new();
        for (name, value) in &signed {
            if let Ok(value) = value.to_str() {
                headers.insert(name.as_str().to_owned(), value.into());
            }
        }
        let output = json!({
            "statusCode": answer.status().as_u16(),
            "headers": headers,
            "body": answer.body(),
        });
        self.outputs.insert(binding.to_owned(), output);
        self
    }

    /// Adds a line that the host logs under this invocation (only if it succeeds), up to [`LOG_LINES_MAX`] lines.
    pub fn log(mut self, line: impl Into<String>) -> Self {
        if self.logs.len() < LOG_LINES_MAX {
            self.logs.push(line.into());
        }
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let body = json!({"Outputs": self.outputs, "Logs": self.logs, "ReturnValue": null});
        let headers = [(header::CONTENT_TYPE, "application/json")];
        (StatusCode::OK, headers, body.to_string()).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_for_one_queue_add_up_and_none_is_no_output() {
        let reply = Reply::new()
            .queue("out", ["a".to_owned()])
            .queue("out", ["b".to_owned()])
            .queue("out", [])
            .queue("other", []);
        assert_eq!(Value::Object(reply.outputs), json!({"out": ["a", "b"]}));
    }

    #[test]
    #[cfg_attr(debug_assertions, should_panic(expected = "too large"))]
    fn oversized_message_is_noticed_and_never_lost() {
        let reply = Reply::new().queue("out", ["x".repeat(QUEUE_TEXT_BYTES_MAX + 1)]);
        assert_eq!(reply.outputs["out"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn log_lines_are_bounded() {
        let reply = (0..LOG_LINES_MAX + 5).fold(Reply::new(), |reply, line| reply.log(line.to_string()));
        assert_eq!(reply.logs.len(), LOG_LINES_MAX);
    }

    #[tokio::test]
    async fn http_output_carries_what_every_answer_has() {
        let work = async { Reply::new().http("res", Answer::empty(StatusCode::NO_CONTENT)) };
        let reply = context::scope(context::Context::named("t-1"), work).await;
        let headers = &reply.outputs["res"]["headers"];
        assert_eq!(
            (&headers["x-request-id"], &headers["cache-control"]),
            (&json!("t-1"), &json!("no-store"))
        );
    }
}
