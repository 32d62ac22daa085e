//! Timer triggers: waiting for the next occurrence and running the function, never twice at the same time.
//!
//! What a schedule means is known to `ncrontab`; what an invocation looks like to `envelope`.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::sleep;

use super::envelope::{Envelope, TimerTimes};
use super::function::{Function, TimerTrigger};
use super::queues::guid;
use super::site::Site;
use crate::sources::Clock;

/// No sleep is longer, because the clock may be moved by hand or the laptop may have slept.
pub(super) const WAKE_EVERY: Duration = Duration::from_millis(250);
/// No sleep is shorter, so that a moment that never quite comes is not waited for busily.
const SLEEP_MIN: Duration = Duration::from_millis(1);

/// Runs a timer function at its times after `start` until the host stops; times that pass while it runs are skipped.
pub(super) async fn run(
    site: Arc<Site>,
    function: Arc<Function>,
    trigger: TimerTrigger,
    start: DateTime<Utc>,
) {
    let mut last = None;
    if trigger.run_on_startup {
        last = Some(start);
        invoke(&site, &function, &trigger, None).await;
    }
    let mut after = start;
    while let Some(next) = trigger.schedule.next_after(after) {
        wait_until(&site.clock, next).await;
        invoke(&site, &function, &trigger, last).await;
        last = Some(next);
        after = site.clock.now();
    }
    tracing::warn!(function = function.name, "schedule `{}` is never due again", trigger.schedule_text);
}

/// Runs a timer function once, now; a failure is logged, as the next occurrence comes anyway.
pub(super) async fn invoke(
    site: &Site,
    function: &Function,
    trigger: &TimerTrigger,
    last: Option<DateTime<Utc>>,
) {
    let now = site.clock.now();
    let times = TimerTimes { last, next: trigger.schedule.next_after(now), now };
    let envelope = Envelope::of_timer(&function.name, trigger, &times, &site.clock, &site.ids);
    let id = guid(&site.ids);
    if let Err(failure) = site.dispatcher.invoke(function, &id, envelope).await {
        tracing::debug!("{failure}; the timer runs again at its next time");
    }
}

/// Waits until the clock shows this time.
pub(super) async fn wait_until(clock: &Clock, at: DateTime<Utc>) {
    while clock.now() < at {
        sleep(pause_until(at, clock.now())).await;
    }
}

/// How long to sleep before looking at the clock again.
pub(super) fn pause_until(at: DateTime<Utc>, now: DateTime<Utc>) -> Duration {
    (at - now).to_std().unwrap_or_default().clamp(SLEEP_MIN, WAKE_EVERY)
}
