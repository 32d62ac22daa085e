//! Money: whole minor units of one currency, with checked arithmetic.
//!
//! Does not know exchange rates or taxes, nor how people in one country or another like to see an amount.

use std::borrow::Cow;
use std::fmt::{self, Write};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize, Serializer};

use crate::domain::number::whole;

/// An ISO 4217 currency code: three capital letters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Currency([u8; 3]);

impl Currency {
    /// How many digits of an amount in minor units stand behind the point, by ISO 4217.
    fn decimals(self) -> usize {
        match &self.0 {
            b"BIF" | b"CLP" | b"DJF" | b"GNF" | b"ISK" | b"JPY" | b"KMF" | b"KRW" | b"PYG" | b"RWF"
            | b"UGX" | b"UYI" | b"VND" | b"VUV" | b"XAF" | b"XOF" | b"XPF" => 0,
            b"BHD" | b"IQD" | b"JOD" | b"KWD" | b"LYD" | b"OMR" | b"TND" => 3,
            b"CLF" | b"UYW" => 4,
            _ => 2,
        }
    }

    /// Takes three capital letters. Whether ISO has assigned them is not looked up.
    ///
    /// # Errors
    /// [`MoneyError::Currency`] for any other text.
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        match text.as_bytes() {
            &[a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(MoneyError::Currency),
        }
    }
}

impl JsonSchema for Currency {
    fn schema_name() -> Cow<'static, str> {
        "Currency".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "An ISO 4217 currency code.",
            "pattern": "^[A-Z]{3}$",
            "examples": ["EUR"],
        })
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&letter| f.write_char(letter.into()))
    }
}

impl Serialize for Currency {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl TryFrom<String> for Currency {
    type Error = MoneyError;
    fn try_from(text: String) -> Result<Self, MoneyError> {
        Self::parse(&text)
    }
}

/// An amount in whole minor units (cents) of its currency; never negative.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Money {
    /// Whole minor units of the currency, such as cents: 1999 is 19.99 euros.
    #[schemars(example = 1999_u64)]
    #[serde(deserialize_with = "whole")]
    pub amount_minor: u64,
    /// The currency of the amount.
    pub currency: Currency,
}

impl fmt::Display for Money {
    /// `19.99 EUR`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = self.currency.decimals();
        // At least one digit before the point.
        let digits = format!("{:0>width$}", self.amount_minor, width = decimals + 1);
        let (whole, rest) = digits.split_at(digits.len() - decimals);
        let point = if rest.is_empty() { "" } else { "." };
        write!(f, "{whole}{point}{rest} {}", self.currency)
    }
}

/// Arithmetic that has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// Two amounts of different currencies were added.
    #[error("prices are in different currencies")]
    Mixed,
    /// The amount is larger than can be counted.
    #[error("the amount is too large")]
    TooLarge,
    /// Not a currency code.
    #[error("must be an ISO 4217 currency code such as EUR")]
    Currency,
}

impl Money {
    /// Nothing, in this currency.
    pub fn zero(currency: Currency) -> Self {
        Self { amount_minor: 0, currency }
    }

    /// The sum of two amounts.
    ///
    /// # Errors
    /// [`MoneyError::Mixed`] or [`MoneyError::TooLarge`].
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Mixed);
        }
        let amount_minor = self.amount_minor.checked_add(other.amount_minor).ok_or(MoneyError::TooLarge)?;
        Ok(Self { amount_minor, ..self })
    }

    /// The amount so many times over.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn times(self, count: u32) -> Result<Self, MoneyError> {
        let amount_minor = self.amount_minor.checked_mul(u64::from(count)).ok_or(MoneyError::TooLarge)?;
        Ok(Self { amount_minor, ..self })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::{prop_assert_eq, proptest};

    fn euros(amount_minor: u64) -> Money {
        Money { amount_minor, currency: Currency::parse("EUR").unwrap() }
    }

    #[test]
    fn arithmetic_never_wraps_or_mixes() {
        assert_eq!(euros(u64::MAX).plus(euros(1)), Err(MoneyError::TooLarge));
        assert_eq!(euros(u64::MAX).times(2), Err(MoneyError::TooLarge));
        let dollars = Money { amount_minor: 1, currency: Currency::parse("USD").unwrap() };
        assert_eq!(euros(1).plus(dollars), Err(MoneyError::Mixed));
    }

    #[test]
    fn currency_is_three_capitals() {
        assert_eq!(Currency::parse("eur"), Err(MoneyError::Currency));
        assert_eq!(Currency::parse("EURO"), Err(MoneyError::Currency));
        assert_eq!(serde_json::to_string(&euros(5)).unwrap(), r#"{"amountMinor":5,"currency":"EUR"}"#);
    }

    #[test]
    fn amount_is_shown_with_the_digits_of_its_currency() {
        let shown = |amount_minor, currency| {
            Money { amount_minor, currency: Currency::parse(currency).unwrap() }.to_string()
        };
        assert_eq!(
            [shown(1999, "EUR"), shown(5, "USD"), shown(1500, "JPY"), shown(1, "KWD")],
            ["19.99 EUR", "0.05 USD", "1500 JPY", "0.001 KWD"]
        );
    }

    proptest! {
        #[test]
        fn times_is_repeated_plus(amount in 0..1_000_000_u64, count in 0..50_u32) {
            let sum = (0..count).try_fold(euros(0), |sum, _| sum.plus(euros(amount)));
            prop_assert_eq!(sum, euros(amount).times(count));
        }
    }
}
