//! Packages of npm that tests need, installed once from the lock file in a folder of tests/.
#![cfg(test)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Mutex, PoisonError};

/// Only one test installs at a time.
static INSTALLING: Mutex<()> = Mutex::new(());

/// The `node_modules` of a folder, as its lock file says. What was installed for another lock file is replaced. `purpose`
/// tells whoever lacks npm what it is for.
pub(crate) fn installed(folder: &str, purpose: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let lock = fs::read_to_string(folder.join("package-lock.json")).unwrap();
    let modules = folder.join("node_modules");
    let stamp = modules.join(".installed-package-lock.json");
    let _installing = INSTALLING.lock().unwrap_or_else(PoisonError::into_inner);
    if fs::read_to_string(&stamp).ok().as_ref() != Some(&lock) {
        let npm = Command::new("npm")
            .args([
                "ci",
                "--ignore-scripts",
                "--no-audit",
                "--no-fund",
                "--omit=optional",
                "--loglevel=error",
            ])
            .current_dir(&folder)
            .status()
            .unwrap_or_else(|error| panic!("Install Node.js with npm for {purpose}: {error}"));
        assert!(
            npm.success(),
            "`npm ci` in {} failed: it needs Node.js 20 or newer, and the npm registry",
            folder.display()
        );
        fs::write(&stamp, &lock).unwrap();
    }
    modules
}
