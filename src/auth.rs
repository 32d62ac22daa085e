//! Who calls: from a bearer token to a principal, by the rule that a handler's signature states, and how often.
//!
//! In reading order: [`caller`] has the rules, `issuer` checks one token, `keys` keeps an issuer's public keys, `crypto` does the
//! arithmetic and `limit` counts. Does not know what a function does, nor whose a resource is: a handler compares that.

use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, header};

use crate::auth::issuer::Issuer;
use crate::auth::limit::{Allowance, Limits};
use crate::config::AuthConfig;
use crate::domain::id::{CustomerId, PartnerId};
use crate::sources::Clock;

pub mod caller;
mod crypto;
#[cfg(feature = "emulator")]
pub mod development;
mod issuer;
mod keys;
mod limit;

/// Longest token that is looked at, in bytes. Tokens of Entra have 1 to 3 KiB.
pub const TOKEN_BYTES_MAX: usize = 8 * 1024;

/// The issuers that are believed, and what their callers have used of their limit. A clone shares everything.
#[derive(Clone, Debug)]
pub struct Auth(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    issuers: Vec<Issuer>,
    limits: Limits,
    clock: Clock,
}

/// Somebody whose token was believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Issuer and subject, which together nobody else has.
    pub name: String,
    /// Which customer it is, if it is one.
    pub customer_id: Option<CustomerId>,
    /// Which partner it is, if it is one.
    pub partner_id: Option<PartnerId>,
    /// Whether it works in the shop.
    pub is_staff: bool,
    /// Whether it carries parcels.
    pub is_courier: bool,
}

/// Why somebody may not call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The request has no bearer token.
    #[error("the request has no bearer token")]
    Anonymous,
    /// The token is not believed; a new one may be.
    #[error("the token is not valid: {0}")]
    Invalid(&'static str),
    /// The token is believed, and its bearer is none of those who may.
    #[error("the caller is none of those who may call")]
    Forbidden,
    /// The bearer has used up the limit.
    #[error("the caller has used up the limit")]
    Throttled {
        /// When there is room for one more request.
        retry_after: Duration,
    },
    /// The issuer's keys cannot be had, so that nothing can be said of the token. A retry helps once they can.
    #[error("the issuer's keys cannot be had")]
    Unreachable,
}

impl Auth {
    /// Believes the issuers that the settings name. Asks none yet.
    pub fn new(config: &AuthConfig, clock: Clock) -> Self {
        crypto::install();
        let issuers = config.issuers.iter().cloned();
        let issuers = issuers.map(|issuer| Issuer::published(issuer, clock.clone()));
        #[cfg(feature = "emulator")]
        let issuers = issuers.chain(config.development.then(|| Issuer::development(clock.clone())));
        let issuers = issuers.collect();
        let limits = Limits::new(config.requests_per_minute);
        Self(Arc::new(Parts { issuers, limits, clock }))
    }

    /// Each issuer, and whether its configuration document and its keys can be had now; if not, why.
    pub async fn ask_issuers(&self) -> Vec<(String, Result<(), String>)> {
        futures::future::join_all(self.0.issuers.iter().map(Issuer::ask)).await
    }

    /// Who sent a request with these headers, and what is left of their limit after this request.
    ///
    /// # Errors
    /// A [`Refusal`], never [`Refusal::Forbidden`].
    async fn principal(&self, headers: &HeaderMap) -> Result<(Principal, Allowance), Refusal> {
        let token = bearer(headers)?;
        let now = self.0.clock.now();
        let claimed = issuer::named_in(token)?;
        let issuer = self.0.issuers.iter().find(|issuer| issuer.is_named(&claimed));
        let issuer = issuer.ok_or(Refusal::Invalid("its issuer is not known here"))?;
        let principal = issuer.principal(token, now).await?;
        let allowance = self.0.limits.take(&principal.name, now);
        Ok((principal, allowance))
    }
}

/// The token of an `Authorization: Bearer` header (RFC 6750).
fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Anonymous)?;
    if values.next().is_some() {
        return Err(Refusal::Invalid("there are several"));
    }
    let text = value.to_str().map_err(|_| Refusal::Invalid("it has letters that no token has"))?;
    let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("Bearer") || token.is_empty() {
        return Err(Refusal::Anonymous);
    }
    if token.len() > TOKEN_BYTES_MAX {
        return Err(Refusal::Invalid("it is too long"));
    }
    Ok(token)
}
