//! The issuer of those who develop: its key is in this file, so that everybody can be everybody, and it is believed over an
//! emulator alone. Not in a build for Azure.
//!
//! Does not know what anybody may do.

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

use crate::auth::crypto;
use crate::config::IssuerConfig;
use crate::domain::id::{CustomerId, PartnerId};

/// The issuer's name; nothing is there.
const ISSUER: &str = "https://development.widgetco.example";
const AUDIENCE: &str = "widgetco";
/// Where its tokens have the customer's id.
const CUSTOMER_CLAIM: &str = "customerId";
/// The name of its key.
const KID: &str = "development";
/// The private half, as PKCS #8. No secret: it opens a shop of demo data.
const PRIVATE: &[u8] = b"\
    MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgLTSgWfu7HCaV2UwV/HL1GctIV6CbmCf2QHpa/vEmiGih\
    RANCAASBBYxwmudHtT1bzJRkKYxkLb7nTsobB8C/3HNrDbhbJauQFiTeAFgaMF08vZxZHmDA+3zRIFw2Tgr4z3q1zqPB";
/// The public half, as the two coordinates of a JWK.
const PUBLIC: [&str; 2] =
    ["gQWMcJrnR7U9W8yUZCmMZC2-507KGwfAv9xzaw24WyU", "q5AWJN4AWBowXTy9nFkeYMD7fNEgXDZOCvjPerXOo8E"];

/// Whom a token names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bearer {
    /// This customer.
    Customer(CustomerId),
    /// Somebody who works in the shop.
    Staff,
    /// Somebody who carries parcels.
    Courier,
    /// A program of this partner.
    Partner(PartnerId),
}

pub(super) fn config() -> IssuerConfig {
    IssuerConfig {
        issuer: ISSUER.to_owned(),
        audience: AUDIENCE.to_owned(),
        customer_claim: Some(CUSTOMER_CLAIM.to_owned()),
        has_roles: true,
    }
}

pub(super) fn keys() -> Value {
    let [x, y] = PUBLIC;
    json!({"keys": [{"kty": "EC", "crv": "P-256", "use": "sig", "kid": KID, "x": x, "y": y}]})
}

/// A token that is believed by shops over an emulator, until so long after now.
///
/// # Errors
/// When it cannot be signed, which is a mistake of ours.
pub fn token(
    bearer: &Bearer,
    now: DateTime<Utc>,
    valid_for: TimeDelta,
) -> Result<String, jsonwebtoken::errors::Error> {
    crypto::install();
    let (subject, claim, value) = match bearer {
        Bearer::Customer(id) => (id.to_string(), CUSTOMER_CLAIM, json!(id)),
        Bearer::Staff => ("staff".to_owned(), "roles", json!(["staff"])),
        Bearer::Courier => ("courier".to_owned(), "roles", json!(["courier"])),
        Bearer::Partner(id) => (format!("partner:{id}"), "roles", json!([format!("partner:{id}")])),
    };
    let expires_at = now + valid_for;
    let claims = json!({
        "iss": ISSUER, "aud": AUDIENCE, "sub": subject, "iat": now.timestamp(), "exp": expires_at.timestamp(),
        claim: value,
    });
    let header = Header { kid: Some(KID.to_owned()), ..Header::new(Algorithm::ES256) };
    let key = data_encoding::BASE64.decode(PRIVATE).unwrap_or_default();
    encode(&header, &claims, &EncodingKey::from_ec_der(&key))
}
