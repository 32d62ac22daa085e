//! Ways to reach somebody: texts that are checked once at the edge, and never printed.
//!
//! Each rule is small and also stands as a pattern in the API's document. Does not know whether anybody is reached there.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::unprinted;
use crate::domain::id::Fingerprint;

/// Longest email address, in characters (RFC 5321).
pub const EMAIL_CHARS_MAX: usize = 254;
/// Longest part of it before the `@`.
const LOCAL_CHARS_MAX: usize = 64;
/// Longest part between two dots behind it.
const LABEL_CHARS_MAX: usize = 63;
/// Digits of a phone number with its country code (E.164); fewer than seven reach nobody from abroad.
const PHONE_DIGITS: std::ops::RangeInclusive<usize> = 7..=15;

/// A text that is not what it should be; says what one looks like, and not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("must be {0}")]
pub struct InvalidContact(&'static str);

/// Declares a checked text that serialises as itself and is not printed.
macro_rules! contact {
    (#[doc = $meaning:literal] $name:ident, $expected:literal, $schema:tt, $check:expr) => {
        #[doc = $meaning]
        #[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(try_from = "String")]
        pub struct $name(String);

        impl $name {
            /// Takes the text if it has the right form.
            ///
            /// # Errors
            /// Says which form is right; a retry does not help.
            pub fn parse(text: &str) -> Result<Self, InvalidContact> {
                let check: fn(&str) -> bool = $check;
                if check(text) { Ok(Self(text.to_owned())) } else { Err(InvalidContact($expected)) }
            }

            /// The text, as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                let mut schema = json_schema!($schema);
                schema.insert("type".to_owned(), "string".into());
                schema.insert("description".to_owned(), $meaning.trim_ascii().into());
                schema
            }
        }

        impl TryFrom<String> for $name {
            type Error = InvalidContact;
            fn try_from(text: String) -> Result<Self, InvalidContact> {
                Self::parse(&text)
            }
        }

        unprinted!($name);
    };
}

contact!(
    /// An email address by the rule of HTML's forms, with a dot in its domain. Two that differ in case only are the same.
    Email,
    "an email address such as ada@example.com, of at most 254 characters",
    {
        "maxLength": EMAIL_CHARS_MAX,
        "pattern": r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$",
        "examples": ["ada@example.com"],
    },
    is_email
);

contact!(
    /// A phone number with its country code and nothing but digits (E.164).
    PhoneNumber,
    "a + and 7 to 15 digits, the first of which is not 0",
    {"pattern": r"^\+[1-9][0-9]{6,14}$", "examples": ["+4930123456"]},
    |text| {
        let digits = text.strip_prefix('+').unwrap_or_default();
        PHONE_DIGITS.contains(&digits.len())
            && digits.bytes().all(|byte| byte.is_ascii_digit())
            && !digits.starts_with('0')
    }
);

contact!(
    /// An ISO 3166-1 country code of two capital letters. Whether ISO has assigned it is not looked up.
    Country,
    "two capital letters",
    {"pattern": "^[A-Z]{2}$", "examples": ["DE"]},
    |text| text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase())
);

impl Email {
    /// What the same address always has, whatever its case. The standard leaves the case before the `@` to the receiver; no
    /// receiver that anybody uses tells addresses apart by it, and people type it as they like.
    pub fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(["email", &self.0.to_ascii_lowercase()])
    }
}

fn is_email(text: &str) -> bool {
    let Some((local, domain)) = text.split_once('@') else { return false };
    let is_mailbox = (1..=LOCAL_CHARS_MAX).contains(&local.len())
        && local.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".!#$%&'*+/=?^_`{|}~-".contains(&byte));
    let is_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    // The last label begins with a letter: an address in numbers is no domain.
    let is_domain = domain.rsplit_once('.').is_some_and(|(_, last)| last.starts_with(char::is_alphabetic));
    text.len() <= EMAIL_CHARS_MAX && is_mailbox && domain.split('.').all(is_label) && is_domain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_that_differ_in_case_are_the_same() {
        let [one, same, other] = ["Ada@Example.com", "ada@example.COM", "ada@example.org"]
            .map(|text| Email::parse(text).unwrap().fingerprint());
        assert_eq!(one, same);
        assert_ne!(one, other);
    }

    #[test]
    fn email_has_its_form() {
        let long = format!("a@{}{}", "b.".repeat(124), "com");
        for text in ["a@b.c", "o'neil+shop@mail.example.co", "x_y-z@1a.example", "a.b@c.de"] {
            assert!(Email::parse(text).is_ok(), "{text}");
        }
        for text in [
            "",
            "a",
            "@b.c",
            "a@b",
            "a@b.",
            "a@.b",
            "a@b..c",
            "a@-b.c",
            "a b@c.d",
            "a@b@c.d",
            "ä@b.c",
            "a@1.2.3.4",
            "a@b.c\n",
            "\"a\"@b.c",
            &format!("{long}xxxx"),
        ] {
            assert!(Email::parse(text).is_err(), "{text}");
        }
        let mailbox = |chars| Email::parse(&format!("{}@b.c", "a".repeat(chars)));
        assert!(mailbox(LOCAL_CHARS_MAX).is_ok() && mailbox(LOCAL_CHARS_MAX + 1).is_err());
    }

    #[test]
    fn phone_number_and_country_have_their_form() {
        assert!(PhoneNumber::parse("+4930123456").is_ok());
        for text in ["", "+", "030123456", "+0301234567", "+49 30 123456", "+1234567890123456", "+123456"] {
            assert!(PhoneNumber::parse(text).is_err(), "{text}");
        }
        assert!(Country::parse("DE").is_ok());
        for text in ["", "de", "DEU", "D1"] {
            assert!(Country::parse(text).is_err(), "{text}");
        }
    }
}
