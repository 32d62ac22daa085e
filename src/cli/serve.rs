//! `serve`: the handler behind a Functions host.

use std::sync::Arc;

use crate::app::App;
use crate::config::Config;
use crate::functions::routes;
use crate::functions::timing::timed;
use crate::host;
use crate::sources::Ids;

use super::Failure;

/// Opens the port and answers for ever; connects to the store at the first request.
pub(super) async fn serve(
    config: &Config,
    port: Option<u16>,
    until_stdin_closes: bool,
) -> Result<(), Failure> {
    let port = port.or(config.port).ok_or("no port to listen on: the Functions host sets FUNCTIONS_CUSTOMHANDLER_PORT; give --port without a host")?;
    config.remarks().iter().for_each(|remark| tracing::warn!("{remark}"));
    let app = open(config).await?;
    let ids = Ids::random();
    let routes = if config.development { timed(routes(app)) } else { routes(app) };
    let router = host::shell(routes, Arc::new(move || ids.hex32()));
    let listener =
        host::bind(port).await.map_err(|error| format!("port {port} cannot be opened: {error}"))?;
    tracing::info!(
        port = listener.local_addr()?.port(),
        version = env!("CARGO_PKG_VERSION"),
        "the handler is ready"
    );
    let served = host::serve(listener, router, std::future::pending());
    if !until_stdin_closes {
        served.await?;
        return Err("the listener ended".into());
    }
    tokio::select! {
        served = served => served?,
        () = stdin_closed() => {}
    }
    Err("the host is gone".into())
}

/// Waits for the end of standard input, and until then leaves Ctrl-C to whoever holds its other end.
async fn stdin_closed() {
    tokio::spawn(async { while tokio::signal::ctrl_c().await.is_ok() {} });
    let (closed, wait) = tokio::sync::oneshot::channel::<()>();
    // A thread of its own, because a read from standard input cannot be called off.
    std::thread::spawn(move || {
        drop(std::io::copy(&mut std::io::stdin(), &mut std::io::sink()));
        drop(closed);
    });
    drop(wait.await);
}

#[cfg(not(feature = "emulator"))]
async fn open(config: &Config) -> Result<App, Failure> {
    Ok(App::connect(config))
}

/// With `COSMOS_ENDPOINT=emulator` the store lives in this process, with the demo data in it.
#[cfg(feature = "emulator")]
async fn open(config: &Config) -> Result<App, Failure> {
    use crate::config::Endpoint;
    use crate::store::{Store, emulator::Emulator};
    if config.cosmos.endpoint != Endpoint::Embedded {
        return Ok(App::connect(config));
    }
    let store = Store::embedded(Arc::new(Emulator::in_process()?), &config.cosmos.database);
    let app = App::over(store, config);
    Box::pin(super::seed::fill_emulator(&app)).await?;
    Ok(app)
}
