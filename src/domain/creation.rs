//! A request to create something under an idempotency key, so that the same request is known again.
//!
//! Does not know what is created, nor where and for how long keys are kept.

use serde::{Deserialize, Serialize};

use crate::domain::id::{CustomerId, Fingerprint, IdempotencyKey};

/// The request that created something. It stays with what it created: a key alone cannot tell whether a thing of the wanted
/// id is this request's own or was there before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Creation {
    /// Of its idempotency key.
    pub key: Fingerprint,
    /// Of what it asked for.
    pub request: Fingerprint,
}

impl Creation {
    /// The request for this draft under this key, of those who share the shop's keys.
    pub fn of(key: &IdempotencyKey, draft: &impl Serialize) -> Self {
        Self::under(Fingerprint::of([key.as_str()]), draft)
    }

    /// The request for this draft under this key of a customer's own.
    pub fn of_customer(id: &CustomerId, key: &IdempotencyKey, draft: &impl Serialize) -> Self {
        Self::under(Fingerprint::of([id.as_str(), key.as_str()]), draft)
    }

    fn under(key: Fingerprint, draft: &impl Serialize) -> Self {
        let request = serde_json::json!(draft).to_string();
        Self { key, request: Fingerprint::of([request.as_str()]) }
    }
}
