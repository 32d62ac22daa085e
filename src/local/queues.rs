//! All queues by name, shared by those who put and those who consume.
//!
//! Knows limits and names; what a message means and who reads it is not its business.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, Utc};
use data_encoding::BASE64;
use serde::Serialize;
use tokio::sync::watch;

use super::config::MessageEncoding;
use super::queue::{Message, Queue};
use crate::sources::{Clock, Ids};

/// Largest message as it is on the wire: 64 KiB, encoding included.
const ENCODED_BYTES_MAX: usize = 64 * 1024;
/// Shortest and longest name of a queue.
const NAME_LEN: std::ops::RangeInclusive<usize> = 3..=63;

/// A message larger than a storage queue takes.
#[derive(Debug, thiserror::Error)]
#[error(
    "a message of {size_bytes} bytes is {encoded_bytes} bytes when encoded, above the limit of {ENCODED_BYTES_MAX}"
)]
pub(super) struct TooLarge {
    size_bytes: usize,
    encoded_bytes: usize,
}

/// How full a queue is.
#[derive(Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct QueueCount {
    pub(super) name: String,
    /// Messages that could be taken now.
    pub(super) visible: usize,
    /// Messages that are being worked on or wait for a retry.
    pub(super) invisible: usize,
}

/// The queues, and a bell that rings whenever one of them has changed.
#[derive(Debug)]
pub(super) struct Queues {
    queues: Mutex<BTreeMap<String, Queue>>,
    bell: watch::Sender<u64>,
    encoding: MessageEncoding,
    clock: Clock,
    ids: Ids,
}

impl Queues {
    /// Queues of these names, all empty.
    pub(super) fn new(
        names: impl IntoIterator<Item = String>,
        encoding: MessageEncoding,
        clock: Clock,
        ids: Ids,
    ) -> Self {
        let queues = names.into_iter().map(|name| (name, Queue::default())).collect();
        Self { queues: Mutex::new(queues), bell: watch::Sender::new(0), encoding, clock, ids }
    }

    /// Puts a message, creating the queue if it is missing, and returns the message's id.
    ///
    /// # Errors
    /// When the message is too large; a retry does not help.
    pub(super) fn put(&self, name: &str, body: Vec<u8>) -> Result<String, TooLarge> {
        self.check_size(&body)?;
        let id = guid(&self.ids);
        self.lock().entry(name.to_owned()).or_default().put(id.clone(), body, self.clock.now());
        self.ring();
        Ok(id)
    }

    fn check_size(&self, body: &[u8]) -> Result<(), TooLarge> {
        let encoded_bytes = match self.encoding {
            MessageEncoding::Base64 => BASE64.encode_len(body.len()),
            MessageEncoding::None => body.len(),
        };
        if encoded_bytes <= ENCODED_BYTES_MAX {
            Ok(())
        } else {
            Err(TooLarge { size_bytes: body.len(), encoded_bytes })
        }
    }

    /// Leases the oldest visible message of a queue.
    pub(super) fn take(&self, name: &str) -> Option<Message> {
        let receipt = || BASE64.encode(&self.ids.bytes16());
        self.lock().get_mut(name)?.take(receipt, self.clock.now())
    }

    /// Deletes a leased message; nothing happens when the lease was lost.
    pub(super) fn delete(&self, name: &str, message: &Message) {
        if let Some(queue) = self.lock().get_mut(name) {
            queue.delete(&message.id, &message.pop_receipt);
        }
        self.ring();
    }

    /// Changes when a leased message is seen again; nothing happens when the lease was lost.
    pub(super) fn show_at(&self, name: &str, message: &Message, at: DateTime<Utc>) {
        if let Some(queue) = self.lock().get_mut(name) {
            queue.show_at(&message.id, &message.pop_receipt, at);
        }
        self.ring();
    }

    /// Moves a leased message to another queue, under a new id; nothing happens when the lease was lost.
    pub(super) fn move_to(&self, name: &str, message: &Message, target: &str) {
        let mut queues = self.lock();
        let held = queues.get_mut(name).is_some_and(|queue| queue.delete(&message.id, &message.pop_receipt));
        if held {
            let id = guid(&self.ids);
            queues.entry(target.to_owned()).or_default().put(id, message.body.clone(), self.clock.now());
        }
        drop(queues);
        self.ring();
    }

    /// When a queue has its next message to take; `None` while it is empty.
    pub(super) fn next_visible_time(&self, name: &str) -> Option<DateTime<Utc>> {
        self.lock().get(name)?.next_visible_time()
    }

    /// A receiver that changes whenever a queue does.
    pub(super) fn listen(&self) -> watch::Receiver<u64> {
        self.bell.subscribe()
    }

    /// Every queue with its counts, by name.
    pub(super) fn counts(&self) -> Vec<QueueCount> {
        let now = self.clock.now();
        let mut queues = self.lock();
        queues
            .iter_mut()
            .map(|(name, queue)| {
                let messages = queue.messages(now);
                let visible = messages.iter().filter(|message| message.next_visible_time <= now).count();
                QueueCount { name: name.clone(), visible, invisible: messages.len() - visible }
            })
            .collect()
    }

    /// The messages of a queue, or `None` when nobody binds it and nothing was ever put there.
    pub(super) fn messages(&self, name: &str) -> Option<Vec<Message>> {
        let now = self.clock.now();
        let mut queues = self.lock();
        queues.get_mut(name).map(|queue| queue.messages(now).to_vec())
    }

    /// Empties a queue; says whether it exists.
    pub(super) fn clear(&self, name: &str) -> bool {
        match self.lock().get_mut(name) {
            Some(queue) => queue.clear(),
            None => return false,
        }
        self.ring();
        true
    }

    fn ring(&self) {
        self.bell.send_modify(|changes| *changes = changes.wrapping_add(1));
    }

    /// A panic elsewhere leaves whole messages behind, so the queues stay usable.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Queue>> {
        self.queues.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Whether a storage account would take this name: lower case, digits and single dashes, 3 to 63 characters.
pub(super) fn is_queue_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    NAME_LEN.contains(&name.len())
        && name.bytes().all(allowed)
        && !name.starts_with('-')
        && !name.ends_with('-')
        && !name.contains("--")
}

/// A random GUID in its usual text form.
pub(super) fn guid(ids: &Ids) -> String {
    let mut bytes = ids.bytes16();
    bytes[6] = (bytes[6] & 0x0f) | 0x40;
    bytes[8] = (bytes[8] & 0x3f) | 0x80;
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queues(encoding: MessageEncoding) -> Queues {
        let clock = Clock::manual("2026-03-01T12:00:00Z".parse().unwrap());
        Queues::new(["bound".to_owned()], encoding, clock, Ids::seeded(1))
    }

    #[test]
    fn base64_leaves_48_kib_for_the_text() {
        let queues = queues(MessageEncoding::Base64);
        assert!(queues.put("bound", vec![b'a'; 48 * 1024]).is_ok());
        let refused = queues.put("bound", vec![b'a'; 48 * 1024 + 1]).unwrap_err();
        assert_eq!(
            refused.to_string(),
            "a message of 49153 bytes is 65540 bytes when encoded, above the limit of 65536"
        );
    }

    #[test]
    fn without_encoding_64_kib_are_allowed() {
        let queues = queues(MessageEncoding::None);
        assert!(queues.put("bound", vec![b'a'; 64 * 1024]).is_ok());
        assert!(queues.put("bound", vec![b'a'; 64 * 1024 + 1]).is_err());
    }

    #[test]
    fn unbound_queue_exists_from_its_first_message_on() {
        let queues = queues(MessageEncoding::Base64);
        assert_eq!(queues.messages("bound"), Some(Vec::new()));
        assert_eq!(queues.messages("other"), None);
        queues.put("other", b"x".to_vec()).unwrap();
        assert_eq!(queues.messages("other").unwrap().len(), 1);
        assert!(queues.clear("other"));
        assert_eq!(queues.messages("other"), Some(Vec::new()));
    }

    #[test]
    fn moved_message_keeps_its_body_and_starts_anew() {
        let queues = queues(MessageEncoding::Base64);
        let id = queues.put("bound", b"x".to_vec()).unwrap();
        let message = queues.take("bound").unwrap();
        queues.move_to("bound", &message, "bound-poison");
        queues.move_to("bound", &message, "bound-poison");
        let moved = queues.messages("bound-poison").unwrap();
        assert_eq!(moved.len(), 1);
        assert_eq!((moved[0].body.as_slice(), moved[0].dequeue_count), (&b"x"[..], 0));
        assert_ne!(moved[0].id, id);
        assert_eq!(queues.messages("bound"), Some(Vec::new()));
    }

    #[test]
    fn queue_names_follow_the_storage_rules() {
        for good in ["abc", "orders-2", "1ab"] {
            assert!(is_queue_name(good), "{good}");
        }
        for bad in ["ab", "Orders", "a--b", "-ab", "ab-", "a_b", "", &"a".repeat(64)] {
            assert!(!is_queue_name(bad), "{bad}");
        }
    }

    #[test]
    fn guids_are_of_version_four() {
        let guid = guid(&Ids::seeded(7));
        assert_eq!(guid.len(), 36);
        assert_eq!(&guid[14..15], "4");
        assert!("89ab".contains(&guid[19..20]));
    }
}
