//! Where pictures are kept: Blob storage in Azure, Azurite, or a folder. The only place that names the blob client.
//!
//! A blob is written once under a name that no other blob ever has, and its bytes never change; all that can happen to it
//! is to be removed. Does not know what is in a blob or who refers to it.

#[cfg(feature = "emulator")]
mod azurite;
mod container;
#[cfg(feature = "emulator")]
mod folder;

use std::ops::Range;
use std::pin::Pin;
use std::sync::Arc;

use azure_core::Bytes;
use chrono::{DateTime, Utc};
use futures::Stream;

use crate::config::{ImagePlace, ImagesConfig};

/// Most names that one page of a listing has.
pub const PAGE_NAMES_MAX: usize = 1_000;

/// The place of all blobs; a clone shares the connection.
#[derive(Clone, Debug)]
pub struct Blobs(Place);

#[derive(Clone, Debug)]
enum Place {
    Container(Arc<container::Container>),
    #[cfg(feature = "emulator")]
    Folder(folder::Folder),
    Unset,
}

/// The content of a blob, piece by piece.
pub type Content = Pin<Box<dyn Stream<Item = Result<Bytes, Error>> + Send>>;

/// What is known of a blob without reading it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// When it was written, by the clock of the place.
    pub written_at: DateTime<Utc>,
}

/// A part of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// In the order of their names.
    pub entries: Vec<Entry>,
    /// Where the listing goes on; `None` at its end.
    pub next: Option<String>,
}

/// What the client says of an error.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why it is not known what is kept, or whether a write took effect.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The place did not answer, was busy, or answered too late; a write may have happened. A retry helps.
    #[error("cannot {operation}: the image store does not answer")]
    Unavailable {
        /// What was tried, for which blob.
        operation: String,
        /// What the client says.
        source: Cause,
    },
    /// The place understood and said no: wrong settings, missing rights. A retry helps only after somebody has changed
    /// that.
    #[error("cannot {operation}: the image store refuses")]
    Refused {
        /// What was tried, for which blob.
        operation: String,
        /// What the client says.
        source: Cause,
    },
    /// The settings name no place for pictures. A retry helps only after somebody has changed that.
    #[error("cannot {operation}: IMAGES_STORE is not set")]
    Unset {
        /// What was tried, for which blob.
        operation: String,
    },
}

impl Blobs {
    /// The place that the settings name; connects when it is first used.
    pub fn connect(config: &ImagesConfig) -> Self {
        Self(match &config.place {
            ImagePlace::Azure { url } => {
                Place::Container(Arc::new(container::Container::in_azure(url, &config.identity)))
            }
            #[cfg(feature = "emulator")]
            ImagePlace::Azurite { url } => Place::Container(Arc::new(container::Container::in_azurite(url))),
            #[cfg(feature = "emulator")]
            ImagePlace::Folder(path) => Place::Folder(folder::Folder::at(path)),
            #[cfg(feature = "emulator")]
            ImagePlace::Temporary => {
                Place::Folder(folder::Folder::at(&std::env::temp_dir().join("widgetco-images")))
            }
            ImagePlace::Unset => Place::Unset,
        })
    }

    /// No place at all.
    pub fn unset() -> Self {
        Self(Place::Unset)
    }

    /// Whether there is a place for pictures at all.
    pub fn is_set(&self) -> bool {
        !matches!(self.0, Place::Unset)
    }

    /// Writes a blob, in full or not at all. A blob of this name is left as it is: it can only come from an earlier
    /// attempt of the same caller, and so has the same bytes.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be written.
    pub async fn put(&self, name: &str, content_type: &'static str, bytes: Bytes) -> Result<(), Error> {
        match &self.0 {
            Place::Container(container) => container.put(name, content_type, bytes).await,
            #[cfg(feature = "emulator")]
            Place::Folder(folder) => folder.put(name, bytes).await,
            Place::Unset => Err(Error::Unset { operation: format!("write {name}") }),
        }
    }

    /// Reads these bytes of a blob, which must lie within it; `None` when there is no such blob.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn read(&self, name: &str, range: Range<u64>) -> Result<Option<Content>, Error> {
        match &self.0 {
            Place::Container(container) => container.read(name, range).await,
            #[cfg(feature = "emulator")]
            Place::Folder(folder) => folder.read(name, range).await,
            Place::Unset => Err(Error::Unset { operation: format!("read {name}") }),
        }
    }

    /// Removes a blob; that there is none is as good.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be removed.
    pub async fn remove(&self, name: &str) -> Result<(), Error> {
        match &self.0 {
            Place::Container(container) => container.remove(name).await,
            #[cfg(feature = "emulator")]
            Place::Folder(folder) => folder.remove(name).await,
            Place::Unset => Err(Error::Unset { operation: format!("remove {name}") }),
        }
    }

    /// The next blobs, at most [`PAGE_NAMES_MAX`], from where an earlier page said that the listing goes on. Blobs that
    /// are written or removed meanwhile may be there or not. One request.
    ///
    /// # Errors
    /// [`Error`] when they cannot be listed.
    pub async fn page(&self, from: Option<&str>, names_max: usize) -> Result<Page, Error> {
        let names_max = names_max.clamp(1, PAGE_NAMES_MAX);
        match &self.0 {
            Place::Container(container) => container.page(from, names_max).await,
            #[cfg(feature = "emulator")]
            Place::Folder(folder) => folder.page(from, names_max).await,
            Place::Unset => Err(Error::Unset { operation: "list the blobs".to_owned() }),
        }
    }
}
