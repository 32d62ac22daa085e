//! NCRONTAB schedules: parsing, and the next time one of them is due, in UTC.
//!
//! Pure: it does not know what time it is, nor what is run.

use chrono::{DateTime, Datelike, NaiveDate, NaiveTime, SubsecRound, TimeDelta, Timelike, Utc};

/// Longest search for the next occurrence; 29 February is at most eight years away.
const DAYS_SEARCHED_MAX: usize = 366 * 9;

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const WEEKDAYS: [&str; 7] = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const SHORT_NAME_LEN: usize = 3;

/// What one of the six fields may hold.
struct Field {
    name: &'static str,
    min: u32,
    max: u32,
    names: &'static [&'static str],
}

const SECOND: Field = Field::numbers("second", 0, 59);
const MINUTE: Field = Field::numbers("minute", 0, 59);
const HOUR: Field = Field::numbers("hour", 0, 23);
const DAY: Field = Field::numbers("day", 1, 31);
const MONTH: Field = Field { name: "month", min: 1, max: 12, names: &MONTHS };
const WEEKDAY: Field = Field { name: "day of the week", min: 0, max: 6, names: &WEEKDAYS };

impl Field {
    const fn numbers(name: &'static str, min: u32, max: u32) -> Self {
        Self { name, min, max, names: &[] }
    }

    /// The set of values that a comma-separated list names, one bit each.
    fn parse(&self, text: &str) -> Result<u64, String> {
        text.split(',').try_fold(0, |bits, part| {
            Ok(bits
                | self.parse_part(part).ok_or_else(|| {
                    format!("`{part}` is not a {} ({} to {})", self.name, self.min, self.max)
                })?)
        })
    }

    fn parse_part(&self, part: &str) -> Option<u64> {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step.parse::<u32>().ok().filter(|s| *s > 0)?)),
            None => (part, None),
        };
        let (first, last) = if range == "*" {
            (self.min, self.max)
        } else if let Some((first, last)) = range.split_once('-') {
            (self.value(first)?, self.value(last)?)
        } else {
            let first = self.value(range)?;
            (first, if step.is_some() { self.max } else { first })
        };
        let step = usize::try_from(step.unwrap_or(1)).ok()?;
        (first <= last).then(|| (first..=last).step_by(step).fold(0, |bits, value| bits | (1_u64 << value)))
    }

    fn value(&self, text: &str) -> Option<u32> {
        let lower = text.to_ascii_lowercase();
        let named = self.names.iter().position(|name| *name == lower || name[..SHORT_NAME_LEN] == lower);
        let value = match named {
            Some(index) => self.min + u32::try_from(index).ok()?,
            None if text.bytes().all(|byte| byte.is_ascii_digit()) => text.parse().ok()?,
            None => return None,
        };
        (self.min..=self.max).contains(&value).then_some(value)
    }
}

/// A parsed schedule; all six fields must agree with a moment for it to be due.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Schedule {
    seconds: u64,
    minutes: u64,
    hours: u64,
    days: u64,
    months: u64,
    weekdays: u64,
}

impl Schedule {
    /// Reads six fields, or five without the seconds.
    ///
    /// # Errors
    /// A sentence that names the field that is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let (second, rest) = match fields.as_slice() {
            [second, rest @ ..] if rest.len() == 5 => (*second, rest),
            rest if rest.len() == 5 => ("0", rest),
            _ => {
                return Err(format!(
                    "schedule `{text}` has {} fields where six (or five, without seconds) are needed",
                    fields.len()
                ));
            }
        };
        let [minute, hour, day, month, weekday] = rest else {
            return Err(format!("schedule `{text}` has too few fields"));
        };
        let wrong = |reason: String| format!("schedule `{text}`: {reason}");
        Ok(Self {
            seconds: SECOND.parse(second).map_err(wrong)?,
            minutes: MINUTE.parse(minute).map_err(wrong)?,
            hours: HOUR.parse(hour).map_err(wrong)?,
            days: DAY.parse(day).map_err(wrong)?,
            months: MONTH.parse(month).map_err(wrong)?,
            weekdays: WEEKDAY.parse(weekday).map_err(wrong)?,
        })
    }

    /// Whether it may be due twice within a minute.
    pub(super) fn is_under_a_minute(&self) -> bool {
        self.seconds.count_ones() > 1
    }

    /// The first moment strictly after `after`; `None` when there is none (30 February).
    pub(super) fn next_after(&self, after: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let start = after.trunc_subsecs(0) + TimeDelta::seconds(1);
        let first_day = start.date_naive();
        first_day.iter_days().take(DAYS_SEARCHED_MAX).filter(|date| self.includes(*date)).find_map(|date| {
            let floor = if date == first_day { start.time() } else { NaiveTime::MIN };
            Some(date.and_time(self.time_from(floor)?).and_utc())
        })
    }

    fn includes(&self, date: NaiveDate) -> bool {
        has(self.months, date.month())
            && has(self.days, date.day())
            && has(self.weekdays, date.weekday().num_days_from_sunday())
    }

    /// The first time of day not before `floor`.
    fn time_from(&self, floor: NaiveTime) -> Option<NaiveTime> {
        for hour in values(self.hours, floor.hour()) {
            let same_hour = hour == floor.hour();
            let minute_floor = if same_hour { floor.minute() } else { 0 };
            for minute in values(self.minutes, minute_floor) {
                let same_minute = same_hour && minute == floor.minute();
                let second_floor = if same_minute { floor.second() } else { 0 };
                if let Some(second) = values(self.seconds, second_floor).next() {
                    return NaiveTime::from_hms_opt(hour, minute, second);
                }
            }
        }
        None
    }
}

fn has(bits: u64, value: u32) -> bool {
    (bits >> value) & 1 == 1
}

fn values(bits: u64, from: u32) -> impl Iterator<Item = u32> {
    (from..u64::BITS).filter(move |value| has(bits, *value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn next(schedule: &str, after: &str) -> String {
        Schedule::parse(schedule)
            .unwrap()
            .next_after(at(after))
            .map_or_else(|| "never".to_owned(), |time| time.format("%Y-%m-%dT%H:%M:%S").to_string())
    }

    #[test]
    fn occurrences_follow_the_documented_examples() {
        let cases = [
            ("0 */5 * * * *", "2026-01-01T10:03:20Z", "2026-01-01T10:05:00"),
            ("0 */5 * * * *", "2026-01-01T10:05:00Z", "2026-01-01T10:10:00"),
            ("0 0 * * * *", "2026-01-01T23:00:00Z", "2026-01-02T00:00:00"),
            ("0 0 9-17 * * *", "2026-01-01T17:00:00Z", "2026-01-02T09:00:00"),
            ("0 30 9 * * *", "2026-12-31T09:30:00Z", "2027-01-01T09:30:00"),
            ("0 30 9 * * 1-5", "2026-01-02T10:00:00Z", "2026-01-05T09:30:00"),
            ("0 30 9 * Jan Mon", "2026-01-26T10:00:00Z", "2027-01-04T09:30:00"),
            ("5,25 * * * * *", "2026-01-01T00:00:05Z", "2026-01-01T00:00:25"),
            ("10/20 * * * * *", "2026-01-01T00:00:30Z", "2026-01-01T00:00:50"),
            ("*/15 * * * *", "2026-01-01T00:00:00Z", "2026-01-01T00:15:00"),
            ("0 0 0 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T00:00:00"),
            ("0 0 0 30 February *", "2026-01-01T00:00:00Z", "never"),
        ];
        for (schedule, after, expected) in cases {
            assert_eq!(next(schedule, after), expected, "{schedule} after {after}");
        }
    }

    #[test]
    fn a_moment_within_a_second_is_followed_by_the_next_second() {
        assert_eq!(next("* * * * * *", "2026-01-01T00:00:00.9Z"), "2026-01-01T00:00:01");
    }

    #[test]
    fn bad_fields_are_named() {
        let reason = Schedule::parse("0 60 * * * *").unwrap_err();
        assert_eq!(reason, "schedule `0 60 * * * *`: `60` is not a minute (0 to 59)");
        for bad in [
            "",
            "* * * *",
            "* * * * * * *",
            "*/0 * * * * *",
            "5-1 * * * * *",
            "0 0 0 0 * *",
            "0 0 0 * * 7",
            "+1 * * * * *",
            "0 0 0 * Ja *",
            ", * * * * *",
        ] {
            assert!(Schedule::parse(bad).is_err(), "{bad}");
        }
    }

    proptest::proptest! {
        #[test]
        fn the_next_occurrence_is_later_and_has_none_before_it(
            second in 0_i64..4_000_000_000,
            minute in 0_u32..60,
            hour in 0_u32..24,
        ) {
            let after = DateTime::from_timestamp(second, 0).unwrap();
            let schedule = Schedule::parse(&format!("0 {minute} {hour} * * *")).unwrap();
            let next = schedule.next_after(after).unwrap();
            proptest::prop_assert!(next > after);
            proptest::prop_assert!(next - after <= TimeDelta::days(1));
            proptest::prop_assert_eq!((next.hour(), next.minute(), next.second()), (hour, minute, 0));
        }
    }
}
