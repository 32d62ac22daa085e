//! The bytes of a picture: which format they are, how large the picture is, the same without what is not the picture, and
//! smaller copies. The only place that names the codecs.
//!
//! Trusts nothing that a caller says about the bytes. Knows nothing of products or of where pictures are kept. Everything
//! here takes time and memory in proportion to the pixels and belongs on a thread that may block.

mod avif;
mod clean;
mod jpeg;
mod render;

use img_parts::Bytes;

use crate::domain::image::{ImageFormat, PIXELS_MAX, RENDITION_WIDTHS_PX, SIDE_PX_MAX};

/// A picture that may be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Picture {
    /// What the original is.
    pub format: ImageFormat,
    /// Width in pixels, as it is shown.
    pub width_px: u32,
    /// Height in pixels, as it is shown.
    pub height_px: u32,
    /// The original, upright and without metadata.
    pub original: Bytes,
    /// Smaller copies as WebP, smallest first.
    pub copies: Vec<SmallCopy>,
}

/// A smaller copy as WebP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmallCopy {
    /// Width in pixels.
    pub width_px: u32,
    /// Height in pixels.
    pub height_px: u32,
    /// The file.
    pub bytes: Bytes,
}

/// Why a file cannot be kept as a picture. A retry does not help.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// It is none of the formats that are taken.
    #[error("the file is not a PNG, JPEG, WebP or AVIF picture")]
    Unknown,
    /// It has too many pixels to be decoded.
    #[error(
        "the picture has {width_px} x {height_px} pixels; allowed are {PIXELS_MAX} in all and {SIDE_PX_MAX} on a side"
    )]
    TooManyPixels {
        /// Width in pixels.
        width_px: u32,
        /// Height in pixels.
        height_px: u32,
    },
    /// It moves.
    #[error("the picture is animated; send a still one")]
    Animated,
    /// It holds data that cannot be taken out without knowing the format to its depths.
    #[error(
        "the AVIF file holds {0}, which may say where and by whom it was taken; save it without metadata"
    )]
    Metadata(&'static str),
    /// It cannot be decoded.
    #[error("the {format} file is damaged: {detail}")]
    Damaged {
        /// What it claims to be.
        format: &'static str,
        /// What the decoder says.
        detail: String,
    },
}

impl Picture {
    /// Reads a file, and makes of it what is kept and shown. AVIF has no copies: no decoder of it is written in Rust alone.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn of(file: Bytes) -> Result<Self, Refusal> {
        let format = format(&file).ok_or(Refusal::Unknown)?;
        match format {
            ImageFormat::Avif => {
                let size = avif::check(&file)?;
                check_pixels(size.width_px, size.height_px)?;
                let avif::Size { width_px, height_px } = size;
                Ok(Self { format, width_px, height_px, original: file, copies: Vec::new() })
            }
            ImageFormat::Png | ImageFormat::Jpeg | ImageFormat::Webp => {
                let cleaned = clean::without_metadata(format, file.clone())?;
                render::picture(format, &file, cleaned, &RENDITION_WIDTHS_PX)
            }
        }
    }
}

/// What the first bytes say.
fn format(file: &[u8]) -> Option<ImageFormat> {
    let at = |place: usize, wanted: &[u8]| file.get(place..place + wanted.len()) == Some(wanted);
    if at(0, b"\x89PNG\r\n\x1a\n") {
        Some(ImageFormat::Png)
    } else if at(0, b"\xff\xd8\xff") {
        Some(ImageFormat::Jpeg)
    } else if at(0, b"RIFF") && at(8, b"WEBP") {
        Some(ImageFormat::Webp)
    } else if avif::is_avif(file) {
        Some(ImageFormat::Avif)
    } else {
        None
    }
}

fn check_pixels(width_px: u32, height_px: u32) -> Result<(), Refusal> {
    let pixels = u64::from(width_px) * u64::from(height_px);
    let is_too_large = pixels > PIXELS_MAX || width_px.max(height_px) > SIDE_PX_MAX;
    if is_too_large { Err(Refusal::TooManyPixels { width_px, height_px }) } else { Ok(()) }
}

fn damaged(format: ImageFormat, detail: impl Into<String>) -> Refusal {
    let format = match format {
        ImageFormat::Png => "PNG",
        ImageFormat::Jpeg => "JPEG",
        ImageFormat::Webp => "WebP",
        ImageFormat::Avif => "AVIF",
    };
    Refusal::Damaged { format, detail: detail.into() }
}

#[cfg(test)]
mod tests;
