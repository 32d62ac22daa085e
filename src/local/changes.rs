//! Cosmos DB triggers: reading what was written to a container, running the function on it, and keeping how far it has come.
//!
//! The place moves only behind documents that the function took, or that it is not to see again. Where the store is and how
//! a feed is read is known to whoever gives the [`ChangeSource`].

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use futures::future::BoxFuture;
use serde_json::Value;
use tokio::time::sleep;

use super::envelope::{Envelope, RetryContext};
use super::function::{ChangeTrigger, Function, Trigger};
use super::queues::guid;
use super::site::Site;
use super::timer::wait_until;

/// The feed is looked at at least so often, though function.json may ask for less: on a laptop somebody waits. While there is no
/// news the pause grows to this from [`POLL_DELAY_MIN`], so that a shop at rest does not keep the laptop busy.
const POLL_DELAY_MAX: Duration = Duration::from_secs(1);
const POLL_DELAY_MIN: Duration = Duration::from_millis(100);
/// Pause after the store did not answer.
const STORE_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Why a store did not do what it was asked.
pub type StoreError = Box<dyn std::error::Error + Send + Sync>;
/// What a store will have answered.
pub type Answered<T> = BoxFuture<'static, Result<T, StoreError>>;
/// Reads what was written to a container behind a place, at most so many documents.
pub type ReadChanges = Arc<dyn Fn(String, Place, NonZeroU32) -> Answered<Changes> + Send + Sync>;
/// Reads the place that was kept under a lease.
pub type LoadLease = Arc<dyn Fn(String) -> Answered<Option<String>> + Send + Sync>;
/// Keeps a place under a lease.
pub type SaveLease = Arc<dyn Fn(String, String) -> Answered<()> + Send + Sync>;

/// Where in the history of a container to begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// With the first document that there is.
    Beginning,
    /// With what is written from now on.
    Now,
    /// Behind what was read before.
    After(String),
}

/// What was written, oldest first within each partition.
#[derive(Clone, Debug, PartialEq)]
pub struct Changes {
    /// Perhaps none.
    pub documents: Vec<Value>,
    /// The place behind them.
    pub place: String,
}

/// The store whose changes functions are told.
#[derive(Clone)]
pub struct ChangeSource {
    /// The only database that can be read.
    pub database: String,
    /// Its containers.
    pub containers: Vec<String>,
    /// The one among them that keeps the leases.
    pub lease_container: String,
    /// Reads what was written.
    pub read: ReadChanges,
    /// Reads how far a function has come.
    pub load: LoadLease,
    /// Keeps how far a function has come.
    pub save: SaveLease,
}

impl std::fmt::Debug for ChangeSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChangeSource").field("database", &self.database).finish_non_exhaustive()
    }
}

/// Why a function cannot be told changes here; `None` when it can, or wants none.
pub(super) fn refusal(function: &Function, source: Option<&ChangeSource>) -> Option<String> {
    let Trigger::Change(trigger) = &function.trigger else { return None };
    if function.disabled {
        return None;
    }
    let Some(source) = source else {
        return Some("no store is given whose changes could be read".to_owned());
    };
    if trigger.database != source.database {
        return Some(format!("there is no database `{}`, only `{}`", trigger.database, source.database));
    }
    if trigger.lease_container != source.lease_container {
        let (named, known) = (&trigger.lease_container, &source.lease_container);
        return Some(format!("leases are kept in container `{known}`, not in `{named}`"));
    }
    if !source.containers.contains(&trigger.container) {
        let known = source.containers.join(", ");
        return Some(format!("there is no container `{}`; known are: {known}", trigger.container));
    }
    None
}

/// One function that is told changes.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) site: Arc<Site>,
    pub(super) function: Arc<Function>,
    pub(super) trigger: ChangeTrigger,
    pub(super) source: ChangeSource,
}

impl Reader {
    /// Tells changes until the host stops or the handler is gone for good.
    pub(super) async fn run(self) {
        let (lease, delay_max) = (self.trigger.lease(), self.trigger.poll_delay.min(POLL_DELAY_MAX));
        let mut delay = delay_max.min(POLL_DELAY_MIN);
        let kept = self.insist("read a lease", || (self.source.load)(lease.clone())).await;
        let beginning = if self.trigger.from_beginning { Place::Beginning } else { Place::Now };
        let mut place = kept.map_or(beginning, Place::After);
        while self.site.link.comes_back().await {
            let (container, count_max) = (&self.trigger.container, self.trigger.count_max);
            let read = || (self.source.read)(container.clone(), place.clone(), count_max);
            let Changes { documents, place: behind } = self.insist("read changes", read).await;
            let has_news = !documents.is_empty();
            if has_news && !self.tell(&documents).await {
                break;
            }
            let behind = Place::After(behind);
            if let (true, Place::After(behind)) = (behind != place, &behind) {
                self.insist("keep a lease", || (self.source.save)(lease.clone(), behind.clone())).await;
            }
            place = behind;
            delay = if has_news { delay_max.min(POLL_DELAY_MIN) } else { (delay * 2).min(delay_max) };
            if !has_news {
                sleep(delay).await;
            }
        }
        tracing::error!(function = self.function.name, "no more changes are told, the handler is gone");
    }

    /// Runs the function on documents until it takes them, or the policy has no retry left; `false` when the handler is gone
    /// for good.
    async fn tell(&self, documents: &[Value]) -> bool {
        let (site, function, retry) = (&self.site, &self.function, self.trigger.retry);
        let (mut count, mut last) = (0, None);
        loop {
            let count_max = retry.and_then(|retry| retry.count_max);
            let context = retry.map(|_| RetryContext { count, count_max, failure: last.as_deref() });
            let envelope = Envelope::of_changes(
                &function.name,
                &self.trigger,
                documents,
                context,
                &site.clock,
                &site.ids,
            );
            let Err(failure) = site.dispatcher.invoke(function, &guid(&site.ids), envelope).await else {
                return true;
            };
            last = Some(failure.to_string());
            count += 1;
            let Some(delay) = retry.and_then(|retry| retry.delay(count)) else {
                let (function, documents) = (&function.name, documents.len());
                let why =
                    if retry.is_some() { "no retry is left" } else { "there is no `retry` in function.json" };
                tracing::error!(
                    function,
                    documents,
                    "changes that failed are not told again, as in Azure: {why}"
                );
                return true;
            };
            wait_until(&site.clock, site.clock.now() + delay).await;
            if !site.link.comes_back().await {
                return false;
            }
        }
    }

    /// Asks the store until it answers, which ends with the host at the latest; logs the first of the failures in a row.
    async fn insist<T>(&self, what: &str, ask: impl Fn() -> Answered<T>) -> T {
        let mut is_first = true;
        loop {
            match ask().await {
                Ok(answer) => return answer,
                Err(error) if is_first => {
                    let function = &self.function.name;
                    let cause = error.source().map(ToString::to_string).unwrap_or_default();
                    tracing::error!(function, cause, "cannot {what}, and goes on trying: {error}");
                    is_first = false;
                }
                Err(_) => {}
            }
            sleep(STORE_RETRY_DELAY).await;
        }
    }
}
