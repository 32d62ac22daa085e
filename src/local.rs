//! A stand-in for the Azure Functions host: reads the same host.json and function.json, runs the same handler, and
//! plays HTTP, queue, timer, change feed and event triggers, so that an application behaves on a laptop as it does in Azure.
//!
//! It knows nothing of the application. What the real host does is imitated where the application can tell, including
//! what surprises; what is not played is refused with a sentence that says so.

mod admin;
mod answer;
mod changes;
mod config;
mod consumer;
mod cors;
mod dispatch;
mod envelope;
mod event;
mod function;
mod http;
mod keys;
mod link;
mod ncrontab;
mod page;
mod process;
mod proxy;
mod queue;
mod queues;
mod retry;
mod route;
mod site;
mod subscriber;
mod summary;
#[cfg(test)]
mod testing;
#[cfg(test)]
mod tests;
mod timer;
mod topic;
mod triggers;

use std::collections::BTreeMap;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::serve::ListenerExt;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use crate::sources::{Clock, Ids};
use config::{HostConfig, Settings};
use cors::Cors;
use dispatch::Dispatcher;
use function::Discovery;
use link::Link;
use process::{Launch, Process};
use queues::Queues;
use site::Site;
use topic::Topic;

pub use changes::{Answered, ChangeSource, Changes, LoadLease, Place, ReadChanges, SaveLease, StoreError};
pub use function::AuthLevel;
pub use keys::DevelopmentKeys;
pub use summary::{FunctionSummary, TriggerKind};

/// How long open connections may take to finish when the host stops.
const STOP_GRACE: Duration = Duration::from_secs(2);

/// The program that answers for the functions.
#[derive(Clone, Debug, Default)]
pub struct Handler {
    /// `None` takes the program and its arguments from `customHandler.description` in host.json.
    pub program: Option<PathBuf>,
    /// Arguments of `program`; without one they follow those of host.json.
    pub arguments: Vec<String>,
    /// Variables for the handler on top of the settings; they also count as settings.
    pub environment: Vec<(String, String)>,
}

/// What to play.
#[derive(Clone, Debug)]
pub struct Options {
    /// The folder with host.json; functions are in its folder `functions` if there is one, else directly in it.
    pub root: PathBuf,
    /// The port to open on the loopback address; 0 takes any that is free.
    pub port: u16,
    /// Whether keys are demanded according to `authLevel`.
    pub enable_auth: bool,
    /// Origins whose pages may call, separated by commas, or `*`; `None` takes them from local.settings.json.
    pub cors: Option<String>,
    /// Whether those pages may send cookies and the like, also where local.settings.json does not say so.
    pub cors_credentials: bool,
    /// The program that answers for the functions.
    pub handler: Handler,
    /// Application settings: given to the handler, resolve `%NAME%`, override host.json
    /// (`AzureFunctionsJobHost__a__b`) and disable functions (`AzureWebJobs.{Name}.Disabled`).
    pub settings: BTreeMap<String, String>,
    /// The store whose changes functions are told; without one those that want them are skipped.
    pub changes: Option<ChangeSource>,
    /// What lies in these can be looked at under `/local/folders`.
    pub folders: Vec<Folder>,
    /// The time that queues and timers go by.
    pub clock: Clock,
    /// The source of message ids, keys and the like.
    pub ids: Ids,
}

/// A folder whose files whoever develops wants to see, such as mail that was sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Folder {
    /// Its name in addresses: letters, digits and hyphens.
    pub name: String,
    /// Where it is; it need not exist yet.
    pub path: PathBuf,
}

/// Why the host did not start; a retry helps only when something outside has changed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// host.json or the folder of the functions cannot be used.
    #[error("{0}")]
    Config(String),
    /// What is said of the origins whose pages may call cannot be used.
    #[error("{0}")]
    Cors(String),
    /// Another program listens on the port.
    #[error("port {0} is taken by another program, choose another with --port (0 takes any)")]
    PortTaken(u16),
    /// The port cannot be opened for another reason.
    #[error("cannot listen on port {port}")]
    Port {
        /// The port that was asked for.
        port: u16,
        /// What the operating system says.
        #[source]
        source: io::Error,
    },
    /// The handler did not start or did not answer.
    #[error("{0}")]
    Handler(String),
}

/// A running host; dropping it ends everything less gently than [`LocalHost::stop`].
#[derive(Debug)]
pub struct LocalHost {
    site: Arc<Site>,
    warnings: Vec<String>,
    stop: watch::Sender<bool>,
    server: JoinHandle<()>,
    /// What makes functions run that no request does.
    triggers: JoinSet<()>,
    process: Option<Process>,
}

/// Reads the configuration, opens the port, starts the handler, waits until it answers, and begins to serve.
///
/// # Errors
/// When host.json is wrong, the port is taken or the handler does not come up. A function that is wrong is only a
/// warning. A retry helps when the cause has been removed.
pub async fn start(options: Options) -> Result<LocalHost, Error> {
    let Options { root, port, enable_auth, cors, cors_credentials, handler, mut settings, .. } = options;
    let Options { changes, folders, clock, ids, .. } = options;
    let root =
        std::path::absolute(&root).map_err(|error| Error::Config(format!("{}: {error}", root.display())))?;
    settings.extend(handler.environment.iter().cloned());
    let config = config::read(&root, &settings).map_err(Error::Config)?;
    let cors = Cors::read(&root, cors.as_deref(), cors_credentials).map_err(Error::Cors)?;
    let mut discovery = function::discover(&root, &config, &settings).map_err(Error::Config)?;
    discovery.refuse(|function| changes::refusal(function, changes.as_ref()));
    let listener = listen(port).await?;
    let launch = launch(&root, &config, handler, settings, &listener);
    let (process, link) = process::start(launch, clock.clone(), ids.clone()).await.map_err(Error::Handler)?;
    let process = Some(process);
    let parts =
        Parts { config, cors, discovery, listener, link, process, enable_auth, changes, folders, clock, ids };
    parts.open().map_err(|source| Error::Port { port, source })
}

async fn listen(port: u16) -> Result<TcpListener, Error> {
    TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(|source| match source.kind() {
        io::ErrorKind::AddrInUse => Error::PortTaken(port),
        _ => Error::Port { port, source },
    })
}

fn launch(
    root: &Path,
    config: &HostConfig,
    handler: Handler,
    settings: Settings,
    listener: &TcpListener,
) -> Launch {
    let described = &config.handler;
    let (program, mut arguments) = match handler.program {
        // A bare name is looked up in PATH; anything else must not depend on the working directory of the child.
        Some(program) if program.components().count() > 1 => {
            (std::path::absolute(&program).unwrap_or(program), Vec::new())
        }
        Some(program) => (program, Vec::new()),
        None => (described.program.clone(), described.arguments.clone()),
    };
    arguments.extend(handler.arguments);
    let mut environment =
        Settings::from([("AZURE_FUNCTIONS_ENVIRONMENT".to_owned(), "Development".to_owned())]);
    if let Ok(address) = listener.local_addr() {
        environment.insert("WEBSITE_HOSTNAME".to_owned(), format!("localhost:{}", address.port()));
    }
    environment.extend(settings);
    Launch {
        program,
        arguments,
        environment,
        working_directory: described.working_directory.clone(),
        root: root.to_owned(),
        initialization_timeout: config.initialization_timeout,
    }
}

/// Everything a host is made of once its handler answers.
struct Parts {
    config: HostConfig,
    cors: Option<Cors>,
    discovery: Discovery,
    listener: TcpListener,
    link: Link,
    process: Option<Process>,
    enable_auth: bool,
    changes: Option<ChangeSource>,
    folders: Vec<Folder>,
    clock: Clock,
    ids: Ids,
}

impl Parts {
    fn open(self) -> io::Result<LocalHost> {
        let address = self.listener.local_addr()?;
        let Discovery { functions, warnings } = self.discovery;
        for warning in &warnings {
            tracing::warn!("{warning}");
        }
        let queues = Arc::new(Queues::new(
            triggers::bound_queues(&functions),
            self.config.queues.encoding,
            self.clock.clone(),
            self.ids.clone(),
        ));
        let topic = Arc::new(Topic::new(triggers::subscribed(&functions), self.clock.clone()));
        let names = functions.iter().map(|function| function.name.as_str());
        let keys = self.enable_auth.then(|| DevelopmentKeys::new(names, &self.ids));
        let site = Arc::new(Site {
            address,
            dispatcher: Dispatcher::new(
                self.link.clone(),
                Arc::clone(&queues),
                Arc::clone(&topic),
                self.config.function_timeout,
            ),
            functions,
            queues,
            topic,
            folders: self.folders,
            link: self.link,
            keys,
            clock: self.clock,
            ids: self.ids,
        });
        let (stop, stopped) = watch::channel(false);
        Ok(LocalHost {
            server: tokio::spawn(serve(self.listener, http::router(Arc::clone(&site), self.cors), stopped)),
            triggers: triggers::spawn(&site, &self.config, self.changes.as_ref()),
            site,
            warnings,
            stop,
            process: self.process,
        })
    }
}

async fn serve(listener: TcpListener, router: Router, mut stopped: watch::Receiver<bool>) {
    let service = router.into_make_service_with_connect_info::<SocketAddr>();
    // Small answers must not wait for more to send.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, service).with_graceful_shutdown(async move {
        // An error means that the host was dropped, which also ends it.
        let _ = stopped.wait_for(|stopped| *stopped).await;
    });
    if let Err(error) = server.await {
        tracing::error!(%error, "the port is no longer served");
    }
}

impl LocalHost {
    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.site.address
    }

    /// The functions that were loaded, in the order in which their routes are tried.
    pub fn functions(&self) -> Vec<FunctionSummary> {
        self.site.functions.iter().map(|function| FunctionSummary::new(function)).collect()
    }

    /// What was skipped, one sentence each.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The keys of this run; `None` when none are demanded.
    pub fn development_keys(&self) -> Option<&DevelopmentKeys> {
        self.site.keys.as_ref()
    }

    /// The process id of the handler; `None` while there is none.
    pub fn handler_id(&self) -> Option<u32> {
        self.site.link.status().pid
    }

    /// Stops accepting and dispatching, kills the handler, and waits until it is gone.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        self.triggers.shutdown().await;
        if let Some(process) = self.process {
            process.stop().await;
        }
        if timeout(STOP_GRACE, &mut self.server).await.is_err() {
            self.server.abort();
        }
    }
}
