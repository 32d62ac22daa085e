//! Files that stand in for a service during development: written in full or not at all, off the threads that must not block.
//!
//! Does not know what is in them.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Runs work with files on a thread that may block.
///
/// # Errors
/// What the work says; a panic of it is an error, too.
pub async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|panicked| Err(io::Error::other(panicked)))
}

/// Writes a file under the name `unfinished` first and then links it to its own, so that it is there in full or not at all. One
/// that is there already stays as it is. Folders are made. May block.
///
/// # Errors
/// Of the file system; nothing is there under the file's own name then.
pub fn keep(path: &Path, unfinished: &Path, bytes: &[u8]) -> io::Result<()> {
    for file in [path, unfinished] {
        file.parent().map_or(Ok(()), fs::create_dir_all)?;
    }
    let mut file = File::create(unfinished)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    let linked = fs::hard_link(unfinished, path);
    fs::remove_file(unfinished)?;
    match linked {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
        linked => linked,
    }
}

/// Whether the file system understood and said no, so that trying again does not help.
pub fn is_refusal(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem)
}
