//! Identifiers: parsed once at the edge, trusted from then on.
//!
//! Does not know where the things that they name are kept, apart from one fact: an order's id begins with its partition.

use std::borrow::Cow;
use std::fmt;

use data_encoding::{BASE32_NOPAD, Encoding};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

/// Longest product or customer id, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Longest idempotency key, in characters.
pub const KEY_CHARS_MAX: usize = 255;
/// Longest id of an event that is delivered to webhooks, in characters.
pub const DELIVERY_ID_CHARS_MAX: usize = 200;
/// Characters of an order id that name its partition.
pub const PARTITION_CHARS: usize = 8;
/// Length of an order id: the partition and 26 characters of 128 bits.
pub const ORDER_ID_CHARS: usize = PARTITION_CHARS + 26;

/// Length of an id of 128 bits.
const CHANCE_CHARS: usize = 26;

/// A text that is not the identifier it should be; says what one looks like.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("must be {expected}")]
pub struct InvalidId {
    expected: &'static str,
}

/// Declares an identifier: a checked text that serialises as itself.
macro_rules! text_id {
    (#[doc = $meaning:literal] $name:ident, $expected:literal, $pattern:literal, $example:literal, $check:expr) => {
        #[doc = $meaning]
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it has the right form.
            ///
            /// # Errors
            /// Says which form is right; a retry does not help.
            pub fn parse(text: &str) -> Result<Self, InvalidId> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(InvalidId { expected: $expected }) }
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({
                    "type": "string",
                    "description": $meaning.trim_ascii(),
                    "pattern": $pattern,
                    "examples": [$example],
                })
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidId;
            fn try_from(text: String) -> Result<Self, InvalidId> {
                Self::parse(&text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> String {
                id.0
            }
        }
    };
}

text_id!(
    /// A product, by its readable name: `widget-classic`.
    ProductId,
    "1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    "widget-classic",
    |text| is_name(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
);

text_id!(
    /// A category or collection, by its readable name: `desk-lamps`.
    CollectionId,
    "1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    "desk-lamps",
    |text| is_name(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
);

text_id!(
    /// A stock keeping unit, in capital letters: `WIDGET-CLASSIC`. The product's id is the same in small letters.
    Sku,
    "1 to 64 capital letters, digits and hyphens, beginning with a letter or digit",
    "^[A-Z0-9][A-Z0-9-]{0,63}$",
    "WIDGET-CLASSIC",
    |text| is_name(text, |byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'-')
);

text_id!(
    /// A picture of a product: 128 random bits.
    ImageId,
    "an image id: 26 characters of a-z and 2-7",
    "^[a-z2-7]{26}$",
    "mfrggzdfmztwq2lknnwg23tpoa",
    |text| is_chance(text)
);

text_id!(
    /// A customer, by the name that the identity provider or the demo data gave.
    CustomerId,
    "1 to 64 letters, digits, hyphens and underscores, beginning with a letter or digit",
    "^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$",
    "ada",
    |text| is_name(text, |byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
);

text_id!(
    /// A partner with whom customers' data may be shared: `parcel-post`.
    PartnerId,
    "1 to 64 lower-case letters, digits and hyphens, beginning with a letter or digit",
    "^[a-z0-9][a-z0-9-]{0,63}$",
    "parcel-post",
    |text| is_name(text, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
);

text_id!(
    /// A customer as one partner knows them: always the same for that partner, and another for every other one.
    Pseudonym,
    "26 characters of a-z and 2-7",
    "^[a-z2-7]{26}$",
    "k5zw4ztjmrqxi2lpnyxgk3tdmu",
    |text| is_chance(text)
);

text_id!(
    /// A record of what left for a partner: 128 random bits. It is also the cursor with which the partner goes on.
    DisclosureId,
    "26 characters of a-z and 2-7",
    "^[a-z2-7]{26}$",
    "mrsw4ztjmnrw643vojsxgzltoq",
    |text| is_chance(text)
);

text_id!(
    /// A webhook: 128 bits, random or derived from the idempotency key under which it was created.
    WebhookId,
    "26 characters of a-z and 2-7",
    "^[a-z2-7]{26}$",
    "nbswy3dpo5xxe3deonxw2zjamq",
    |text| is_chance(text)
);

text_id!(
    /// A delivery of a webhook, by the id of its event.
    DeliveryId,
    "1 to 200 letters, digits and any of `.`, `_`, `~`, `:`, `-`, beginning with a letter or digit",
    "^[A-Za-z0-9][A-Za-z0-9._~:-]{0,199}$",
    "hjv6k3mmmfrggzdfmztwq2lknnwg23tpoa-confirmed",
    |text| {
        (1..=DELIVERY_ID_CHARS_MAX).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._~:-".contains(&byte))
            && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
    }
);

text_id!(
    /// A caller's name for one request: under the same key it is the same one, however often it arrives.
    IdempotencyKey,
    "1 to 255 visible ASCII characters without spaces",
    "^[!-~]{1,255}$",
    "9f1c-checkout-42",
    |text| (1..=KEY_CHARS_MAX).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic())
);

text_id!(
    /// An order: 8 characters of its partition, then 26 that are derived from the idempotency key or drawn by chance.
    OrderId,
    "an order id: 34 characters of a-z and 2-7",
    "^[a-z2-7]{34}$",
    "hjv6k3mmmfrggzdfmztwq2lknnwg23tpoa",
    |text| text.len() == ORDER_ID_CHARS && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
);

impl ProductId {
    /// The id of the product with this stock keeping unit.
    pub fn of_sku(sku: &Sku) -> Self {
        Self(sku.as_str().to_ascii_lowercase())
    }
}

impl ImageId {
    /// An image's id, from 16 random bytes.
    pub fn from_chance(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }
}

impl Pseudonym {
    /// The customer's name under this secret, which nobody can find out who does not have it.
    pub fn derive(secret: &str, customer_id: &CustomerId) -> Self {
        let mut hash = Sha256::new();
        hash.update(secret);
        hash.update([0]);
        hash.update(customer_id.as_str());
        Self(base32(&hash.finalize()[..16]))
    }
}

impl DisclosureId {
    /// A record's id, from 16 random bytes.
    pub fn from_chance(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }
}

impl WebhookId {
    /// A webhook's id, from 16 random bytes.
    pub fn from_chance(bytes: [u8; 16]) -> Self {
        Self(base32(&bytes))
    }

    /// The id of the webhook that this request creates under its key: always the same, so that a replay finds the first.
    pub fn derive(key: &Fingerprint, request: &Fingerprint) -> Self {
        let Fingerprint(text) = Fingerprint::of([key.as_str(), request.as_str()]);
        Self(text.chars().take(CHANCE_CHARS).collect())
    }
}

impl OrderId {
    /// The id of the order that this customer places under this key: always the same, so that a replay finds the first.
    pub fn derive(customer_id: &CustomerId, key: &IdempotencyKey) -> Self {
        let mut hash = Sha256::new();
        hash.update(customer_id.as_str());
        hash.update([0]);
        hash.update(key.as_str());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hash.finalize()[..16]);
        Self::from_chance(customer_id, bytes)
    }

    /// The id of an order without a key, from 16 random bytes.
    pub fn from_chance(customer_id: &CustomerId, bytes: [u8; 16]) -> Self {
        Self(format!("{}{}", Partition::of(customer_id), base32(&bytes)))
    }

    /// The partition that holds the order and its events.
    pub fn partition(&self) -> Partition {
        Partition(self.0[..PARTITION_CHARS].to_owned())
    }
}

/// A partition of the container `orders`: all orders of a customer share one, and a few customers may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Partition(String);

impl Partition {
    /// 40 bits of the SHA-256 of the customer id, in base32.
    pub fn of(customer_id: &CustomerId) -> Self {
        Self(base32(&Sha256::digest(customer_id.as_str())[..PARTITION_CHARS * 5 / 8]))
    }

    /// The text of the partition key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A short name for a request's content: two requests under one key must have the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// SHA-256 over the parts, each ended by a zero byte (no part may hold one).
    pub fn of<'a>(parts: impl IntoIterator<Item = &'a str>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update(part);
            hash.update([0]);
        }
        Self(base32(&hash.finalize()))
    }

    /// The text, which may stand in the id of a document.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// SHA-256 of a file.
    pub fn of_file(bytes: &[u8]) -> Self {
        Self(base32(&Sha256::digest(bytes)))
    }
}

/// Lower-case base32 without padding: safe in paths, document ids and partition keys.
pub fn base32(bytes: &[u8]) -> String {
    let encoding: &Encoding = &BASE32_NOPAD;
    encoding.encode(bytes).to_ascii_lowercase()
}

fn is_chance(text: &str) -> bool {
    text.len() == CHANCE_CHARS && text.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'))
}

fn is_name(text: &str, allowed: fn(u8) -> bool) -> bool {
    (1..=NAME_CHARS_MAX).contains(&text.len())
        && text.bytes().all(allowed)
        && text.as_bytes().first().is_some_and(u8::is_ascii_alphanumeric)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn customer(text: &str) -> CustomerId {
        CustomerId::parse(text).unwrap()
    }

    #[test]
    fn same_customer_and_key_derive_the_same_order() {
        let key = IdempotencyKey::parse("k1").unwrap();
        let id = OrderId::derive(&customer("ada"), &key);
        assert_eq!(id, OrderId::derive(&customer("ada"), &key));
        assert_ne!(id, OrderId::derive(&customer("bob"), &key));
        assert_eq!(OrderId::parse(id.as_str()), Ok(id.clone()));
        assert_eq!(id.partition(), Partition::of(&customer("ada")));
    }

    #[test]
    fn derived_ids_do_not_change_between_releases() {
        let id = OrderId::derive(&customer("ada"), &IdempotencyKey::parse("k1").unwrap());
        assert_eq!(id.as_str(), "7xxegdkazi4embukgkaoiuoredcmz7qyza");
    }

    #[test]
    fn malformed_ids_are_refused() {
        for text in ["", "-a", "Widget", "a/b", "ä", &"a".repeat(65)] {
            assert!(ProductId::parse(text).is_err(), "{text}");
        }
        for text in ["", "a b", "a\u{7f}", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(text).is_err(), "{text}");
        }
        assert!(OrderId::parse(&"1".repeat(34)).is_err());
        assert!(OrderId::parse("abc").is_err());
    }

    #[test]
    fn fingerprint_keeps_parts_apart() {
        assert_ne!(Fingerprint::of(["ab", "c"]), Fingerprint::of(["a", "bc"]));
    }
}
