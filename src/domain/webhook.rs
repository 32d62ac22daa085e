//! A webhook: where somebody wants to hear of what happens in the shop, of which kinds, and whether that is still tried.
//!
//! Does not know how an event gets there, nor what it says.

pub mod delivery;
pub mod draft;
pub mod signature;

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use url::{Host, Url};

use crate::domain::creation::Creation;
use crate::domain::id::WebhookId;
use crate::domain::webhook::delivery::{Attempt, Verdict};
use crate::domain::webhook::signature::Secret;

/// Most webhooks of a shop: each event looks through all of them.
pub const WEBHOOKS_MAX: usize = 100;
/// Longest address, in characters.
pub const URL_CHARS_MAX: usize = 2048;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 200;
/// Ports to which events are sent, so that nobody has others tried out.
pub const PORTS: [u16; 2] = [443, 8443];
/// A webhook at which nothing arrived for so long is disabled when the next delivery to it is given up.
pub const FAILING_MAX: TimeDelta = TimeDelta::days(5);
/// How long an old secret still signs, too, after it was replaced.
pub const ROTATION: TimeDelta = TimeDelta::days(1);
/// Most replaced secrets that still sign, the oldest and the newest: a rotation whose answer was lost, and that was asked for
/// again however often, breaks nothing.
const RETIRED_MAX: usize = 2;

/// A webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Webhook {
    /// Which one. Unchangeable.
    #[serde(rename = "webhookId")]
    pub id: WebhookId,
    /// What is sent where.
    #[serde(flatten)]
    pub terms: Terms,
    /// Since when and why nothing is sent; `None` while it is active.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disabled: Option<Disabled>,
    /// Since when every attempt has failed; `None` when the last one did not.
    #[serde(default, with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    pub failing_since: Option<DateTime<Utc>>,
    /// What signs its deliveries.
    pub secret: Secret,
    /// What signs them, too, for a while; the youngest last.
    #[serde(default)]
    retired: Vec<Retired>,
    /// When it was created.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When somebody last changed it.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
    /// The request that created it, if that had an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
}

/// What is sent where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Terms {
    /// Where to.
    pub url: Address,
    /// The kinds of events that are sent; `None` for all, also those that there will be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_types: Option<Vec<String>>,
    /// What it is for, in a few words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
}

/// Since when and why nothing is sent.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Disabled {
    /// Why.
    pub reason: Reason,
    /// Since when.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
}

/// Why nothing is sent.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// Staff wanted it so.
    Staff,
    /// Nothing arrived there for days.
    Failing,
    /// The receiver answered 410: it is not there any more.
    Gone,
}

/// A secret that was replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Retired {
    secret: Secret,
    #[serde(with = "crate::domain::time")]
    until: DateTime<Utc>,
}

/// Where events may be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Over https, to what is on the public internet.
    Public,
    /// There, and to this machine, also over http: for those who develop.
    ThisMachine,
}

/// Where a webhook is. Its path and query may hold a key, so they are not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address(String);

impl Address {
    /// Takes the text if events may be sent there, as far as it can be told without looking up the name.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(text: &str, reach: Reach) -> Result<Self, &'static str> {
        let url = Url::parse(text).map_err(|_| "is no address")?;
        let is_local = reach == Reach::ThisMachine && is_loopback(&url);
        if !(url.scheme() == "https" || url.scheme() == "http" && is_local) {
            return Err("must be an https address");
        }
        if !(is_local || url.port_or_known_default().is_some_and(|port| PORTS.contains(&port))) {
            return Err("must have port 443 or 8443");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("must have no user or password in it: deliveries are signed");
        }
        if url.fragment().is_some() {
            return Err("must have no fragment, which is never sent");
        }
        Ok(Self(text.to_owned()))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let url = Url::parse(&self.0).ok();
        write!(f, "Address({}, ..)", url.as_ref().and_then(Url::host_str).unwrap_or_default())
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

impl Webhook {
    /// A webhook to which events are sent, unless it is `disabled`.
    pub fn new(id: WebhookId, terms: Terms, is_disabled: bool, secret: Secret, now: DateTime<Utc>) -> Self {
        let disabled = is_disabled.then_some(Disabled { reason: Reason::Staff, at: now });
        let (created_at, updated_at) = (now, now);
        Self {
            id,
            terms,
            disabled,
            failing_since: None,
            secret,
            retired: Vec::new(),
            created_at,
            updated_at,
            creation: None,
        }
    }

    /// Whether events are sent there.
    pub fn is_active(&self) -> bool {
        self.disabled.is_none()
    }

    /// Whether events of this kind are sent there.
    pub fn wants(&self, kind: &str) -> bool {
        let is_named = |kinds: &Vec<String>| kinds.iter().any(|one| one == kind);
        self.is_active() && self.terms.event_types.as_ref().is_none_or(is_named)
    }

    /// The webhook as staff want it; unchanged when it is like that. Enabling it again forgets its failures.
    pub fn with_terms(&self, terms: Terms, is_disabled: bool, now: DateTime<Utc>) -> Self {
        if terms == self.terms && is_disabled != self.is_active() {
            return self.clone();
        }
        // What is known of another address says nothing of this one.
        let failing_since = self.failing_since.filter(|_| terms.url == self.terms.url);
        let (disabled, failing_since) = match (is_disabled, &self.disabled) {
            (true, None) => (Some(Disabled { reason: Reason::Staff, at: now }), failing_since),
            (true, Some(_)) => (self.disabled.clone(), failing_since),
            (false, None) => (None, failing_since),
            (false, Some(_)) => (None, None),
        };
        Self { terms, disabled, failing_since, updated_at: now, ..self.clone() }
    }

    /// The webhook with a new secret; the old one signs, too, for [`ROTATION`].
    pub fn rotated(&self, secret: Secret, now: DateTime<Utc>) -> Self {
        let mut retired: Vec<_> = self.retired.iter().filter(|one| now < one.until).cloned().collect();
        retired.push(Retired { secret: self.secret.clone(), until: now + ROTATION });
        // The oldest is the one that the receiver is known to have; those in between may never have arrived.
        if retired.len() > RETIRED_MAX {
            retired.drain(1..retired.len() - (RETIRED_MAX - 1));
        }
        Self { secret, retired, updated_at: now, ..self.clone() }
    }

    /// What signs a delivery at this moment, the newest secret first.
    pub fn secrets(&self, now: DateTime<Utc>) -> impl Iterator<Item = &Secret> {
        let retired = self.retired.iter().rev().filter(move |one| now < one.until);
        std::iter::once(&self.secret).chain(retired.map(|one| &one.secret))
    }

    /// The webhook after an attempt, with which its delivery was `given_up` or not; `None` when that is nothing new.
    pub fn learned(&self, attempt: &Attempt, is_given_up: bool, now: DateTime<Utc>) -> Option<Self> {
        let disable = |reason| Some(Disabled { reason, at: now });
        match attempt.verdict() {
            Verdict::Delivered => self.failing_since.map(|_| Self { failing_since: None, ..self.clone() }),
            Verdict::Gone => {
                self.is_active().then(|| Self { disabled: disable(Reason::Gone), ..self.clone() })
            }
            Verdict::Failed => match self.failing_since {
                None => Some(Self { failing_since: Some(now), ..self.clone() }),
                Some(since) if is_given_up && self.is_active() && now - since >= FAILING_MAX => {
                    Some(Self { disabled: disable(Reason::Failing), ..self.clone() })
                }
                Some(_) => None,
            },
        }
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::delivery::Trouble;
    use super::*;

    pub(crate) const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    pub(crate) fn webhook() -> Webhook {
        let url = Address::parse("https://example.com/hook?key=k3y", Reach::Public).unwrap();
        let terms = Terms { url, event_types: Some(vec!["OrderPlaced".to_owned()]), description: None };
        Webhook::new(WebhookId::from_chance([7; 16]), terms, false, Secret::from_chance([1; 32]), NOW)
    }

    fn attempt(result: Result<u16, Trouble>) -> Attempt {
        Attempt::new(NOW, result, std::time::Duration::ZERO)
    }

    #[test]
    fn address_is_public_and_https_except_on_this_machine_for_those_who_develop() {
        let both =
            |text: &str| [Reach::Public, Reach::ThisMachine].map(|reach| Address::parse(text, reach).is_ok());
        for (text, expected) in [
            ("https://example.com/", [true, true]),
            ("https://example.com:8443/hook?key=1", [true, true]),
            ("https://example.com:22/", [false, false]),
            ("http://example.com/", [false, false]),
            ("https://ada@example.com/", [false, false]),
            ("https://:pass@example.com/", [false, false]),
            ("https://example.com/#here", [false, false]),
            ("ftp://127.0.0.1/", [false, false]),
            ("http://127.0.0.1:8080/", [false, true]),
            ("http://localhost:8080/", [false, true]),
            ("http://[::1]:8080/", [false, true]),
            ("https://127.0.0.1:9/", [false, true]),
            ("http://127.0.0.1.example.com/", [false, false]),
            ("example.com", [false, false]),
            ("https://", [false, false]),
        ] {
            assert_eq!(both(text), expected, "{text}");
        }
    }

    #[test]
    fn secret_and_query_are_not_printed() {
        let webhook = webhook();
        let printed = format!("{webhook:?}");
        assert!(printed.contains("example.com") && !printed.contains("k3y"), "{printed}");
        let whole = webhook.secret.as_str();
        assert!(!printed.contains(whole.strip_prefix("whsec_").unwrap()), "{printed}");
    }

    #[test]
    fn webhook_without_kinds_wants_all_and_a_disabled_one_none() {
        let all = Terms { event_types: None, ..webhook().terms };
        let all = webhook().with_terms(all, false, NOW);
        assert!(all.wants("OrderPlaced") && all.wants("StockLow"));
        assert!(webhook().wants("OrderPlaced") && !webhook().wants("StockLow"));
        assert!(!webhook().with_terms(webhook().terms, true, NOW).wants("OrderPlaced"));
    }

    #[test]
    fn old_secrets_sign_for_a_day_and_two_at_most() {
        let secret = |byte| Secret::from_chance([byte; 32]);
        let hour = TimeDelta::hours(1);
        let rotated = webhook().rotated(secret(2), NOW).rotated(secret(3), NOW + hour);
        let at = |now| rotated.secrets(now).cloned().collect::<Vec<_>>();
        assert_eq!(at(NOW + hour), [secret(3), secret(2), secret(1)]);
        assert_eq!(at(NOW + ROTATION), [secret(3), secret(2)]);
        assert_eq!(at(NOW + ROTATION + hour), [secret(3)]);
        let again = rotated.rotated(secret(4), NOW + hour);
        assert_eq!(again.secrets(NOW + hour).count(), 3);
        let signing: Vec<_> = again.secrets(NOW + hour).cloned().collect();
        assert_eq!(signing, [secret(4), secret(3), secret(1)], "the receiver may still have the first");
    }

    #[test]
    fn webhook_is_disabled_when_a_delivery_is_given_up_after_days_of_failures_only() {
        let failed = attempt(Ok(500));
        let failing = webhook().learned(&failed, false, NOW).unwrap();
        assert_eq!(failing.failing_since, Some(NOW));
        assert_eq!(failing.learned(&failed, false, NOW + FAILING_MAX), None);
        assert_eq!(failing.learned(&failed, true, NOW + FAILING_MAX - TimeDelta::seconds(1)), None);
        let disabled = failing.learned(&attempt(Err(Trouble::Timeout)), true, NOW + FAILING_MAX).unwrap();
        assert_eq!(disabled.disabled.as_ref().unwrap().reason, Reason::Failing);
        assert_eq!(failing.learned(&attempt(Ok(204)), false, NOW).unwrap().failing_since, None);
        let enabled = disabled.with_terms(disabled.terms.clone(), false, NOW + FAILING_MAX);
        assert_eq!((enabled.is_active(), enabled.failing_since), (true, None));
    }

    #[test]
    fn receiver_that_is_gone_is_not_asked_again() {
        let gone = webhook().learned(&attempt(Ok(410)), true, NOW).unwrap();
        assert_eq!(gone.disabled.unwrap().reason, Reason::Gone);
        assert_eq!(webhook().learned(&attempt(Ok(200)), false, NOW), None);
    }
}
