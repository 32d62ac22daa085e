//! What the functions for pictures share: the ids in a path, the picture as JSON and as bytes, and their refusals.
//!
//! Does not know how pictures are made or kept.

use axum::body::Body;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use schemars::JsonSchema;
use serde::Serialize;

use crate::app::App;
use crate::app::images::{NotTaken, RENDITION_TYPE};
use crate::domain::draft::Invalid;
use crate::domain::id::{ImageId, ProductId};
use crate::domain::image::{ALT_CHARS_MAX, IMAGES_MAX, Image, Misarranged, Rendition, is_alt};
use crate::domain::product::Product;
use crate::functions::error::{invalid_body, no_such};
use crate::functions::keep::{content_etag, set};
use crate::functions::kind::{INCOMPLETE_ARRANGEMENT, PRODUCT_DELETED, TOO_MANY_IMAGES};
use crate::functions::resource::ImageResource;
use crate::host::kind::RANGE_NOT_SATISFIABLE;
use crate::host::{Answer, Problem, Wanted, if_none_match, range};

/// A picture never changes under its address.
const FOR_EVER: &str = "public, max-age=31536000, immutable";
/// Where the bytes are may change, with a setting.
const FOR_AN_HOUR: &str = "public, max-age=3600";
/// What a redirection means.
pub const REDIRECTED: &str =
    "The bytes are elsewhere: at the public address that the settings name, or at another width.";

/// A product's pictures, in the order in which they are shown.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ImageList")]
pub struct ImageList<'a> {
    /// All of them.
    #[schemars(length(max = IMAGES_MAX))]
    items: Vec<ImageResource<'a>>,
}

impl<'a> From<&'a [Image]> for ImageList<'a> {
    fn from(images: &'a [Image]) -> Self {
        Self { items: images.iter().map(ImageResource::from).collect() }
    }
}

/// The version of a product's pictures as they are answered, for `If-Match`.
pub fn list_etag(images: &[Image]) -> String {
    content_etag(&Answer::json(StatusCode::OK, &ImageList::from(images)))
}

/// The version of a picture: its only one, because the bytes never change. Whoever names another in `If-Match` means another.
pub fn image_etag(id: &ImageId) -> String {
    format!("\"{id}\"")
}

/// The path of a picture.
pub fn image_path(product_id: &ProductId, id: &ImageId) -> String {
    format!("/api/products/{product_id}/images/{id}")
}

/// The image id in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn image_id(text: &str) -> Result<ImageId, Problem> {
    ImageId::parse(text).map_err(|error| no_such_image(text, &error.to_string()))
}

/// Checks what somebody says a picture shows; `pointer` is the field.
///
/// # Errors
/// 400 naming the field.
pub fn check_alt(alt: &str, pointer: &str) -> Result<(), Problem> {
    if is_alt(alt) {
        return Ok(());
    }
    let detail = format!("must be one line of at most {ALT_CHARS_MAX} characters");
    Err(invalid_body(vec![Invalid::new(pointer, detail)]))
}

/// 404 that names the path's `imageId`.
fn no_such_image(id: &str, detail: &str) -> Problem {
    let shown: String = id.chars().take(crate::domain::id::NAME_CHARS_MAX).collect();
    Problem::not_found(format!("There is no picture {shown:?} of this product.")).parameter("imageId", detail)
}

/// The refusal to change a product's pictures.
pub fn not_taken(product_id: &ProductId, image_id: &str, not_taken: NotTaken) -> Problem {
    match not_taken {
        NotTaken::NoProduct => no_such("product", product_id.as_str(), None),
        NotTaken::NoImage => no_such_image(image_id, "there is no picture with this id"),
        NotTaken::Stale => Problem::precondition_failed(),
        NotTaken::Deleted => Problem::new(&PRODUCT_DELETED)
            .detail("The pictures of a deleted product stay as they are; one can be removed."),
        NotTaken::Full => Problem::new(&TOO_MANY_IMAGES)
            .detail(format!("A product may have at most {IMAGES_MAX} pictures; remove one first.")),
        NotTaken::Misarranged(wrong) => {
            let (pointer, detail) = match wrong {
                Misarranged::Unknown(place) => {
                    (format!("/items/{place}/id"), "the product has no picture with this id".to_owned())
                }
                Misarranged::Twice(place) => (format!("/items/{place}/id"), "stands there twice".to_owned()),
                Misarranged::LeftOut(id) => {
                    ("/items".to_owned(), format!("leaves out the picture {id}; DELETE removes one"))
                }
            };
            Problem::new(&INCOMPLETE_ARRANGEMENT).field(pointer, detail)
        }
    }
}

/// The file that a path means.
#[derive(Debug)]
pub struct File {
    name: String,
    content_type: &'static str,
    size_bytes: u64,
    etag: String,
}

impl File {
    /// The original of a picture.
    pub fn original(product_id: &ProductId, image: &Image) -> Self {
        Self {
            name: image.blob_name(product_id),
            content_type: image.format.content_type(),
            size_bytes: image.size_bytes,
            etag: image_etag(&image.id),
        }
    }

    /// A smaller copy of it.
    pub fn rendition(product_id: &ProductId, image: &Image, rendition: &Rendition) -> Self {
        Self {
            name: rendition.blob_name(product_id, &image.id),
            content_type: RENDITION_TYPE,
            size_bytes: rendition.size_bytes,
            etag: format!("\"{}-{}\"", image.id, rendition.width_px),
        }
    }
}

/// The product and its picture, also where the product is deleted: old orders and messages still show it.
///
/// # Errors
/// 404.
pub async fn find(app: &App, product: &str, image: &str) -> Result<(Product, Image), Problem> {
    let product_id = crate::functions::error::product_id(product)?;
    let image_id = image_id(image)?;
    let found = app.store.products.read(&product_id).await?;
    let product = found.ok_or_else(|| no_such("product", product, None))?.value;
    let found = product.image(&image_id).cloned();
    let found = found.ok_or_else(|| no_such_image(image, "there is no picture with this id"))?;
    Ok((product, found))
}

/// A redirection to another address of this host, or of the one that the settings name.
pub fn redirect(address: &str) -> Response {
    let answer = Answer::empty(StatusCode::TEMPORARY_REDIRECT).header(header::CACHE_CONTROL, FOR_AN_HOUR);
    answer.header(header::LOCATION, address).into_response()
}

/// 200 or 206 with the bytes, 304, 307 to the public address, or 416.
///
/// # Errors
/// 404 when the file has been removed meanwhile, 503.
pub async fn serve(app: &App, method: &Method, headers: &HeaderMap, file: File) -> Result<Response, Problem> {
    let known = if_none_match(headers)?;
    if let Some(base) = &app.images.public_url {
        return Ok(redirect(&format!("{base}/{}", file.name)));
    }
    if known.matches(&file.etag) {
        return Ok(with_head(Response::new(Body::empty()), StatusCode::NOT_MODIFIED, &file));
    }
    let size_bytes = file.size_bytes;
    let wanted = if *method == Method::GET { range(headers, size_bytes, &file.etag) } else { Wanted::Whole };
    let (status, part) = match wanted {
        Wanted::Whole => (StatusCode::OK, 0..size_bytes),
        Wanted::Part(part) => (StatusCode::PARTIAL_CONTENT, part),
        Wanted::Beyond => {
            let problem =
                Problem::new(&RANGE_NOT_SATISFIABLE).detail(format!("The picture has {size_bytes} bytes."));
            let answer = Answer::from(problem).header(header::CONTENT_RANGE, format!("bytes */{size_bytes}"));
            return Ok(answer.into_response());
        }
    };
    let body = if *method == Method::HEAD {
        Body::empty()
    } else {
        let content = app.images.blobs.read(&file.name, part.clone()).await?;
        let content = content.ok_or_else(|| {
            tracing::warn!(name = file.name, "a picture is not where its product says, or was just removed");
            Problem::not_found("The picture is gone.")
        })?;
        Body::from_stream(content)
    };
    let mut response = with_head(Response::new(body), status, &file);
    set(&mut response, header::CONTENT_LENGTH, &(part.end - part.start).to_string());
    if status == StatusCode::PARTIAL_CONTENT {
        let range = format!("bytes {}-{}/{size_bytes}", part.start, part.end.saturating_sub(1));
        set(&mut response, header::CONTENT_RANGE, &range);
    }
    Ok(response)
}

/// The response with what is to be said of the file whatever part of it is sent.
fn with_head(mut response: Response, status: StatusCode, file: &File) -> Response {
    *response.status_mut() = status;
    set(&mut response, header::ETAG, &file.etag);
    set(&mut response, header::CACHE_CONTROL, FOR_EVER);
    if status != StatusCode::NOT_MODIFIED {
        set(&mut response, header::CONTENT_TYPE, file.content_type);
        set(&mut response, header::ACCEPT_RANGES, "bytes");
    }
    response
}
