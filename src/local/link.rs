//! The way to the handler: where it listens now, whether it is there, and asking for its restart.
//!
//! Who keeps the handler alive is another's business; this is what everybody else sees of it.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::time::timeout;

/// Longest wait for the news that a handler has ended.
const NOTICE_MAX: Duration = Duration::from_millis(500);

/// What the handler is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Started, and not answering yet.
    Starting,
    /// Answering.
    Ready,
    /// Gone; a new one is on its way.
    Restarting,
    /// Gone for good, for this reason.
    Down(String),
}

impl State {
    /// One word for those who look in from outside.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Ready => "ready",
            Self::Restarting => "restarting",
            Self::Down(_) => "down",
        }
    }
}

/// The handler as it is now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) state: State,
    pub(super) pid: Option<u32>,
    pub(super) port: u16,
    /// How many times a new process had to take over.
    pub(super) restarts: u32,
}

/// The handler is not there and will not be in time.
#[derive(Debug, thiserror::Error)]
#[error("the handler is not available: {0}")]
pub(super) struct Unavailable(String);

/// A way to the handler, cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Link {
    status: watch::Receiver<Status>,
    restart: mpsc::UnboundedSender<String>,
    /// Longest wait for a handler that is starting.
    patience: Duration,
}

impl Link {
    /// A link over what a supervisor publishes and hears.
    pub(super) fn new(
        status: watch::Receiver<Status>,
        restart: mpsc::UnboundedSender<String>,
        patience: Duration,
    ) -> Self {
        Self { status, restart, patience }
    }

    /// The handler as it is now.
    pub(super) fn status(&self) -> Status {
        self.status.borrow().clone()
    }

    /// Waits, within bounds, until the handler answers, and says where.
    ///
    /// # Errors
    /// When it will not come, or not in time; a retry may help in the latter case.
    pub(super) async fn ready(&self) -> Result<SocketAddr, Unavailable> {
        let Ok(status) = timeout(self.patience, self.settled()).await else {
            let reason = format!("it did not answer within {:?}", self.patience);
            return Err(Unavailable(reason));
        };
        match status.state {
            State::Ready => Ok(SocketAddr::from((Ipv4Addr::LOCALHOST, status.port))),
            State::Down(reason) => Err(Unavailable(reason)),
            State::Starting | State::Restarting => Err(Unavailable("the host is stopping".to_owned())),
        }
    }

    /// Waits a moment for the handler at `address` to be known as gone, after it broke a connection. A dying handler
    /// still accepts for an instant, and what is sent to it then would fail again without a cause of its own.
    pub(super) async fn notice_end(&self, address: SocketAddr) {
        let mut receiver = self.status.clone();
        let gone = receiver.wait_for(|status| status.state != State::Ready || status.port != address.port());
        if timeout(NOTICE_MAX, gone).await.is_err() {
            tracing::debug!("the handler broke a connection and lives on");
        }
    }

    /// Waits without bounds until the handler answers; says `false` when it never will.
    pub(super) async fn comes_back(&self) -> bool {
        self.settled().await.state == State::Ready
    }

    /// The status once it is ready or down, or the last one there was.
    async fn settled(&self) -> Status {
        let mut receiver = self.status.clone();
        let settled = receiver.wait_for(|status| match status.state {
            State::Ready | State::Down(_) => true,
            State::Starting | State::Restarting => false,
        });
        if let Ok(status) = settled.await {
            return status.clone();
        }
        self.status()
    }

    /// Asks for the handler to be killed and started anew.
    pub(super) fn restart(&self, reason: String) {
        if self.restart.send(reason).is_err() {
            tracing::debug!("a restart was asked for while the host is stopping");
        }
    }
}

#[cfg(test)]
impl Link {
    /// A link to a handler that is always there, and what is asked of its supervisor.
    pub(super) fn fixed(address: SocketAddr) -> (Self, mpsc::UnboundedReceiver<String>) {
        let (restart, asked) = mpsc::unbounded_channel();
        let status = Status { state: State::Ready, pid: None, port: address.port(), restarts: 0 };
        let link = Self::new(watch::channel(status).1, restart, Duration::from_secs(5));
        (link, asked)
    }
}
