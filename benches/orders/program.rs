//! The program itself: how long from the start of its process to its first answer, which is its part of a cold start; how
//! large it is; and its memory, at rest and while it decides orders.
//!
//! Its store is this process, so that its memory is its own. The program's file is in the page cache after the first
//! start; a first start on a new machine also reads it from disk.

use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use tokio::time::Instant;

use crate::Failure;
use crate::cases::{Demand, MOST_AT_ONCE};
use crate::driver::Driver;
use crate::figures::{count, median};
use crate::measure::orders_for;
use crate::options::Options;
use crate::shop::{DATABASE, Shop};

/// Longest wait for the first answer.
const START_MAX: Duration = Duration::from_secs(10);
/// Pause between two attempts to ask.
const POLL: Duration = Duration::from_micros(100);
/// What settles after the first answer.
const REST: Duration = Duration::from_millis(200);
/// An account that is never reached: the handler connects when the store is first used.
const NOWHERE: &str = "https://example.documents.azure.com:443/";

/// What each program is started with: nothing but a store, and also somebody to send traces and metrics to. Nobody takes them there:
/// they are dropped, and cost what making them costs.
const SETTINGS: [(&str, Settings); 2] =
    [("", &[]), (", with traces and metrics", &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1")])];

type Settings = &'static [(&'static str, &'static str)];

/// What a build of the program costs.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    pub(crate) name: String,
    pub(crate) size_mib: f64,
    pub(crate) start_ms: f64,
    pub(crate) worst_start_ms: f64,
    pub(crate) rest_mib: f64,
    /// Only of the build that can talk to this process.
    pub(crate) load: Option<UnderLoad>,
}

/// Its memory while it decides orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnderLoad {
    pub(crate) peak_mib: f64,
    /// Some moments after the last order.
    pub(crate) after_mib: f64,
    pub(crate) orders_per_s: f64,
}

/// The build that belongs to this benchmark, and those that the options name.
///
/// # Errors
/// When one does not start or does not decide.
pub(crate) async fn measure(options: &Options) -> Result<Vec<Program>, Failure> {
    let own = Path::new(env!("CARGO_BIN_EXE_widgetco"));
    let mut programs = starts("this build, with the emulator", own, options.starts())?;
    for (program, (_, settings)) in programs.iter_mut().zip(SETTINGS) {
        program.load = Some(load(own, settings, options.program_orders()).await?);
    }
    for path in options.programs() {
        programs.extend(starts(&path.display().to_string(), path, options.starts())?);
    }
    Ok(programs)
}

/// The program with each of the [`SETTINGS`], started in turns, so that what else the machine does meets all alike.
fn starts(name: &str, path: &Path, times: u32) -> Result<Vec<Program>, Failure> {
    let mut figures = SETTINGS.map(|_| (Vec::new(), Vec::new()));
    for _ in 0..times {
        for ((_, settings), (start_ms, rest_mib)) in SETTINGS.iter().zip(&mut figures) {
            let (running, took) = Running::start(path, NOWHERE, settings)?;
            sleep(REST);
            start_ms.push(took.as_secs_f64() * 1000.0);
            rest_mib.push(running.memory_mib("VmRSS:")?);
        }
    }
    let size_mib = count(usize::try_from(path.metadata()?.len())?) / 1024.0 / 1024.0;
    let programs = SETTINGS.iter().zip(figures).map(|((with, _), (start_ms, rest_mib))| Program {
        name: format!("{name}{with}"),
        size_mib,
        worst_start_ms: start_ms.iter().copied().fold(0.0, f64::max),
        start_ms: median(start_ms),
        rest_mib: median(rest_mib),
        load: None,
    });
    Ok(programs.collect())
}

/// Orders of many products, as many at once as one instance takes, from a store that answers at once.
async fn load(path: &Path, settings: Settings, orders: u32) -> Result<UnderLoad, Failure> {
    let shop = Shop::open(Duration::ZERO).await?;
    let (pieces, ordered) = orders_for(Demand::Uniform.products(), orders)?;
    shop.stock(&pieces).await?;
    let bells = shop.place(&ordered).await?;
    let (path, endpoint): (PathBuf, _) = (path.to_owned(), shop.endpoint().to_owned());
    let started = tokio::task::spawn_blocking(move || Running::start(&path, &endpoint, settings)).await?;
    let (running, _) = started?;
    let driver = Driver::new(vec![(Ipv4Addr::LOCALHOST, running.port).into()]);
    let delivered = driver.deliver(&bells, MOST_AT_ONCE).await?;
    shop.check(&pieces).await?;
    Ok(UnderLoad {
        peak_mib: running.memory_mib("VmHWM:")?,
        after_mib: running.memory_mib("VmRSS:")?,
        orders_per_s: count(bells.len()) / delivered.took.as_secs_f64(),
    })
}

/// A process of the program; ends when it is dropped.
struct Running {
    child: Child,
    port: u16,
}

impl Running {
    /// Starts it as the Functions host does, and asks `GET /` until it answers.
    fn start(path: &Path, endpoint: &str, settings: Settings) -> Result<(Self, Duration), Failure> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new(path);
        command.arg("serve").env_clear();
        command.env("FUNCTIONS_CUSTOMHANDLER_PORT", port.to_string());
        command.env("COSMOS_ENDPOINT", endpoint).env("COSMOS_DATABASE", DATABASE);
        command.envs(settings.iter().copied());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let start = Instant::now();
        let mut running = Self { child: command.spawn()?, port };
        while !running.answers()? {
            if let Some(status) = running.child.try_wait()? {
                return Err(format!("{} ended: {status}", path.display()).into());
            }
            if start.elapsed() > START_MAX {
                return Err(format!("{} does not answer", path.display()).into());
            }
            sleep(POLL);
        }
        Ok((running, start.elapsed()))
    }

    /// Whether it answers; not while nobody listens yet.
    fn answers(&self) -> Result<bool, Failure> {
        let mut answer = [0; 12];
        let ask = |answer: &mut [u8]| {
            let mut connection = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port))?;
            connection.set_read_timeout(Some(START_MAX))?;
            connection.write_all(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")?;
            connection.read_exact(answer)
        };
        match ask(&mut answer) {
            Ok(()) if &answer == b"HTTP/1.1 200" => Ok(true),
            Ok(()) => Err(format!("GET / is answered with {}", String::from_utf8_lossy(&answer)).into()),
            Err(error)
                if matches!(error.kind(), ErrorKind::ConnectionRefused | ErrorKind::ConnectionReset) =>
            {
                Ok(false)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// A line of what Linux knows about its memory.
    fn memory_mib(&self, line: &str) -> Result<f64, Failure> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let kib = status.lines().find_map(|text| text.strip_prefix(line)?.trim().strip_suffix(" kB"));
        Ok(kib.ok_or("Linux does not tell the memory of a process")?.trim().parse::<f64>()? / 1024.0)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
