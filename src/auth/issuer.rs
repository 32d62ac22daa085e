//! One issuer: whether a token is its own and still holds, and whom it names.
//!
//! Does not know where the issuer's keys come from, nor what anybody may do.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::dangerous::insecure_decode_claims;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Validation, decode, decode_header};
use serde::Deserialize;
use serde_json::{Map, Value};

#[cfg(feature = "emulator")]
use crate::auth::development;
use crate::auth::keys::Keys;
use crate::auth::{Principal, Refusal};
use crate::config::IssuerConfig;
use crate::domain::id::{CustomerId, PartnerId};
use crate::sources::Clock;

/// How far our clock and the issuer's may be apart.
const LEEWAY: TimeDelta = TimeDelta::seconds(60);
/// The role of those who work in the shop.
const STAFF: &str = "staff";
/// The role of those who carry parcels.
const COURIER: &str = "courier";
/// How the role of a partner's programs begins; the partner's id follows.
const PARTNER: &str = "partner:";

/// An issuer that is believed.
#[derive(Debug)]
pub(super) struct Issuer {
    config: IssuerConfig,
    keys: Keys,
}

/// What is looked at of a token's claims; the library checks `iss` and `aud`.
#[derive(Deserialize)]
struct Claims {
    sub: String,
    /// Seconds, perhaps with a fraction (RFC 7519).
    exp: f64,
    #[serde(default)]
    nbf: Option<f64>,
    #[serde(default)]
    roles: Vec<String>,
    #[serde(flatten)]
    others: Map<String, Value>,
}

fn seconds(at: DateTime<Utc>) -> f64 {
    i32::try_from(at.timestamp()).map_or(f64::INFINITY, f64::from)
}

/// Which issuer a token claims to be from. Nothing of it is believed yet.
pub(super) fn named_in(token: &str) -> Result<String, Refusal> {
    #[derive(Deserialize)]
    struct Claimed {
        iss: String,
    }
    let claimed = insecure_decode_claims::<Claimed>(token);
    claimed.map(|Claimed { iss }| iss).map_err(|_| Refusal::Invalid("it is no JWT that names its issuer"))
}

impl Issuer {
    /// One that publishes its keys.
    pub(super) fn published(config: IssuerConfig, clock: Clock) -> Self {
        let keys = Keys::published_by(&config.issuer, clock);
        Self { config, keys }
    }

    /// The one of those who develop.
    #[cfg(feature = "emulator")]
    pub(super) fn development(clock: Clock) -> Self {
        Self { config: development::config(), keys: Keys::given(&development::keys(), clock) }
    }

    /// Its name, and whether it publishes keys now.
    pub(super) async fn ask(&self) -> (String, Result<(), String>) {
        (self.config.issuer.clone(), self.keys.ask().await)
    }

    pub(super) fn is_named(&self, claimed: &str) -> bool {
        self.config.issuer == claimed
    }

    /// Whom the token names, if it is this issuer's, for us, and holds now.
    ///
    /// # Errors
    /// A [`Refusal`]; [`Refusal::Unreachable`] when nothing can be said of it.
    pub(super) async fn principal(&self, token: &str, now: DateTime<Utc>) -> Result<Principal, Refusal> {
        let header = decode_header(token).map_err(|_| {
            Refusal::Invalid("its header cannot be read, or it is not signed by RS256 or ES256")
        })?;
        if header.crit.is_some() {
            return Err(Refusal::Invalid("it demands what is not understood here"));
        }
        let kid = header.kid.ok_or(Refusal::Invalid("it does not name its key"))?;
        let key = self.keys.find(&kid).await?;
        let key = key.ok_or(Refusal::Invalid("its issuer has no such key"))?;
        // The algorithm is the key's, whatever the token says.
        let mut validation = Validation::new(key.algorithm);
        validation.set_issuer(&[&self.config.issuer]);
        validation.set_audience(&[&self.config.audience]);
        validation.set_required_spec_claims(&["iss", "aud", "exp", "sub"]);
        // Both times are compared below, with our clock.
        validation.validate_exp = false;
        let token = decode::<Claims>(token, &key.key, &validation).map_err(|error| match error.kind() {
            ErrorKind::Json(_) => Refusal::Invalid("its claims are not of the form that they must have"),
            _ => Refusal::Invalid("it is not signed by its issuer, or it is for somebody else"),
        })?;
        self.named(token.claims, now)
    }

    fn named(&self, claims: Claims, now: DateTime<Utc>) -> Result<Principal, Refusal> {
        if claims.exp <= seconds(now - LEEWAY) {
            return Err(Refusal::Invalid("it has expired"));
        }
        if claims.nbf.is_some_and(|nbf| nbf > seconds(now + LEEWAY)) {
            return Err(Refusal::Invalid("it does not hold yet"));
        }
        let customer_id = match &self.config.customer_claim {
            None => None,
            Some(claim) if claim == "sub" => Some(claims.sub.as_str()),
            Some(claim) => claims.others.get(claim).and_then(Value::as_str),
        };
        let customer_id = customer_id.map(CustomerId::parse).transpose();
        let customer_id = customer_id.map_err(|_| Refusal::Invalid("its customer has no id as ours are"))?;
        let roles = if self.config.has_roles { claims.roles } else { Vec::new() };
        let has = |role: &str| roles.iter().any(|given| given == role);
        let mut partners = roles.iter().filter_map(|role| PartnerId::parse(role.strip_prefix(PARTNER)?).ok());
        let partner_id = partners.next();
        if partners.next().is_some() {
            return Err(Refusal::Invalid("it is of several partners"));
        }
        Ok(Principal {
            name: format!("{} {}", self.config.issuer, claims.sub),
            customer_id,
            partner_id,
            is_staff: has(STAFF),
            is_courier: has(COURIER),
        })
    }
}
