//! `package`: the folder that is deployed, or that `func start` runs in.
//!
//! The Functions host sees only folders directly beside host.json; the repository keeps them under functions/.

use std::fs;
use std::path::Path;

use super::{Failure, say};

/// Name of the program in the package: `defaultExecutablePath` in host.json.
const PROGRAM: &str = "widgetco";

/// Copies host.json, the functions and this very program.
pub(super) fn package(out: &Path, root: &Path) -> Result<(), Failure> {
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
    let (program, fresh) = (out.join(PROGRAM), out.join(format!("{PROGRAM}.new")));
    copy(&std::env::current_exe()?, &fresh)?;
    fs::rename(&fresh, &program)?;
    let settings = root.join("local.settings.json");
    if cfg!(feature = "emulator") && settings.is_file() {
        copy(&settings, &out.join("local.settings.json"))?;
    }
    say(&format!("{count} functions and the program are in {}", out.display()));
    if cfg!(debug_assertions) {
        say("This is a debug build; for anything but trying out, run `cargo run --release -- package`.");
    }
    if cfg!(feature = "emulator") {
        say(
            "Run `func start` there. For Azure, package a build without the emulator: `cargo run --release --no-default-features -- package`.",
        );
    }
    Ok(())
}

fn copy(from: &Path, to: &Path) -> Result<(), Failure> {
    fs::copy(from, to)
        .map_err(|error| format!("{} cannot be copied to {}: {error}", from.display(), to.display()))?;
    Ok(())
}
