//! A picture of a product: what is known of it, and the names of its blobs.
//!
//! Does not know the bytes. A blob's name never stands for other bytes later, so that anybody may keep them for ever.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::id::{Fingerprint, ImageId, ProductId};

/// Most pictures of one product.
pub const IMAGES_MAX: usize = 12;
/// Longest alternative text, in characters.
pub const ALT_CHARS_MAX: usize = 300;
/// The form of an alternative text, as a regular expression: one line.
pub const ALT_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*$";
/// Largest file of a picture, in bytes.
pub const FILE_BYTES_MAX: usize = 8 * 1024 * 1024;
/// Most pixels of a picture; what is decoded takes four bytes for each.
pub const PIXELS_MAX: u64 = 40_000_000;
/// Longest side of a picture in pixels: what WebP can hold.
pub const SIDE_PX_MAX: u32 = 16_383;
/// Widths of the smaller copies: one for lists, one for a product's page. None is made wider than the original.
pub const RENDITION_WIDTHS_PX: [u32; 2] = [400, 1200];

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
    /// Of the file as it was sent: the same file is the same picture, so that a request can be repeated.
    pub source: Fingerprint,
    /// When it was added.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
}

/// A picture's place in an order that somebody asks for, and what it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placement {
    /// Which picture.
    pub id: ImageId,
    /// What it shows.
    pub alt: String,
}

/// Why pictures cannot be arranged as asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misarranged {
    /// The product has no such picture; the place in the order that was asked for.
    Unknown(usize),
    /// The picture stands there twice; the second place.
    Twice(usize),
    /// A picture of the product is left out.
    LeftOut(ImageId),
}

/// A smaller copy of a picture, as WebP.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rendition {
    /// Width in pixels; names the rendition.
    #[schemars(range(min = 1, max = SIDE_PX_MAX))]
    pub width_px: u32,
    /// Height in pixels.
    #[schemars(range(min = 1, max = SIDE_PX_MAX))]
    pub height_px: u32,
    /// Size in bytes.
    #[schemars(range(min = 1, max = FILE_BYTES_MAX))]
    pub size_bytes: u64,
}

/// The formats that are taken.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
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

/// Whether a text can say what a picture shows.
pub fn is_alt(text: &str) -> bool {
    text.chars().count() <= ALT_CHARS_MAX && !text.chars().any(char::is_control)
}

/// The pictures in another order and with other texts: all of them, each once.
///
/// # Errors
/// Says which picture is the trouble; a retry does not help.
pub fn arranged(images: &[Image], wanted: &[Placement]) -> Result<Vec<Image>, Misarranged> {
    let mut arranged: Vec<Image> = Vec::with_capacity(images.len());
    for (place, Placement { id, alt }) in wanted.iter().enumerate() {
        if arranged.iter().any(|image| image.id == *id) {
            return Err(Misarranged::Twice(place));
        }
        let image = images.iter().find(|image| image.id == *id).ok_or(Misarranged::Unknown(place))?;
        arranged.push(Image { alt: alt.clone(), ..image.clone() });
    }
    match images.iter().find(|image| arranged.iter().all(|one| one.id != image.id)) {
        Some(left_out) => Err(Misarranged::LeftOut(left_out.id.clone())),
        None => Ok(arranged),
    }
}

/// The product and picture that a blob's name stands for; `None` for a name that this program does not give.
pub fn of_blob_name(name: &str) -> Option<(ProductId, ImageId)> {
    let mut parts = name.split('/');
    let (product_id, image_id, _) = (parts.next()?, parts.next()?, parts.next()?);
    match parts.next() {
        Some(_) => None,
        None => Some((ProductId::parse(product_id).ok()?, ImageId::parse(image_id).ok()?)),
    }
}

impl Rendition {
    /// The name of its blob.
    pub fn blob_name(&self, product_id: &ProductId, image_id: &ImageId) -> String {
        format!("{product_id}/{image_id}/{}.webp", self.width_px)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn image(id: u8) -> Image {
        Image {
            id: ImageId::from_chance([id; 16]),
            alt: String::new(),
            format: ImageFormat::Png,
            width_px: 900,
            height_px: 600,
            size_bytes: 1_000,
            renditions: vec![Rendition { width_px: 400, height_px: 267, size_bytes: 100 }],
            source: Fingerprint::of(["file"]),
            created_at: DateTime::UNIX_EPOCH,
        }
    }

    fn place(id: u8, alt: &str) -> Placement {
        Placement { id: ImageId::from_chance([id; 16]), alt: alt.to_owned() }
    }

    #[test]
    fn arrangement_names_each_picture_once() {
        let images = [image(1), image(2)];
        let turned = arranged(&images, &[place(2, "back"), place(1, "front")]).unwrap();
        assert_eq!([&turned[0].alt, &turned[1].alt], ["back", "front"]);
        assert_eq!(turned[0].id, images[1].id);
        let refusal = |wanted: &[Placement]| arranged(&images, wanted).unwrap_err();
        assert_eq!(refusal(&[place(1, "")]), Misarranged::LeftOut(images[1].id.clone()));
        assert_eq!(refusal(&[place(1, ""), place(1, "")]), Misarranged::Twice(1));
        assert_eq!(refusal(&[place(3, "")]), Misarranged::Unknown(0));
    }

    #[test]
    fn blob_name_leads_back_to_its_picture() {
        let (product_id, image) = (ProductId::parse("mug").unwrap(), image(1));
        for name in image.blob_names(&product_id) {
            assert_eq!(of_blob_name(&name), Some((product_id.clone(), image.id.clone())), "{name}");
        }
        for name in ["", "mug", "mug/x/400.webp", "mug//400.webp", "_sweep/a/b"] {
            assert_eq!(of_blob_name(name), None, "{name}");
        }
    }

    #[test]
    fn alternative_text_is_one_line_of_bounded_length() {
        assert!(is_alt("") && is_alt(&"ä".repeat(ALT_CHARS_MAX)));
        assert!(!is_alt(&"a".repeat(ALT_CHARS_MAX + 1)) && !is_alt("two\nlines"));
    }
}
