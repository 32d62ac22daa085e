//! `package --release`: the program as Azure runs it, zipped as Azure takes it, and the list of what it is made of.
//!
//! Cargo and rustc are asked and run. The same files always make the same zip, whenever and wherever they were copied.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, ZipWriter};

use crate::config::Config;

use super::{Failure, PROGRAM, lay_out, say, sbom};

/// Linked without a C library, for Azure does not say which one it has.
pub(super) const TARGET: &str = "x86_64-unknown-linux-musl";

/// What the program for Azure is built from.
pub(super) const LEAN: &str = "--no-default-features";

/// Name of the zip: what Flex Consumption calls it, too.
const ZIP: &str = "released-package.zip";

/// Name of the list of what the program is made of, as CycloneDX would have it.
const SBOM: &str = "sbom.cdx.json";

/// Builds the program for the target, and writes app/, the zip and the list into the folder.
pub(super) fn release(out: &Path, root: &Path, target: &str) -> Result<(), Failure> {
    require(target)?;
    let program = build(root, target)?;
    let app = out.join("app");
    if app.join("host.json").is_file() {
        // A function that is no more must not stay behind from an earlier package.
        fs::remove_dir_all(&app)?;
    }
    lay_out(&app, root, &program)?;
    let zip = out.join(ZIP);
    pack(&app, &zip)?;
    let list = out.join(SBOM);
    fs::write(&list, serde_json::to_string_pretty(&sbom::sbom(root, target)?)? + "\n")?;
    for file in [&app.join(PROGRAM), &zip, &list] {
        say(&format!("{}: {} bytes", file.display(), fs::metadata(file)?.len()));
    }
    Ok(())
}

/// Whether the target's standard library is there; if not, says how to get it.
fn require(target: &str) -> Result<(), Failure> {
    let folder = rustc(&["--print", "target-libdir", "--target", target])?;
    if Path::new(folder.trim()).is_dir() {
        return Ok(());
    }
    let version = rustc(&["-vV"])?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap_or("that of `rustc -vV`");
    let c = if target.ends_with("musl") {
        " The C code of ring and libwebp needs musl-gcc, too: `apt-get install musl-tools` on Debian and Ubuntu."
    } else {
        ""
    };
    Err(format!(
        "Rust for {target} is not installed: run `rustup target add {target}`.{c} Or build for this system and its C library with `--target {host}`."
    )
    .into())
}

fn rustc(arguments: &[&str]) -> Result<String, Failure> {
    output(Command::new("rustc").args(arguments))
}

/// Cargo, in the folder of the sources: the one that runs this program, if one does.
pub(super) fn cargo(root: &Path) -> Command {
    let mut cargo = Command::new(Config::environment("CARGO").unwrap_or_else(|| "cargo".to_owned()));
    cargo.current_dir(root);
    cargo
}

/// What a command prints, once it has ended well.
pub(super) fn output(command: &mut Command) -> Result<String, Failure> {
    let name = command.get_program().display().to_string();
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| format!("{name} cannot be run: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", output.status).into());
    }
    Ok(String::from_utf8(output.stdout)?)
}

/// Builds the program; gives its place, which Cargo alone knows.
fn build(root: &Path, target: &str) -> Result<PathBuf, Failure> {
    let mut cargo = cargo(root);
    cargo.args(["build", "--locked", "--release", LEAN, "--bin", PROGRAM, "--target", target]);
    let messages = output(cargo.arg("--message-format=json-render-diagnostics"))?;
    let messages = messages.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut programs = messages.filter_map(|message| message["executable"].as_str().map(PathBuf::from));
    Ok(programs.next_back().ok_or("cargo did not say where the program is")?)
}

/// Zips the folder's content, in the order of the names, all of one time, with the program executable.
fn pack(folder: &Path, zip: &Path) -> Result<(), Failure> {
    let mut files = BTreeMap::new();
    collect(folder, "", &mut files)?;
    let mut writer = ZipWriter::new(File::create(zip)?);
    for (name, path) in files {
        let mode = if name == PROGRAM { 0o755 } else { 0o644 };
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .last_modified_time(DateTime::default())
            .unix_permissions(mode);
        writer.start_file(name, options)?;
        io::copy(&mut File::open(path)?, &mut writer)?;
    }
    writer.finish()?;
    Ok(())
}

/// The files below a folder, by their names in the zip.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, PathBuf>) -> Result<(), Failure> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{prefix}{}", entry.file_name().display());
        if entry.file_type()?.is_dir() {
            collect(&entry.path(), &format!("{name}/"), files)?;
        } else {
            files.insert(name, entry.path());
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn same_files_make_the_same_zip_with_the_program_executable() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let place = std::env::temp_dir().join(format!("widgetco-zip-{}", std::process::id()));
        let mut zips = Vec::new();
        for (name, time) in [("first", 1_000_000_000), ("second", 2_000_000_000)] {
            let (app, zip) = (place.join(name), place.join(format!("{name}.zip")));
            lay_out(&app, root, &root.join("clippy.toml")).unwrap();
            pack(&app, &zip).unwrap();
            // The time of a copy must not show.
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(time);
            File::options().append(true).open(app.join("host.json")).unwrap().set_modified(time).unwrap();
            zips.push(fs::read(&zip).unwrap());
        }
        let mut archive = zip::ZipArchive::new(File::open(place.join("first.zip")).unwrap()).unwrap();
        let names: Vec<_> = archive.file_names().map(|name| name.unwrap().into_owned()).collect();
        let modes = names.iter().map(|name| archive.by_name(name).unwrap().unix_mode().unwrap() & 0o777);
        let modes: BTreeMap<_, _> = names.iter().map(String::as_str).zip(modes).collect();
        fs::remove_dir_all(&place).unwrap();
        assert!(zips[0] == zips[1], "the zip depends on more than its files");
        assert_eq!(modes[PROGRAM], 0o755);
        assert_eq!(modes["host.json"], 0o644);
        assert_eq!(modes["PlaceOrder/function.json"], 0o644);
        assert!(names.is_sorted() && !names.contains(&"local.settings.json".to_owned()), "{names:?}");
    }

    #[test]
    fn missing_target_is_told_with_what_installs_it() {
        let target = "aarch64-unknown-linux-musl";
        let folder = rustc(&["--print", "target-libdir", "--target", target]).unwrap();
        if Path::new(folder.trim()).is_dir() {
            return;
        }
        let told = require(target).unwrap_err().to_string();
        for part in ["rustup target add aarch64-unknown-linux-musl", "musl-tools", "--target x86_64-"] {
            assert!(told.contains(part), "{told}");
        }
    }
}
