//! Event Grid triggers: taking events from the topic, running the function, and telling the topic what came of it.
//!
//! When an event comes again is for `topic` to say; here is only the waiting and the concurrency.

use std::sync::Arc;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::envelope::Envelope;
use super::function::{EventTrigger, Function};
use super::queues::guid;
use super::site::Site;
use super::timer::pause_until;
use super::topic::Due;

/// Events that one function works on at the same time.
const CONCURRENCY_MAX: usize = 16;

/// One function that hears events.
#[derive(Debug)]
pub(super) struct Subscriber {
    pub(super) site: Arc<Site>,
    pub(super) function: Arc<Function>,
    pub(super) trigger: EventTrigger,
}

impl Subscriber {
    /// Delivers events until the host stops or the handler is gone for good.
    pub(super) async fn run(self) {
        let permits = Arc::new(Semaphore::new(CONCURRENCY_MAX));
        let mut bell = self.site.topic.listen();
        let mut running = JoinSet::new();
        let subscriber = Arc::new(self);
        while let Ok(permit) = Arc::clone(&permits).acquire_owned().await {
            while running.try_join_next().is_some() {}
            let Some(due) = subscriber.next(&mut bell).await else {
                break;
            };
            let worker = Arc::clone(&subscriber);
            running.spawn(async move {
                worker.work(&due).await;
                drop(permit);
            });
        }
        tracing::error!(
            function = subscriber.function.name,
            "no more events are delivered, the handler is gone"
        );
        while running.join_next().await.is_some() {}
    }

    /// The next event, taken only while there is a handler to give it to.
    async fn next(&self, bell: &mut watch::Receiver<u64>) -> Option<Due> {
        let (topic, name) = (&self.site.topic, &self.function.name);
        loop {
            if !self.site.link.comes_back().await {
                return None;
            }
            bell.mark_unchanged();
            if let Some(due) = topic.take(name) {
                return Some(due);
            }
            match topic.next_time(name) {
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

    async fn work(&self, due: &Due) {
        let (site, function) = (&self.site, &self.function);
        let envelope = Envelope::of_event(&function.name, &self.trigger, &due.event, &site.clock, &site.ids);
        let result = site.dispatcher.invoke(function, &guid(&site.ids), envelope).await;
        let failure = result.err().map(|failure| failure.to_string());
        if site.topic.settle(&function.name, due, failure) {
            let (function, id, kind) = (&function.name, due.event.id(), due.event.kind());
            tracing::error!(function, id, kind, "an event failed too often and is a dead letter");
        }
    }
}
