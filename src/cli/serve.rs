//! `serve`: the handler behind a Functions host.

use std::sync::Arc;

use crate::app::App;
use crate::config::Config;
use crate::functions::routes;
use crate::host;
use crate::sources::Ids;

use super::Failure;

/// Opens the port and answers for ever; connects to the store at the first request.
pub(super) async fn serve(config: &Config, port: Option<u16>) -> Result<(), Failure> {
    let port = port.or(config.port).ok_or("no port to listen on: the Functions host sets FUNCTIONS_CUSTOMHANDLER_PORT; give --port without a host")?;
    let app = open(config).await?;
    let ids = Ids::random();
    let router = host::shell(routes(app), Arc::new(move || ids.hex32()));
    let listener =
        host::bind(port).await.map_err(|error| format!("port {port} cannot be opened: {error}"))?;
    tracing::info!(
        port = listener.local_addr()?.port(),
        version = env!("CARGO_PKG_VERSION"),
        "the handler is ready"
    );
    host::serve(listener, router, std::future::pending()).await?;
    Err("the listener ended".into())
}

#[cfg(not(feature = "emulator"))]
async fn open(config: &Config) -> Result<App, Failure> {
    Ok(App::connect(config))
}

/// With `COSMOS_ENDPOINT=emulator` the store lives in this process, with the demo data in it.
#[cfg(feature = "emulator")]
async fn open(config: &Config) -> Result<App, Failure> {
    use crate::config::Endpoint;
    use crate::sources::Clock;
    use crate::store::{Store, emulator::Emulator};
    if config.cosmos.endpoint != Endpoint::Embedded {
        return Ok(App::connect(config));
    }
    let store = Store::embedded(Arc::new(Emulator::in_process()?), &config.cosmos.database);
    let app = App::new(store, Clock::system(), Ids::random());
    Box::pin(super::seed::fill_emulator(&app)).await?;
    Ok(app)
}
