//! How many requests a caller may make: a bucket of one minute's requests that fills evenly, for each caller.
//!
//! In this process only: each instance of the app counts for itself, so that a caller whom the platform sends to several gets
//! as many times more. It protects an instance, and is no quota. Does not know who a caller is.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;

/// Most callers that are counted at a time; whoever was not heard of for longest begins anew.
const CALLERS_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();
/// How long an empty bucket takes to fill.
pub(super) const WINDOW: TimeDelta = TimeDelta::seconds(60);

/// The buckets of all callers.
#[derive(Debug)]
pub(super) struct Limits {
    /// Requests that a full bucket holds.
    requests_max: u32,
    /// When each caller's bucket will be full again.
    full_at: Mutex<LruCache<String, DateTime<Utc>>>,
}

/// What a caller may still do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Allowance {
    /// Requests that a full bucket holds.
    pub(super) requests_max: u32,
    /// Requests that are left; `Err` with the time until there is one when this one was too many.
    pub(super) left: Result<u32, Duration>,
    /// Seconds until the bucket is full, rounded up.
    pub(super) full_in_s: u64,
}

impl Limits {
    pub(super) fn new(requests_max: u32) -> Self {
        Self { requests_max, full_at: Mutex::new(LruCache::new(CALLERS_MAX)) }
    }

    /// Counts a request of this caller, unless it is one too many.
    pub(super) fn take(&self, caller: &str, now: DateTime<Utc>) -> Allowance {
        let one = WINDOW / i32::try_from(self.requests_max).unwrap_or(i32::MAX).max(1);
        let mut buckets = self.full_at.lock().unwrap_or_else(PoisonError::into_inner);
        // A clock that steps back must not lock anybody out for longer than a full bucket takes.
        let before = buckets.get(caller).copied().unwrap_or(now).clamp(now, now + WINDOW);
        let missing = before + one - now;
        let (left, missing) = match missing <= WINDOW {
            true => {
                buckets.put(caller.to_owned(), before + one);
                (Ok(whole(WINDOW - missing, one)), missing)
            }
            false => (Err((missing - WINDOW).to_std().unwrap_or_default()), before - now),
        };
        let full_in_s = u64::try_from((missing + TimeDelta::milliseconds(999)).num_seconds());
        Allowance { requests_max: self.requests_max, left, full_in_s: full_in_s.unwrap_or_default() }
    }
}

/// How many whole parts there are in it.
fn whole(time: TimeDelta, part: TimeDelta) -> u32 {
    let [time, part] = [time, part].map(|delta| delta.num_nanoseconds().unwrap_or(i64::MAX));
    u32::try_from(time / part.max(1)).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    #[test]
    fn full_bucket_is_emptied_at_once_and_fills_evenly() {
        let limits = Limits::new(6);
        let left: Vec<_> = (0..6).map(|_| limits.take("ada", NOW).left).collect();
        assert_eq!(left, [Ok(5), Ok(4), Ok(3), Ok(2), Ok(1), Ok(0)]);
        let refused = limits.take("ada", NOW);
        assert_eq!((refused.left, refused.full_in_s), (Err(Duration::from_secs(10)), 60));
        assert_eq!(limits.take("bob", NOW).left, Ok(5));
        assert_eq!(limits.take("ada", NOW + TimeDelta::seconds(9)).left, Err(Duration::from_secs(1)));
        let later = limits.take("ada", NOW + TimeDelta::seconds(30));
        assert_eq!((later.left, later.full_in_s), (Ok(2), 40));
        assert_eq!(limits.take("ada", NOW + TimeDelta::hours(1)).left, Ok(5));
    }

    #[test]
    fn those_who_are_counted_are_bounded() {
        let limits = Limits::new(1);
        for number in 0..CALLERS_MAX.get() + 1 {
            assert!(limits.take(&number.to_string(), NOW).left.is_ok());
        }
        assert!(limits.take("0", NOW).left.is_ok());
        assert!(limits.take("10000", NOW).left.is_err());
    }
}
