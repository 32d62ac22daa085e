//! The written form of a moment: RFC 3339, UTC, always three digits of a second.
//!
//! The fixed width matters: queries compare times as texts, and `…:00Z` sorts after `…:00.001Z`.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer};

/// The text of a moment, as documents and answers hold it.
pub fn text(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// For `#[serde(with = "time")]`.
///
/// # Errors
/// None of its own.
pub fn serialize<S: Serializer>(time: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&text(*time))
}

/// For `#[serde(with = "time")]`.
///
/// # Errors
/// When the text is not an RFC 3339 time.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    DateTime::<Utc>::deserialize(deserializer)
}

/// For `#[serde(with = "time::option")]`.
pub mod option {
    use super::{DateTime, Deserialize, Deserializer, Serializer, Utc};

    /// For `#[serde(with = "time::option")]`.
    ///
    /// # Errors
    /// None of its own.
    pub fn serialize<S: Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
        match time {
            Some(time) => super::serialize(time, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// For `#[serde(with = "time::option")]`.
    ///
    /// # Errors
    /// When the text is not an RFC 3339 time.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Option::<DateTime<Utc>>::deserialize(deserializer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_times_are_greater_texts() {
        let times =
            [0, 1, 999, 1000, 1001].map(|millis| text(DateTime::from_timestamp_millis(millis).unwrap()));
        assert!(times.is_sorted());
        assert_eq!(times[0], "1970-01-01T00:00:00.000Z");
    }
}
