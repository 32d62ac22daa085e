//! A picture of a product: what is known of it, and the names of its blobs.
//!
//! Does not know the bytes. A blob's name never stands for other bytes later, so that anybody may keep them for ever.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::domain::id::{ImageId, ProductId};

/// Most pictures of one product.
pub const IMAGES_MAX: usize = 12;
/// Longest alternative text, in characters.
pub const ALT_CHARS_MAX: usize = 300;

/// A picture of a product.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Image {
    /// Which picture; drawn by chance.
    pub id: ImageId,
    /// What it shows, for those who cannot see it; may be empty.
    pub alt: String,
    /// What its bytes are.
    pub format: ImageFormat,
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// Size of the original in bytes.
    pub size_bytes: u64,
    /// Smaller copies, smallest first.
    pub renditions: Vec<Rendition>,
    /// When it was added.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
}

/// A smaller copy of a picture, as WebP.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// Width in pixels; names the rendition.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// Size in bytes.
    pub size_bytes: u64,
}

/// The formats that are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ImageFormat {
    /// PNG.
    Png,
    /// JPEG.
    Jpeg,
    /// WebP.
    Webp,
    /// AVIF.
    Avif,
}

impl ImageFormat {
    /// The media type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::Webp => "image/webp",
            Self::Avif => "image/avif",
        }
    }

    /// The ending of file names.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Png => "png",
            Self::Jpeg => "jpg",
            Self::Webp => "webp",
            Self::Avif => "avif",
        }
    }
}

impl Image {
    /// The name of the original's blob.
    pub fn blob_name(&self, product_id: &ProductId) -> String {
        format!("{product_id}/{}/original.{}", self.id, self.format.extension())
    }

    /// The names of all its blobs.
    pub fn blob_names(&self, product_id: &ProductId) -> impl Iterator<Item = String> {
        let renditions =
            self.renditions.iter().map(move |rendition| rendition.blob_name(product_id, &self.id));
        std::iter::once(self.blob_name(product_id)).chain(renditions)
    }
}

impl Rendition {
    /// The name of its blob.
    pub fn blob_name(&self, product_id: &ProductId, image_id: &ImageId) -> String {
        format!("{product_id}/{image_id}/{}.webp", self.width_px)
    }
}
