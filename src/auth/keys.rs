//! The public keys of one issuer, by their names: fetched when they are needed, kept, and fetched anew when they may have
//! changed, but never more often than a bound allows, whatever tokens claim.
//!
//! Names `reqwest`. Does not know what a key is used for.

use std::collections::BTreeMap;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use futures::FutureExt;
use futures::future::{BoxFuture, Shared};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::time::timeout;

use crate::auth::Refusal;
use crate::client::{self, client};
use crate::sources::Clock;

/// After this time keys are fetched anew, so that one that was withdrawn is no longer believed.
const AGE_MAX: TimeDelta = TimeDelta::hours(1);
/// For so long an issuer's keys are believed while it cannot be reached.
const AGE_MAX_UNREACHABLE: TimeDelta = TimeDelta::hours(24);
/// Between two fetches, also when a token names a key that is not known.
const PAUSE: TimeDelta = TimeDelta::seconds(60);
/// The same after a fetch that failed.
const PAUSE_AFTER_FAILURE: TimeDelta = TimeDelta::seconds(5);
/// Longest time for one of the two requests of a fetch.
const FETCH_TIME_MAX: Duration = Duration::from_secs(5);
/// Longest wait for new keys of somebody whose key is known and no longer young.
const WAIT_MAX: Duration = Duration::from_secs(1);
/// Most bytes of an issuer's document; those of Entra have less than 20 KiB.
const DOCUMENT_BYTES_MAX: usize = 256 * 1024;
/// Most keys of one issuer; further ones are not kept.
const KEYS_MAX: usize = 100;

/// A public key, with the one algorithm that it is for.
#[derive(Debug, Clone)]
pub(super) struct Key {
    pub(super) algorithm: Algorithm,
    pub(super) key: DecodingKey,
}

/// The keys of one issuer.
#[derive(Debug)]
pub(super) struct Keys {
    /// Where to ask; `None` for keys that never change.
    issuer: Option<String>,
    known: Arc<Mutex<Known>>,
    clock: Clock,
}

#[derive(Debug, Default)]
struct Known {
    keys: BTreeMap<String, Key>,
    /// When these were fetched.
    fetched_at: Option<DateTime<Utc>>,
    /// Until when nobody asks again.
    pause_until: Option<DateTime<Utc>>,
    /// Whether the last fetch came to nothing.
    has_failed: bool,
    /// The fetch under way, for all who wait for it.
    fetching: Option<Shared<BoxFuture<'static, ()>>>,
}

impl Known {
    /// The key, if it was fetched less than this ago.
    fn younger_than(&self, age_max: TimeDelta, kid: &str, now: DateTime<Utc>) -> Option<Key> {
        self.fetched_at.is_some_and(|at| now - at < age_max).then(|| self.keys.get(kid).cloned()).flatten()
    }

    /// Takes over what a fetch has brought.
    fn learn(&mut self, issuer: &str, fetched: Result<BTreeMap<String, Key>, String>, now: DateTime<Utc>) {
        self.fetching = None;
        self.has_failed = fetched.is_err();
        self.pause_until = Some(now + if self.has_failed { PAUSE_AFTER_FAILURE } else { PAUSE });
        match fetched {
            Ok(keys) => (self.keys, self.fetched_at) = (keys, Some(now)),
            Err(error) => tracing::warn!(issuer, error, "the keys of an issuer cannot be had"),
        }
    }
}

impl Keys {
    /// The keys that this issuer publishes, by OpenID Connect Discovery. Asks for none yet.
    pub(super) fn published_by(issuer: &str, clock: Clock) -> Self {
        Self { issuer: Some(issuer.to_owned()), known: Arc::default(), clock }
    }

    /// These keys, for ever.
    #[cfg(feature = "emulator")]
    pub(super) fn given(set: &Value, clock: Clock) -> Self {
        let known = Known { keys: read(set), ..Known::default() };
        Self { issuer: None, known: Arc::new(Mutex::new(known)), clock }
    }

    /// Whether the issuer publishes keys now, and if not, why. Two requests; what is known stays as it is.
    pub(super) async fn ask(&self) -> Result<(), String> {
        match &self.issuer {
            Some(issuer) => fetch(issuer).await.map(|_| ()),
            None => Ok(()),
        }
    }

    /// The key of this name; `None` when the issuer has none. No request while its keys are young; two otherwise, at most
    /// once in the bound.
    ///
    /// # Errors
    /// [`Refusal::Unreachable`] when that cannot be known.
    pub(super) async fn find(&self, kid: &str) -> Result<Option<Key>, Refusal> {
        let Some(issuer) = &self.issuer else { return Ok(lock(&self.known).keys.get(kid).cloned()) };
        let now = self.clock.now();
        if let Some(key) = lock(&self.known).younger_than(AGE_MAX, kid, now) {
            return Ok(Some(key));
        }
        let old = lock(&self.known).younger_than(AGE_MAX_UNREACHABLE, kid, now);
        if let Some(fetching) = self.refresh(issuer, now) {
            // Whoever could do with an old key does not wait long for a new one.
            let patience = if old.is_some() { WAIT_MAX } else { FETCH_TIME_MAX * 3 };
            if timeout(patience, fetching).await.is_err() {
                return old.map(Some).ok_or(Refusal::Unreachable);
            }
        }
        let known = lock(&self.known);
        match known.younger_than(AGE_MAX_UNREACHABLE, kid, self.clock.now()) {
            Some(key) => Ok(Some(key)),
            None if known.has_failed => Err(Refusal::Unreachable),
            None => Ok(None),
        }
    }

    /// The fetch that is under way, or one that begins; `None` when there was one just now. It is a task of its own, so that it
    /// goes on when the one who began it goes away.
    fn refresh(&self, issuer: &str, now: DateTime<Utc>) -> Option<Shared<BoxFuture<'static, ()>>> {
        let mut known = lock(&self.known);
        if let Some(fetching) = &known.fetching {
            return Some(fetching.clone());
        }
        if known.pause_until.is_some_and(|until| now < until) {
            return None;
        }
        let (issuer, shared, clock) = (issuer.to_owned(), Arc::clone(&self.known), self.clock.clone());
        let task = tokio::spawn(async move {
            let fetched = AssertUnwindSafe(fetch(&issuer)).catch_unwind().await;
            let fetched = fetched.unwrap_or_else(|_| Err("a mistake of ours".to_owned()));
            // The pause begins when the fetch has ended, however long that took.
            lock(&shared).learn(&issuer, fetched, clock.now());
        });
        let fetching = task.map(|_| ()).boxed().shared();
        known.fetching = Some(fetching.clone());
        Some(fetching)
    }
}

fn lock(known: &Mutex<Known>) -> MutexGuard<'_, Known> {
    known.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is looked at of an issuer's configuration document.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

/// The keys that the issuer publishes now. Two requests.
async fn fetch(issuer: &str) -> Result<BTreeMap<String, Key>, String> {
    let client = client(|builder| builder.timeout(FETCH_TIME_MAX)).map_err(|error| error.to_string())?;
    let address = format!("{}/.well-known/openid-configuration", issuer.trim_end_matches('/'));
    let Discovered { issuer: named, jwks_uri } = get(&client, &address).await?;
    if named != issuer {
        return Err(format!("{address} is the document of another issuer"));
    }
    // What was asked for in the clear is on this machine; what was not must not go on in the clear.
    if issuer.starts_with("https://") && !jwks_uri.starts_with("https://") {
        return Err(format!("{address} names keys that are not at an https address"));
    }
    let keys = read(&get(&client, &jwks_uri).await?);
    if keys.is_empty() {
        return Err(format!("{jwks_uri} holds no key for RS256 or ES256"));
    }
    Ok(keys)
}

async fn get<T: DeserializeOwned>(client: &reqwest::Client, address: &str) -> Result<T, String> {
    let sent = client.get(address).send().await.and_then(reqwest::Response::error_for_status);
    let answer = sent.map_err(|error| format!("{address}: {}", error.without_url()))?;
    let document = client::read(answer, DOCUMENT_BYTES_MAX).await;
    let document = document.map_err(|error| format!("{address}: {error}"))?;
    serde_json::from_slice(&document).map_err(|error| format!("{address}: {error}"))
}

/// The keys of a set (RFC 7517) that have a name and can be used; what is not understood is no reason to refuse the others.
fn read(set: &Value) -> BTreeMap<String, Key> {
    let keys = set.get("keys").and_then(Value::as_array).into_iter().flatten();
    let keys = keys.filter_map(|key| Jwk::deserialize(key).ok()).filter_map(|jwk| {
        if jwk.common.public_key_use.as_ref().is_some_and(|purpose| *purpose != PublicKeyUse::Signature) {
            return None;
        }
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(_) => Algorithm::RS256,
            AlgorithmParameters::EllipticCurve(key) if key.curve == EllipticCurve::P256 => Algorithm::ES256,
            _ => return None,
        };
        let key = DecodingKey::from_jwk(&jwk).ok()?;
        Some((jwk.common.key_id?, Key { algorithm, key }))
    });
    keys.take(KEYS_MAX).collect()
}
