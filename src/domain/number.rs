//! Whole numbers, however JSON spells them: 12 and 12.0 are the same number.
//!
//! Does not know what is counted.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{Error, Unexpected, Visitor};
use serde::{Deserialize, Deserializer};

/// Above this not every whole number has a floating-point form of its own, 2^53.
const EXACT_MAX: f64 = 9_007_199_254_740_992.0;

/// For `#[serde(deserialize_with = "whole")]` on an integer.
///
/// # Errors
/// When it is not a whole number, or not one that the field can hold.
pub fn whole<'de, D, T>(deserializer: D) -> Result<T, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64> + TryFrom<u64>,
{
    deserializer.deserialize_any(Whole(PhantomData))
}

/// The same for a field that may be left out, with `default`, or be `null`.
///
/// # Errors
/// When it is not a whole number, or not one that the field can hold.
pub fn optional_whole<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: TryFrom<i64> + TryFrom<u64>,
{
    Ok(Option::<Plain<T>>::deserialize(deserializer)?.map(|Plain(number)| number))
}

#[derive(Deserialize)]
#[serde(bound(deserialize = "T: TryFrom<i64> + TryFrom<u64>"))]
struct Plain<T>(#[serde(deserialize_with = "whole")] T);

struct Whole<T>(PhantomData<T>);

impl<T: TryFrom<i64> + TryFrom<u64>> Visitor<'_> for Whole<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<T, E> {
        T::try_from(number).map_err(|_| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<T, E> {
        let whole = (number.fract() == 0.0 && number.abs() <= EXACT_MAX).then(|| number.to_string());
        let whole = whole.and_then(|text| text.parse::<i64>().ok()).and_then(|whole| T::try_from(whole).ok());
        whole.ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Count(#[serde(deserialize_with = "super::whole")] u64);

    fn count(json: &str) -> Result<u64, String> {
        serde_json::from_str(json).map(|Count(count)| count).map_err(|error| error.to_string())
    }

    #[test]
    fn point_and_zero_change_nothing() {
        for (json, expected) in
            [("12", 12), ("12.0", 12), ("1.2e1", 12), ("-0.0", 0), ("9007199254740992.0", 1 << 53)]
        {
            assert_eq!(count(json), Ok(expected), "{json}");
        }
        assert_eq!(count("18446744073709551615"), Ok(u64::MAX));
    }

    #[test]
    fn what_is_not_whole_or_does_not_fit_is_refused() {
        for json in ["1.5", "-1", "-1.0", "1e300", "18446744073709551616", "\"1\"", "null", "true"] {
            assert!(count(json).unwrap_err().contains("expected a whole number"), "{json}");
        }
    }
}
