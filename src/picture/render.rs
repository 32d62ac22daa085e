//! Decoding, turning upright, scaling, encoding.
//!
//! Sizes are checked before a pixel is decoded. What was sent is decoded by code in Rust alone; libwebp only encodes.

use std::io::Cursor;

use fast_image_resize::images::{Image as Pixels, ImageRef};
use fast_image_resize::{PixelType, ResizeOptions, Resizer};
use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::metadata::Orientation;
use image::{DynamicImage, ImageDecoder, ImageEncoder, ImageReader, Limits};
use img_parts::webp::WebP;
use img_parts::{Bytes, ImageICC};

use super::{Picture, Refusal, SmallCopy, check_pixels, damaged};
use crate::domain::image::{ImageFormat, SIDE_PX_MAX};

/// Most memory that one decoder may take: 40 megapixels of 16 bits in four channels, and some of its own.
const DECODER_BYTES_MAX: u64 = 384 * 1024 * 1024;
/// Quality of smaller copies: what people do not tell from the original at that size.
const COPY_QUALITY: f32 = 80.0;
/// Quality of an original that must be encoded again, because it lay on its side.
const ORIGINAL_QUALITY: u8 = 92;
/// Largest colour profile that smaller copies carry; those of screens and cameras have some hundred to 4,000 bytes.
const PROFILE_BYTES_MAX: usize = 16 * 1024;

/// The picture in `file`; `cleaned` is the same without metadata.
pub(super) fn picture(
    format: ImageFormat,
    file: &[u8],
    cleaned: Bytes,
    widths_px: &[u32],
) -> Result<Picture, Refusal> {
    let broken = |error: image::ImageError| damaged(format, error.to_string());
    let mut reader = ImageReader::with_format(Cursor::new(file), codec(format)?);
    let mut limits = Limits::no_limits();
    limits.max_alloc = Some(DECODER_BYTES_MAX);
    // Sides are ours to refuse, with their lengths.
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(broken)?;
    let (width_px, height_px) = decoder.dimensions();
    check_pixels(width_px, height_px)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let profile = decoder.icc_profile().unwrap_or_default();
    let mut pixels = DynamicImage::from_decoder(decoder).map_err(broken)?;
    let original = match orientation {
        Orientation::NoTransforms => cleaned,
        turned => {
            pixels.apply_orientation(turned);
            encoded(format, &pixels, profile.as_deref())?
        }
    };
    let (width_px, height_px) = (pixels.width(), pixels.height());
    let copies = copies(pixels, widths_px, profile.filter(|profile| is_for_rgb(profile)))
        .map_err(|detail| damaged(format, detail))?;
    Ok(Picture { format, width_px, height_px, original, copies })
}

fn codec(format: ImageFormat) -> Result<image::ImageFormat, Refusal> {
    match format {
        ImageFormat::Png => Ok(image::ImageFormat::Png),
        ImageFormat::Jpeg => Ok(image::ImageFormat::Jpeg),
        ImageFormat::Webp => Ok(image::ImageFormat::WebP),
        ImageFormat::Avif => Err(Refusal::Unknown),
    }
}

/// Whether a colour profile is for red, green and blue, which smaller copies consist of, and small enough to repeat.
fn is_for_rgb(profile: &[u8]) -> bool {
    profile.get(16..20) == Some(b"RGB ") && profile.len() <= PROFILE_BYTES_MAX
}

/// A turned original in its own format.
fn encoded(format: ImageFormat, pixels: &DynamicImage, profile: Option<&[u8]>) -> Result<Bytes, Refusal> {
    let broken = |error: image::ImageError| damaged(format, error.to_string());
    let profile = profile.filter(|profile| is_for_rgb(profile)).unwrap_or_default().to_vec();
    let mut file = Vec::new();
    match format {
        ImageFormat::Png => {
            let mut encoder = PngEncoder::new(&mut file);
            // An encoder that takes no profile leaves it out.
            drop(encoder.set_icc_profile(profile));
            pixels.write_with_encoder(encoder).map_err(broken)?;
        }
        ImageFormat::Jpeg => {
            let mut encoder = JpegEncoder::new_with_quality(&mut file, ORIGINAL_QUALITY);
            drop(encoder.set_icc_profile(profile));
            let pixels = DynamicImage::from(pixels.to_rgb8());
            pixels.write_with_encoder(encoder).map_err(broken)?;
        }
        ImageFormat::Webp => {
            let pixels = pixels.to_rgba8();
            let (width_px, height_px) = pixels.dimensions();
            let quality = f32::from(ORIGINAL_QUALITY);
            return webp(&pixels, (width_px, height_px), quality, Some(&profile))
                .map_err(|detail| damaged(format, detail));
        }
        ImageFormat::Avif => return Err(Refusal::Unknown),
    }
    Ok(file.into())
}

/// Copies of these widths, or of the picture's own where that is less; smallest first.
fn copies(
    pixels: DynamicImage,
    widths_px: &[u32],
    profile: Option<Vec<u8>>,
) -> Result<Vec<SmallCopy>, String> {
    let has_alpha = pixels.color().has_alpha();
    let (full_width_px, full_height_px) = (pixels.width(), pixels.height());
    let mut widths_px: Vec<_> = widths_px.iter().map(|width_px| full_width_px.min(*width_px)).collect();
    widths_px.sort_unstable();
    widths_px.dedup();
    let mut larger = pixels.into_rgba8().into_raw();
    let mut larger_size = (full_width_px, full_height_px);
    let mut copies = Vec::with_capacity(widths_px.len());
    // From large to small, each made from the one before: nearly as sharp, and much faster.
    for width_px in widths_px.into_iter().rev() {
        let size = (width_px, height(width_px, full_width_px, full_height_px));
        if size != larger_size {
            larger = scaled(&larger, larger_size, size, has_alpha)?;
            larger_size = size;
        }
        let bytes = webp(&larger, size, COPY_QUALITY, profile.as_deref())?;
        copies.push(SmallCopy { width_px: size.0, height_px: size.1, bytes });
    }
    copies.reverse();
    Ok(copies)
}

/// The height that keeps the proportions, rounded, and never 0.
fn height(width_px: u32, full_width_px: u32, full_height_px: u32) -> u32 {
    let (width, full_width, full_height) =
        (u64::from(width_px), u64::from(full_width_px.max(1)), u64::from(full_height_px));
    let height = (full_height * width + full_width / 2) / full_width;
    u32::try_from(height).unwrap_or(SIDE_PX_MAX).max(1)
}

fn scaled(pixels: &[u8], from: (u32, u32), to: (u32, u32), has_alpha: bool) -> Result<Vec<u8>, String> {
    let source = ImageRef::new(from.0, from.1, pixels, PixelType::U8x4).map_err(|error| error.to_string())?;
    let mut target = Pixels::new(to.0, to.1, PixelType::U8x4);
    let options = ResizeOptions::new().use_alpha(has_alpha);
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| error.to_string())?;
    Ok(target.into_vec())
}

fn webp(
    pixels: &[u8],
    (width_px, height_px): (u32, u32),
    quality: f32,
    profile: Option<&[u8]>,
) -> Result<Bytes, String> {
    let encoder = webp::Encoder::from_rgba(pixels, width_px, height_px);
    let file = encoder.encode_simple(false, quality).map_err(|error| format!("WebP: {error:?}"))?;
    let file = Bytes::copy_from_slice(&file);
    let Some(profile) = profile.filter(|profile| !profile.is_empty()) else { return Ok(file) };
    let mut webp = WebP::from_bytes(file).map_err(|error| error.to_string())?;
    webp.set_icc_profile(Some(Bytes::copy_from_slice(profile)));
    Ok(webp.encoder().bytes())
}
