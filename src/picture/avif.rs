//! AVIF files, as far as they can be judged without decoding them: how large the picture is, and that nothing else is in it.
//!
//! There is no decoder in Rust alone that would be quick enough, so an AVIF file is kept as it is and has no smaller
//! copies. What cannot be taken out must not be in: files with Exif, XMP or parts that nobody knows are refused.

use super::{Refusal, damaged};
use crate::domain::image::ImageFormat;

/// Most nested or neighbouring boxes of one file: real ones have some thirty.
const BOXES_MAX: usize = 4_096;
/// Kinds of items that are pictures or are made of pictures.
const PICTURES: [&[u8]; 5] = [b"av01", b"grid", b"iovl", b"iden", b"tmap"];
const IN_META: [&[u8]; 9] = [b"hdlr", b"pitm", b"iloc", b"iinf", b"iprp", b"iref", b"idat", b"grpl", b"dinf"];

/// Width and height as the picture is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) width_px: u32,
    pub(super) height_px: u32,
}

/// One box: its kind and its content.
type Part<'a> = (&'a [u8], &'a [u8]);

/// Whether a file calls itself AVIF.
pub(super) fn is_avif(file: &[u8]) -> bool {
    brands(file).is_some_and(|brands| brands.iter().any(|brand| matches!(brand, b"avif" | b"avis")))
}

/// The size of a still picture that holds nothing but itself.
pub(super) fn check(file: &[u8]) -> Result<Size, Refusal> {
    if brands(file).is_some_and(|brands| brands.contains(b"avis")) {
        return Err(Refusal::Animated);
    }
    let (mut meta, mut has_data) = (None, false);
    for (kind, content) in boxes(file).ok_or_else(broken)? {
        match kind {
            b"ftyp" => {}
            b"mdat" => has_data = true,
            b"meta" if meta.is_none() => meta = Some(content),
            b"moov" => return Err(Refusal::Animated),
            b"free" | b"skip" if content.iter().all(|byte| *byte == 0) => {}
            _ => return Err(Refusal::Metadata("parts that are not the picture")),
        }
    }
    size(meta.filter(|_| has_data).ok_or_else(broken)?)
}

fn broken() -> Refusal {
    damaged(ImageFormat::Avif, "its parts are not well formed")
}

/// The brands of the first box: the main one, then those that it is compatible with.
fn brands(file: &[u8]) -> Option<Vec<[u8; 4]>> {
    let length = usize::try_from(number(file, 0, 4)?).ok()?;
    let content = (file.get(4..8)? == b"ftyp").then(|| file.get(8..length))??;
    let brands = content.chunks_exact(4).enumerate().filter(|(place, _)| *place != 1);
    Some(brands.filter_map(|(_, brand)| <[u8; 4]>::try_from(brand).ok()).collect())
}

/// Looks at the items and gives the size of the main one.
fn size(meta: &[u8]) -> Result<Size, Refusal> {
    let parts = boxes(meta.get(4..).ok_or_else(broken)?).ok_or_else(broken)?;
    if parts.iter().any(|(kind, _)| !IN_META.contains(kind)) {
        return Err(Refusal::Metadata("parts that are not the picture"));
    }
    let part = |wanted: &[u8]| parts.iter().find(|(kind, _)| *kind == wanted).map(|(_, content)| *content);
    check_items(part(b"iinf").ok_or_else(broken)?)?;
    let main = part(b"pitm").and_then(|content| match content.first()? {
        0 => number(content, 4, 2),
        _ => number(content, 4, 4),
    });
    let properties = part(b"iprp").zip(main).and_then(|(content, main)| properties(content, main));
    let properties = properties.ok_or_else(broken)?;
    let extent = properties.iter().find(|(kind, _)| *kind == b"ispe").map(|(_, content)| *content);
    let side = |at| extent.and_then(|content| number(content, at, 4)).filter(|side| *side > 0);
    let (Some(width), Some(height)) = (side(4), side(8)) else { return Err(broken()) };
    let turns = properties.iter().find(|(kind, _)| *kind == b"irot").and_then(|(_, content)| content.first());
    let (width, height) =
        if turns.is_some_and(|turns| turns % 2 == 1) { (height, width) } else { (width, height) };
    let side = |side: u64| u32::try_from(side).map_err(|_| broken());
    Ok(Size { width_px: side(width)?, height_px: side(height)? })
}

/// Refuses items that are not pictures.
fn check_items(iinf: &[u8]) -> Result<(), Refusal> {
    let skipped = if iinf.first() == Some(&0) { 6 } else { 8 };
    for (kind, content) in iinf.get(skipped..).and_then(boxes).ok_or_else(broken)? {
        let at = match (kind, content.first()) {
            (b"infe", Some(2)) => 8,
            (b"infe", Some(3)) => 10,
            _ => return Err(broken()),
        };
        match content.get(at..at + 4).ok_or_else(broken)? {
            b"Exif" => return Err(Refusal::Metadata("Exif data")),
            b"mime" => return Err(Refusal::Metadata("XMP data")),
            item if PICTURES.contains(&item) => {}
            _ => return Err(Refusal::Metadata("items that are not the picture")),
        }
    }
    Ok(())
}

/// The properties of one item.
fn properties(iprp: &[u8], item: u64) -> Option<Vec<Part<'_>>> {
    let parts = boxes(iprp)?;
    let all = boxes(parts.iter().find(|(kind, _)| *kind == b"ipco")?.1)?;
    let mut found = Vec::new();
    for (_, content) in parts.iter().filter(|(kind, _)| *kind == b"ipma") {
        let (id_bytes, place_bytes) =
            (if *content.first()? == 0 { 2 } else { 4 }, if content.get(3)? & 1 == 1 { 2 } else { 1 });
        let mut at = 8;
        for _ in 0..number(content, 4, 4)? {
            let id = number(content, at, id_bytes)?;
            let count = usize::from(*content.get(at + id_bytes)?);
            at += id_bytes + 1;
            for _ in 0..count {
                // The highest bit says whether the property is essential.
                let essential = 1_u64 << (8 * place_bytes - 1);
                let place = usize::try_from(number(content, at, place_bytes)? & (essential - 1)).ok()?;
                at += place_bytes;
                if id == item && place > 0 {
                    found.push(*all.get(place - 1)?);
                }
            }
        }
    }
    Some(found)
}

/// The boxes that lie one after the other; `None` when they do not fill the space.
fn boxes(mut rest: &[u8]) -> Option<Vec<Part<'_>>> {
    let mut boxes = Vec::new();
    while !rest.is_empty() {
        let (length, head) = match number(rest, 0, 4)? {
            0 => (rest.len(), 8),
            1 => (usize::try_from(number(rest, 8, 8)?).ok()?, 16),
            length => (usize::try_from(length).ok()?, 8),
        };
        if boxes.len() == BOXES_MAX {
            return None;
        }
        boxes.push((rest.get(4..8)?, rest.get(head..length)?));
        rest = rest.get(length..)?;
    }
    Some(boxes)
}

/// The number in so many bytes, the highest first.
fn number(bytes: &[u8], at: usize, count: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(count)?)?;
    Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}
