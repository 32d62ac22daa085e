//! Takes what the exporters have written to its receiver: with a token where one is asked for, within a time, and with a word in
//! the log when it fails, but at most once a minute.
//!
//! Does not know what it carries, and never tries again by itself.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::TokenCredential;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderValue};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;
use tokio::time::{Instant, timeout};

use crate::client::{client, read};
use crate::host::failure::chain;

/// Longest that one delivery may take, the token included. Meanwhile what comes is kept, and then dropped.
const DELIVERY_TIME_MAX: Duration = Duration::from_secs(5);
/// Shortest time between two words about failures.
const COMPLAINT_PAUSE: Duration = Duration::from_secs(60);
/// Most bytes of an answer that are looked at.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// What Application Insights wants a token for.
const SCOPE: &str = "https://monitor.azure.com/.default";

/// Where Application Insights takes what comes with a token. The exporter knows only the path for keys.
const TOKEN_PATH: &str = "/v2.1/track";

/// Whoever takes things to the receiver; a clone is the same.
#[derive(Clone)]
pub(super) struct Courier(Arc<Bag>);

struct Bag {
    runtime: Handle,
    insights: Option<Insights>,
    /// Made for the first delivery: it reads the machine's certificates.
    client: OnceCell<reqwest::Client>,
    failures: Mutex<Failures>,
}

/// The one receiver that wants a token, which must go nowhere else.
struct Insights {
    address: Url,
    credential: Arc<dyn TokenCredential>,
}

#[derive(Default)]
struct Failures {
    count: u64,
    complained_at: Option<Instant>,
}

impl fmt::Debug for Courier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Courier")
    }
}

#[async_trait]
impl HttpClient for Courier {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let bag = Arc::clone(&self.0);
        // The exporters wait on threads of their own, where the client does not work.
        let delivery = async move { timeout(DELIVERY_TIME_MAX, bag.deliver(request)).await };
        let answer = match self.0.runtime.spawn(delivery).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(late)) => Err(late.into()),
            Err(panic) => Err(panic.into()),
        };
        match &answer {
            Ok(answer) if answer.status().is_success() => {}
            Ok(answer) => self.0.complain(&format!("it answers {}", answer.status())),
            Err(error) => self.0.complain(&chain(error.as_ref())),
        }
        answer
    }
}

impl Courier {
    /// One who goes where each request says. Works in this runtime of tokio.
    pub(super) fn new(runtime: Handle) -> Self {
        Self::with(runtime, None)
    }

    /// One who goes to Application Insights at this address, with a token from this credential.
    ///
    /// # Errors
    /// When it is no address.
    pub(super) fn to_insights(
        runtime: Handle,
        endpoint: &str,
        credential: Arc<dyn TokenCredential>,
    ) -> Result<Self, HttpError> {
        let address = format!("{endpoint}{TOKEN_PATH}").parse()?;
        Ok(Self::with(runtime, Some(Insights { address, credential })))
    }

    fn with(runtime: Handle, insights: Option<Insights>) -> Self {
        Self(Arc::new(Bag { runtime, insights, client: OnceCell::new(), failures: Mutex::default() }))
    }
}

impl Bag {
    async fn deliver(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut request = reqwest::Request::try_from(request)?;
        if let Some(insights) = &self.insights {
            request.url_mut().clone_from(&insights.address);
            let token = insights.credential.get_token(&[SCOPE], None).await?;
            let mut value = HeaderValue::try_from(format!("Bearer {}", token.token.secret()))?;
            value.set_sensitive(true);
            request.headers_mut().insert(AUTHORIZATION, value);
        }
        let client = self.client.get_or_try_init(|| async { client(|builder| builder) }).await?;
        let answer = client.execute(request).await.map_err(reqwest::Error::without_url)?;
        let status = answer.status();
        let body = read(answer, ANSWER_BYTES_MAX).await?;
        Ok(Response::builder().status(status).body(body.into())?)
    }

    fn complain(&self, reason: &str) {
        let mut failures = self.failures.lock().unwrap_or_else(PoisonError::into_inner);
        failures.count += 1;
        if failures.complained_at.is_none_or(|at| at.elapsed() >= COMPLAINT_PAUSE) {
            failures.complained_at = Some(Instant::now());
            let count = std::mem::take(&mut failures.count);
            tracing::warn!(reason, count, "traces and metrics cannot be sent");
        }
    }
}
