//! The retry policy of a function.json: how often an invocation that failed is run again, and after how long.
//!
//! Pure. Which triggers obey it is not known here.

use std::time::Duration;

use serde_json::Value;

use super::config::time_span;

/// What `maxRetryCount` says for a retry without end.
const ENDLESS: i64 = -1;

/// `retry` of a function.json.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Retry {
    /// Retries after the first run; `None` goes on for ever.
    pub(super) count_max: Option<u32>,
    /// Before the first retry; doubled from then on.
    first_delay: Duration,
    delay_max: Duration,
}

impl Retry {
    /// Reads `{"strategy": "fixedDelay" | "exponentialBackoff", ...}`.
    ///
    /// # Errors
    /// A sentence about the first field that is wrong.
    pub(super) fn parse(retry: &Value) -> Result<Self, String> {
        let count = retry.get("maxRetryCount").and_then(Value::as_i64);
        let count_max = match count {
            Some(ENDLESS) => None,
            Some(count) => Some(u32::try_from(count).map_err(|_| wrong("maxRetryCount", "-1 or more"))?),
            None => return Err(wrong("maxRetryCount", "-1 or more")),
        };
        let span = |field: &str| {
            let text = retry.get(field).and_then(Value::as_str).unwrap_or_default();
            time_span(text).ok_or_else(|| wrong(field, "a time span such as 00:00:10"))
        };
        let (first_delay, delay_max) = match retry.get("strategy").and_then(Value::as_str) {
            Some("fixedDelay") => (span("delayInterval")?, span("delayInterval")?),
            Some("exponentialBackoff") => (span("minimumInterval")?, span("maximumInterval")?),
            Some(_) | None => return Err(wrong("strategy", "`fixedDelay` or `exponentialBackoff`")),
        };
        Ok(Self { count_max, first_delay, delay_max })
    }

    /// How long to wait before this retry, the first being 1; `None` when there is none any more.
    pub(super) fn delay(&self, retry: u32) -> Option<Duration> {
        if self.count_max.is_some_and(|count_max| retry > count_max) {
            return None;
        }
        let factor = 2_u32.saturating_pow(retry.saturating_sub(1));
        Some(self.first_delay.saturating_mul(factor).min(self.delay_max))
    }
}

fn wrong(field: &str, expected: &str) -> String {
    format!("`retry.{field}` must be {expected}")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn back_off_doubles_up_to_its_maximum_and_never_ends_when_endless() {
        let retry = Retry::parse(&json!({
            "strategy": "exponentialBackoff",
            "maxRetryCount": -1,
            "minimumInterval": "00:00:01",
            "maximumInterval": "00:00:05",
        }))
        .unwrap();
        let delays = [1, 2, 3, 4, u32::MAX].map(|count| retry.delay(count).unwrap().as_secs());
        assert_eq!(delays, [1, 2, 4, 5, 5]);
    }

    #[test]
    fn fixed_delay_stays_and_ends() {
        let retry =
            Retry::parse(&json!({"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:03"}))
                .unwrap();
        assert_eq!([1, 2].map(|count| retry.delay(count)), [Some(Duration::from_secs(3)); 2]);
        assert_eq!(retry.delay(3), None);
    }

    #[test]
    fn mistakes_are_named() {
        let fixed = json!({"strategy": "fixedDelay", "maxRetryCount": 2, "delayInterval": "00:00:03"});
        for (field, value) in
            [("strategy", json!("often")), ("maxRetryCount", json!(-2)), ("delayInterval", json!("soon"))]
        {
            let mut retry = fixed.clone();
            retry[field] = value;
            assert!(Retry::parse(&retry).unwrap_err().contains(field), "{field}");
        }
    }
}
