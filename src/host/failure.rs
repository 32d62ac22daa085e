//! The two ways in which a JSON invocation can go wrong, and what the Functions host is told about each.
//!
//! It deliberately does not know which errors are worth a retry; `functions/error.rs` sorts them.

use std::error::Error;

use axum::response::{IntoResponse, Response};

use super::problem::Problem;
use super::reply::Reply;

/// The most causes of an error that are logged.
const CHAIN_LENGTH_MAX: usize = 16;

type BoxError = Box<dyn Error + Send + Sync>;

/// Why an invocation did not succeed. Turning it into a response logs its whole chain of causes, once.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Worth another try: answered with 500, so the host delivers the message again (and moves it to the poison queue
    /// after `maxDequeueCount` tries).
    #[error("the invocation failed and may be retried")]
    Transient(#[source] BoxError),
    /// Can never succeed: acknowledged with 200 so that it is not delivered again. This is the fallback; a function
    /// records a hopeless message in an output itself and returns a [`Reply`].
    #[error("the invocation can never succeed")]
    Permanent(#[source] BoxError),
}

impl Failure {
    /// Worth another try.
    pub fn transient(error: impl Into<BoxError>) -> Self {
        Self::Transient(error.into())
    }

    /// Can never succeed.
    pub fn permanent(error: impl Into<BoxError>) -> Self {
        Self::Permanent(error.into())
    }

    /// Logs the failure with its whole chain of causes; for one that does not become a response itself.
    pub fn log(&self) {
        match self {
            Self::Transient(error) => tracing::warn!(error = chain(error.as_ref()), "failed, may be retried"),
            Self::Permanent(error) => tracing::error!(error = chain(error.as_ref()), "failed for good"),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        self.log();
        match self {
            Self::Transient(_) => Problem::internal().into_response(),
            Self::Permanent(_) => Reply::new().into_response(),
        }
    }
}

/// The error and its causes on one line, outermost first.
pub fn chain(error: &(dyn Error + 'static)) -> String {
    let causes = std::iter::successors(Some(error), |&error| error.source());
    causes.take(CHAIN_LENGTH_MAX).map(ToString::to_string).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;
    use axum::http::StatusCode;

    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("reading order 7")]
    struct Outer(#[source] std::io::Error);

    #[test]
    fn chain_names_every_cause() {
        let error = Outer(std::io::Error::other("connection reset"));
        assert_eq!(chain(&error), "reading order 7: connection reset");
    }

    #[test]
    fn transient_asks_for_another_delivery() {
        let response = Failure::transient("busy").into_response();
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[tokio::test]
    async fn permanent_is_acknowledged_with_a_full_reply() {
        let response = Failure::permanent("nonsense").into_response();
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-type"], "application/json");
        let body = to_bytes(response.into_body(), 1024).await.unwrap();
        assert_eq!(body, r#"{"Logs":[],"Outputs":{},"ReturnValue":null}"#);
    }
}
