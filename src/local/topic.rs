//! The topic of the `eventGrid` outputs: what was published, who is to hear it, and how far each delivery has come.
//!
//! Every subscription hears every event, and none waits for another. Time comes in from the clock; who runs the functions
//! is another's business.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;
use tokio::sync::watch;

use super::event::Event;
use crate::sources::Clock;

/// Pauses between the deliveries of an event that a function does not take; after the last one it is a dead letter. Event
/// Grid waits 10 s, 30 s, 1 min, 5 min, 10 min, 30 min, 1 h, 3 h, 6 h and then 12 h, up to 30 deliveries or a day.
pub(super) const RETRY_DELAYS: [TimeDelta; 9] = [
    TimeDelta::milliseconds(200),
    TimeDelta::milliseconds(500),
    TimeDelta::seconds(1),
    TimeDelta::seconds(2),
    TimeDelta::seconds(5),
    TimeDelta::seconds(10),
    TimeDelta::seconds(20),
    TimeDelta::seconds(60),
    TimeDelta::seconds(120),
];
/// Events that are remembered after everybody has heard them, or nobody ever will.
const SETTLED_MAX: usize = 1_000;
/// Events on their way; whoever publishes beyond that is refused, and comes again.
const PENDING_MAX: usize = 10_000;
/// Dead letters that are remembered.
const DEAD_LETTERS_MAX: usize = 1_000;

/// How far a delivery has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum State {
    Waiting,
    Running,
    Delivered,
    DeadLettered,
}

/// One event on its way to one function.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Delivery {
    pub(super) state: State,
    /// Begun so far.
    pub(super) attempts: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_attempt_at: Option<DateTime<Utc>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_failure: Option<String>,
}

/// An event as it lies in the topic.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Published {
    published_at: DateTime<Utc>,
    pub(super) event: Event,
    /// By the name of the function.
    pub(super) deliveries: BTreeMap<String, Delivery>,
}

/// An event that a function never took.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct DeadLetter {
    dead_lettered_at: DateTime<Utc>,
    pub(super) function: String,
    pub(super) attempts: usize,
    last_failure: String,
    pub(super) event: Event,
}

/// Too many events are on their way.
#[derive(Debug, thiserror::Error)]
#[error("{PENDING_MAX} events are on their way already")]
pub(super) struct Full;

/// An event that is to be delivered now.
#[derive(Clone, Debug)]
pub(super) struct Due {
    number: u64,
    pub(super) event: Event,
}

#[derive(Debug, Default)]
struct Content {
    last: u64,
    entries: BTreeMap<u64, Published>,
    /// Those in `entries` that are settled, oldest first.
    settled: VecDeque<u64>,
    /// For each function what waits for it, and since or until when.
    due: BTreeMap<String, BTreeSet<(DateTime<Utc>, u64)>>,
    dead_letters: VecDeque<DeadLetter>,
}

/// The topic, and a bell that rings whenever something in it has changed.
#[derive(Debug)]
pub(super) struct Topic {
    content: Mutex<Content>,
    bell: watch::Sender<u64>,
    clock: Clock,
}

impl Topic {
    /// A topic to which the functions of these names have subscribed.
    pub(super) fn new(functions: impl IntoIterator<Item = String>, clock: Clock) -> Self {
        let due = functions.into_iter().map(|name| (name, BTreeSet::new())).collect();
        let content = Content { due, ..Content::default() };
        Self { content: Mutex::new(content), bell: watch::Sender::new(0), clock }
    }

    /// Takes events, all or none.
    ///
    /// # Errors
    /// [`Full`]; a retry helps later.
    pub(super) fn publish(&self, events: Vec<Event>) -> Result<(), Full> {
        let now = self.clock.now();
        let mut content = self.lock();
        if content.entries.len() - content.settled.len() + events.len() > PENDING_MAX {
            return Err(Full);
        }
        for event in events {
            content.add(event, now);
        }
        drop(content);
        self.ring();
        Ok(())
    }

    /// The event that has waited longest for a function, which is to try it now.
    pub(super) fn take(&self, function: &str) -> Option<Due> {
        let now = self.clock.now();
        let mut content = self.lock();
        let waiting = content.due.get_mut(function)?;
        let (_, number) = waiting.first().copied().filter(|(at, _)| *at <= now)?;
        waiting.pop_first();
        let entry = content.entries.get_mut(&number)?;
        if let Some(delivery) = entry.deliveries.get_mut(function) {
            delivery.state = State::Running;
            delivery.attempts += 1;
            delivery.next_attempt_at = None;
        }
        Some(Due { number, event: entry.event.clone() })
    }

    /// When a function has its next event to try; `None` while there is none.
    pub(super) fn next_time(&self, function: &str) -> Option<DateTime<Utc>> {
        self.lock().due.get(function)?.first().map(|(at, _)| *at)
    }

    /// A function has taken an event, or failed for this reason; says whether the event is a dead letter now.
    pub(super) fn settle(&self, function: &str, due: &Due, failure: Option<String>) -> bool {
        let now = self.clock.now();
        let mut content = self.lock();
        let is_dead = content.settle(function, due.number, failure, now);
        content.forget();
        drop(content);
        self.ring();
        is_dead
    }

    /// The newest events, newest first.
    pub(super) fn newest(&self, count_max: usize) -> Vec<Published> {
        self.lock().entries.values().rev().take(count_max).map(Published::clone).collect()
    }

    /// The newest dead letters, newest first.
    pub(super) fn dead_letters(&self) -> Vec<DeadLetter> {
        self.lock().dead_letters.iter().rev().cloned().collect()
    }

    /// A receiver that changes whenever the topic does.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    fn ring(&self) {
        self.bell.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// A panic elsewhere leaves whole events behind, so the topic stays usable.
    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Content {
    fn add(&mut self, event: Event, now: DateTime<Utc>) {
        self.last += 1;
        let fresh =
            Delivery { state: State::Waiting, attempts: 0, next_attempt_at: None, last_failure: None };
        let deliveries = self.due.keys().map(|name| (name.clone(), fresh.clone())).collect();
        self.entries.insert(self.last, Published { published_at: now, event, deliveries });
        for waiting in self.due.values_mut() {
            waiting.insert((now, self.last));
        }
        if self.due.is_empty() {
            self.settled.push_back(self.last);
            self.forget();
        }
    }

    fn settle(&mut self, function: &str, number: u64, failure: Option<String>, now: DateTime<Utc>) -> bool {
        let Some(entry) = self.entries.get_mut(&number) else { return false };
        let Some(delivery) = entry.deliveries.get_mut(function) else { return false };
        let pause = delivery.attempts.checked_sub(1).and_then(|earlier| RETRY_DELAYS.get(earlier));
        match (&failure, pause) {
            (None, _) => delivery.state = State::Delivered,
            (Some(_), Some(pause)) => {
                let at = now + *pause;
                delivery.state = State::Waiting;
                delivery.next_attempt_at = Some(at);
                self.due.entry(function.to_owned()).or_default().insert((at, number));
            }
            (Some(failure), None) => {
                delivery.state = State::DeadLettered;
                self.dead_letters.push_back(DeadLetter {
                    dead_lettered_at: now,
                    function: function.to_owned(),
                    attempts: delivery.attempts,
                    last_failure: failure.clone(),
                    event: entry.event.clone(),
                });
            }
        }
        delivery.last_failure = failure.or(delivery.last_failure.take());
        let is_dead = delivery.state == State::DeadLettered;
        let is_open = |delivery: &Delivery| matches!(delivery.state, State::Waiting | State::Running);
        if !entry.deliveries.values().any(is_open) {
            self.settled.push_back(number);
        }
        is_dead
    }

    fn forget(&mut self) {
        while self.settled.len() > SETTLED_MAX
            && let Some(number) = self.settled.pop_front()
        {
            self.entries.remove(&number);
        }
        while self.dead_letters.len() > DEAD_LETTERS_MAX {
            self.dead_letters.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::local::event::tests::cloud_event;

    fn event(number: usize) -> Event {
        Event::parse(&cloud_event(&number.to_string()).to_string()).unwrap()
    }

    fn topic(functions: &[&str]) -> (Topic, Clock) {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        (Topic::new(functions.iter().map(|name| (*name).to_owned()), clock.clone()), clock)
    }

    #[test]
    fn every_function_hears_every_event_in_turn() {
        let (topic, _) = topic(&["A", "B"]);
        topic.publish(vec![event(1), event(2)]).unwrap();
        for function in ["A", "B"] {
            let heard = std::iter::from_fn(|| topic.take(function)).map(|due| due.event.id().to_owned());
            assert_eq!(heard.collect::<Vec<_>>(), ["1", "2"]);
        }
        assert!(topic.take("Other").is_none());
    }

    #[test]
    fn failed_delivery_comes_again_by_the_schedule_and_ends_as_a_dead_letter() {
        let (topic, clock) = topic(&["A", "B"]);
        topic.publish(vec![event(1)]).unwrap();
        let taken = topic.take("B").unwrap();
        topic.settle("B", &taken, None);
        for pause in RETRY_DELAYS {
            let due = topic.take("A").unwrap();
            assert!(!topic.settle("A", &due, Some("no".to_owned())));
            assert!(topic.take("A").is_none(), "it waits");
            assert_eq!(topic.next_time("A"), Some(clock.now() + pause));
            clock.advance(pause.to_std().unwrap());
        }
        let due = topic.take("A").unwrap();
        assert!(topic.settle("A", &due, Some("never".to_owned())));
        assert_eq!(topic.next_time("A"), None);
        let dead = topic.dead_letters();
        assert_eq!(
            (dead.len(), dead[0].function.as_str(), dead[0].attempts),
            (1, "A", RETRY_DELAYS.len() + 1)
        );
        let states = topic.newest(1)[0].deliveries.values().map(|one| one.state).collect::<Vec<_>>();
        assert_eq!(states, [State::DeadLettered, State::Delivered]);
    }

    #[test]
    fn settled_events_are_forgotten_and_others_are_not() {
        let (topic, _) = topic(&["A"]);
        topic.publish((0..SETTLED_MAX + 2).map(event).collect()).unwrap();
        let first = topic.take("A").unwrap();
        while let Some(due) = topic.take("A") {
            topic.settle("A", &due, None);
        }
        let kept = topic.newest(usize::MAX);
        assert_eq!(kept.len(), SETTLED_MAX + 1);
        assert_eq!(kept.last().unwrap().event.id(), first.event.id());
    }

    #[test]
    fn no_more_events_are_taken_than_may_be_on_their_way() {
        let (topic, _) = topic(&["A"]);
        assert!(topic.publish((0..=PENDING_MAX).map(event).collect()).is_err());
        assert!(topic.take("A").is_none(), "all or none");
        topic.publish((0..PENDING_MAX).map(event).collect()).unwrap();
        assert!(topic.publish(vec![event(0)]).is_err());
    }
}
