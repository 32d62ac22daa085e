//! The sweep: what nobody refers to goes when it is old, everything else stays, and every blob has its turn.
#![cfg(test)]

use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use widgetco::app::images::Images;
use widgetco::app::sweep::{AGE_MIN, Swept};
use widgetco::sources::Clock;

use crate::blobs::{Folder, names};
use crate::images::png;
use crate::shop::TestShop;

/// Sets the shop's clock so much ahead of the clock by which blobs are written.
pub(crate) fn leave(shop: &TestShop, ahead: Duration) {
    let gap = Clock::system().now() - shop.app.clock.now();
    shop.advance(gap.to_std().unwrap_or_default() + ahead);
}

pub(crate) fn old() -> Duration {
    AGE_MIN.to_std().unwrap() + Duration::from_secs(60)
}

/// A shop with a product that has a picture, and the picture's names.
async fn gallery(name: &str) -> (TestShop, Folder, Vec<String>) {
    let folder = Folder::new(name);
    let mut shop = TestShop::open(&[("mug", 5), ("mug-2", 5)]).await;
    shop.show_images(Images::connect(&folder.settings()));
    let (status, ..) = shop.exchange("POST", "/api/products/mug/images", &[], png(1, 500, 50)).await;
    assert_eq!(status, StatusCode::CREATED);
    let kept = names(&shop.app.images.blobs, 10).await;
    assert_eq!(kept.len(), 3);
    (shop, folder, kept)
}

async fn put(shop: &TestShop, names: &[&str]) {
    for name in names {
        shop.app.images.blobs.put(name, "image/png", Bytes::from_static(b"x")).await.unwrap();
    }
}

const ORPHANS: [&str; 4] = [
    // Of a product that has others, of one that has none, of one that there never was, and a copy that nobody made.
    "mug/aaaaaaaaaaaaaaaaaaaaaaaaaa/original.png",
    "mug-2/aaaaaaaaaaaaaaaaaaaaaaaaaa/original.png",
    "ghost/aaaaaaaaaaaaaaaaaaaaaaaaaa/400.webp",
    "mug/bbbbbbbbbbbbbbbbbbbbbbbbbb/400.webp",
];
/// Not put there by the shop.
const FOREIGN: [&str; 3] = ["readme.txt", "mug/notes.txt", "mug/a/b/c"];

#[tokio::test]
async fn old_orphans_go_and_nothing_else() {
    let (shop, _folder, kept) = gallery("sweep").await;
    put(&shop, &ORPHANS).await;
    put(&shop, &FOREIGN).await;
    leave(&shop, old() - Duration::from_secs(600));
    assert_eq!(shop.tick("SweepImages").await.status, StatusCode::OK);
    assert_eq!(
        names(&shop.app.images.blobs, 100).await.len(),
        10,
        "a request may still be about to refer to them"
    );
    shop.advance(Duration::from_secs(600));
    assert_eq!(shop.tick("SweepImages").await.status, StatusCode::OK);
    let mut left = names(&shop.app.images.blobs, 100).await;
    left.retain(|name| !FOREIGN.contains(&name.as_str()));
    assert_eq!(left, kept);
}

#[tokio::test]
async fn each_run_goes_on_where_the_last_one_stopped() {
    let (shop, _folder, kept) = gallery("sweep-parts").await;
    put(&shop, &ORPHANS).await;
    leave(&shop, old());
    let mut removed = 0;
    for run in 0..4 {
        let swept = shop.app.sweep_images(1, 2).await.unwrap();
        assert!(swept.seen <= 2, "{swept:?}");
        assert_eq!(swept.is_finished, run == 3, "run {run}: {swept:?}");
        removed += swept.removed;
    }
    assert_eq!(removed, ORPHANS.len());
    assert_eq!(names(&shop.app.images.blobs, 100).await, kept);
    let again = shop.app.sweep_images(9, 2).await.unwrap();
    assert_eq!(again, Swept { seen: 3, removed: 0, is_finished: true });
}
