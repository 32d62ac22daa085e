//! An HTTP request that reaches its function in an envelope, because the function has other outputs too.
//!
//! The caller outside sees only `Outputs.res` of a successful invocation, so what is wrong with the request itself must be
//! answered there: an error status of ours would reach the caller as the host's 500 without a word.

use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::body::BODY_BYTES_MAX;
use super::context;
use super::encoding::plain_if_match;
use super::failure::Failure;
use super::invocation::{HttpInput, Invocation};
use super::kind::LENGTH_REQUIRED;
use super::problem::Problem;
use super::query::parse_query;

/// The name of the HTTP trigger in every `function.json`.
pub const HTTP_BINDING: &str = "req";
/// The name of the HTTP output in every `function.json`.
pub const HTTP_OUTPUT: &str = "res";

/// A call from outside, whatever it asks for, or why it cannot be read: 413 above [`BODY_BYTES_MAX`].
#[derive(Debug)]
pub struct AnyCall(pub Result<HttpInput, Problem>);

impl<S: Send + Sync> FromRequest<S> for AnyCall {
    type Rejection = Response;

    /// # Errors
    ///
    /// When it is not an invocation by the host at all.
    async fn from_request(request: Request, state: &S) -> Result<Self, Response> {
        match Invocation::from_request(request, state).await {
            Ok(invocation) => match invocation.http(HTTP_BINDING) {
                Ok(mut input) => {
                    context::adopt(&input.headers);
                    plain_if_match(&mut input.headers);
                    Ok(Self(Ok(input)))
                }
                Err(error) => Err(Failure::transient(error).into_response()),
            },
            Err(problem) if problem.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Ok(Self(Err(Problem::payload_too_large(BODY_BYTES_MAX))))
            }
            Err(problem) => Err(problem.into_response()),
        }
    }
}

impl AnyCall {
    /// The call, if it takes the form that all such functions ask for.
    ///
    /// # Errors
    /// 411 when the body came without a length (the host then leaves it out), 400 with query parameters (no such function takes
    /// any), and why it cannot be read.
    pub fn without_query(self) -> Result<HttpInput, Problem> {
        let input = self.0?;
        parse_query(input.raw_query(), &[])?;
        if input.body.is_empty() && input.headers.contains_key(header::TRANSFER_ENCODING) {
            return Err(Problem::new(&LENGTH_REQUIRED)
                .detail("Send the body with a Content-Length, not in chunks.")
                .header_field("Content-Length", "is missing"));
        }
        Ok(input)
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use serde_json::{Value, json};

    use super::super::invocation::ENVELOPE_BYTES_MAX;
    use super::*;

    async fn refusal(req: Value) -> u16 {
        let envelope = json!({"Data": {"req": req}, "Metadata": {}}).to_string();
        let request = Request::post("/F").body(Body::from(envelope)).unwrap();
        let call = AnyCall::from_request(request, &()).await.unwrap();
        call.without_query().map_or_else(|problem| problem.status().as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn what_is_wrong_with_the_request_is_for_its_caller() {
        let get = json!({"Method": "GET", "Url": "http://h/api/x?code=key"});
        assert_eq!(refusal(get).await, 200);
        assert_eq!(refusal(json!({"Method": "GET", "Url": "http://h/api/x?y=1"})).await, 400);
        let chunked =
            json!({"Method": "POST", "Url": "http://h/", "Headers": {"Transfer-Encoding": ["chunked"]}});
        assert_eq!(refusal(chunked).await, 411);
        let long = json!({"Method": "POST", "Url": "http://h/", "Body": "x".repeat(ENVELOPE_BYTES_MAX)});
        assert_eq!(refusal(long).await, 413);
    }

    #[tokio::test]
    async fn what_is_no_call_is_for_the_host() {
        for body in ["not an envelope", r#"{"Data":{"req":"text"}}"#] {
            let request = Request::post("/F").body(Body::from(body)).unwrap();
            assert!(!AnyCall::from_request(request, &()).await.unwrap_err().status().is_success(), "{body}");
        }
    }
}
