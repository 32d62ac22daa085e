//! The command line: what can be asked of the program, and nothing of how it is done.

use std::fmt::Display;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{Config, ConfigError};
use crate::host::failure::chain;

mod audit;
#[cfg(feature = "emulator")]
mod changes;
mod doctor;
#[cfg(feature = "emulator")]
mod emulator;
#[cfg(feature = "emulator")]
mod folders;
mod import;
#[cfg(feature = "emulator")]
mod local;
mod package;
mod seed;
mod serve;
#[cfg(feature = "emulator")]
mod token;

/// Port of `emulator` when none is given: the one that Cosmos emulators are looked for at.
#[cfg(feature = "emulator")]
const EMULATOR_PORT: u16 = 8081;
/// Port of `local` when none is given: the one that `func start` uses.
#[cfg(feature = "emulator")]
const LOCAL_PORT: u16 = 7071;

/// The Widget & Co shop back end: an Azure Functions custom handler.
///
/// Without a command it is the handler (`serve`) when the Functions host has started it, and the whole shop on this
/// machine (`local`) otherwise.
#[derive(Parser)]
#[command(
    version,
    after_help = "Settings come from the environment; `widgetco check-config` lists and checks them."
)]
struct Arguments {
    #[command(subcommand)]
    command: Option<Command>,
}

#[derive(Subcommand)]
enum Command {
    /// Run as the handler behind a Functions host
    ///
    /// Listens on 127.0.0.1 at FUNCTIONS_CUSTOMHANDLER_PORT, which the host sets, and talks to the store at
    /// COSMOS_ENDPOINT.
    Serve {
        /// Port to listen on, instead of FUNCTIONS_CUSTOMHANDLER_PORT
        #[arg(long)]
        port: Option<u16>,
        /// End when standard input does, so as not to outlive the program that holds its other end
        #[arg(long)]
        until_stdin_closes: bool,
    },
    /// Run the whole shop on this machine: host, handler, queues, timers, events and store
    ///
    /// Stands in for the Functions host: reads host.json and functions/*/function.json, starts the handler as a child
    /// process, and keeps its store in memory, with demo data in it, unless COSMOS_ENDPOINT names another.
    #[cfg(feature = "emulator")]
    Local {
        /// Port to listen on; 0 takes any free one
        #[arg(long, default_value_t = LOCAL_PORT)]
        port: u16,
        /// Ask for function keys as Azure does; the development keys are printed
        #[arg(long)]
        enable_auth: bool,
        /// Origins whose pages may call, separated by commas, or *; instead of Host.CORS in local.settings.json
        #[arg(long)]
        cors: Option<String>,
        /// Let those pages send cookies and the like, as Host.CORSCredentials in local.settings.json does
        #[arg(long)]
        cors_credentials: bool,
        /// Folder that holds host.json; this one or the nearest above when not given
        #[arg(long)]
        root: Option<PathBuf>,
    },
    /// Serve the in-memory Cosmos emulator over HTTP, so that several processes share one store
    ///
    /// Start others with COSMOS_ENDPOINT=http://127.0.0.1:PORT/. Its content ends with it.
    #[cfg(feature = "emulator")]
    Emulator {
        /// Port to listen on, on 127.0.0.1; 0 takes any free one
        #[arg(long, default_value_t = EMULATOR_PORT)]
        port: u16,
        /// Leave it without demo data
        #[arg(long)]
        empty: bool,
    },
    /// Put products, stock and customers into the store at COSMOS_ENDPOINT; what exists is left alone
    Seed {
        /// JSON file to read, instead of the demo data
        #[arg(long)]
        file: Option<PathBuf>,
    },
    /// Bring products into the catalogue from an NDJSON or CSV file
    ///
    /// NDJSON has one product a line, as `POST /api/products` takes it. CSV has the columns sku, name, priceMinor and
    /// currency, and may have description, status, categoryIds and collectionIds (ids parted by spaces) and attributes as in
    /// `attribute:weight [g]`. A product that is there already is made what its row says; a file can be brought in again.
    Import {
        /// File that ends in .ndjson, .jsonl or .csv
        file: PathBuf,
        /// Row to begin with, where an import has stopped
        #[arg(long, default_value_t = 1)]
        from: usize,
    },
    /// Check the books of every product, and list the orders that wait too long; repairs nothing
    Audit,
    /// Print a bearer token for a shop over an emulator, such as `cargo run` opens
    ///
    /// Send it as `Authorization: Bearer TOKEN`. No shop in Azure believes it.
    #[cfg(feature = "emulator")]
    Token {
        #[command(flatten)]
        bearer: token::Asked,
        /// How long it holds, in minutes; below 0 it has expired
        #[arg(long, default_value_t = 60, allow_negative_numbers = true)]
        valid_minutes: i32,
    },
    /// Lay out the folder that is deployed, or that `func start` runs in
    ///
    /// Holds host.json, one folder per function and this very program, or with --release the program as Azure runs it,
    /// which is built first.
    Package(package::Asked),
    /// Check that everything the settings name can be reached from here, is made as the code needs it, and may be used
    Doctor {
        /// Print the checks as JSON
        #[arg(long)]
        json: bool,
    },
    /// Check the settings, all at once, and list those there are
    CheckConfig,
}

/// Runs the program with the arguments of the process. Ends with 0 only when a command that ends by itself succeeded;
/// `serve` never does, because the Functions host does not restart a handler that ended well.
pub fn run() -> ExitCode {
    let arguments = Arguments::parse();
    // Another provider can only have been installed by this line before.
    drop(rustls::crypto::ring::default_provider().install_default());
    let command = arguments.command.unwrap_or_else(default_command);
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return fail(&format!("the asynchronous runtime cannot be started: {error}")),
    };
    match runtime.block_on(execute(command)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => fail(&chain(error.as_ref())),
    }
}

#[cfg(feature = "emulator")]
fn default_command() -> Command {
    match Config::environment("FUNCTIONS_CUSTOMHANDLER_PORT") {
        Some(_) => Command::Serve { port: None, until_stdin_closes: false },
        None => Command::Local {
            port: LOCAL_PORT,
            enable_auth: false,
            cors: None,
            cors_credentials: false,
            root: None,
        },
    }
}

#[cfg(not(feature = "emulator"))]
fn default_command() -> Command {
    Command::Serve { port: None, until_stdin_closes: false }
}

type Failure = Box<dyn std::error::Error>;

async fn execute(command: Command) -> Result<(), Failure> {
    match command {
        Command::Serve { port, until_stdin_closes } => {
            let config = Config::parse(Config::environment)?;
            let exports = crate::telemetry::start(&config.log, config.export.as_ref());
            let served = serve::serve(&config, port, until_stdin_closes).await;
            exports.close().await;
            served
        }
        #[cfg(feature = "emulator")]
        Command::Local { port, enable_auth, cors, cors_credentials, root } => {
            let root = root_or_nearest(root);
            Box::pin(local::local(local::Asked { port, enable_auth, cors, cors_credentials, root })).await
        }
        #[cfg(feature = "emulator")]
        Command::Emulator { port, empty } => emulator::emulator(port, empty).await,
        Command::Seed { file } => Box::pin(seed::seed(&config()?, file.as_deref())).await,
        Command::Import { file, from } => Box::pin(import::import(&config()?, &file, from)).await,
        Command::Audit => Box::pin(audit::audit(&config()?)).await,
        #[cfg(feature = "emulator")]
        Command::Token { bearer, valid_minutes } => token::token(bearer, valid_minutes),
        Command::Package(asked) => package::package(asked),
        Command::Doctor { json } => Box::pin(doctor::doctor(&config()?, json)).await,
        Command::CheckConfig => check_config(),
    }
}

/// The folder that was given; else the nearest with a host.json, from here upwards, as cargo finds its manifest.
fn root_or_nearest(given: Option<PathBuf>) -> PathBuf {
    let here = || std::env::current_dir().ok();
    let nearest = || here()?.ancestors().find(|folder| folder.join("host.json").is_file()).map(PathBuf::from);
    given.or_else(nearest).unwrap_or_else(|| PathBuf::from("."))
}

/// The settings, and logging as they say. Traces and metrics are of those who serve alone.
fn config() -> Result<Config, ConfigError> {
    let config = Config::parse(Config::environment)?;
    crate::telemetry::start(&config.log, None);
    Ok(config)
}

fn check_config() -> Result<(), Failure> {
    let config = Config::parse(Config::environment);
    for (name, meaning) in crate::config::SETTINGS {
        say(&format!("{name}\n    {meaning}"));
    }
    let config = config?;
    say(&format!("\nThe settings are right: {config:#?}"));
    config.remarks().iter().for_each(say);
    Ok(())
}

/// Waits for Ctrl-C.
#[cfg(feature = "emulator")]
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        // Without the signal there is nothing to wait for, and the process can still be killed.
        std::future::pending::<()>().await;
    }
}

/// Writes a line for the person at the terminal; a closed terminal is no reason to stop.
fn say(line: &(impl Display + ?Sized)) {
    drop(writeln!(io::stdout(), "{line}"));
}

fn fail(message: &str) -> ExitCode {
    drop(writeln!(io::stderr(), "widgetco: {message}"));
    ExitCode::FAILURE
}
