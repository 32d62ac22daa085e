//! The handler as a child process: starting it, watching it, starting it again.
//!
//! Knows exit codes and readiness, not what the handler is asked to do.

use std::collections::BTreeMap;
use std::fmt;
use std::io;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use axum::body::Body;
use chrono::{DateTime, TimeDelta, Utc};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

use super::link::{Link, State, Status};
use super::queues::guid;
use crate::sources::{Clock, Ids};

const READY_CHECK_EVERY: Duration = Duration::from_millis(25);
/// The real host waits this many times its initialization timeout before it gives an invocation up.
const PATIENCE_FACTOR: u32 = 4;
/// The exit code that asks for a restart and is not an error.
const EXIT_RESTART: i32 = 200;
/// After this many errors the real host shuts itself down.
const ERRORS_BEFORE_REPLACED: usize = 3;
/// Errors are forgotten when the last one is older than this.
const ERRORS_FORGOTTEN_AFTER: TimeDelta = TimeDelta::minutes(30);
const BACKOFF_FIRST: Duration = Duration::from_millis(100);
const BACKOFF_MAX: Duration = Duration::from_secs(2);
/// Longest back-off exponent, far beyond the cap.
const BACKOFF_DOUBLINGS_MAX: u32 = 8;

/// How to start the handler.
#[derive(Debug)]
pub(super) struct Launch {
    pub(super) program: PathBuf,
    pub(super) arguments: Vec<String>,
    pub(super) environment: BTreeMap<String, String>,
    pub(super) working_directory: PathBuf,
    /// The folder of host.json.
    pub(super) root: PathBuf,
    pub(super) initialization_timeout: Duration,
}

/// The running supervisor.
#[derive(Debug)]
pub(super) struct Process {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Process {
    /// Kills the handler and waits until it is gone.
    pub(super) async fn stop(self) {
        self.stop.send_replace(true);
        if let Err(error) = self.task.await {
            tracing::error!(%error, "the supervisor of the handler ended abnormally");
        }
    }
}

/// Starts the handler and waits until it answers.
///
/// # Errors
/// When the first start fails; later ones are repeated.
pub(super) async fn start(launch: Launch, clock: Clock, ids: Ids) -> Result<(Process, Link), String> {
    let (status_sender, mut status) =
        watch::channel(Status { state: State::Starting, pid: None, port: 0, restarts: 0 });
    let (restart_sender, restart) = mpsc::unbounded_channel();
    let (stop_sender, stop) = watch::channel(false);
    let link = Link::new(status.clone(), restart_sender, launch.initialization_timeout * PATIENCE_FACTOR);
    let supervisor = Supervisor {
        launch,
        status: status_sender,
        restart,
        stop,
        errors: Errors::default(),
        client: Client::builder(TokioExecutor::new()).build_http(),
        clock,
        ids,
    };
    let process = Process { stop: stop_sender, task: tokio::spawn(supervisor.run()) };
    let first = status.wait_for(|status| status.state != State::Starting);
    match first.await.map(|status| status.state.clone()) {
        Ok(State::Down(reason)) => Err(reason),
        Ok(State::Starting | State::Ready | State::Restarting) => Ok((process, link)),
        Err(_) => Err("the supervisor of the handler ended abnormally".to_owned()),
    }
}

/// How one life of the handler ended.
#[derive(Debug)]
enum End {
    Exit(ExitStatus),
    NotStarted(String),
    NotReady(Duration),
    /// Somebody asked for a restart, for this reason.
    Asked(String),
    Stopped,
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exit(status) => write!(f, "the handler ended with {status}"),
            Self::NotStarted(reason) => f.write_str(reason),
            Self::NotReady(limit) => write!(f, "the handler did not answer GET / within {limit:?}"),
            Self::Asked(reason) => f.write_str(reason),
            Self::Stopped => f.write_str("the host has stopped"),
        }
    }
}

/// What follows the end of a life.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    StayDown,
    Restart { is_error: bool },
}

impl End {
    fn verdict(&self) -> Verdict {
        match self {
            Self::Exit(status) => exit_verdict(status.code()),
            Self::NotStarted(_) | Self::NotReady(_) => Verdict::Restart { is_error: true },
            Self::Asked(_) => Verdict::Restart { is_error: false },
            Self::Stopped => Verdict::StayDown,
        }
    }
}

fn exit_verdict(code: Option<i32>) -> Verdict {
    match code {
        Some(0) => Verdict::StayDown,
        Some(EXIT_RESTART) => Verdict::Restart { is_error: false },
        Some(_) | None => Verdict::Restart { is_error: true },
    }
}

/// The errors that the real host counts before it gives up.
#[derive(Debug, Default)]
struct Errors {
    count: usize,
    last: Option<DateTime<Utc>>,
}

impl Errors {
    fn add(&mut self, now: DateTime<Utc>) -> usize {
        if self.last.is_some_and(|last| now - last > ERRORS_FORGOTTEN_AFTER) {
            self.count = 0;
        }
        self.last = Some(now);
        self.count += 1;
        self.count
    }
}

fn backoff(errors: usize) -> Duration {
    let doublings =
        u32::try_from(errors.saturating_sub(1)).unwrap_or(BACKOFF_DOUBLINGS_MAX).min(BACKOFF_DOUBLINGS_MAX);
    (BACKOFF_FIRST * 2_u32.pow(doublings)).min(BACKOFF_MAX)
}

struct Supervisor {
    launch: Launch,
    status: watch::Sender<Status>,
    restart: mpsc::UnboundedReceiver<String>,
    stop: watch::Receiver<bool>,
    errors: Errors,
    client: Client<HttpConnector, Body>,
    clock: Clock,
    ids: Ids,
}

impl Supervisor {
    async fn run(mut self) {
        let mut was_ready = false;
        loop {
            let end = self.live().await;
            was_ready = was_ready || self.status.borrow().state == State::Ready;
            let stopped = matches!(end, End::Stopped);
            let verdict = end.verdict();
            if !was_ready || verdict == Verdict::StayDown {
                if was_ready && !stopped {
                    tracing::error!(
                        "{end}: exit code 0 is not restarted, every invocation fails from now on"
                    );
                }
                self.set(State::Down(end.to_string()), None, None);
                return;
            }
            let pause = self.judge(&end, &verdict);
            self.status.send_modify(|status| {
                status.state = State::Restarting;
                status.pid = None;
                status.restarts += 1;
            });
            tokio::select! {
                () = sleep(pause) => {}
                () = stopped_by(&mut self.stop) => {
                    self.set(State::Down(End::Stopped.to_string()), None, None);
                    return;
                }
            }
            while self.restart.try_recv().is_ok() {}
        }
    }

    /// Logs the end and says how long to wait before the next start.
    fn judge(&mut self, end: &End, verdict: &Verdict) -> Duration {
        let is_error = *verdict == Verdict::Restart { is_error: true };
        if !is_error {
            tracing::warn!("{end}; it is started again");
            return Duration::ZERO;
        }
        let count = self.errors.add(self.clock.now());
        if count >= ERRORS_BEFORE_REPLACED {
            tracing::error!(
                count,
                "{end}; the real host would now shut itself down and be replaced, here the handler is started again"
            );
        } else {
            tracing::error!(count, "{end}; it is started again");
        }
        backoff(count)
    }

    /// From the start of a process to its end.
    async fn live(&mut self) -> End {
        let (mut child, port) = match self.spawn().await {
            Ok(started) => started,
            Err(error) => {
                let program = self.launch.program.display();
                return End::NotStarted(format!("the handler {program} cannot be started: {error}"));
            }
        };
        // Taken out, because waiting for the child would close it.
        let _lifeline = child.stdin.take();
        self.set(State::Starting, child.id(), Some(port));
        let limit = self.launch.initialization_timeout;
        let ready = timeout(limit, answers(&self.client, port));
        let end = tokio::select! {
            exit = child.wait() => Some(ended(exit)),
            ready = ready => ready.err().map(|_| End::NotReady(limit)),
            () = stopped_by(&mut self.stop) => Some(End::Stopped),
        };
        let end = match end {
            Some(end) => end,
            None => {
                tracing::info!(pid = child.id(), port, "the handler is ready");
                self.set(State::Ready, child.id(), Some(port));
                tokio::select! {
                    exit = child.wait() => ended(exit),
                    Some(reason) = self.restart.recv() => End::Asked(reason),
                    () = stopped_by(&mut self.stop) => End::Stopped,
                }
            }
        };
        if let Err(error) = child.kill().await {
            tracing::debug!(%error, "the handler was gone before it was killed");
        }
        end
    }

    async fn spawn(&self) -> io::Result<(Child, u16)> {
        let port = free_port().await?;
        let id = guid(&self.ids);
        let child = Command::new(&self.launch.program)
            .args(&self.launch.arguments)
            .envs(&self.launch.environment)
            .env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string())
            .env("FUNCTIONS_HTTPWORKER_PORT", port.to_string())
            .env("FUNCTIONS_CUSTOMHANDLER_WORKER_ID", &id)
            .env("FUNCTIONS_HTTPWORKER_ID", &id)
            .env("FUNCTIONS_APP_ROOT_PATH", &self.launch.root)
            .current_dir(&self.launch.working_directory)
            // Held open as long as we live: a handler that wants to can notice our end by its closing.
            .stdin(Stdio::piped())
            .kill_on_drop(true)
            .spawn()?;
        Ok((child, port))
    }

    fn set(&self, state: State, pid: Option<u32>, port: Option<u16>) {
        self.status.send_modify(|status| {
            status.state = state;
            status.pid = pid;
            status.port = port.unwrap_or(status.port);
        });
    }
}

fn ended(exit: io::Result<ExitStatus>) -> End {
    match exit {
        Ok(status) => End::Exit(status),
        Err(error) => End::NotStarted(format!("the handler cannot be watched: {error}")),
    }
}

/// Returns once the host is to stop, also when whoever would say so is gone.
async fn stopped_by(stop: &mut watch::Receiver<bool>) {
    if stop.wait_for(|stop| *stop).await.is_err() {
        tracing::debug!("the host was dropped without being stopped");
    }
}

/// Asks until there is an answer, whatever it says; a refused connection means that there is none yet.
async fn answers(client: &Client<HttpConnector, Body>, port: u16) {
    loop {
        let request = axum::http::Request::get(format!("http://127.0.0.1:{port}/"));
        let Ok(request) = request.body(Body::empty()) else {
            return;
        };
        match client.request(request).await {
            Err(error) if error.is_connect() => sleep(READY_CHECK_EVERY).await,
            Ok(_) | Err(_) => return,
        }
    }
}

async fn free_port() -> io::Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_codes_decide_about_the_restart() {
        assert_eq!(exit_verdict(Some(0)), Verdict::StayDown);
        let calm = Verdict::Restart { is_error: false };
        assert_eq!(exit_verdict(Some(200)), calm);
        let error = Verdict::Restart { is_error: true };
        assert_eq!(exit_verdict(Some(1)), error);
        assert_eq!(exit_verdict(None), error, "killed by a signal");
    }

    #[test]
    fn errors_are_forgotten_after_half_an_hour() {
        let start: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
        let mut errors = Errors::default();
        assert_eq!(errors.add(start), 1);
        assert_eq!(errors.add(start + TimeDelta::minutes(30)), 2);
        assert_eq!(errors.add(start + TimeDelta::minutes(61)), 1);
    }

    #[test]
    fn pauses_between_starts_grow_to_two_seconds() {
        let pauses: Vec<_> = [1, 2, 3, 5, 6, 1000].map(|n| backoff(n).as_millis()).into();
        assert_eq!(pauses, [100, 200, 400, 1600, 2000, 2000]);
    }
}
