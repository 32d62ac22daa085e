//! HTTP clients for services elsewhere, and their answers up to a bound.
//!
//! Does not know whom they ask, nor when one is made: that reads all certificates of the machine.

use std::error::Error;
use std::panic::{AssertUnwindSafe, catch_unwind};

use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Response};

/// Why there is no client, or no answer. Names no address, which may hold a key.
pub type Cause = Box<dyn Error + Send + Sync>;

/// A client that follows no redirects: a token, and what is told to one party, must not go on to where an answer points.
///
/// # Errors
/// When this machine has no certificates, or the client cannot be as it was configured.
pub fn client(configure: impl FnOnce(ClientBuilder) -> ClientBuilder) -> Result<Client, Cause> {
    let builder = configure(Client::builder()).redirect(Policy::none());
    // On a machine without root certificates this panics.
    let made = catch_unwind(AssertUnwindSafe(|| builder.build()));
    Ok(made.map_err(|_| "does this machine have CA certificates?")??)
}

/// The body of an answer that has at most so many bytes.
///
/// # Errors
/// When it has more, or ends before its end.
pub async fn read(mut answer: Response, bytes_max: usize) -> Result<Vec<u8>, Cause> {
    let mut body = Vec::new();
    while let Some(chunk) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
        if body.len() + chunk.len() > bytes_max {
            return Err(format!("the answer has more than {bytes_max} bytes").into());
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body)
}
