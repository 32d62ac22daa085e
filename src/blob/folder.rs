//! A folder on this machine, for development.
//!
//! A blob is a file of its name, which is never replaced.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use azure_core::Bytes;
use chrono::{DateTime, Utc};
use futures::stream;

use super::{Content, Entry, Error, Page};
use crate::files::{self, is_refusal, keep};

/// Folder of what is being written; no blob's name begins with a dot.
const UNFINISHED: &str = ".unfinished";
/// Deepest folder in a folder that is looked into.
const DEPTH_MAX: usize = 4;
/// Bytes that are read at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// The folder.
#[derive(Clone, Debug)]
pub(super) struct Folder {
    root: PathBuf,
    writes: Arc<AtomicU64>,
}

impl Folder {
    /// A folder that is made when something is written.
    pub(super) fn at(root: &Path) -> Self {
        Self { root: root.to_owned(), writes: Arc::default() }
    }

    pub(super) async fn put(&self, name: &str, bytes: Bytes) -> Result<(), Error> {
        let path = self.path(name)?;
        let number = self.writes.fetch_add(1, Ordering::Relaxed);
        let unfinished = self.root.join(UNFINISHED).join(format!("{}-{number}", std::process::id()));
        blocking(format!("write {name}"), move || keep(&path, &unfinished, &bytes)).await
    }

    pub(super) async fn read(&self, name: &str, range: Range<u64>) -> Result<Option<Content>, Error> {
        let path = self.path(name)?;
        let operation = format!("read {name}");
        let opened = blocking(operation.clone(), move || match File::open(path) {
            Ok(mut file) => file.seek(SeekFrom::Start(range.start)).map(|_| Some(file)),
            Err(error) if is_absent(&error) => Ok(None),
            Err(error) => Err(error),
        })
        .await?;
        let Some(file) = opened else { return Ok(None) };
        let left = range.end.saturating_sub(range.start);
        let pieces = stream::try_unfold((file, left), move |(file, left)| {
            let operation = operation.clone();
            async move {
                if left == 0 {
                    return Ok(None);
                }
                let (file, piece) = blocking(operation, move || {
                    let mut piece = Vec::new();
                    (&file).take(left.min(PIECE_BYTES)).read_to_end(&mut piece)?;
                    match piece.is_empty() {
                        true => Err(ErrorKind::UnexpectedEof.into()),
                        false => Ok((file, piece)),
                    }
                })
                .await?;
                let left = left.saturating_sub(u64::try_from(piece.len()).unwrap_or(u64::MAX));
                Ok(Some((Bytes::from(piece), (file, left))))
            }
        });
        Ok(Some(Box::pin(pieces)))
    }

    pub(super) async fn remove(&self, name: &str) -> Result<(), Error> {
        let path = self.path(name)?;
        blocking(format!("remove {name}"), move || match fs::remove_file(path) {
            Err(error) if is_absent(&error) => Ok(()),
            removed => removed,
        })
        .await
    }

    pub(super) async fn page(&self, from: Option<&str>, names_max: usize) -> Result<Page, Error> {
        let (root, from) = (self.root.clone(), from.map(str::to_owned));
        blocking("list the blobs".to_owned(), move || {
            let mut entries = Vec::new();
            collect(&root, &root, DEPTH_MAX, &mut entries)?;
            entries.sort_by(|one, other| one.name.cmp(&other.name));
            entries.retain(|entry| from.as_ref().is_none_or(|from| entry.name >= *from));
            let next = entries.get(names_max).map(|entry| entry.name.clone());
            entries.truncate(names_max);
            Ok(Page { entries, next })
        })
        .await
    }

    /// Where a blob lies; a name cannot lead out of the folder.
    fn path(&self, name: &str) -> Result<PathBuf, Error> {
        let is_plain = |part: &str| !part.is_empty() && !part.starts_with('.') && !part.contains(['\\', ':']);
        if name.split('/').all(is_plain) {
            return Ok(self.root.join(name));
        }
        let source = format!("{name:?} is no name for a file").into();
        Err(Error::Refused { operation: "use a blob".to_owned(), source })
    }
}

fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// Adds the files below a folder; one that vanishes meanwhile is not there.
fn collect(root: &Path, folder: &Path, depth: usize, entries: &mut Vec<Entry>) -> io::Result<()> {
    let files = match fs::read_dir(folder) {
        Ok(files) => files,
        Err(error) if is_absent(&error) => return Ok(()),
        Err(error) => return Err(error),
    };
    for file in files {
        let path = file?.path();
        let Ok(meta) = fs::metadata(&path) else { continue };
        let name = path.strip_prefix(root).ok().and_then(Path::to_str).map(|name| name.replace('\\', "/"));
        let Some(name) = name.filter(|name| !name.starts_with('.')) else { continue };
        if meta.is_dir() && depth > 0 {
            collect(root, &path, depth - 1, entries)?;
        } else if meta.is_file() {
            entries.push(Entry { name, written_at: DateTime::<Utc>::from(meta.modified()?) });
        }
    }
    Ok(())
}

async fn blocking<T: Send + 'static>(
    operation: String,
    work: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> Result<T, Error> {
    files::blocking(work).await.map_err(|error| match is_refusal(&error) {
        true => Error::Refused { operation, source: error.into() },
        false => Error::Unavailable { operation, source: error.into() },
    })
}
