//! JPEG without what is not the picture: no Exif, no XMP, no comments, no thumbnails, and nothing after its end, where
//! phones put a film or a second picture.

use img_parts::Bytes;
use img_parts::jpeg::{Jpeg, JpegSegment, markers};

/// Length of an APP0 segment without a thumbnail.
const JFIF_BYTES: usize = 14;

/// The same picture; what its decoding needs and its colour profile stay.
pub(super) fn without_metadata(file: Bytes) -> Result<Bytes, String> {
    let mut jpeg = Jpeg::from_bytes(file).map_err(|error| error.to_string())?;
    jpeg.segments_mut().retain(is_picture);
    let last = jpeg.segments_mut().pop().filter(JpegSegment::has_entropy).ok_or("it holds no picture")?;
    // The segment's own bytes come first.
    let header_bytes = last.len();
    let (marker, contents) = (last.marker(), last.contents().clone());
    let data = last.encoder().bytes();
    let scans = scans(data.get(header_bytes..).unwrap_or_default()).ok_or("its scans are not well formed")?;
    jpeg.segments_mut().push(JpegSegment::new_with_entropy(marker, contents, scans.into()));
    Ok(jpeg.encoder().bytes())
}

fn is_picture(segment: &JpegSegment) -> bool {
    let starts = |prefix: &[u8]| segment.contents().starts_with(prefix);
    match segment.marker() {
        markers::APP0 => starts(b"JFIF\0") && segment.contents().len() == JFIF_BYTES,
        markers::APP2 => starts(b"ICC_PROFILE\0"),
        // Says which colours the components are.
        markers::APP14 => starts(b"Adobe"),
        marker => !is_attachment(marker),
    }
}

/// Application data, extensions and comments.
fn is_attachment(marker: u8) -> bool {
    matches!(marker, markers::APP0..=markers::APP15 | 0xF0..=0xFE)
}

/// What follows the first scan's header, up to the end of the picture; the segments between scans are cleaned, too. A
/// picture that is cut short is ended.
fn scans(data: &[u8]) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(data.len());
    let mut rest = data;
    while let Some(at) = rest.iter().position(|byte| *byte == markers::P) {
        kept.extend_from_slice(rest.get(..at)?);
        rest = rest.get(at..)?;
        let Some(&marker) = rest.get(1) else { break };
        match marker {
            // Fill bytes may come before any marker.
            markers::P => rest = rest.get(1..)?,
            markers::Z | markers::RST0..=markers::RST7 => {
                kept.extend_from_slice(rest.get(..2)?);
                rest = rest.get(2..)?;
            }
            markers::EOI => {
                rest = &[];
            }
            0x01..=0xBF | markers::SOI => return None,
            _ => {
                let (Some(&high), Some(&low)) = (rest.get(2), rest.get(3)) else { break };
                let segment = rest.get(..2 + usize::from(u16::from_be_bytes([high, low])))?;
                if !is_attachment(marker) {
                    kept.extend_from_slice(segment);
                }
                rest = rest.get(segment.len()..)?;
            }
        }
    }
    // Data that ends without a marker still belongs to the picture.
    if !rest.starts_with(&[markers::P]) {
        kept.extend_from_slice(rest);
    }
    kept.extend_from_slice(&[markers::P, markers::EOI]);
    Some(kept)
}
