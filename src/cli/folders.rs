//! The folders in which `local` keeps pictures and mail as long as its store lives, and what is done with those that were left
//! behind.
//!
//! Their names have a port, the store's or one that is held for this alone, which nobody else can open meanwhile: a folder
//! whose port is free belongs to nobody.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// What the names of the folders begin with; what is in one and the port follow.
const PREFIX: &str = "widgetco-";

/// A folder for one kind of files, which goes with the process unless that is killed. It exists from its first file on.
pub(super) struct Folder(PathBuf);

impl Folder {
    /// An empty folder for what belongs to this port, which is open. Those that were left behind are removed.
    pub(super) fn at_port(content: &str, port: u16) -> Self {
        let place = std::env::temp_dir();
        let prefix = format!("{PREFIX}{content}-");
        remove_abandoned(&place, &prefix);
        let folder = place.join(format!("{prefix}{port}"));
        // Somebody may have had the port before.
        drop(fs::remove_dir_all(&folder));
        Self(folder)
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.0
    }

    /// The value of a setting that leads the handler there.
    pub(super) fn setting(&self) -> String {
        format!("folder:{}", self.0.display())
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // It exists only when there was a file.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Removes the folders of ports that are free. What cannot be removed is somebody else's, and stays.
fn remove_abandoned(place: &Path, prefix: &str) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let port = name.to_str().and_then(|name| name.strip_prefix(prefix)?.parse().ok());
        // The port is held until the folder is gone, so that nobody else begins to use it.
        if let Some(port) = port
            && let Ok(_held) = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A port that the system gives to nobody by itself.
    const UNUSED_PORT: u16 = 29_071;

    #[test]
    fn folder_of_a_port_that_is_free_is_removed_and_every_other_one_stays() {
        let place = std::env::temp_dir().join(format!("widgetco-{}-abandoned", std::process::id()));
        let store = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let folder = |port: &dyn std::fmt::Display| place.join(format!("{PREFIX}mail-{port}"));
        let in_use = folder(&store.local_addr().unwrap().port());
        let (gone, other) = (folder(&UNUSED_PORT), folder(&"of-mine"));
        for folder in [&in_use, &gone, &other] {
            fs::create_dir_all(folder.join("mug")).unwrap();
        }
        remove_abandoned(&place, "widgetco-mail-");
        let left = [&in_use, &gone, &other].map(|folder| folder.exists());
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(left, [true, false, true]);
    }
}
