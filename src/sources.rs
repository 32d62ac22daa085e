//! The only sources of time and chance: everything else is given them as values.
//!
//! Knows nothing of what the time or the bytes are for.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, SubsecRound, TimeDelta, Utc};
use sha2::{Digest, Sha256};

/// Tells the time, in UTC and whole milliseconds (what the documents keep).
#[derive(Clone, Debug)]
pub struct Clock(ClockKind);

#[derive(Clone, Debug)]
enum ClockKind {
    System,
    Manual(Arc<Mutex<DateTime<Utc>>>),
}

impl Clock {
    /// The machine's clock.
    pub fn system() -> Self {
        Self(ClockKind::System)
    }

    /// A clock that stands still until it is advanced; clones share the hands.
    pub fn manual(start: DateTime<Utc>) -> Self {
        Self(ClockKind::Manual(Arc::new(Mutex::new(start))))
    }

    /// The present moment.
    pub fn now(&self) -> DateTime<Utc> {
        let now = match &self.0 {
            #[allow(clippy::disallowed_methods, reason = "this is the one place that asks the machine")]
            ClockKind::System => Utc::now(),
            ClockKind::Manual(hands) => *hands.lock().unwrap_or_else(PoisonError::into_inner),
        };
        now.trunc_subsecs(3)
    }

    /// Moves a manual clock forward; the machine's clock does not listen.
    pub fn advance(&self, by: Duration) {
        match &self.0 {
            ClockKind::System => {}
            ClockKind::Manual(hands) => {
                let mut hands = hands.lock().unwrap_or_else(PoisonError::into_inner);
                *hands += TimeDelta::from_std(by).unwrap_or(TimeDelta::MAX);
            }
        }
    }
}

/// Gives bytes for new identifiers.
#[derive(Clone, Debug)]
pub struct Ids(IdsKind);

#[derive(Clone, Debug)]
enum IdsKind {
    Random,
    Seeded { seed: u64, drawn: Arc<AtomicU64> },
}

impl Ids {
    /// Bytes from the operating system.
    pub fn random() -> Self {
        Self(IdsKind::Random)
    }

    /// The same bytes in the same order for the same seed; clones share the position.
    pub fn seeded(seed: u64) -> Self {
        Self(IdsKind::Seeded { seed, drawn: Arc::default() })
    }

    /// 16 bytes that no one has seen before.
    ///
    /// # Panics
    /// When the operating system has no random numbers to give. A server without them cannot make ids or open TLS
    /// connections; the panic becomes a 500 of the one request.
    pub fn bytes16(&self) -> [u8; 16] {
        let mut bytes = [0; 16];
        match &self.0 {
            #[allow(
                clippy::expect_used,
                reason = "documented above: nothing sensible can be done without chance"
            )]
            IdsKind::Random => {
                getrandom::fill(&mut bytes).expect("the operating system gives random numbers")
            }
            IdsKind::Seeded { seed, drawn } => {
                let mut hash = Sha256::new();
                hash.update(seed.to_be_bytes());
                hash.update(drawn.fetch_add(1, Ordering::Relaxed).to_be_bytes());
                bytes.copy_from_slice(&hash.finalize()[..16]);
            }
        }
        bytes
    }

    /// 32 bytes, likewise: enough for a secret.
    ///
    /// # Panics
    /// As [`Ids::bytes16`].
    pub fn bytes32(&self) -> [u8; 32] {
        let mut bytes = [0; 32];
        bytes[..16].copy_from_slice(&self.bytes16());
        bytes[16..].copy_from_slice(&self.bytes16());
        bytes
    }

    /// 32 hexadecimal characters, the form of a W3C trace id.
    pub fn hex32(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.bytes16())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_clock_stands_until_advanced_and_is_shared_by_clones() {
        let clock = Clock::manual(DateTime::UNIX_EPOCH);
        let other = clock.clone();
        other.advance(Duration::from_millis(1500));
        assert_eq!(clock.now().timestamp_millis(), 1500);
    }

    #[test]
    fn seeded_ids_repeat_for_the_same_seed_and_never_within_it() {
        let (first, second) = (Ids::seeded(7), Ids::seeded(7));
        let drawn: Vec<_> = (0..100).map(|_| first.bytes16()).collect();
        let again: Vec<_> = (0..100).map(|_| second.bytes16()).collect();
        assert_eq!(drawn, again);
        let distinct: std::collections::BTreeSet<_> = drawn.iter().collect();
        assert_eq!(distinct.len(), 100);
    }
}
