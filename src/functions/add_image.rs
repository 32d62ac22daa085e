//! `POST /api/products/{id}/images`: one more picture, as the body itself or as the part `image` of a form.

use axum::body::{Body, Bytes, to_bytes};
use axum::extract::{DefaultBodyLimit, FromRequest, Multipart, Path, RawQuery, Request, State};
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::images::Added;
use crate::domain::image::FILE_BYTES_MAX;
use crate::functions::error::product_id;
use crate::functions::picture::{check_alt, image_path, not_taken};
use crate::functions::resource::{ImageResource, Keep, with_keep};
use crate::host::{Answer, BODY_BYTES_MAX, Problem, parse_query};
use crate::picture::Refusal;

/// Most bytes of a form: the picture, and the little that may stand around it.
const FORM_BYTES_MAX: usize = FILE_BYTES_MAX + BODY_BYTES_MAX;
/// Most bytes that are read and thrown away behind the limit, so that the caller hears the answer.
const EXCESS_BYTES_MAX: usize = 2 * FILE_BYTES_MAX;

/// A picture as it was sent.
struct Sent {
    file: Bytes,
    alt: String,
}

/// Answers 201 with the picture, 200 when the product has had it before, 404, 409, 413, 415 or 422.
///
/// # Errors
/// A [`Problem`].
pub async fn add_image(
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    request: Request,
) -> Result<Answer, Problem> {
    let product_id = product_id(&id)?;
    let Sent { file, alt } = if is_form(&headers) {
        parse_query(query.as_deref(), &[])?;
        form(request).await?
    } else {
        let mut parameters = parse_query(query.as_deref(), &["alt"])?;
        let alt = parameters.remove("alt").unwrap_or_default();
        Sent { file: raw(&headers, request.into_body()).await?, alt }
    };
    if file.is_empty() {
        return Err(Problem::bad_request().detail("The body holds no picture."));
    }
    check_alt(&alt, "/alt")?;
    let (status, image) = match app.add_image(&product_id, file, alt).await? {
        Added::New(image) => (StatusCode::CREATED, image),
        Added::Known(image) => (StatusCode::OK, image),
        Added::Refused(refusal) => return Err(refused(&refusal)),
        Added::NotTaken(reason) => return Err(not_taken(&product_id, "", reason)),
    };
    let answer = Answer::json(status, &ImageResource::from(&image));
    Ok(with_keep(answer, Keep::Validate).header(header::LOCATION, image_path(&product_id, &image.id)))
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
    let alt = String::from_utf8(alt.unwrap_or_default().to_vec());
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
    let problem = match refusal {
        Refusal::Unknown => Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unsupported-image",
            "The file is no picture of a format that is taken",
        ),
        Refusal::TooManyPixels { .. } => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "too-many-pixels",
            "The picture has too many pixels",
        ),
        Refusal::Animated => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "animated-image", "The picture is not a still one")
        }
        Refusal::Metadata(_) => Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "image-metadata",
            "The file holds more than a picture",
        ),
        Refusal::Damaged { .. } => {
            Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "damaged-image", "The picture cannot be read")
        }
    };
    problem.detail(detail)
}
