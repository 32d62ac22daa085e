//! What all parts of a running host share.

use std::net::SocketAddr;
use std::sync::Arc;

use super::Folder;
use super::dispatch::Dispatcher;
use super::function::Function;
use super::keys::DevelopmentKeys;
use super::link::Link;
use super::queues::Queues;
use super::topic::Topic;
use crate::sources::{Clock, Ids};

/// A running host, without its tasks.
#[derive(Debug)]
pub(super) struct Site {
    pub(super) address: SocketAddr,
    /// In the order in which routes are tried.
    pub(super) functions: Vec<Arc<Function>>,
    pub(super) dispatcher: Dispatcher,
    pub(super) queues: Arc<Queues>,
    pub(super) topic: Arc<Topic>,
    /// Folders to look into.
    pub(super) folders: Vec<Folder>,
    pub(super) link: Link,
    /// `None` when keys are not enforced.
    pub(super) keys: Option<DevelopmentKeys>,
    pub(super) clock: Clock,
    pub(super) ids: Ids,
}

impl Site {
    /// The function of this name, in any case.
    pub(super) fn function(&self, name: &str) -> Option<&Arc<Function>> {
        self.functions.iter().find(|function| function.name.eq_ignore_ascii_case(name))
    }
}
