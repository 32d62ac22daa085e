//! `emulator`: the in-memory Cosmos emulator on a port of its own.

use std::sync::Arc;

use tokio::net::TcpListener;

use crate::app::App;
use crate::host;
use crate::sources::{Clock, Ids};
use crate::store::Store;
use crate::store::emulator::Emulator;

use super::{Failure, interrupted, say};

/// The database that the handler uses when COSMOS_DATABASE does not say otherwise.
pub(super) const DATABASE: &str = "widgetco";

/// An emulator that is about to be served, and the listener that it lives at.
pub(super) struct Opened {
    pub(super) emulator: Arc<Emulator>,
    pub(super) listener: TcpListener,
}

/// Opens the port and sets the emulator up behind it, with its containers and, unless it is to stay empty, the demo data.
pub(super) async fn open(port: u16, empty: bool, database: &str) -> Result<Opened, Failure> {
    let listener = host::bind(port).await.map_err(|error| {
        format!("the emulator's port {port} cannot be opened: {error}; give another with --port")
    })?;
    let emulator = Arc::new(Emulator::new(&format!("http://{}/", listener.local_addr()?))?);
    let app = App::new(Store::embedded(Arc::clone(&emulator), database), Clock::system(), Ids::random());
    if empty {
        app.store.create_containers().await?;
    } else {
        super::seed::fill_emulator(&app).await?;
    }
    Ok(Opened { emulator, listener })
}

/// Serves until Ctrl-C.
pub(super) async fn emulator(port: u16, empty: bool) -> Result<(), Failure> {
    let config =
        crate::config::LogConfig { filter: "warn".to_owned(), format: crate::config::LogFormat::Text };
    crate::telemetry::start(&config, None);
    let Opened { emulator, listener } = Box::pin(open(port, empty, DATABASE)).await?;
    say(&format!(
        "The Cosmos emulator is at {0}\nUse it with COSMOS_ENDPOINT={0}\nCtrl-C ends it and its content.",
        emulator.endpoint()
    ));
    tokio::select! {
        served = emulator.serve(listener, std::future::pending()) => Ok(served?),
        () = interrupted() => Ok(()),
    }
}
