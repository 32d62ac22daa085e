//! Queue triggers: taking messages, running the function, and settling what it made of them.
//!
//! The rules of a queue are in `queue`; here is only the waiting and the concurrency.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::config::QueueRules;
use super::envelope::Envelope;
use super::function::{Function, QueueTrigger};
use super::queue::{Fate, LEASE, Message};
use super::queues::guid;
use super::site::Site;
use super::timer::pause_until;

/// A lease is renewed after this fraction of its length.
const LEASE_RENEWALS: i32 = 2;

/// One queue function at work.
#[derive(Debug)]
pub(super) struct Consumer {
    pub(super) site: Arc<Site>,
    pub(super) function: Arc<Function>,
    pub(super) trigger: QueueTrigger,
    pub(super) rules: QueueRules,
}

impl Consumer {
    /// Works on messages until the host stops or the handler is gone for good.
    pub(super) async fn run(self) {
        let permits = Arc::new(Semaphore::new(self.rules.concurrency));
        let mut bell = self.site.queues.listen();
        let mut running = JoinSet::new();
        let consumer = Arc::new(self);
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            while running.try_join_next().is_some() {}
            let Some(message) = consumer.next(&mut bell).await else {
                break;
            };
            let worker = Arc::clone(&consumer);
            running.spawn(async move {
                worker.work(message).await;
                drop(permit);
            });
        }
        tracing::error!(queue = consumer.trigger.queue, "no more messages are taken, the handler is gone");
        while running.join_next().await.is_some() {}
    }

    /// The next message, taken only while there is a handler to give it to.
    async fn next(&self, bell: &mut watch::Receiver<u64>) -> Option<Message> {
        let (queues, name) = (&self.site.queues, &self.trigger.queue);
        loop {
            if !self.site.link.comes_back().await {
                return None;
            }
            bell.mark_unchanged();
            if let Some(message) = queues.take(name) {
                return Some(message);
            }
            match queues.next_visible_time(name) {
                Some(at) => {
                    let pause = pause_until(at, self.site.clock.now());
                    if let Ok(Err(_)) = timeout(pause, bell.changed()).await {
                        return None;
                    }
                }
                None => bell.changed().await.ok()?,
            }
        }
    }

    async fn work(&self, message: Message) {
        let (queues, name) = (&self.site.queues, &self.trigger.queue);
        let (failures, count) = (&self.rules.failures, message.dequeue_count);
        if failures.is_spent(name, count) {
            tracing::error!(queue = name, id = message.id, "a message came too often to be run");
            queues.move_to(name, &message, &format!("{name}{}", super::queue::POISON_SUFFIX));
            return;
        }
        if self.invoke(&message).await {
            queues.delete(name, &message);
            return;
        }
        match failures.fate(name, count, self.site.clock.now()) {
            Fate::Release(at) => queues.show_at(name, &message, at),
            Fate::Poison(target) => {
                tracing::error!(
                    queue = name,
                    id = message.id,
                    "a message failed {count} times and goes to `{target}`"
                );
                queues.move_to(name, &message, &target);
            }
            Fate::KeepLease => {}
        }
    }

    /// Runs the function on a message, keeping the lease; says whether it succeeded.
    async fn invoke(&self, message: &Message) -> bool {
        let site = &self.site;
        let envelope =
            Envelope::of_message(&self.function.name, &self.trigger, message, &site.clock, &site.ids);
        let id = guid(&site.ids);
        let mut invocation = Box::pin(site.dispatcher.invoke(&self.function, &id, envelope));
        let renewal = (LEASE / LEASE_RENEWALS).to_std().unwrap_or_default();
        loop {
            tokio::select! {
                result = &mut invocation => return result.is_ok(),
                () = sleep(renewal) => {
                    let until = site.clock.now() + LEASE;
                    site.queues.show_at(&self.trigger.queue, message, until);
                }
            }
        }
    }
}
