//! Azurite, Microsoft's stand-in for Blob storage, as a process of a test: installed once from the lock file in
//! tests/azurite, on a free port of this machine, in memory, and gone with the test however that ends.
#![cfg(test)]

use std::io::{BufRead, BufReader};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};

use widgetco::config::{Identity, ImagePlace, ImagesConfig};

use crate::npm::installed;

/// Attempts to find a port that nobody else takes meanwhile.
const STARTS_MAX: u32 = 5;
/// What it prints when it can be reached.
const READY: &str = "successfully listen";

/// Why npm is needed, for those who lack it.
const PURPOSE: &str = "the tests of Blob storage";

/// A running Azurite.
pub(crate) struct Azurite {
    child: Child,
    port: u16,
}

impl Drop for Azurite {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Azurite {
    pub(crate) fn start() -> Self {
        let program = installed("tests/azurite", PURPOSE).join("azurite/dist/src/blob/main.js");
        for _ in 0..STARTS_MAX {
            let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
            let mut child = Command::new("node")
                .arg(&program)
                .args(["--blobHost", "127.0.0.1", "--blobPort", &port.to_string()])
                .args(["--disableTelemetry", "--inMemoryPersistence", "--skipApiVersionCheck"])
                .stdin(Stdio::null())
                .stdout(Stdio::piped())
                .stderr(Stdio::null())
                .spawn()
                .unwrap_or_else(|error| panic!("Install Node.js with npm for {PURPOSE}: {error}"));
            let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
            let is_ready = lines.any(|line| line.is_ok_and(|line| line.contains(READY)));
            // What else it prints must not fill the pipe and stop it.
            std::thread::spawn(move || lines.for_each(drop));
            let azurite = Self { child, port };
            if is_ready {
                return azurite;
            }
        }
        panic!("Azurite does not start; try `node {}`", program.display());
    }

    /// The address of a container in it.
    pub(crate) fn url(&self, container: &str) -> String {
        format!("http://127.0.0.1:{}/devstoreaccount1/{container}", self.port)
    }
}

/// Settings that keep pictures in this container of an Azurite.
pub(crate) fn settings(url: String) -> ImagesConfig {
    drop(rustls::crypto::ring::default_provider().install_default());
    ImagesConfig { place: ImagePlace::Azurite { url }, identity: Identity::Developer, public_url: None }
}
