//! The settings about callers: which issuers are believed, and how often one caller may call.

use std::collections::BTreeSet;

use serde::Deserialize;

#[cfg(feature = "emulator")]
use super::is_loopback;
use super::{Wrong, is_host};

/// Requests a minute when nobody says.
const REQUESTS_DEFAULT: u32 = 600;
/// Most requests a minute that can be set.
const REQUESTS_MAX: u32 = 1_000_000;
/// Most issuers.
const ISSUERS_MAX: usize = 10;
const FORM: &str = "a JSON list of at most 10 such as \
    [{\"issuer\":\"https://login.microsoftonline.com/<tenant>/v2.0\",\"audience\":\"<client id>\",\"who\":\"workforce\"}, \
    {\"issuer\":\"https://<tenant>.ciamlogin.com/<tenant>/v2.0\",\"audience\":\"<client id>\",\"who\":\"customers\",\
    \"customerClaim\":\"oid\"}]";

/// Who is believed to be whom, and how often they may call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuthConfig {
    /// Whose tokens are believed.
    pub issuers: Vec<IssuerConfig>,
    /// Whether the tokens of those who develop are believed: over an emulator alone.
    #[cfg(feature = "emulator")]
    pub development: bool,
    /// How often one signed-in caller may call one instance.
    pub requests_per_minute: u32,
}

/// An issuer of tokens, by OpenID Connect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IssuerConfig {
    /// Its name, which is also its address, exactly as its tokens spell it.
    pub issuer: String,
    /// How its tokens call this shop.
    pub audience: String,
    /// The claim that has a customer's id; none for an issuer that names no customers.
    pub customer_claim: Option<String>,
    /// Whether the claim `roles` is believed.
    pub has_roles: bool,
}

impl AuthConfig {
    /// Nobody is believed.
    pub fn nobody() -> Self {
        Self {
            issuers: Vec::new(),
            #[cfg(feature = "emulator")]
            development: false,
            requests_per_minute: REQUESTS_DEFAULT,
        }
    }

    /// Those who develop are believed.
    #[cfg(feature = "emulator")]
    pub fn development() -> Self {
        Self { development: true, ..Self::nobody() }
    }
    /// Whether there is an issuer whose tokens are believed.
    pub fn believes_anybody(&self) -> bool {
        #[cfg(feature = "emulator")]
        if self.development {
            return true;
        }
        !self.issuers.is_empty()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Given {
    issuer: String,
    audience: String,
    who: Who,
    customer_claim: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
enum Who {
    Customers,
    Workforce,
}

pub(super) fn issuers(given: Option<String>, in_azure: bool) -> Result<Vec<IssuerConfig>, Wrong> {
    let Some(text) = given else {
        return if in_azure { Err((None, FORM)) } else { Ok(Vec::new()) };
    };
    let wrong = |allowed| (Some(text.clone()), allowed);
    let list: Vec<Given> = serde_json::from_str(&text).map_err(|_| wrong(FORM))?;
    if list.is_empty() || list.len() > ISSUERS_MAX {
        return Err(wrong(FORM));
    }
    if list.iter().filter(|one| matches!(one.who, Who::Customers)).count() > 1 {
        return Err(wrong("one entry with `who` customers: two issuers may call two people the same"));
    }
    let mut names = BTreeSet::new();
    let issuers = list.into_iter().map(|Given { issuer, audience, who, customer_claim }| {
        if !is_issuer(&issuer, in_azure) {
            return Err(wrong("each `issuer` must be an https address, as its tokens spell it in `iss`"));
        }
        if !names.insert(issuer.clone()) {
            return Err(wrong("each `issuer` may be there once"));
        }
        if audience.is_empty() {
            return Err(wrong("each `audience` must be what tokens for this shop have in `aud`"));
        }
        let (customer_claim, has_roles) = match (who, customer_claim) {
            (Who::Workforce, None) => (None, true),
            (Who::Workforce, Some(_)) => {
                return Err(wrong("`customerClaim` is for those with `who` customers"));
            }
            (Who::Customers, claim) => (Some(claim.unwrap_or_else(|| "sub".to_owned())), false),
        };
        Ok(IssuerConfig { issuer, audience, customer_claim, has_roles })
    });
    issuers.collect()
}

/// Whether it is an address over https, or for development over http on this machine.
fn is_issuer(text: &str, in_azure: bool) -> bool {
    let has_host = |rest: &str| is_host(rest.split('/').next().unwrap_or_default());
    let is_https = text.strip_prefix("https://").is_some_and(has_host);
    #[cfg(feature = "emulator")]
    let is_https =
        is_https || !in_azure && is_loopback(text) && text.strip_prefix("http://").is_some_and(has_host);
    #[cfg(not(feature = "emulator"))]
    let _ = in_azure;
    is_https && !text.contains(['?', '#', ' '])
}

pub(super) fn requests_per_minute(given: Option<String>) -> Result<u32, Wrong> {
    let Some(text) = given else { return Ok(REQUESTS_DEFAULT) };
    match text.parse::<u32>() {
        Ok(requests) if (1..=REQUESTS_MAX).contains(&requests) => Ok(requests),
        _ => Err((Some(text), "a number from 1 to 1000000")),
    }
}
