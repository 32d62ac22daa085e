//! Pictures without metadata, and without touching the picture: only the parts stay that are needed to show it.
//!
//! What stays is listed, not what goes: a part that nobody has heard of may say where the picture was taken.

use img_parts::Bytes;
use img_parts::png::Png;
use img_parts::riff::RiffContent;
use img_parts::webp::{self, WebP};

use super::{Refusal, damaged, jpeg};
use crate::domain::image::ImageFormat;

/// Parts of a PNG file that say how it looks.
const PNG_CHUNKS: [[u8; 4]; 14] = [
    *b"IHDR", *b"PLTE", *b"IDAT", *b"IEND", *b"tRNS", *b"cHRM", *b"gAMA", *b"iCCP", *b"sBIT", *b"sRGB",
    *b"cICP", *b"bKGD", *b"pHYs", *b"mDCV",
];
const PNG_ANIMATION: [u8; 4] = *b"acTL";

/// Parts of a WebP file that say how it looks.
const WEBP_CHUNKS: [[u8; 4]; 5] =
    [webp::CHUNK_VP8X, webp::CHUNK_VP8, webp::CHUNK_VP8L, webp::CHUNK_ALPH, webp::CHUNK_ICCP];
/// Bits of the extended header that announce Exif, XMP and an animation.
const WEBP_ANNOUNCED: u8 = 0b0000_1110;

/// The same picture. Files of the three formats only.
pub(super) fn without_metadata(format: ImageFormat, file: Bytes) -> Result<Bytes, Refusal> {
    match format {
        ImageFormat::Jpeg => jpeg::without_metadata(file).map_err(|detail| damaged(format, detail)),
        ImageFormat::Png => png(file),
        ImageFormat::Webp => webp(file),
        ImageFormat::Avif => Err(Refusal::Unknown),
    }
}

fn png(file: Bytes) -> Result<Bytes, Refusal> {
    let mut png = Png::from_bytes(file).map_err(|error| damaged(ImageFormat::Png, error.to_string()))?;
    if png.chunk_by_type(PNG_ANIMATION).is_some() {
        return Err(Refusal::Animated);
    }
    png.chunks_mut().retain(|chunk| PNG_CHUNKS.contains(&chunk.kind()));
    Ok(png.encoder().bytes())
}

fn webp(file: Bytes) -> Result<Bytes, Refusal> {
    let mut webp = WebP::from_bytes(file).map_err(|error| damaged(ImageFormat::Webp, error.to_string()))?;
    if webp.has_chunk(webp::CHUNK_ANIM) || webp.has_chunk(webp::CHUNK_ANMF) {
        return Err(Refusal::Animated);
    }
    webp.chunks_mut().retain(|chunk| WEBP_CHUNKS.contains(&chunk.id()));
    for chunk in webp.chunks_mut().iter_mut().filter(|chunk| chunk.id() == webp::CHUNK_VP8X) {
        if let RiffContent::Data(data) = chunk.content_mut() {
            let mut header = data.to_vec();
            header.iter_mut().take(1).for_each(|flags| *flags &= !WEBP_ANNOUNCED);
            *data = header.into();
        }
    }
    Ok(webp.encoder().bytes())
}
