//! The signature of a delivery, by the specification Standard Webhooks: an HMAC with SHA-256 over id, time and body.
//!
//! The only place that names `ring::hmac`.

use std::fmt;

use data_encoding::BASE64;
use ring::hmac;
use serde::{Deserialize, Serialize};

/// How a secret begins, so that people and scanners know one when they see it.
const PREFIX: &str = "whsec_";

/// 256 random bits that webhook and receiver share. They are not printed.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Secret(String);

impl Secret {
    /// A secret, from 32 random bytes.
    pub fn from_chance(bytes: [u8; 32]) -> Self {
        Self(format!("{PREFIX}{}", BASE64.encode(&bytes)))
    }

    /// The text, for the one who is to keep it.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn key(&self) -> hmac::Key {
        let text = self.0.strip_prefix(PREFIX).unwrap_or(&self.0);
        // What is no base64 was written by nobody here; whatever it signs, no receiver believes it.
        let bytes = BASE64.decode(text.as_bytes()).unwrap_or_else(|_| text.as_bytes().to_vec());
        hmac::Key::new(hmac::HMAC_SHA256, &bytes)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret { .. }")
    }
}

/// The header `webhook-signature`: one signature for each secret, of which the receiver needs to find one right.
/// `timestamp_s` is the moment of sending, in seconds since 1970.
pub fn sign<'a>(secrets: impl Iterator<Item = &'a Secret>, id: &str, timestamp_s: i64, body: &str) -> String {
    let content = format!("{id}.{timestamp_s}.{body}");
    let signatures = secrets.map(|secret| {
        let tag = hmac::sign(&secret.key(), content.as_bytes());
        format!("v1,{}", BASE64.encode(tag.as_ref()))
    });
    signatures.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signature_is_that_of_the_specifications_known_answer() {
        let secret = Secret("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw".to_owned());
        let (id, body) = ("msg_p5jXN8AQM9LWM0D4loKWxJek", r#"{"test": 2432232314}"#);
        let known = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(sign([&secret].into_iter(), id, 1_614_265_330, body), known);
        let two = sign([&Secret::from_chance([0; 32]), &secret].into_iter(), id, 1_614_265_330, body);
        assert!(two.ends_with(&format!(" {known}")), "{two}");
    }

    #[test]
    fn secret_has_256_bits_and_its_prefix() {
        let secret = Secret::from_chance([255; 32]);
        let text = secret.as_str().strip_prefix("whsec_").unwrap();
        assert_eq!(BASE64.decode(text.as_bytes()).unwrap(), [255; 32]);
    }
}
