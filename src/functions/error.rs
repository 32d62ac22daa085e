//! Every lower error becomes a `Problem` (HTTP) or a `Failure` (other triggers) here, and nowhere else.
//!
//! The chain of causes is logged once, here or where the `Failure` is answered; callers see none of it.

use std::io;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName};

use crate::app::{images, notify};
use crate::auth;
use crate::blob;
use crate::domain::draft::{Fault, Invalid};
use crate::domain::id::{CollectionId, IdempotencyKey, InvalidId, OrderId, ProductId};
use crate::domain::order::Status;
use crate::domain::stock::StockRefusal;
use crate::functions::kind::{
    ID_TAKEN, IMAGES_NOT_SET_UP, KEY_REUSED, PRODUCT_DELETED, STOCK_REFUSED, UNPROCESSABLE_BODY,
    UNPROCESSABLE_COLLECTION, UNPROCESSABLE_ORDER, UNPROCESSABLE_PRODUCT, WRONG_STATUS,
};
use crate::host::kind::{FORBIDDEN, INVALID_BODY, INVALID_HEADER, TOO_MANY_REQUESTS, UNAUTHENTICATED};
use crate::host::{EnvelopeError, Failure, FieldError, Problem};
use crate::mail;
use crate::store;

/// The header of an idempotency key.
pub const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The header that marks a replayed answer.
pub const IDEMPOTENCY_REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");

/// Keys are not asked for sooner.
const ISSUER_RETRY_AFTER: Duration = Duration::from_secs(5);
const BUSY_RETRY_AFTER: Duration = Duration::from_secs(2);

impl From<store::Error> for Problem {
    fn from(error: store::Error) -> Self {
        let retry = match &error {
            store::Error::Unavailable { .. } | store::Error::Contended { .. } => true,
            store::Error::Refused { .. } | store::Error::Corrupt { .. } => false,
        };
        let problem =
            if retry { Self::unavailable().retry_after(BUSY_RETRY_AFTER) } else { Self::internal() };
        // The failure's own logging writes the whole chain; its answer is not needed.
        Failure::transient(error).log();
        problem
    }
}

impl From<store::Error> for Failure {
    /// Always worth another delivery: even what needs a person first is then found again, or recorded as poison.
    fn from(error: store::Error) -> Self {
        Self::transient(error)
    }
}

impl From<auth::Refusal> for Problem {
    fn from(refusal: auth::Refusal) -> Self {
        match refusal {
            auth::Refusal::Anonymous => Self::new(&UNAUTHENTICATED)
                .detail("Sign in, and send the token in the header Authorization, after the word Bearer."),
            auth::Refusal::Invalid(why) => Self::new(&UNAUTHENTICATED)
                .detail(format!("The token is not valid: {why}."))
                .challenge("Bearer realm=\"widgetco\", error=\"invalid_token\""),
            auth::Refusal::Forbidden => Self::new(&FORBIDDEN),
            auth::Refusal::Throttled { retry_after } => {
                Self::new(&TOO_MANY_REQUESTS).retry_after(retry_after)
            }
            auth::Refusal::Unreachable => Self::unavailable().retry_after(ISSUER_RETRY_AFTER),
        }
    }
}

/// The end of an answer that had begun: the connection breaks, so that nobody takes the answer for whole.
pub fn cut_off(error: store::Error) -> io::Error {
    Failure::transient(error).log();
    io::Error::other("the answer was cut off")
}

impl From<blob::Error> for Problem {
    fn from(error: blob::Error) -> Self {
        let problem = match &error {
            blob::Error::Unavailable { .. } => Self::unavailable().retry_after(BUSY_RETRY_AFTER),
            blob::Error::Refused { .. } => Self::internal(),
            blob::Error::Unset { .. } => {
                Self::new(&IMAGES_NOT_SET_UP).detail("The setting IMAGES_STORE names none.")
            }
        };
        Failure::transient(error).log();
        problem
    }
}

impl From<images::Error> for Problem {
    fn from(error: images::Error) -> Self {
        match error {
            images::Error::Store(error) => error.into(),
            images::Error::Blob(error) => error.into(),
            images::Error::Busy => Self::unavailable()
                .detail("Others are sending pictures at the moment.")
                .retry_after(BUSY_RETRY_AFTER),
            images::Error::Decoder { .. } => {
                Failure::transient(error).log();
                Self::internal()
            }
        }
    }
}

impl From<images::Error> for Failure {
    fn from(error: images::Error) -> Self {
        Self::transient(error)
    }
}

impl From<notify::Error> for Failure {
    fn from(error: notify::Error) -> Self {
        match &error {
            notify::Error::Mail(mail::Error::Refused { .. }) => {
                tracing::error!(
                    "mails cannot be sent: look at MAIL, MAIL_FROM and the roles of the identity"
                );
                Self::transient(error)
            }
            notify::Error::Store(_)
            | notify::Error::Mail(mail::Error::Busy { .. } | mail::Error::Unavailable { .. })
            | notify::Error::Taken { .. }
            | notify::Error::Early { .. } => Self::transient(error),
            notify::Error::Letter(_) | notify::Error::NoId => Self::permanent(error),
        }
    }
}

impl From<EnvelopeError> for Failure {
    /// Only a wrong `function.json` makes such an envelope; the message waits until that is put right.
    fn from(error: EnvelopeError) -> Self {
        Self::transient(error)
    }
}

/// The product id in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn product_id(text: &str) -> Result<ProductId, Problem> {
    ProductId::parse(text).map_err(|error| no_such("product", text, Some(&error)))
}

/// The id of a category or collection in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn collection_id(text: &str) -> Result<CollectionId, Problem> {
    CollectionId::parse(text).map_err(|error| no_such("category or collection", text, Some(&error)))
}

/// The order id in a path.
///
/// # Errors
/// 404: a text that cannot be an id is the id of nothing.
pub fn order_id(text: &str) -> Result<OrderId, Problem> {
    OrderId::parse(text).map_err(|error| no_such("order", text, Some(&error)))
}

/// 404 that names the path's `id`, and says what one looks like when this is none.
pub fn no_such(kind: &str, id: &str, invalid: Option<&InvalidId>) -> Problem {
    let shown: String = id.chars().take(crate::domain::id::NAME_CHARS_MAX).collect();
    let detail = match invalid {
        Some(error) => error.to_string(),
        None => format!("there is no {kind} with this id"),
    };
    Problem::not_found(format!("There is no {kind} {shown:?}.")).parameter("id", detail)
}

/// The request's idempotency key, if it has one.
///
/// # Errors
/// 400 naming the header when the key is malformed.
pub fn idempotency_key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let invalid = |detail: String| Problem::new(&INVALID_HEADER).header_field("Idempotency-Key", detail);
    let mut values = headers.get_all(IDEMPOTENCY_KEY).iter();
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => {
            let key = IdempotencyKey::parse(value.to_str().unwrap_or_default());
            key.map(Some).map_err(|error| invalid(error.to_string()))
        }
        (Some(_), Some(_)) => Err(invalid("sent more than once".to_owned())),
    }
}

/// 400: fields of the body are not what they must be. 422 when each is, and only together, or now, they cannot be.
pub fn invalid_body(invalid: Vec<Invalid>) -> Problem {
    let is_formed = invalid.iter().all(|one| one.fault == Fault::Sense);
    let kind = if is_formed { &UNPROCESSABLE_BODY } else { &INVALID_BODY };
    Problem::new(kind).fields(field_errors(invalid))
}

/// 422: the body is well formed, but the product cannot be like that.
pub fn unprocessable_product(invalid: Vec<Invalid>) -> Problem {
    Problem::new(&UNPROCESSABLE_PRODUCT).fields(field_errors(invalid))
}

/// 422: the body is well formed, but the category or collection cannot be like that.
pub fn unprocessable_collection(invalid: Vec<Invalid>) -> Problem {
    Problem::new(&UNPROCESSABLE_COLLECTION).fields(field_errors(invalid))
}

/// 409: something else has the id that is asked for; `pointer` is the field that asks.
pub fn taken(pointer: &str, detail: &str) -> Problem {
    Problem::new(&ID_TAKEN).field(pointer, detail)
}

/// 409: the product was deleted.
pub fn product_deleted() -> Problem {
    Problem::new(&PRODUCT_DELETED).detail("A deleted product cannot be changed.")
}

/// 422: the body is well formed, but what it asks for cannot be.
pub fn unprocessable(invalid: Vec<Invalid>) -> Problem {
    Problem::new(&UNPROCESSABLE_ORDER).fields(field_errors(invalid))
}

/// 422: the key belongs to another request.
pub fn key_reused() -> Problem {
    Problem::new(&KEY_REUSED)
        .header_field("Idempotency-Key", "was used with another body; take a new key for a new request")
}

/// 409: the order's status does not allow the change.
pub fn wrong_status(status: Status, change: &str) -> Problem {
    Problem::new(&WRONG_STATUS)
        .detail(format!("The order is {}, so it cannot be {change}.", status.as_str()))
        .extension("orderStatus", status.as_str().into())
}

/// 409: the counts do not allow the change; `pointer` is the field that asks for it.
pub fn stock_refused(refusal: StockRefusal, pointer: &str) -> Problem {
    let problem = Problem::new(&STOCK_REFUSED);
    let problem =
        problem.detail(format!("Nothing was changed: {refusal}.")).field(pointer, refusal.to_string());
    match refusal {
        StockRefusal::Short { available } => problem.extension("available", available.into()),
        StockRefusal::Held { held } => problem.extension("held", held.into()),
        StockRefusal::TooMany | StockRefusal::Contradiction => problem,
    }
}

fn field_errors(invalid: Vec<Invalid>) -> impl Iterator<Item = FieldError> {
    invalid.into_iter().map(|invalid| FieldError::body(invalid.pointer, invalid.detail))
}
