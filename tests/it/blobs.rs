//! What holds of every place for pictures: one suite, against a folder and against a real Azurite.
#![cfg(test)]

use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::body::Bytes;
use futures::TryStreamExt;
use futures::future::join_all;
use tokio::time::timeout;
use widgetco::blob::{Blobs, Error};
use widgetco::config::{Identity, ImagePlace, ImagesConfig};
use widgetco::domain::image::FILE_BYTES_MAX;
use widgetco::sources::Clock;

use crate::azurite::{Azurite, settings};

const PNG: &str = "image/png";
/// Longest that a refused connection may keep a caller.
const REFUSAL_MAX: Duration = Duration::from_secs(15);

/// A folder that is gone with the test.
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn new(name: &str) -> Self {
        let name = format!("blobs-{name}-{}", std::process::id());
        Self(Path::new(env!("CARGO_TARGET_TMPDIR")).join(name))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn settings(&self) -> ImagesConfig {
        let place = ImagePlace::Folder(self.0.clone());
        ImagesConfig { place, identity: Identity::Developer, public_url: None }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        drop(std::fs::remove_dir_all(&self.0));
    }
}

async fn bytes(blobs: &Blobs, name: &str, range: std::ops::Range<u64>) -> Option<Vec<u8>> {
    let content = blobs.read(name, range).await.unwrap()?;
    let pieces: Vec<Bytes> = content.try_collect().await.unwrap();
    Some(pieces.concat())
}

/// The names of all blobs, by pages of this size.
pub(crate) async fn names(blobs: &Blobs, names_max: usize) -> Vec<String> {
    let (mut names, mut from) = (Vec::new(), None);
    loop {
        let page = blobs.page(from.as_deref(), names_max).await.unwrap();
        assert!(page.entries.len() <= names_max);
        names.extend(page.entries.into_iter().map(|entry| entry.name));
        from = page.next;
        if from.is_none() {
            return names;
        }
    }
}

/// The suite.
async fn conforms(blobs: &Blobs) {
    assert_eq!(names(blobs, 10).await, Vec::<String>::new(), "an empty place can be listed");
    assert_eq!(bytes(blobs, "mug/a/original.png", 0..1).await, None);
    blobs.remove("mug/a/original.png").await.unwrap();

    blobs.put("mug/a/original.png", PNG, Bytes::from_static(b"0123456789")).await.unwrap();
    for (range, expected) in [(0..10, "0123456789"), (3..6, "345"), (9..10, "9")] {
        assert_eq!(bytes(blobs, "mug/a/original.png", range).await.as_deref(), Some(expected.as_bytes()));
    }
    // The bytes under a name never change.
    blobs.put("mug/a/original.png", PNG, Bytes::from_static(b"other")).await.unwrap();
    assert_eq!(bytes(blobs, "mug/a/original.png", 0..10).await.as_deref(), Some(&b"0123456789"[..]));

    // Of many who write at once, one does, and in full.
    let writes =
        (b'a'..b'i').map(|letter| blobs.put("mug/b/original.png", PNG, Bytes::from(vec![letter; 100_000])));
    join_all(writes).await.into_iter().for_each(|written| written.unwrap());
    let written = bytes(blobs, "mug/b/original.png", 0..100_000).await.unwrap();
    assert!(written.len() == 100_000 && written.iter().all(|byte| *byte == written[0]));

    let large: Vec<u8> = (0..FILE_BYTES_MAX).map(|at| u8::try_from(at % 251).unwrap()).collect();
    blobs.put("mug/c/original.png", PNG, large.clone().into()).await.unwrap();
    let size = u64::try_from(large.len()).unwrap();
    assert!(bytes(blobs, "mug/c/original.png", 0..size).await.unwrap() == large);
    assert!(bytes(blobs, "mug/c/original.png", size - 3..size).await.unwrap() == large[large.len() - 3..]);

    for name in ["cup/z/400.webp", "mug/a/1200.webp", "mug-2/a/400.webp"] {
        blobs.put(name, "image/webp", Bytes::from_static(b"x")).await.unwrap();
    }
    let all = [
        "cup/z/400.webp",
        "mug-2/a/400.webp",
        "mug/a/1200.webp",
        "mug/a/original.png",
        "mug/b/original.png",
        "mug/c/original.png",
    ];
    for names_max in [1, 2, 6, 100] {
        assert_eq!(names(blobs, names_max).await, all, "in pages of {names_max}");
    }
    let now = Clock::system().now();
    for entry in blobs.page(None, 100).await.unwrap().entries {
        assert!((now - entry.written_at).num_seconds().abs() < 300, "{entry:?}");
    }

    // A name may be removed while a listing goes on behind it, and again.
    let page = blobs.page(None, 2).await.unwrap();
    blobs.remove("mug/a/1200.webp").await.unwrap();
    blobs.remove("mug/a/1200.webp").await.unwrap();
    let rest = blobs.page(page.next.as_deref(), 100).await.unwrap();
    assert_eq!(rest.entries.first().map(|entry| entry.name.as_str()), Some("mug/a/original.png"));
    assert_eq!(bytes(blobs, "mug/a/1200.webp", 0..1).await, None);
}

#[tokio::test]
async fn folder_keeps_pictures() {
    let folder = Folder::new("suite");
    let blobs = Blobs::connect(&folder.settings());
    conforms(&blobs).await;
    for name in ["../x", "a//b", "/a", "a/.b", "", "a\\b"] {
        let refused = blobs.put(name, PNG, Bytes::new()).await;
        assert!(matches!(refused, Err(Error::Refused { .. })), "{name}");
    }
}

#[tokio::test]
async fn azurite_keeps_pictures() {
    let azurite = Azurite::start();
    conforms(&Blobs::connect(&settings(azurite.url("suite")))).await;
}

#[tokio::test]
async fn unreachable_container_is_reported_soon() {
    let blobs = Blobs::connect(&settings("http://127.0.0.1:9/devstoreaccount1/images".to_owned()));
    let put = blobs.put("mug/a/original.png", PNG, Bytes::from_static(b"x"));
    let error = timeout(REFUSAL_MAX, put).await.expect("it gives up in time").unwrap_err();
    assert!(matches!(error, Error::Unavailable { .. }), "{error:?}");
}

#[tokio::test]
async fn no_place_is_said_plainly() {
    let error = Blobs::unset().put("mug/a/original.png", PNG, Bytes::new()).await.unwrap_err();
    assert!(error.to_string().contains("IMAGES_STORE is not set"), "{error}");
}
