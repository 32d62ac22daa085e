//! `local`: the whole shop on this machine, for `cargo run` and nothing installed.

use std::path::PathBuf;

use crate::config::{Config, LogConfig, LogFormat};
use crate::local::{Error, Handler, LocalHost, Options, start};
use crate::sources::{Clock, Ids};

use super::emulator::{Opened, open};
use super::pictures::Pictures;
use super::{Failure, interrupted, say};

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

/// Runs host, handler and store until Ctrl-C.
pub(super) async fn local(asked: Asked) -> Result<(), Failure> {
    let Asked { port, enable_auth, cors, cors_credentials, root } = asked;
    let filter = Config::environment("LOG_FILTER").unwrap_or_else(|| LOG_FILTER.to_owned());
    crate::telemetry::start(&LogConfig { filter: filter.clone(), format: LogFormat::Text });
    let (store, served) = match Config::environment("COSMOS_ENDPOINT") {
        Some(endpoint) if endpoint != "emulator" => (endpoint, None),
        Some(_) | None => {
            let opened = Box::pin(open(0, false)).await?;
            let port = opened.listener.local_addr()?.port();
            (opened.emulator.endpoint().to_owned(), Some((tokio::spawn(serve(opened)), port)))
        }
    };
    // Pictures live as long as the store that knows of them.
    let given = Config::environment("IMAGES_STORE").filter(|place| !place.trim().is_empty());
    let pictures = match (&given, &served) {
        (None, Some((_, port))) => Some(Pictures::of_store_at(*port)),
        (Some(_), _) | (None, None) => None,
    };
    let mut environment = vec![
        ("COSMOS_ENDPOINT".to_owned(), store.clone()),
        ("LOG_FILTER".to_owned(), filter),
        ("LOG_FORMAT".to_owned(), "text".to_owned()),
    ];
    environment.extend(pictures.iter().map(Pictures::setting));
    let handler = Handler {
        program: Some(std::env::current_exe()?),
        arguments: vec!["serve".to_owned(), "--until-stdin-closes".to_owned()],
        environment,
    };
    let (settings, clock, ids) = (Config::host_settings(), Clock::system(), Ids::random());
    let options = Options { root, port, enable_auth, cors, cors_credentials, handler, settings, clock, ids };
    let host = start(options).await.map_err(explained)?;
    welcome(&host, &store);
    interrupted().await;
    say("\nStopping.");
    host.stop().await;
    if let Some((served, _)) = served {
        served.abort();
    }
    Ok(())
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
         Ctrl-C stops it; what it stores is gone then."
    ));
}
