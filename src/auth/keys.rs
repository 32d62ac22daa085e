//! The public keys of one issuer, by their names: fetched when they are needed, kept, and fetched anew when they may have
//! changed, but never more often than a bound allows, whatever tokens claim.
//!
//! The only place that names `reqwest`. Does not know what a key is used for.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::jwk::{AlgorithmParameters, EllipticCurve, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::auth::Refusal;

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
    known: Mutex<Known>,
    /// Held by the one who fetches; all others wait for what that brings.
    fetching: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Known {
    keys: Arc<BTreeMap<String, Key>>,
    /// When these were fetched.
    fetched_at: Option<DateTime<Utc>>,
    /// Until when nobody asks again.
    pause_until: Option<DateTime<Utc>>,
}

impl Known {
    /// The keys, if they are not older than this.
    fn younger_than(&self, age_max: TimeDelta, now: DateTime<Utc>) -> Option<&BTreeMap<String, Key>> {
        self.fetched_at.is_some_and(|at| now - at < age_max).then_some(&*self.keys)
    }
}

impl Keys {
    /// The keys that this issuer publishes, by OpenID Connect Discovery. Asks for none yet.
    pub(super) fn published_by(issuer: &str) -> Self {
        Self {
            issuer: Some(issuer.to_owned()),
            known: Mutex::default(),
            fetching: tokio::sync::Mutex::default(),
        }
    }

    /// These keys, for ever.
    #[cfg(feature = "emulator")]
    pub(super) fn given(set: &Value) -> Self {
        let known = Known { keys: Arc::new(read(set)), fetched_at: None, pause_until: None };
        Self { issuer: None, known: Mutex::new(known), fetching: tokio::sync::Mutex::default() }
    }

    /// The key of this name; `None` when the issuer has none. No request while its keys are young; two otherwise, at most
    /// once in the bound.
    ///
    /// # Errors
    /// [`Refusal::Unreachable`] when no keys are known that could be believed.
    pub(super) async fn find(&self, kid: &str, now: DateTime<Utc>) -> Result<Option<Key>, Refusal> {
        let Some(issuer) = &self.issuer else { return Ok(self.known(|known| known.keys.get(kid).cloned())) };
        let young = |known: &mut Known| known.younger_than(AGE_MAX, now)?.get(kid).cloned();
        if let Some(key) = self.known(young) {
            return Ok(Some(key));
        }
        self.refresh(issuer, now).await;
        self.known(|known| match known.younger_than(AGE_MAX_UNREACHABLE, now) {
            Some(keys) => Ok(keys.get(kid).cloned()),
            None => Err(Refusal::Unreachable),
        })
    }

    fn known<T>(&self, look: impl FnOnce(&mut Known) -> T) -> T {
        look(&mut self.known.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Fetches the keys, unless somebody did so just now.
    async fn refresh(&self, issuer: &str, now: DateTime<Utc>) {
        let _turn = self.fetching.lock().await;
        if self.known(|known| known.pause_until.is_some_and(|until| now < until)) {
            return;
        }
        // Written before anything is asked: whoever is cut off has used up the turn.
        self.known(|known| known.pause_until = Some(now + PAUSE_AFTER_FAILURE));
        match fetch(issuer).await {
            Ok(keys) => self.known(|known| {
                let keys = Arc::new(keys);
                *known = Known { keys, fetched_at: Some(now), pause_until: Some(now + PAUSE) };
            }),
            Err(error) => tracing::warn!(issuer, error, "the keys of an issuer cannot be had"),
        }
    }
}

/// What is looked at of an issuer's configuration document.
#[derive(Deserialize)]
struct Discovered {
    issuer: String,
    jwks_uri: String,
}

/// The keys that the issuer publishes now. Two requests.
async fn fetch(issuer: &str) -> Result<BTreeMap<String, Key>, String> {
    let client =
        reqwest::Client::builder().timeout(FETCH_TIME_MAX).redirect(reqwest::redirect::Policy::none());
    let client = client.build().map_err(|error| error.to_string())?;
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
    let failed = |error: reqwest::Error| format!("{address}: {}", error.without_url());
    let sent = client.get(address).send().await;
    let mut response = sent.and_then(reqwest::Response::error_for_status).map_err(failed)?;
    let mut document = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(failed)? {
        if document.len() + chunk.len() > DOCUMENT_BYTES_MAX {
            return Err(format!("{address} has more than {DOCUMENT_BYTES_MAX} bytes"));
        }
        document.extend_from_slice(&chunk);
    }
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
