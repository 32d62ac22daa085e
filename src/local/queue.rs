//! One storage queue as plain data: who sees which message when, and what becomes of one after it ran.
//!
//! Pure: time and chance come in as arguments. It does not know who reads the queue, nor how messages are encoded on
//! the wire; a body is what the application wrote.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};

/// How long a message lives when nobody deletes it.
pub(super) const TIME_TO_LIVE: TimeDelta = TimeDelta::days(7);
/// How long a message is invisible to others while a function works on it.
pub(super) const LEASE: TimeDelta = TimeDelta::minutes(10);
/// What the name of a queue for hopeless messages ends with.
pub(super) const POISON_SUFFIX: &str = "-poison";

/// One message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) id: String,
    pub(super) body: Vec<u8>,
    pub(super) insertion_time: DateTime<Utc>,
    pub(super) expiration_time: DateTime<Utc>,
    pub(super) next_visible_time: DateTime<Utc>,
    /// How often the message has been taken, this time included.
    pub(super) dequeue_count: u32,
    /// Changes whenever the message is taken; only the newest one gives power over the message.
    pub(super) pop_receipt: String,
}

impl Message {
    /// The body as text; what is not UTF-8 is replaced.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}

/// Messages in the order in which they were put.
#[derive(Debug, Default)]
pub(super) struct Queue {
    messages: Vec<Message>,
}

impl Queue {
    /// Adds a message, visible at once.
    pub(super) fn put(&mut self, id: String, body: Vec<u8>, now: DateTime<Utc>) {
        self.messages.push(Message {
            id,
            body,
            insertion_time: now,
            expiration_time: now + TIME_TO_LIVE,
            next_visible_time: now,
            dequeue_count: 0,
            pop_receipt: String::new(),
        });
    }

    /// Leases the oldest visible message, if there is one, under a new pop receipt.
    pub(super) fn take(
        &mut self,
        pop_receipt: impl FnOnce() -> String,
        now: DateTime<Utc>,
    ) -> Option<Message> {
        self.expire(now);
        let message = self.messages.iter_mut().find(|message| message.next_visible_time <= now)?;
        message.dequeue_count += 1;
        message.next_visible_time = now + LEASE;
        message.pop_receipt = pop_receipt();
        Some(message.clone())
    }

    /// Removes a message that is still leased under `pop_receipt`; says whether it was.
    pub(super) fn delete(&mut self, id: &str, pop_receipt: &str) -> bool {
        let before = self.messages.len();
        self.messages.retain(|message| message.id != id || message.pop_receipt != pop_receipt);
        self.messages.len() < before
    }

    /// Moves the time at which a leased message is seen again; says whether the lease was still held.
    pub(super) fn show_at(&mut self, id: &str, pop_receipt: &str, at: DateTime<Utc>) -> bool {
        let leased =
            self.messages.iter_mut().find(|message| message.id == id && message.pop_receipt == pop_receipt);
        match leased {
            Some(message) => {
                message.next_visible_time = at;
                true
            }
            None => false,
        }
    }

    /// When the next message is to be seen; in the past when there is one already.
    pub(super) fn next_visible_time(&self) -> Option<DateTime<Utc>> {
        self.messages.iter().map(|message| message.next_visible_time).min()
    }

    /// Every message that has not expired, visible or not.
    pub(super) fn messages(&mut self, now: DateTime<Utc>) -> &[Message] {
        self.expire(now);
        &self.messages
    }

    /// Drops every message, also those being worked on.
    pub(super) fn clear(&mut self) {
        self.messages.clear();
    }

    fn expire(&mut self, now: DateTime<Utc>) {
        self.messages.retain(|message| message.expiration_time > now);
    }
}

/// How failures are treated, from `extensions.queues` of host.json.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FailureRules {
    pub(super) max_dequeue_count: u32,
    pub(super) visibility_timeout: Duration,
}

/// What becomes of a message after a failure.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// It is seen again at this time.
    Release(DateTime<Utc>),
    /// It is copied to this queue and deleted.
    Poison(String),
    /// It stays invisible until its lease lapses.
    KeepLease,
}

impl FailureRules {
    /// Decides about a message that has just failed for the `dequeue_count`th time.
    pub(super) fn fate(&self, queue: &str, dequeue_count: u32, now: DateTime<Utc>) -> Fate {
        if queue.ends_with(POISON_SUFFIX) {
            Fate::KeepLease
        } else if dequeue_count >= self.max_dequeue_count {
            Fate::Poison(format!("{queue}{POISON_SUFFIX}"))
        } else {
            Fate::Release(now + self.visibility_timeout)
        }
    }

    /// Whether a message came too often to be run at all: the host died with it again and again.
    pub(super) fn is_spent(&self, queue: &str, dequeue_count: u32) -> bool {
        !queue.ends_with(POISON_SUFFIX) && dequeue_count > self.max_dequeue_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn one_message() -> Queue {
        let mut queue = Queue::default();
        queue.put("a".to_owned(), b"text".to_vec(), start());
        queue
    }

    fn take(queue: &mut Queue, receipt: &str, now: DateTime<Utc>) -> Option<Message> {
        queue.take(|| receipt.to_owned(), now)
    }

    #[test]
    fn messages_are_taken_oldest_first_and_once() {
        let mut queue = one_message();
        queue.put("b".to_owned(), b"other".to_vec(), start());
        assert_eq!(take(&mut queue, "1", start()).unwrap().id, "a");
        assert_eq!(take(&mut queue, "2", start()).unwrap().id, "b");
        assert_eq!(take(&mut queue, "3", start()), None);
    }

    #[test]
    fn taken_message_carries_its_times_and_count() {
        let message = take(&mut one_message(), "r", start()).unwrap();
        assert_eq!(message.dequeue_count, 1);
        assert_eq!(message.pop_receipt, "r");
        assert_eq!(message.insertion_time, start());
        assert_eq!(message.expiration_time, start() + TimeDelta::days(7));
        assert_eq!(message.next_visible_time, start() + TimeDelta::minutes(10));
    }

    #[test]
    fn released_message_keeps_its_id_and_count() {
        let mut queue = one_message();
        take(&mut queue, "1", start()).unwrap();
        let later = start() + TimeDelta::seconds(30);
        assert!(queue.show_at("a", "1", later));
        assert_eq!(queue.next_visible_time(), Some(later));
        assert_eq!(take(&mut queue, "2", start()), None);
        let again = take(&mut queue, "2", later).unwrap();
        assert_eq!((again.id.as_str(), again.dequeue_count), ("a", 2));
    }

    #[test]
    fn lapsed_lease_takes_the_power_over_the_message_away() {
        let mut queue = one_message();
        take(&mut queue, "1", start()).unwrap();
        take(&mut queue, "2", start() + LEASE).unwrap();
        assert!(!queue.delete("a", "1"));
        assert!(!queue.show_at("a", "1", start()));
        assert!(queue.delete("a", "2"));
        assert!(queue.messages(start()).is_empty());
    }

    #[test]
    fn messages_expire_after_seven_days() {
        let mut queue = one_message();
        let almost = start() + TIME_TO_LIVE - TimeDelta::seconds(1);
        assert_eq!(queue.messages(almost).len(), 1);
        assert_eq!(take(&mut queue, "1", start() + TIME_TO_LIVE), None);
    }

    #[test]
    fn failures_are_released_until_the_last_one_poisons() {
        let rules = FailureRules { max_dequeue_count: 5, visibility_timeout: Duration::from_secs(7) };
        let released = Fate::Release(start() + TimeDelta::seconds(7));
        assert_eq!(rules.fate("orders", 1, start()), released);
        assert_eq!(rules.fate("orders", 4, start()), released);
        let poisoned = Fate::Poison("orders-poison".to_owned());
        assert_eq!(rules.fate("orders", 5, start()), poisoned);
        assert!(!rules.is_spent("orders", 5));
        assert!(rules.is_spent("orders", 6));
    }

    #[test]
    fn poison_queue_has_no_poison_queue_of_its_own() {
        let rules = FailureRules { max_dequeue_count: 1, visibility_timeout: Duration::ZERO };
        assert_eq!(rules.fate("orders-poison", 9, start()), Fate::KeepLease);
        assert!(!rules.is_spent("orders-poison", 9));
    }
}
