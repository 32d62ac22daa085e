//! Pictures with everything in them that must not stay, and files that only look like pictures.

use std::io::Cursor;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{DynamicImage, ImageReader, Rgba, RgbaImage};
use img_parts::jpeg::{Jpeg, JpegSegment, markers};
use img_parts::png::{Png, PngChunk};
use img_parts::riff::{RiffChunk, RiffContent};
use img_parts::webp::WebP;
use img_parts::{Bytes, ImageEXIF, ImageICC};

use super::*;

const SECRET: &[u8] = b"48.2082 N 16.3738 E";

/// A red left half and a blue right half.
fn halves(width: u32, height: u32) -> DynamicImage {
    RgbaImage::from_fn(width, height, |x, _| {
        if x < width / 2 { Rgba([220, 20, 20, 255]) } else { Rgba([20, 20, 220, 255]) }
    })
    .into()
}

fn png(picture: &DynamicImage) -> Bytes {
    let mut file = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut file)).unwrap();
    file.into()
}

fn jpeg(picture: &DynamicImage) -> Bytes {
    let mut file = Vec::new();
    let rgb = DynamicImage::from(picture.to_rgb8());
    rgb.write_with_encoder(JpegEncoder::new_with_quality(&mut file, 90)).unwrap();
    file.into()
}

fn webp(picture: &DynamicImage) -> Bytes {
    let rgba = picture.to_rgba8();
    Bytes::copy_from_slice(&webp::Encoder::from_rgba(&rgba, rgba.width(), rgba.height()).encode(90.0))
}

/// Exif with an orientation, and a secret behind it.
fn exif(orientation: u8) -> Bytes {
    let mut exif = b"MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend_from_slice(&[orientation, 0, 0, 0, 0, 0, 0]);
    exif.extend_from_slice(SECRET);
    exif.into()
}

fn with_exif(format: ImageFormat, file: Bytes, orientation: u8) -> Bytes {
    match format {
        ImageFormat::Png => {
            let mut png = Png::from_bytes(file).unwrap();
            let at = png.chunks().len() - 1;
            // Before the picture: a reader does not look behind it for how to hold it.
            png.chunks_mut().insert(1, PngChunk::new(*b"eXIf", exif(orientation)));
            png.chunks_mut().insert(at, PngChunk::new(*b"tEXt", [b"Comment\0", SECRET].concat().into()));
            [png.encoder().bytes().as_ref(), SECRET].concat().into()
        }
        ImageFormat::Jpeg => {
            let mut jpeg = Jpeg::from_bytes(file).unwrap();
            jpeg.set_exif(Some(exif(orientation)));
            let xmp = [b"http://ns.adobe.com/xap/1.0/\0", SECRET].concat();
            for (marker, contents) in
                [(markers::APP1, xmp.into()), (markers::APP13, SECRET.into()), (markers::COM, SECRET.into())]
            {
                jpeg.segments_mut().insert(0, JpegSegment::new_with_contents(marker, contents));
            }
            // A film behind the end, as phones put it there.
            [jpeg.encoder().bytes().as_ref(), b"\0\0\0\x18ftypmp42", SECRET].concat().into()
        }
        ImageFormat::Webp => {
            let mut webp = WebP::from_bytes(file).unwrap();
            webp.set_exif(Some(exif(orientation)));
            webp.chunks_mut().push(RiffChunk::new(*b"XMP ", RiffContent::Data(SECRET.into())));
            webp.encoder().bytes()
        }
        ImageFormat::Avif => unreachable!(),
    }
}

fn decode(file: &[u8]) -> DynamicImage {
    ImageReader::new(Cursor::new(file)).with_guessed_format().unwrap().decode().unwrap()
}

fn holds(file: &[u8], text: &[u8]) -> bool {
    file.windows(text.len()).any(|window| window == text)
}

type Encode = fn(&DynamicImage) -> Bytes;

const FORMATS: [(ImageFormat, Encode); 3] =
    [(ImageFormat::Png, png), (ImageFormat::Jpeg, jpeg), (ImageFormat::Webp, webp)];

#[test]
fn metadata_goes_and_every_pixel_stays() {
    for (format, encode) in FORMATS {
        let plain = encode(&halves(60, 40));
        let sent = with_exif(format, plain.clone(), 1);
        assert!(holds(&sent, SECRET));
        let picture = Picture::of(sent).unwrap();
        assert_eq!((picture.format, picture.width_px, picture.height_px), (format, 60, 40));
        assert!(!holds(&picture.original, SECRET), "{format:?}");
        assert!(!holds(&picture.original, b"Exif") && !holds(&picture.original, b"xap"), "{format:?}");
        assert_eq!(decode(&picture.original), decode(&plain), "{format:?}");
        for copy in &picture.copies {
            assert!(!holds(&copy.bytes, SECRET));
        }
    }
}

#[test]
fn picture_on_its_side_is_set_upright() {
    for (format, encode) in FORMATS {
        // 6: the top of what is shown is the right side of what is stored.
        let picture = Picture::of(with_exif(format, encode(&halves(60, 40)), 6)).unwrap();
        assert_eq!((picture.width_px, picture.height_px), (40, 60), "{format:?}");
        let original = decode(&picture.original).to_rgba8();
        assert_eq!(original.dimensions(), (40, 60));
        assert!(original[(20, 5)].0[0] > 150 && original[(20, 55)].0[2] > 150, "{format:?}");
        let copy = decode(&picture.copies[0].bytes).to_rgba8();
        assert!(copy[(20, 5)].0[0] > 150 && copy[(20, 55)].0[2] > 150, "{format:?}");
        assert!(!holds(&picture.original, SECRET), "{format:?}");
    }
}

#[test]
fn copies_have_the_preset_widths_and_are_never_enlarged() {
    let sizes = |width, height| {
        let picture = Picture::of(png(&halves(width, height))).unwrap();
        let sizes = picture.copies.iter().map(|copy| {
            let pixels = decode(&copy.bytes);
            assert_eq!((pixels.width(), pixels.height()), (copy.width_px, copy.height_px));
            assert_eq!(format(&copy.bytes), Some(ImageFormat::Webp));
            (copy.width_px, copy.height_px)
        });
        sizes.collect::<Vec<_>>()
    };
    assert_eq!(sizes(2400, 1600), [(400, 267), (1200, 800)]);
    assert_eq!(sizes(1000, 10), [(400, 4), (1000, 10)]);
    assert_eq!(sizes(300, 900), [(300, 900)]);
    assert_eq!(sizes(1, 1), [(1, 1)]);
    assert_eq!(sizes(5000, 1), [(400, 1), (1200, 1)]);
}

#[test]
fn edges_of_what_is_transparent_keep_their_colour() {
    let cut_out =
        RgbaImage::from_fn(
            1600,
            1600,
            |x, _| {
                if x < 777 { Rgba([255, 255, 255, 255]) } else { Rgba([0, 0, 0, 0]) }
            },
        );
    let picture = Picture::of(png(&cut_out.into())).unwrap();
    let copy = decode(&picture.copies[0].bytes).to_rgba8();
    let edge = copy.pixels().filter(|pixel| pixel.0[3] > 40);
    assert!(edge.clone().count() > 70_000);
    for pixel in edge {
        assert!(pixel.0[0] > 230, "a dark seam: {pixel:?}");
    }
}

#[test]
fn colour_profile_stays_where_it_fits() {
    let mut profile = vec![0; 200];
    profile[16..20].copy_from_slice(b"RGB ");
    let mut sent = Jpeg::from_bytes(jpeg(&halves(500, 500))).unwrap();
    sent.set_icc_profile(Some(profile.clone().into()));
    let picture = Picture::of(sent.encoder().bytes()).unwrap();
    let kept = Jpeg::from_bytes(picture.original).unwrap().icc_profile();
    assert_eq!(kept.as_deref(), Some(profile.as_slice()));
    for copy in picture.copies {
        let kept = WebP::from_bytes(copy.bytes.clone()).unwrap().icc_profile();
        assert_eq!(kept.as_deref(), Some(profile.as_slice()));
        assert_eq!(decode(&copy.bytes).width(), copy.width_px);
    }
}

#[test]
fn size_is_refused_before_a_pixel_is_decoded() {
    // A header that claims more than 40 megapixels, with nothing behind it that could be decoded.
    let mut claimed = Png::from_bytes(png(&halves(8, 8))).unwrap();
    let mut header = claimed.chunks()[0].contents().to_vec();
    header[..8].copy_from_slice(&[0, 0, 0x1f, 0x40, 0, 0, 0x1f, 0x40]);
    claimed.chunks_mut()[0] = PngChunk::new(*b"IHDR", header.into());
    let refusal = Picture::of(claimed.encoder().bytes()).unwrap_err();
    assert_eq!(refusal, Refusal::TooManyPixels { width_px: 8_000, height_px: 8_000 });
    let strip = Picture::of(png(&DynamicImage::new_luma8(16_384, 1))).unwrap_err();
    assert_eq!(strip, Refusal::TooManyPixels { width_px: 16_384, height_px: 1 });
}

#[test]
fn what_is_no_still_picture_is_refused() {
    for file in [&b""[..], b"GIF89a", b"<svg/>", b"%PDF", b"RIFF\0\0\0\0WAVE", b"\xff\xd8"] {
        assert_eq!(Picture::of(Bytes::copy_from_slice(file)), Err(Refusal::Unknown));
    }
    for (format, encode) in FORMATS {
        let file = encode(&halves(64, 64));
        for length in [16, file.len() / 3] {
            let refusal = Picture::of(file.slice(..length)).unwrap_err();
            assert!(matches!(refusal, Refusal::Damaged { .. }), "{format:?} {length}: {refusal}");
        }
    }
    let mut animated = Png::from_bytes(png(&halves(8, 8))).unwrap();
    animated.chunks_mut().insert(1, PngChunk::new(*b"acTL", Bytes::from_static(&[0, 0, 0, 1, 0, 0, 0, 0])));
    assert_eq!(Picture::of(animated.encoder().bytes()), Err(Refusal::Animated));
    let mut animated = WebP::from_bytes(webp(&halves(8, 8))).unwrap();
    animated.chunks_mut().push(RiffChunk::new(*b"ANMF", RiffContent::Data(Bytes::from_static(&[0; 24]))));
    assert_eq!(Picture::of(animated.encoder().bytes()), Err(Refusal::Animated));
}

fn part(kind: &[u8; 4], contents: &[&[u8]]) -> Vec<u8> {
    let content = contents.concat();
    [&u32::try_from(content.len() + 8).unwrap().to_be_bytes(), kind.as_slice(), &content].concat()
}

/// An AVIF file with these items and this turn, as far as it matters here.
fn avif(brand: &[u8; 4], items: &[&[u8; 4]], turns: u8, extra: &[u8]) -> Bytes {
    let entries =
        items.iter().zip(1..).map(|(kind, id)| part(b"infe", &[&[2, 0, 0, 0, 0, id, 0, 0], *kind, b"\0"]));
    let count = u8::try_from(items.len()).unwrap();
    let size = [0, 0, 0, 0, 0, 0, 3, 0x20, 0, 0, 2, 0x58];
    let properties = part(b"ipco", &[&part(b"ispe", &[&size]), &part(b"irot", &[&[turns]])]);
    let owners = part(b"ipma", &[&[0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 2, 1, 0x82]]);
    let meta = part(
        b"meta",
        &[
            &[0; 4],
            &part(b"hdlr", &[b"\0\0\0\0\0\0\0\0pict"]),
            &part(b"pitm", &[&[0, 0, 0, 0, 0, 1]]),
            &part(b"iinf", &[&[0, 0, 0, 0, 0, count], &entries.collect::<Vec<_>>().concat()]),
            &part(b"iprp", &[&properties, &owners]),
        ],
    );
    [part(b"ftyp", &[brand, b"\0\0\0\0", b"mif1"]), meta, extra.to_vec(), part(b"mdat", &[b"picture"])]
        .concat()
        .into()
}

#[test]
fn avif_is_kept_as_it_is_when_it_holds_nothing_but_a_picture() {
    let file = avif(b"avif", &[b"av01", b"av01"], 0, &part(b"free", &[&[0; 9]]));
    let picture = Picture::of(file.clone()).unwrap();
    assert_eq!((picture.width_px, picture.height_px, picture.copies.len()), (800, 600, 0));
    assert_eq!(picture.original, file);
    let turned = Picture::of(avif(b"avif", &[b"av01"], 1, b"")).unwrap();
    assert_eq!((turned.width_px, turned.height_px), (600, 800));
}

#[test]
fn avif_with_anything_else_is_refused() {
    for items in [[b"av01", b"Exif"], [b"av01", b"mime"], [b"av01", b"uri "]] {
        assert!(matches!(Picture::of(avif(b"avif", &items, 0, b"")), Err(Refusal::Metadata(_))), "{items:?}");
    }
    for extra in [part(b"uuid", &[SECRET]), part(b"free", &[SECRET]), part(b"meta", &[b"\0\0\0\0"])] {
        let refusal = Picture::of(avif(b"avif", &[b"av01"], 0, &extra));
        assert!(matches!(refusal, Err(Refusal::Metadata(_))), "{refusal:?}");
    }
    assert_eq!(Picture::of(avif(b"avis", &[b"av01"], 0, b"")), Err(Refusal::Animated));
    let file = avif(b"avif", &[b"av01"], 0, b"");
    for length in 13..file.len() - 1 {
        let refusal = Picture::of(file.slice(..length));
        assert!(refusal.is_err(), "cut off at {length}: {refusal:?}");
    }
}

#[test]
fn every_cut_and_every_changed_byte_is_a_picture_or_a_refusal() {
    for (format, encode) in FORMATS {
        let file = with_exif(format, encode(&halves(16, 16)), 6);
        for at in 0..file.len() {
            let mut changed = file.to_vec();
            changed[at] = changed[at].wrapping_add(0x81);
            drop(Picture::of(changed.into()));
            drop(Picture::of(file.slice(..at)));
        }
    }
}
