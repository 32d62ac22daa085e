//! How often a write is tried against others who write to the same document, and how long it waits in between.
//!
//! Does not know what is written.

use std::time::Duration;

use tokio::time::sleep;

/// Attempts before the caller is told to come back: some five seconds.
pub(super) const ATTEMPTS_MAX: u32 = 32;
/// First and longest pause between two attempts; it doubles from one to the other.
const PAUSE_MIN: Duration = Duration::from_millis(4);
const PAUSE_MAX: Duration = Duration::from_millis(256);

/// Waits before every attempt but the first: longer each time, and not as long as others, who would only meet again.
pub(super) async fn pause(attempt: u32, salt: &str) {
    let Some(doublings) = attempt.checked_sub(1) else { return };
    let longest = PAUSE_MIN.saturating_mul(2_u32.saturating_pow(doublings)).min(PAUSE_MAX);
    let share =
        salt.bytes().fold(attempt, |sum, byte| sum.wrapping_mul(31).wrapping_add(u32::from(byte))) % 64;
    sleep(longest / 2 + longest * share / 128).await;
}
