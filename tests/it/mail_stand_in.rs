//! Somebody else's service: a stand-in for Azure Communication Services, which remembers what it took and sends everything
//! that it takes, also twice under the same name. What it answers can be made to go wrong.
#![cfg(test)]

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use azure_core::credentials::{AccessToken, TokenCredential, TokenRequestOptions};
use azure_core::time::OffsetDateTime;
use serde_json::{Value, json};
use widgetco::config::{Identity, MailConfig, MailPlace};
use widgetco::mail::Mailer;
use widgetco::store::emulator::Fate;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

pub(crate) const FROM: &str = "shop@example.com";
pub(crate) const STAFF: &str = "warehouse@example.com";
/// Longer than anybody waits.
const NEVER: Duration = Duration::from_secs(3600);

/// Says what becomes of the next request.
pub(crate) type Decide = Arc<dyn Fn() -> Fate + Send + Sync>;

/// A mail that the service took.
#[derive(Debug, Clone)]
pub(crate) struct Taken {
    pub(crate) operation_id: String,
    pub(crate) body: Value,
}

impl Taken {
    pub(crate) fn to(&self) -> &str {
        self.body["recipients"]["to"][0]["address"].as_str().unwrap()
    }

    pub(crate) fn subject(&self) -> &str {
        self.body["content"]["subject"].as_str().unwrap()
    }
}

/// What it has taken, and what it says next instead of taking a mail.
#[derive(Default)]
pub(crate) struct Book {
    pub(crate) taken: Mutex<Vec<Taken>>,
    /// Answers to the next requests to send: status, `Retry-After`, code.
    pub(crate) refusals: Mutex<VecDeque<(u16, Option<u32>, &'static str)>>,
    /// How every operation ended.
    pub(crate) outcome: Mutex<Option<(&'static str, &'static str)>>,
}

/// The service at one address.
pub(crate) struct MailService {
    pub(crate) server: MockServer,
    pub(crate) book: Arc<Book>,
}

struct Desk {
    book: Arc<Book>,
    decide: Decide,
}

impl MailService {
    pub(crate) async fn start() -> Self {
        Self::open(Arc::default(), Arc::new(|| Fate::Pass)).await
    }

    /// The service with this book, behind a door.
    pub(crate) async fn open(book: Arc<Book>, decide: Decide) -> Self {
        let server = MockServer::start().await;
        let desk = Desk { book: Arc::clone(&book), decide };
        Mock::given(any()).respond_with(desk).mount(&server).await;
        Self { server, book }
    }

    /// Whoever sends mails by it.
    pub(crate) fn mailer(&self) -> Mailer {
        Mailer::signed_in(&settings(MailPlace::Azure { endpoint: self.server.uri() }), Arc::new(Pass))
    }

    pub(crate) fn taken(&self) -> Vec<Taken> {
        self.book.taken.lock().unwrap().clone()
    }

    /// Has the next request to send answered like this, without taking the mail.
    pub(crate) fn refuse(&self, status: u16, retry_after_s: Option<u32>, code: &'static str) {
        self.book.refusals.lock().unwrap().push_back((status, retry_after_s, code));
    }
}

pub(crate) fn settings(place: MailPlace) -> MailConfig {
    let (from, staff) = (FROM.to_owned(), Some(STAFF.to_owned()));
    MailConfig { place, identity: Identity::Developer, from, staff }
}

impl Respond for Desk {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        assert_eq!(request.headers["authorization"], "Bearer pass");
        assert_eq!(request.url.query(), Some("api-version=2023-03-31"));
        match (self.decide)() {
            Fate::Pass => self.serve(request),
            Fate::Refuse(status) => ResponseTemplate::new(status),
            Fate::Vanish => ResponseTemplate::new(503).set_delay(NEVER),
            Fate::Mislead(status) => {
                self.serve(request);
                ResponseTemplate::new(status)
            }
            Fate::Silence => {
                self.serve(request);
                ResponseTemplate::new(503).set_delay(NEVER)
            }
        }
    }
}

impl Desk {
    fn serve(&self, request: &Request) -> ResponseTemplate {
        match (request.method.as_str(), request.url.path()) {
            ("POST", "/emails:send") => self.send(request),
            ("GET", path) => self.tell(path.strip_prefix("/emails/operations/").unwrap()),
            (method, path) => panic!("there is no {method} {path}"),
        }
    }

    fn send(&self, request: &Request) -> ResponseTemplate {
        if let Some((status, retry_after_s, code)) = self.book.refusals.lock().unwrap().pop_front() {
            let refusal = ResponseTemplate::new(status).insert_header("x-ms-error-code", code);
            return match retry_after_s {
                Some(seconds) => refusal.insert_header("retry-after", seconds.to_string().as_str()),
                None => refusal,
            };
        }
        let operation_id = request.headers["operation-id"].to_str().unwrap().to_owned();
        let address = format!("https://mail.example/emails/operations/{operation_id}?api-version=2023-03-31");
        let answer = json!({"id": operation_id, "status": "Running", "error": null});
        let body: Value = request.body_json().unwrap();
        assert_eq!(body["senderAddress"], FROM);
        self.book.taken.lock().unwrap().push(Taken { operation_id, body });
        ResponseTemplate::new(202).insert_header("operation-location", address.as_str()).set_body_json(answer)
    }

    fn tell(&self, operation_id: &str) -> ResponseTemplate {
        if !self.book.taken.lock().unwrap().iter().any(|taken| taken.operation_id == operation_id) {
            return ResponseTemplate::new(404).insert_header("x-ms-error-code", "NotFound");
        }
        let (status, error) = match *self.book.outcome.lock().unwrap() {
            Some((status, code)) => (status, json!({"code": code, "message": "to ada@example.com"})),
            None => ("Succeeded", Value::Null),
        };
        ResponseTemplate::new(200)
            .set_body_json(json!({"id": operation_id, "status": status, "error": error}))
    }
}

/// What everybody has who is let in.
struct Pass;

impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pass")
    }
}

#[async_trait]
impl TokenCredential for Pass {
    async fn get_token(
        &self,
        scopes: &[&str],
        _: Option<TokenRequestOptions<'_>>,
    ) -> azure_core::Result<AccessToken> {
        assert_eq!(scopes, ["https://communication.azure.com/.default"]);
        Ok(AccessToken::new("pass", OffsetDateTime::UNIX_EPOCH))
    }
}
