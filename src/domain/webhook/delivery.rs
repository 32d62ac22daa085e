//! The delivery of one event to one webhook: what came of it so far, and when it is tried again.
//!
//! Does not know how it is sent.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::id::{DeliveryId, WebhookId};

/// After the first failed attempt, the second, and so on; when the last one fails the delivery is given up, a day and a half
/// after it began.
pub const BACK_OFF: [TimeDelta; 6] = [
    TimeDelta::minutes(1),
    TimeDelta::minutes(5),
    TimeDelta::minutes(30),
    TimeDelta::hours(2),
    TimeDelta::hours(8),
    TimeDelta::hours(24),
];
/// Most attempts that are remembered, the last ones.
pub const ATTEMPTS_MAX: usize = 10;
/// How long a first attempt is left to its bell before it is rung for again.
pub const PATIENCE: TimeDelta = TimeDelta::minutes(1);

/// One event on its way to one webhook.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Delivery {
    /// The event's id.
    pub id: DeliveryId,
    /// Where it goes.
    pub webhook_id: WebhookId,
    /// The event as it is sent.
    pub event: Value,
    /// How far it has come.
    pub state: State,
    /// Attempts since it was last asked for.
    tries: u32,
    /// The last attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// When it is rung for; present exactly while it is pending.
    #[serde(default, with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When the shop heard of the event.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
}

/// How far a delivery has come.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum State {
    /// It is tried, or tried again later.
    Pending,
    /// The receiver has it.
    Delivered,
    /// It was given up: all attempts failed, or the webhook was disabled or deleted meanwhile.
    Failed,
}

/// One attempt.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "DeliveryAttempt")]
pub struct Attempt {
    /// When it began.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
    /// The status of the receiver's answer, if there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 999))]
    pub status: Option<u16>,
    /// Why there was none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<Trouble>,
    /// How long it took, in milliseconds.
    #[schemars(range(max = u32::MAX))]
    pub duration_ms: u32,
}

/// Why there was no answer.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Trouble {
    /// It took too long.
    Timeout,
    /// There is no such name, no connection, or no trust in its certificate.
    Unreachable,
    /// The name leads to no address on the public internet.
    Forbidden,
}

/// What an attempt means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The receiver has the event.
    Delivered,
    /// The receiver wants to hear of no event any more.
    Gone,
    /// The receiver may have it another time.
    Failed,
}

impl Attempt {
    /// An attempt that began then, with the status of the answer or the reason why there was none.
    pub fn new(at: DateTime<Utc>, result: Result<u16, Trouble>, duration: Duration) -> Self {
        let duration_ms = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        Self { at, status: result.ok(), error: result.err(), duration_ms }
    }

    /// What it means. A receiver that sends elsewhere (3xx) has not taken the event.
    pub fn verdict(&self) -> Verdict {
        match self.status {
            Some(200..=299) => Verdict::Delivered,
            Some(410) => Verdict::Gone,
            Some(_) | None => Verdict::Failed,
        }
    }
}

impl Delivery {
    /// An event that nobody has tried to deliver yet.
    pub fn new(id: DeliveryId, webhook_id: WebhookId, event: Value, now: DateTime<Utc>) -> Self {
        let next_attempt_at = Some(now + PATIENCE);
        let (state, attempts) = (State::Pending, Vec::new());
        Self { id, webhook_id, event, state, tries: 0, attempts, next_attempt_at, created_at: now }
    }

    /// Whether an attempt is to be made now. A bell that is heard again, or too early, is not a reason for one.
    pub fn is_due(&self, now: DateTime<Utc>) -> bool {
        self.tries == 0 && self.state == State::Pending || self.next_attempt_at.is_some_and(|at| at <= now)
    }

    /// The delivery after an attempt that ended now.
    pub fn tried(&self, attempt: Attempt, now: DateTime<Utc>) -> Self {
        let pause = usize::try_from(self.tries).ok().and_then(|tries| BACK_OFF.get(tries));
        let (state, next_attempt_at) = match (attempt.verdict(), pause) {
            (Verdict::Delivered, _) => (State::Delivered, None),
            (Verdict::Failed, Some(pause)) => (State::Pending, Some(now + *pause)),
            (Verdict::Failed, None) | (Verdict::Gone, _) => (State::Failed, None),
        };
        let superfluous = (self.attempts.len() + 1).saturating_sub(ATTEMPTS_MAX);
        let attempts = self.attempts.iter().skip(superfluous).cloned().chain([attempt]).collect();
        let tries = self.tries.saturating_add(1);
        Self { state, tries, attempts, next_attempt_at, ..self.clone() }
    }

    /// The delivery when its webhook takes nothing any more.
    pub fn given_up(&self) -> Self {
        Self { state: State::Failed, next_attempt_at: None, ..self.clone() }
    }

    /// The delivery when somebody wants it once more, with all its attempts before it.
    pub fn asked_again(&self, now: DateTime<Utc>) -> Self {
        Self { state: State::Pending, tries: 0, next_attempt_at: Some(now + PATIENCE), ..self.clone() }
    }
}

/// A message in the queue `webhooks`: look at this delivery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bell {
    /// Of which webhook.
    pub webhook_id: WebhookId,
    /// Which one.
    pub delivery_id: DeliveryId,
    /// The trace in which it is delivered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
}

impl Bell {
    /// A bell for this delivery.
    pub fn of(delivery: &Delivery, traceparent: Option<String>) -> Self {
        Self { webhook_id: delivery.webhook_id.clone(), delivery_id: delivery.id.clone(), traceparent }
    }

    /// Reads a message; `None` when it is no bell.
    pub fn parse(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    /// The text of the message.
    pub fn text(&self) -> String {
        serde_json::json!(self).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::webhook::tests::{NOW, webhook};

    fn delivery() -> Delivery {
        Delivery::new(DeliveryId::parse("e-1").unwrap(), webhook().id, Value::Null, NOW)
    }

    fn attempt(result: Result<u16, Trouble>) -> Attempt {
        Attempt::new(NOW, result, Duration::from_millis(5))
    }

    #[test]
    fn delivery_is_tried_seven_times_ever_more_rarely_and_given_up() {
        let (mut delivery, mut now) = (delivery(), NOW);
        assert!(delivery.is_due(now), "at once");
        for pause in BACK_OFF {
            delivery = delivery.tried(attempt(Err(Trouble::Unreachable)), now);
            assert_eq!(delivery.next_attempt_at, Some(now + pause));
            assert!(!delivery.is_due(now + pause - TimeDelta::milliseconds(1)));
            now += pause;
            assert!(delivery.is_due(now));
        }
        delivery = delivery.tried(attempt(Ok(500)), now);
        assert_eq!((delivery.state, delivery.next_attempt_at), (State::Failed, None));
        assert!(!delivery.is_due(now + TimeDelta::days(30)));
        assert_eq!(delivery.attempts.len(), 7);
    }

    #[test]
    fn only_a_success_is_one() {
        let state = |status| delivery().tried(attempt(Ok(status)), NOW).state;
        for status in [200, 202, 204, 299] {
            assert_eq!(state(status), State::Delivered, "{status}");
        }
        for status in [100, 301, 302, 304, 400, 401, 404, 429, 500, 503] {
            assert_eq!(state(status), State::Pending, "{status}");
        }
        assert_eq!(state(410), State::Failed);
    }

    #[test]
    fn delivery_that_is_asked_for_again_begins_anew_and_keeps_its_log() {
        let given_up = delivery().tried(attempt(Ok(500)), NOW).given_up();
        assert!(!given_up.is_due(NOW + TimeDelta::days(1)));
        let mut again = given_up.asked_again(NOW);
        assert!(again.is_due(NOW));
        for _ in 0..2 * ATTEMPTS_MAX {
            again = again.tried(attempt(Ok(404)), NOW).asked_again(NOW);
        }
        assert_eq!(again.attempts.len(), ATTEMPTS_MAX);
        assert_eq!(again.attempts[0].status, Some(404), "the oldest are forgotten");
    }

    #[test]
    fn bell_can_be_read_again() {
        let bell = Bell::of(&delivery(), Some("00-a-b-01".to_owned()));
        assert_eq!(Bell::parse(&bell.text()), Some(bell));
        for text in ["", "{}", r#"{"webhookId":"x","deliveryId":"e-1"}"#] {
            assert_eq!(Bell::parse(text), None, "{text}");
        }
    }
}
