//! Months of the calendar, in UTC, and periods of whole months.
//!
//! Knows no clock.

use std::fmt;

use chrono::{DateTime, Datelike, TimeZone, Utc};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

/// Months of a year.
const YEAR: u32 = 12;
/// The last month that has four digits for its year.
const LAST: u32 = 10_000 * YEAR - 1;
/// How a month is written, as a regular expression.
const PATTERN: &str = "^[0-9]{4}-(0[1-9]|1[0-2])$";

/// A month, in order of time. Written `2026-11`, so that texts sort as months do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Month(u32);

impl Month {
    /// The month of a moment.
    pub fn of(time: DateTime<Utc>) -> Self {
        let year = u32::try_from(time.year()).unwrap_or_default();
        Self((year * YEAR + time.month0()).min(LAST))
    }

    /// The month that is written like this, if one is.
    pub fn parse(text: &str) -> Option<Self> {
        let digits =
            |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?;
        let (year, month): (u32, u32) = match text.split_once('-')? {
            (year, month) if year.len() == 4 && month.len() == 2 => (digits(year)?, digits(month)?),
            _ => return None,
        };
        month.checked_sub(1).filter(|month| *month < YEAR).map(|month| Self(year * YEAR + month))
    }

    /// The month so many months before; there is none before year 0.
    pub fn minus(self, months: u32) -> Self {
        Self(self.0.saturating_sub(months))
    }

    /// Its first moment.
    pub fn start(self) -> DateTime<Utc> {
        let year = i32::try_from(self.0 / YEAR).unwrap_or_default();
        Utc.with_ymd_and_hms(year, self.0 % YEAR + 1, 1, 0, 0, 0).single().unwrap_or_default()
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0 / YEAR, self.0 % YEAR + 1)
    }
}

impl From<Month> for String {
    fn from(month: Month) -> Self {
        month.to_string()
    }
}

impl TryFrom<String> for Month {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::parse(&text).ok_or_else(|| "must be a month such as 2026-11".to_owned())
    }
}

impl JsonSchema for Month {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Month".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string", "pattern": PATTERN, "examples": ["2026-11"],
            "description": "A month of the calendar, in UTC.",
        })
    }
}

/// Whole months, from the first to the last of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Period {
    /// The first.
    pub from: Month,
    /// The last, not before the first.
    pub to: Month,
}

impl Period {
    /// How many months it has.
    pub fn months_len(self) -> u32 {
        (self.to.0 + 1).saturating_sub(self.from.0)
    }

    /// Its months, in order of time.
    pub fn months(self) -> impl Iterator<Item = Month> {
        (self.from.0..=self.to.0).map(Month)
    }

    /// Whether it has this month.
    pub fn contains(self, month: Month) -> bool {
        (self.from..=self.to).contains(&month)
    }

    /// The period of equal length that ends where this one begins.
    pub fn previous(self) -> Self {
        Self { from: self.from.minus(self.months_len()), to: self.from.minus(1) }
    }

    /// The first moment after it.
    pub fn end(self) -> DateTime<Utc> {
        Month(self.to.0 + 1).start()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    #[test]
    fn month_is_read_as_it_is_written_and_nothing_else_is_one() {
        for text in ["0000-01", "2026-11", "2026-12", "9999-12"] {
            assert_eq!(month(text).to_string(), text);
        }
        for text in ["", "2026", "2026-1", "2026-00", "2026-13", "26-01", "+026-01", "2026-01-01"] {
            assert_eq!(Month::parse(text), None, "{text}");
        }
    }

    #[test]
    fn month_of_a_moment_begins_not_after_it() {
        let time = Utc.with_ymd_and_hms(2026, 12, 31, 23, 59, 59).unwrap();
        assert_eq!(Month::of(time), month("2026-12"));
        assert_eq!(month("2026-12").start(), Utc.with_ymd_and_hms(2026, 12, 1, 0, 0, 0).unwrap());
    }

    #[test]
    fn previous_period_is_as_long_and_ends_where_the_other_begins() {
        let period = Period { from: month("2026-01"), to: month("2026-03") };
        let previous = Period { from: month("2025-10"), to: month("2025-12") };
        assert_eq!((period.months_len(), period.previous()), (3, previous));
        assert_eq!(previous.end(), period.from.start());
        let months: Vec<_> = previous.months().map(|month| month.to_string()).collect();
        assert_eq!(months, ["2025-10", "2025-11", "2025-12"]);
    }
}
