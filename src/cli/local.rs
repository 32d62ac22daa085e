//! `local`: the whole shop on this machine, for `cargo run` and nothing installed.

use std::net::{Ipv4Addr, TcpListener};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::task::JoinHandle;

use crate::config::{Config, LogConfig, LogFormat};
use crate::local::{self, Error, Handler, LocalHost, Options, start};
use crate::sources::{Clock, Ids};
use crate::store::Store;

use super::emulator::{DATABASE, Opened, open};
use super::folders::Folder;
use super::{Failure, changes, interrupted, say};

/// What the folder with mail is called in addresses.
const MAIL: &str = "mail";

/// What is logged when LOG_FILTER does not say: what the shop does, without the coming and going of its handler.
const LOG_FILTER: &str = "warn,widgetco=info,widgetco::cli::serve=warn,widgetco::local::process=warn";

/// What the command line says.
pub(super) struct Asked {
    pub(super) port: u16,
    pub(super) enable_auth: bool,
    pub(super) cors: Option<String>,
    pub(super) cors_credentials: bool,
    /// The folder of host.json.
    pub(super) root: PathBuf,
}

/// A store that lives in this process.
struct Own {
    served: JoinHandle<()>,
    port: u16,
}

/// Runs host, handler and store until Ctrl-C.
pub(super) async fn local(asked: Asked) -> Result<(), Failure> {
    let Asked { port, enable_auth, cors, cors_credentials, root } = asked;
    let filter = given("LOG_FILTER").unwrap_or_else(|| LOG_FILTER.to_owned());
    crate::telemetry::start(&LogConfig { filter: filter.clone(), format: LogFormat::Text }, None);
    let database = given("COSMOS_DATABASE").unwrap_or_else(|| DATABASE.to_owned());
    let (endpoint, store, own) = Box::pin(open_store(&database)).await?;
    // Folders live as long as the store that knows what is in them, or where that is another's, as long as this process.
    let (owner, _held) = match &own {
        Some(own) => (own.port, None),
        None => {
            let held = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
            (held.local_addr()?.port(), Some(held))
        }
    };
    let pictures = given("IMAGES_STORE").is_none() && own.is_some();
    let pictures = pictures.then(|| Folder::at_port("pictures", owner));
    let mail = given("MAIL").is_none().then(|| Folder::at_port("mail", owner));
    let mut environment = vec![
        ("COSMOS_ENDPOINT".to_owned(), endpoint.clone()),
        ("COSMOS_DATABASE".to_owned(), database.clone()),
        ("LOG_FILTER".to_owned(), filter),
        ("LOG_FORMAT".to_owned(), "text".to_owned()),
    ];
    environment.extend(pictures.iter().map(|folder| ("IMAGES_STORE".to_owned(), folder.setting())));
    environment.extend(mail.iter().map(|folder| ("MAIL".to_owned(), folder.setting())));
    let handler = Handler {
        program: Some(std::env::current_exe()?),
        arguments: vec!["serve".to_owned(), "--until-stdin-closes".to_owned()],
        environment,
    };
    let options = Options {
        root,
        port,
        enable_auth,
        cors,
        cors_credentials,
        handler,
        settings: Config::host_settings(),
        changes: Some(changes::source(&store, &database)),
        folders: mail_path(mail.as_ref())
            .map(|path| local::Folder { name: MAIL.to_owned(), path })
            .into_iter()
            .collect(),
        clock: Clock::system(),
        ids: Ids::random(),
    };
    let host = start(options).await.map_err(explained)?;
    welcome(&host, &endpoint);
    interrupted().await;
    say("\nStopping.");
    host.stop().await;
    if let Some(Own { served, .. }) = own {
        served.abort();
    }
    Ok(())
}

/// A setting of this process that says something.
fn given(name: &str) -> Option<String> {
    Config::environment(name).filter(|value| !value.trim().is_empty())
}

/// The store that the settings name, or a new one in this process; and where it is.
async fn open_store(database: &str) -> Result<(String, Store, Option<Own>), Failure> {
    match given("COSMOS_ENDPOINT") {
        Some(endpoint) if endpoint != "emulator" => {
            let config = Config::parse(Config::environment)?;
            Ok((endpoint, Store::connect(&config.cosmos), None))
        }
        Some(_) | None => {
            let opened = open(0, false, database).await?;
            let endpoint = opened.emulator.endpoint().to_owned();
            let store = Store::embedded(Arc::clone(&opened.emulator), database);
            let port = opened.listener.local_addr()?.port();
            Ok((endpoint, store, Some(Own { served: tokio::spawn(serve(opened)), port })))
        }
    }
}

/// Where mail lies that was sent, when it lies in a folder.
fn mail_path(folder: Option<&Folder>) -> Option<PathBuf> {
    let given = || given("MAIL")?.strip_prefix("folder:").map(PathBuf::from);
    folder.map(|folder| folder.path().to_owned()).or_else(given)
}

async fn serve(Opened { emulator, listener }: Opened) {
    if let Err(error) = emulator.serve(listener, std::future::pending()).await {
        tracing::error!(%error, "the emulator's port is no longer served");
    }
}

fn explained(error: Error) -> Failure {
    match error {
        Error::Config(_) => format!("{error} (run it where host.json is, or give --root)").into(),
        Error::Cors(_) | Error::PortTaken(_) | Error::Port { .. } | Error::Handler(_) => error.into(),
    }
}

/// What there is, and three things to try.
fn welcome(host: &LocalHost, store: &str) {
    let base = format!("http://{}", host.address());
    say(&format!("The shop is open at {base}, its store is at {store}\n"));
    for function in host.functions() {
        say(&format!("  {function}"));
    }
    for warning in host.warnings() {
        say(&format!("  not loaded: {warning}"));
    }
    let key = host.development_keys().map_or_else(String::new, |keys| {
        say(&format!("\nKeys are asked for. The master key opens every door:\n  {}", keys.master));
        say(&format!("The host key opens every function:\n  {}", keys.host));
        format!(" -H 'x-functions-key: {}'", keys.master)
    });
    let program = std::env::args().next().unwrap_or_else(|| "widgetco".to_owned());
    say(&format!(
        "\nTry, from another terminal:\n  \
         curl '{base}/api/products?limit=3'\n  \
         ADA=\"Authorization: Bearer $({program} token --customer c1)\"\n  \
         curl{key} -H \"$ADA\" -i {base}/api/orders -H 'Content-Type: application/json' \\\n       \
         -d '{{\"customerId\":\"c1\",\"lines\":[{{\"productId\":\"widget-classic\",\"quantity\":2}}]}}'\n  \
         curl{key} -H \"$ADA\" {base}/api/customers/c1/orders\n\n\
         Mail that the shop sends lies at {base}/local/folders/{MAIL}, what happened at {base}/local/events\n\n\
         Ctrl-C stops it; what it stores is gone then."
    ));
}
