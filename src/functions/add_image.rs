//! `POST /api/products/{id}/images`: one more picture, as the body itself or as the part `image` of a form.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use serde_json::json;

use crate::app::App;
use crate::app::images::Added;
use crate::auth::caller::{By, Staff};
use crate::domain::id::{IdempotencyKey, ProductId};
use crate::domain::image::{ALT_CHARS_MAX, ALT_PATTERN, FILE_BYTES_MAX, is_alt};
use crate::functions::api::IMAGES;
use crate::functions::error::{idempotency_key, product_id};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{
    ANIMATED_IMAGE, DAMAGED_IMAGE, IMAGE_METADATA, IMAGES_NOT_SET_UP, PRODUCT_DELETED, TOO_MANY_IMAGES,
    TOO_MANY_PIXELS, UNSUPPORTED_IMAGE,
};
use crate::functions::page::invalid;
use crate::functions::picture::{check_alt, image_path, not_taken};
use crate::functions::resource::ImageResource;
use crate::host::kind::INVALID_BODY;
use crate::host::{Answer, BODY_BYTES_MAX, FileBody, Header, Operation, Problem, parse_query};
use crate::picture::Refusal;

/// Most bytes of a form: the picture, and the little that may stand around it.
const FORM_BYTES_MAX: usize = FILE_BYTES_MAX + BODY_BYTES_MAX;
/// Most bytes that are read and thrown away behind the limit, so that the caller hears the answer.
const EXCESS_BYTES_MAX: usize = 2 * FILE_BYTES_MAX;

/// A picture as it was sent.
struct Sent {
    file: Bytes,
    /// What it shows, if a form says so; otherwise the query may.
    alt: Option<String>,
}

/// Answers 201 with the picture, 200 when the product has had it before, 404, 409, 413, 415 or 422. The file is the idempotency
/// key; one that is sent is checked for its form.
///
/// # Errors
/// A [`Problem`].
pub async fn add_image(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request: Request,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    idempotency_key(&headers)?;
    let mut parameters = parse_query(query.as_deref(), &["alt"])?;
    let Sent { file, alt } = match is_form(&headers) {
        true => form(request).await?,
        false => Sent { file: raw(&headers, request.into_body()).await?, alt: None },
    };
    let alt = match (alt, parameters.remove("alt")) {
        (Some(alt), _) => check_alt(&alt, "/alt").map(|()| alt)?,
        (None, Some(alt)) if !is_alt(&alt) => {
            return Err(invalid("alt", &format!("must be one line of at most {ALT_CHARS_MAX} characters")));
        }
        (None, alt) => alt.unwrap_or_default(),
    };
    let (status, image) = match app.add_image(&product_id, file, alt).await? {
        Added::New(image) => (StatusCode::CREATED, image),
        Added::Known(image) => (StatusCode::OK, image),
        Added::Refused(refusal) => return Err(refused(&refusal)),
        Added::NotTaken(reason) => return Err(not_taken(&product_id, "", reason)),
    };
    let answer = Answer::json(status, &ImageResource::from(&image));
    Ok(with_keep(answer, Keep::Validate).header(header::LOCATION, image_path(&product_id, &image.id)))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "PNG, JPEG, WebP or AVIF, told by its bytes; at most 8 MiB and 40 megapixels, 12 a product. Metadata such as \
                       the place is left out. Copies of 400 and 1,200 pixels are made as WebP (not of AVIF). The same file again \
                       is the same picture.";
    let alt = json!({
        "type": "string", "maxLength": ALT_CHARS_MAX, "pattern": ALT_PATTERN,
        "description": "What it shows, for those who cannot see it.", "examples": ["a red mug"],
    });
    let form = json!({
        "type": "object", "required": ["image"], "additionalProperties": false,
        "properties": {
            "image": {"type": "string", "format": "binary", "description": "The file, at most 8 MiB."},
            "alt": alt,
        },
    });
    let file = FileBody {
        media_type: "application/octet-stream",
        description: "The file, at most 8 MiB; any other media type will do too.",
        example: None,
    };
    let new = "The picture was added.";
    let known = "The product has had this picture before.";
    Operation::new(IMAGES, "Add a picture", description)
        .path::<ProductId>("id", "The product.")
        .query_as(
            "alt",
            "What it shows, for those who cannot see it; the part `alt` of a form says so first.",
            alt,
        )
        .file(&[file], Some(form))
        .idempotency_key::<IdempotencyKey>(
            "Checked for its form and not needed: the same file is the same picture.",
        )
        .answers::<ImageResource<'_>>(StatusCode::CREATED, new, &[Header::Location], example::image())
        .answers::<ImageResource<'_>>(StatusCode::OK, known, &[Header::Location], example::image())
        .leads_to("GetImage", &[("id", "$request.path.id"), ("imageId", "$response.body#/id")])
        .problems(&[&INVALID_BODY, &PRODUCT_DELETED, &TOO_MANY_IMAGES, &UNSUPPORTED_IMAGE, &TOO_MANY_PIXELS])
        .problems(&[&ANIMATED_IMAGE, &IMAGE_METADATA, &DAMAGED_IMAGE, &IMAGES_NOT_SET_UP])
}

fn is_form(headers: &HeaderMap) -> bool {
    let value = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = value.split(';').next().unwrap_or_default();
    essence.trim().eq_ignore_ascii_case("multipart/form-data")
}

/// The body as a file. A declared length that is too much is refused before a byte is read.
async fn raw(headers: &HeaderMap, body: Body) -> Result<Bytes, Problem> {
    let declared = headers.get(header::CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
    if declared.is_some_and(|length: usize| length > EXCESS_BYTES_MAX) {
        return Err(too_large());
    }
    // What is a little too large is read all the same: a caller that is still sending does not hear the refusal.
    let file = to_bytes(body, EXCESS_BYTES_MAX).await.map_err(|_| too_large())?;
    if file.len() > FILE_BYTES_MAX { Err(too_large()) } else { Ok(file) }
}

/// The parts of a form: one `image`, at most one `alt`.
async fn form(mut request: Request) -> Result<Sent, Problem> {
    DefaultBodyLimit::max(EXCESS_BYTES_MAX).apply(&mut request);
    let malformed = |detail: String| Problem::bad_request().detail(detail);
    let mut form =
        Multipart::from_request(request, &()).await.map_err(|error| malformed(error.body_text()))?;
    let (mut file, mut alt, mut total) = (None, None, 0_usize);
    let unreadable = |error: axum::extract::multipart::MultipartError| match error.status() {
        StatusCode::PAYLOAD_TOO_LARGE => too_large(),
        _ => malformed(error.body_text()),
    };
    while let Some(part) = form.next_field().await.map_err(unreadable)? {
        let name = part.name().unwrap_or_default().to_owned();
        let bytes = part.bytes().await.map_err(unreadable)?;
        total = total.saturating_add(bytes.len());
        let place = match name.as_str() {
            "image" => &mut file,
            "alt" => &mut alt,
            _ => {
                let shown: String = name.chars().take(64).collect();
                return Err(malformed(format!("The form may have the parts image and alt, not {shown:?}.")));
            }
        };
        if place.replace(bytes).is_some() {
            return Err(malformed(format!("The form has the part {name} twice.")));
        }
    }
    let file = file.ok_or_else(|| malformed("The form has no part image.".to_owned()))?;
    if file.len() > FILE_BYTES_MAX || total > FORM_BYTES_MAX {
        return Err(too_large());
    }
    let alt = alt.map(|alt: Bytes| String::from_utf8(alt.to_vec())).transpose();
    Ok(Sent { file, alt: alt.map_err(|_| malformed("The part alt must be UTF-8.".to_owned()))? })
}

/// 413.
fn too_large() -> Problem {
    Problem::payload_too_large(FILE_BYTES_MAX)
        .detail(format!("A picture may have at most {FILE_BYTES_MAX} bytes."))
}

/// 415 or 422.
fn refused(refusal: &Refusal) -> Problem {
    let detail = format!("Nothing was kept: {refusal}.");
    let kind = match refusal {
        Refusal::Unknown => &UNSUPPORTED_IMAGE,
        Refusal::TooManyPixels { .. } => &TOO_MANY_PIXELS,
        Refusal::Animated => &ANIMATED_IMAGE,
        Refusal::Metadata(_) => &IMAGE_METADATA,
        Refusal::Damaged { .. } => &DAMAGED_IMAGE,
    };
    Problem::new(kind).detail(detail)
}
