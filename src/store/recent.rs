//! What was read a moment ago, kept for a short time and in a bounded number.
//!
//! A write of this process is seen at once: it forgets what was kept, and what is still being read beside it is not kept.
//! A write of another process is seen when the time is over. Knows no clock and no container.

use std::hash::Hash;
use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;

use crate::store::Versioned;

/// The documents of one kind that were read lately. They are cloned for everybody who asks, so that should be cheap.
#[derive(Debug)]
pub(super) struct Recent<K: Hash + Eq, T> {
    lifetime: TimeDelta,
    kept: Mutex<Kept<K, T>>,
}

#[derive(Debug)]
struct Kept<K: Hash + Eq, T> {
    documents: LruCache<K, (Versioned<T>, DateTime<Utc>)>,
    /// Counts the writes, so that a read that began before one is not kept after it.
    writes: u64,
}

/// What is known of a document before it is read.
#[derive(Debug)]
pub(super) enum Known<T> {
    /// It was read so lately that it need not be read.
    Still(Versioned<T>),
    /// It was read, but too long ago: perhaps it has this version still.
    Once(Versioned<T>, Reading),
    /// Nothing.
    Nothing(Reading),
}

/// A read that has begun.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    writes: u64,
}

impl<K: Hash + Eq + Clone, T: Clone> Recent<K, T> {
    /// Keeps at most so many documents, each for so long.
    pub(super) fn new(count_max: NonZeroUsize, lifetime: TimeDelta) -> Self {
        Self { lifetime, kept: Mutex::new(Kept { documents: LruCache::new(count_max), writes: 0 }) }
    }

    /// What is known of it now; if that is not enough, a read begins.
    pub(super) fn look_up(&self, key: &K, now: DateTime<Utc>) -> Known<T> {
        let mut kept = self.kept();
        let reading = Reading { writes: kept.writes };
        match kept.documents.get(key) {
            Some((document, read_at)) if now - *read_at < self.lifetime => Known::Still(document.clone()),
            Some((document, _)) => Known::Once(document.clone(), reading),
            None => Known::Nothing(reading),
        }
    }

    /// Keeps what was read, unless something was written since the read began.
    pub(super) fn keep(&self, key: &K, document: &Versioned<T>, reading: Reading, now: DateTime<Utc>) {
        let mut kept = self.kept();
        if kept.writes == reading.writes {
            kept.documents.put(key.clone(), (document.clone(), now));
        }
    }

    /// It was written, or may have been.
    pub(super) fn forget(&self, key: &K) {
        let mut kept = self.kept();
        kept.writes = kept.writes.wrapping_add(1);
        kept.documents.pop(key);
    }

    fn kept(&self) -> MutexGuard<'_, Kept<K, T>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::Etag;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;
    const LIFETIME: TimeDelta = TimeDelta::seconds(5);

    fn recent() -> Recent<&'static str, u32> {
        Recent::new(NonZeroUsize::new(2).unwrap(), LIFETIME)
    }

    fn version(value: u32) -> Versioned<u32> {
        Versioned { value, etag: Etag::new(format!("\"{value}\"")) }
    }

    fn begin(recent: &Recent<&'static str, u32>, key: &'static str) -> Reading {
        match recent.look_up(&key, NOW) {
            Known::Nothing(reading) => reading,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn what_was_read_is_known_for_its_lifetime_and_its_version_longer() {
        let recent = recent();
        recent.keep(&"a", &version(1), begin(&recent, "a"), NOW);
        let before = recent.look_up(&"a", NOW + LIFETIME - TimeDelta::milliseconds(1));
        assert!(matches!(before, Known::Still(Versioned { value: 1, .. })));
        assert!(matches!(recent.look_up(&"a", NOW + LIFETIME), Known::Once(Versioned { value: 1, .. }, _)));
    }

    #[test]
    fn write_forgets_also_what_is_being_read() {
        let recent = recent();
        let reading = begin(&recent, "a");
        recent.forget(&"a");
        recent.keep(&"a", &version(1), reading, NOW);
        begin(&recent, "a");
    }

    #[test]
    fn no_more_is_kept_than_the_bound() {
        let recent = recent();
        for key in ["a", "b", "c"] {
            recent.keep(&key, &version(1), begin(&recent, key), NOW);
        }
        begin(&recent, "a");
    }
}
