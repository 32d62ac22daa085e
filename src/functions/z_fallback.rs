//! Any other request below `/api`: refused as this API refuses, where the host alone would answer with a bare 404.
//!
//! The host tries routes in the order of the functions' names, so this one has the last. It has a queue output that it never
//! uses, so that a request comes in an envelope: one that came as it was would be routed once more, here, and could reach a
//! function past the key that the host asks for.

use axum::http::header;

use crate::functions::api::DOCUMENT;
use crate::functions::timing::with_timing;
use crate::host::kind::METHOD_NOT_ALLOWED;
use crate::host::{Answer, AnyCall, HTTP_OUTPUT, HttpInput, Problem, Reply, methods_at};

/// Answers 405 with `Allow` where the path takes other methods, otherwise 404.
pub async fn z_fallback(AnyCall(input): AnyCall) -> Reply {
    let answer = input.map_or_else(Answer::from, |input| refusal(&input));
    Reply::new().http(HTTP_OUTPUT, with_timing(answer))
}

fn refusal(input: &HttpInput) -> Answer {
    let methods = DOCUMENT.as_ref().map(|document| methods_at(document, input.path())).unwrap_or_default();
    if methods.is_empty() {
        return Problem::not_found("There is nothing at this path.").into();
    }
    Answer::from(Problem::new(&METHOD_NOT_ALLOWED)).header(header::ALLOW, methods.join(", "))
}
