//! Sending to addresses that others name: over https to the public internet and nowhere else, once, within a time limit.
//!
//! An address of a private network must not be reached from inside it on somebody's behalf. So each name is resolved here,
//! and the connection goes to an address that was looked at: what the name resolves to a moment later does not matter. Redirects are
//! not followed, proxies of the environment not used, and the body of the answer is not read. Does not know what is sent.

mod guard;

use std::error::Error as StdError;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use reqwest::header::{CONTENT_TYPE, USER_AGENT};
use reqwest::{Client, Error};
use tracing::Instrument;
use url::{Host, Url};

use crate::client;
use crate::domain::webhook::delivery::Trouble;
use crate::domain::webhook::{Address, Reach};
use crate::measure::{NO_STATUS, dependency};
use crate::outbound::guard::{ForbiddenAddress, Guard, Resolver};

/// Longest time for a request, from looking up the name to the head of the answer.
pub const TIME_MAX: Duration = Duration::from_secs(10);
/// What traces call those who are sent to.
const SYSTEM: &str = "http";
/// As whom the shop sends.
const AGENT: &str = concat!("widgetco/", env!("CARGO_PKG_VERSION"));
/// How an event alone is told from other JSON.
const MEDIA_TYPE: &str = "application/cloudevents+json; charset=utf-8";

/// The way out. Clones share the connections.
#[derive(Clone, Debug)]
pub struct Outbound {
    reach: Reach,
    /// Made when it is first used: it reads all certificates of the machine.
    client: Arc<OnceLock<Option<Client>>>,
}

/// What is sent: a delivery of a webhook, with the headers of the specification Standard Webhooks.
#[derive(Clone, Copy)]
pub struct Message<'a> {
    /// The name by which the receiver knows it when it comes again.
    pub id: &'a str,
    /// When it is sent, in seconds since 1970.
    pub timestamp_s: i64,
    /// The signatures.
    pub signature: &'a str,
    /// An event as JSON.
    pub body: &'a str,
}

impl Outbound {
    /// The way to what may be reached.
    pub fn new(reach: Reach) -> Self {
        Self { reach, client: Arc::default() }
    }

    /// What may be reached.
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Whether the address is known to be one that is not reached; of a name that is found out when it is resolved.
    pub fn refuses(&self, address: &Address) -> bool {
        self.checked(address).is_err()
    }

    /// Sends the message, and gives the status of the answer. One request.
    ///
    /// # Errors
    /// [`Trouble`]; the message may have arrived.
    pub async fn post(&self, address: &Address, message: Message<'_>) -> Result<u16, Trouble> {
        let url = self.checked(address)?;
        let Some(client) = self.client.get_or_init(|| client(self.reach)) else {
            return Err(Trouble::Unreachable);
        };
        let request = client
            .post(url)
            .header(CONTENT_TYPE, MEDIA_TYPE)
            .header(USER_AGENT, AGENT)
            .header("webhook-id", message.id)
            .header("webhook-timestamp", message.timestamp_s)
            .header("webhook-signature", message.signature)
            .body(message.body.to_owned());
        let asked = dependency(SYSTEM, "post", "webhooks");
        let answer = request.send().instrument(asked.clone()).await;
        asked.record("status", answer.as_ref().map_or(NO_STATUS, |answer| answer.status().as_u16()));
        match answer {
            Ok(answer) => Ok(answer.status().as_u16()),
            Err(error) => Err(trouble(&error)),
        }
    }

    /// The address once more as those see it who send there. The resolver is not asked about an address in figures.
    fn checked(&self, address: &Address) -> Result<Url, Trouble> {
        Address::parse(address.as_str(), self.reach).map_err(|_| Trouble::Forbidden)?;
        let url = Url::parse(address.as_str()).map_err(|_| Trouble::Forbidden)?;
        let guard = Guard(self.reach);
        let is_allowed = match url.host() {
            Some(Host::Domain(_)) => true,
            Some(Host::Ipv4(address)) => guard.allows(address.into()),
            Some(Host::Ipv6(address)) => guard.allows(address.into()),
            None => false,
        };
        if is_allowed { Ok(url) } else { Err(Trouble::Forbidden) }
    }
}

fn client(reach: Reach) -> Option<Client> {
    let made = client::client(|builder| {
        let builder = builder.dns_resolver(Resolver(Guard(reach)));
        builder.no_proxy().referer(false).timeout(TIME_MAX)
    });
    made.inspect_err(|error| tracing::error!(%error, "nothing can be sent to webhooks")).ok()
}

/// What went wrong, in a word: the error itself names the address, which may hold a key.
fn trouble(error: &Error) -> Trouble {
    let causes = std::iter::successors(error.source(), |cause| (*cause).source());
    if causes.into_iter().any(|cause| cause.is::<ForbiddenAddress>()) {
        return Trouble::Forbidden;
    }
    if error.is_timeout() { Trouble::Timeout } else { Trouble::Unreachable }
}
