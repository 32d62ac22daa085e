//! `package`: the folder that is deployed, or that `func start` runs in.
//!
//! The Functions host sees only folders directly beside host.json; the repository keeps them under functions/.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;

use super::{Failure, root_or_nearest, say};

#[cfg(feature = "packaging")]
mod release;
#[cfg(feature = "packaging")]
mod sbom;

/// Name of the program in the package: `defaultExecutablePath` in host.json.
const PROGRAM: &str = "widgetco";

/// What to lay out, and where.
#[derive(Args)]
pub(super) struct Asked {
    /// Folder to write to; made if missing, must be empty or an earlier package
    #[arg(long)]
    out: PathBuf,
    /// Folder that holds host.json and functions/; this one or the nearest above when not given
    #[arg(long)]
    root: Option<PathBuf>,
    /// Build the program for Azure, and write app/, released-package.zip and sbom.cdx.json into the folder
    #[cfg(feature = "packaging")]
    #[arg(long)]
    release: bool,
    /// What the release is built for; the default needs no C library where it runs
    #[cfg(feature = "packaging")]
    #[arg(long, requires = "release", default_value = release::TARGET)]
    target: String,
}

/// Lays out the release, or this very program with the settings of a laptop.
pub(super) fn package(asked: Asked) -> Result<(), Failure> {
    let (out, root) = (asked.out, root_or_nearest(asked.root));
    #[cfg(feature = "packaging")]
    if asked.release {
        return release::release(&out, &root, &asked.target);
    }
    lay_out(&out, &root, &std::env::current_exe()?)?;
    let settings = root.join("local.settings.json");
    if cfg!(feature = "emulator") && settings.is_file() {
        copy(&settings, &out.join("local.settings.json"))?;
    }
    if cfg!(debug_assertions) {
        say("This is a debug build; for anything but trying out, run `cargo run --release -- package`.");
    }
    if cfg!(feature = "emulator") {
        say("Run `func start` there. What Azure runs is made by `package --release`.");
    }
    Ok(())
}

/// Copies host.json, the functions and the program.
fn lay_out(out: &Path, root: &Path, program: &Path) -> Result<(), Failure> {
    let functions = root.join("functions");
    if !root.join("host.json").is_file() || !functions.is_dir() {
        return Err(format!("{} holds no host.json and functions/; give --root", root.display()).into());
    }
    fs::create_dir_all(out).map_err(|error| format!("{}: {error}", out.display()))?;
    if !out.join("host.json").is_file() && fs::read_dir(out)?.next().is_some() {
        return Err(format!(
            "{} holds other things; give an empty folder or an earlier package",
            out.display()
        )
        .into());
    }
    copy(&root.join("host.json"), &out.join("host.json"))?;
    let mut count = 0_usize;
    for folder in fs::read_dir(&functions)? {
        let folder = folder?;
        let function = folder.path().join("function.json");
        if function.is_file() {
            let target = out.join(folder.file_name());
            fs::create_dir_all(&target)?;
            copy(&function, &target.join("function.json"))?;
            count += 1;
        }
    }
    // Copied beside and renamed, because an earlier package may be running.
    let fresh = out.join(format!("{PROGRAM}.new"));
    copy(program, &fresh)?;
    fs::rename(&fresh, out.join(PROGRAM))?;
    say(&format!("{count} functions and the program are in {}", out.display()));
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::copy(from, to)
        .map_err(|error| format!("{} cannot be copied to {}: {error}", from.display(), to.display()))?;
    Ok(())
}
