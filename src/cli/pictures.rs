//! The folder in which `local` keeps pictures as long as its store lives, and what is done with one that was left behind.
//!
//! Its name has the port of the store, which nobody else can open meanwhile: a folder whose port is free belongs to nobody.

use std::fs;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};

/// What the names of the folders begin with; the port follows.
const PREFIX: &str = "widgetco-pictures-";

/// A folder for pictures, which goes with the process unless that is killed.
pub(super) struct Pictures(PathBuf);

impl Pictures {
    /// An empty folder for the store at this port, which is open. Those that were left behind are removed.
    pub(super) fn of_store_at(port: u16) -> Self {
        let place = std::env::temp_dir();
        remove_abandoned(&place);
        let folder = place.join(format!("{PREFIX}{port}"));
        // Somebody may have had the port before.
        drop(fs::remove_dir_all(&folder));
        Self(folder)
    }

    /// The setting that leads the handler there.
    pub(super) fn setting(&self) -> (String, String) {
        ("IMAGES_STORE".to_owned(), format!("folder:{}", self.0.display()))
    }
}

impl Drop for Pictures {
    fn drop(&mut self) {
        // It exists only when there was a picture.
        drop(fs::remove_dir_all(&self.0));
    }
}

/// Removes the folders of stores that are gone. What cannot be removed is somebody else's, and stays.
fn remove_abandoned(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let name = entry.file_name();
        let port = name.to_str().and_then(|name| name.strip_prefix(PREFIX)?.parse().ok());
        // The port is held until the folder is gone, so that no other store begins to use it.
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
    fn folder_of_a_store_that_is_gone_is_removed_and_every_other_one_stays() {
        let place = std::env::temp_dir().join(format!("widgetco-{}-abandoned", std::process::id()));
        let store = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let folder = |port: &dyn std::fmt::Display| place.join(format!("{PREFIX}{port}"));
        let in_use = folder(&store.local_addr().unwrap().port());
        let (gone, other) = (folder(&UNUSED_PORT), folder(&"of-mine"));
        for folder in [&in_use, &gone, &other] {
            fs::create_dir_all(folder.join("mug")).unwrap();
        }
        remove_abandoned(&place);
        let left = [&in_use, &gone, &other].map(|folder| folder.exists());
        fs::remove_dir_all(&place).unwrap();
        assert_eq!(left, [true, false, true]);
    }
}
