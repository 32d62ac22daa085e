//! Azure Communication Services, by its REST API of 2023-03-31. Names `reqwest`.
//!
//! What is documented: a mail is sent under the `Operation-Id` that the caller gives, 202 means that it was taken, and its
//! operation can be asked for by that id. What is not: what becomes of a second mail under the same id. So this never sends
//! one before it has asked, unless the service said that it took nothing. Does not know what is in a mail.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use azure_core::credentials::TokenCredential;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, RETRY_AFTER};
use reqwest::{Client, Method, Response, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::time::{sleep, timeout};
use tracing::Instrument;

use super::{Cause, Error, Fate, Mail};
use crate::client::{client, read};
use crate::config::Identity;
use crate::credential::credential;
use crate::domain::notification::OperationId;
use crate::host::context;
use crate::measure::{NO_STATUS, dependency};

/// What traces call the service.
const SYSTEM: &str = "azure.communication";
const VERSION: &str = "api-version=2023-03-31";
const SCOPE: &str = "https://communication.azure.com/.default";
/// How often one call sends a mail that was not taken.
const ATTEMPTS_MAX: u32 = 3;
/// Longest time for one request.
const REQUEST_TIME_MAX: Duration = Duration::from_secs(6);
/// Longest time for all of them and the waits in between.
const SEND_TIME_MAX: Duration = Duration::from_secs(20);
/// The wait when the service names none, and the longest; who is to wait longer comes again later.
const WAIT: Duration = Duration::from_secs(1);
const WAIT_MAX: Duration = Duration::from_secs(5);
/// Most bytes of an answer that are read; one has some 500.
const ANSWER_BYTES_MAX: usize = 64 * 1024;
/// Longest word for why a mail is rejected, in characters.
const CODE_CHARS_MAX: usize = 60;

/// A Communication Services resource.
pub(super) struct Service {
    endpoint: String,
    from: String,
    identity: Identity,
    credential: OnceLock<Arc<dyn TokenCredential>>,
    client: OnceLock<Client>,
}

/// What an answer to a request to send says.
enum Verdict {
    Taken,
    /// Not taken, because there is too much to do.
    Busy,
    /// Settings or rights are wrong.
    Refused,
    /// It may have been taken.
    Unclear,
    /// This mail is not taken.
    Rejected,
}

impl Verdict {
    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            200..=299 => Self::Taken,
            429 => Self::Busy,
            300..=399 | 401 | 403 | 404 => Self::Refused,
            // 409 and 412 are about the repetition of a request.
            408 | 409 | 412 | 500.. => Self::Unclear,
            _ => Self::Rejected,
        }
    }
}

/// What is looked at of an operation.
#[derive(Deserialize)]
struct Operation {
    status: String,
    error: Option<OperationError>,
}

#[derive(Deserialize)]
struct OperationError {
    code: Option<String>,
}

impl Service {
    /// A resource that is connected to when it is first needed.
    pub(super) fn at(
        endpoint: &str,
        from: &str,
        identity: &Identity,
        credential: Option<Arc<dyn TokenCredential>>,
    ) -> Self {
        let credential = credential.map_or_else(OnceLock::new, OnceLock::from);
        let (endpoint, from, identity) = (endpoint.to_owned(), from.to_owned(), identity.clone());
        Self { endpoint, from, identity, credential, client: OnceLock::new() }
    }

    pub(super) async fn send(&self, operation_id: &OperationId, mail: &Mail) -> Result<Fate, Error> {
        let operation = format!("send mail {operation_id}");
        let sent = timeout(SEND_TIME_MAX, self.send_patiently(&operation, operation_id, mail)).await;
        sent.unwrap_or_else(|elapsed| Err(Error::Unavailable { operation, source: elapsed.into() }))
    }

    async fn send_patiently(
        &self,
        operation: &str,
        operation_id: &OperationId,
        mail: &Mail,
    ) -> Result<Fate, Error> {
        let body = self.body(mail).to_string();
        let mut attempt = 1;
        loop {
            let answer = match self.post(operation, operation_id, body.clone()).await {
                Err(error @ Error::Busy { .. }) if attempt == ATTEMPTS_MAX => return Err(error),
                Err(Error::Busy { .. }) => None,
                answer => Some(answer?),
            };
            let mut wait = WAIT;
            if let Some(answer) = answer {
                let (status, source) = (answer.status(), Cause::from(answer.status().to_string()));
                let operation = operation.to_owned();
                wait = retry_after(answer.headers());
                let is_last = attempt == ATTEMPTS_MAX || wait > WAIT_MAX;
                match Verdict::of(status) {
                    Verdict::Taken => return Ok(Fate::Taken),
                    Verdict::Refused => return Err(Error::Refused { operation, source }),
                    // This is also how a second mail under the same name is answered, as users of Azure's own clients report.
                    Verdict::Rejected => {
                        let code =
                            answer.headers().get("x-ms-error-code").and_then(|code| code.to_str().ok());
                        let rejected = Fate::Rejected { code: word(code) };
                        return Ok(self.ask(operation_id).await?.unwrap_or(rejected));
                    }
                    Verdict::Busy if is_last => return Err(Error::Busy { operation, source }),
                    Verdict::Busy => {}
                    Verdict::Unclear => {
                        if let Some(fate) = self.ask(operation_id).await? {
                            return Ok(fate);
                        }
                        if is_last {
                            return Err(Error::Unavailable { operation, source });
                        }
                    }
                }
            }
            sleep(wait).await;
            attempt += 1;
        }
    }

    pub(super) async fn ask(&self, operation_id: &OperationId) -> Result<Option<Fate>, Error> {
        let operation = format!("ask what became of mail {operation_id}");
        let asked = timeout(SEND_TIME_MAX, self.ask_once(operation.clone(), operation_id)).await;
        asked.unwrap_or_else(|elapsed| Err(Error::Unavailable { operation, source: elapsed.into() }))
    }

    async fn ask_once(&self, operation: String, operation_id: &OperationId) -> Result<Option<Fate>, Error> {
        let path = format!("/emails/operations/{operation_id}");
        let asked = self.request(&operation, Method::GET, &path, operation_id, None).await;
        let answer = asked.map_err(|error| match error {
            // It was not asked, so nothing is known of the mail.
            Error::Busy { operation, source } => Error::Unavailable { operation, source },
            error @ (Error::Unavailable { .. } | Error::Refused { .. }) => error,
        })?;
        let unclear = |source: Cause| Error::Unavailable { operation: operation.clone(), source };
        let status = answer.status();
        match Verdict::of(status) {
            Verdict::Taken => {}
            _ if status == StatusCode::NOT_FOUND => return Ok(None),
            Verdict::Refused | Verdict::Rejected => {
                return Err(Error::Refused { operation, source: status.to_string().into() });
            }
            Verdict::Busy | Verdict::Unclear => return Err(unclear(status.to_string().into())),
        }
        let body = read(answer, ANSWER_BYTES_MAX).await.map_err(&unclear)?;
        let operation = serde_json::from_slice(&body).map_err(|error| unclear(error.into()));
        let Operation { status, error } = operation?;
        Ok(Some(match status.as_str() {
            "Failed" | "Canceled" => {
                Fate::Rejected { code: word(error.and_then(|error| error.code).as_deref()) }
            }
            _ => Fate::Taken,
        }))
    }

    fn body(&self, mail: &Mail) -> Value {
        let headers = context::traceparent().map(|traceparent| json!({"traceparent": traceparent}));
        json!({
            "senderAddress": self.from,
            "recipients": {"to": [{"address": mail.to}]},
            "content": {"subject": mail.letter.subject, "plainText": mail.letter.text, "html": mail.letter.html},
            "headers": headers.unwrap_or_else(|| json!({})),
            "userEngagementTrackingDisabled": true,
        })
    }

    async fn post(
        &self,
        operation: &str,
        operation_id: &OperationId,
        body: String,
    ) -> Result<Response, Error> {
        self.request(operation, Method::POST, "/emails:send", operation_id, Some(body)).await
    }

    /// One request, signed in.
    async fn request(
        &self,
        operation: &str,
        method: Method,
        path: &str,
        operation_id: &OperationId,
        body: Option<String>,
    ) -> Result<Response, Error> {
        let busy = |source: Cause| Error::Busy { operation: operation.to_owned(), source };
        let refused = |source: Cause| Error::Refused { operation: operation.to_owned(), source };
        let token = self.credential().map_err(refused)?.get_token(&[SCOPE], None).await;
        let token = token.map_err(|error| busy(error.into()))?;
        let address = format!("{}{path}?{VERSION}", self.endpoint);
        let is_post = method == Method::POST;
        let mut request = self.client().map_err(refused)?.request(method, address);
        request = request.header(AUTHORIZATION, format!("Bearer {}", token.token.secret()));
        request = request.header("operation-id", operation_id.as_str());
        if let Some(traceparent) = context::traceparent() {
            request = request.header("traceparent", traceparent);
        }
        if let Some(body) = body {
            request = request.header(CONTENT_TYPE, "application/json").body(body);
        }
        let asked = dependency(SYSTEM, if is_post { "send" } else { "ask" }, "mails");
        let answer = request.send().instrument(asked.clone()).await;
        asked.record("status", answer.as_ref().map_or(NO_STATUS, |answer| answer.status().as_u16()));
        answer.map_err(|error| match error.is_connect() {
            true => busy(error.without_url().into()),
            false => {
                Error::Unavailable { operation: operation.to_owned(), source: error.without_url().into() }
            }
        })
    }

    fn credential(&self) -> Result<&Arc<dyn TokenCredential>, Cause> {
        if let Some(credential) = self.credential.get() {
            return Ok(credential);
        }
        let credential = credential(&self.identity)?;
        Ok(self.credential.get_or_init(|| credential))
    }

    fn client(&self) -> Result<&Client, Cause> {
        if let Some(client) = self.client.get() {
            return Ok(client);
        }
        let client = client(|builder| builder.timeout(REQUEST_TIME_MAX))?;
        Ok(self.client.get_or_init(|| client))
    }
}

/// How long the service wants to be left alone.
fn retry_after(headers: &HeaderMap) -> Duration {
    let given = headers.get(RETRY_AFTER).and_then(|value| value.to_str().ok());
    given.and_then(|seconds| seconds.trim().parse().ok()).map_or(WAIT, Duration::from_secs)
}

/// A code as it may be kept and logged: whatever else stands there could name somebody.
fn word(code: Option<&str>) -> String {
    let is_word = |code: &&str| {
        (1..=CODE_CHARS_MAX).contains(&code.len()) && code.bytes().all(|byte| byte.is_ascii_alphanumeric())
    };
    code.filter(is_word).unwrap_or("unknown").to_owned()
}
