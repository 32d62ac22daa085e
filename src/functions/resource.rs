//! The JSON resources that the HTTP functions answer with, and how long others may keep them.
//!
//! Does not know where a resource came from.

use axum::http::{HeaderMap, StatusCode, header};
use chrono::{DateTime, Utc};
use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::domain::collection::{Collection, CollectionKind};
use crate::domain::id::{CollectionId, CustomerId, ImageId, OrderId, ProductId, Sku, base32};
use crate::domain::image::{Image, ImageFormat, Rendition};
use crate::domain::money::Money;
use crate::domain::order::{Cancellation, Failure, Line, Order, Shipment, Status};
use crate::domain::product::{Details, Product};
use crate::domain::stock::{Adjustment, Stock};
use crate::host::{Answer, IfMatch, IfNoneMatch, Problem, if_none_match};
use crate::store::Etag;

/// Who may keep an answer, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// Anybody, for a few seconds: the catalogue.
    Public,
    /// Nobody: it is about a person.
    Private,
    /// Anybody who asks each time whether it still holds: numbers that change.
    Validate,
}

impl Keep {
    fn cache_control(self) -> &'static str {
        match self {
            Self::Public => "public, max-age=10, stale-while-revalidate=30",
            Self::Private => "private, no-store",
            Self::Validate => "no-cache",
        }
    }
}

/// An order as its customer sees it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderResource<'a> {
    id: &'a OrderId,
    customer_id: &'a CustomerId,
    status: Status,
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    lines: &'a [Line],
    total: Money,
    #[serde(with = "crate::domain::time")]
    placed_at: DateTime<Utc>,
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment: Option<&'a Shipment>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cancellation: Option<&'a Cancellation>,
}

impl<'a> From<&'a Order> for OrderResource<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            id: &order.id,
            customer_id: &order.customer_id,
            status: order.status,
            failure: order.failure.as_ref(),
            lines: &order.lines,
            total: order.total,
            placed_at: order.placed_at,
            updated_at: order.updated_at,
            shipment: order.shipment.as_ref(),
            cancellation: order.cancellation.as_ref(),
        }
    }
}

/// An order as it was when it was placed: what a replay of the request answers too, however far the order has come.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PlacedOrderResource<'a> {
    id: &'a OrderId,
    customer_id: &'a CustomerId,
    status: Status,
    lines: &'a [Line],
    total: Money,
    #[serde(with = "crate::domain::time")]
    placed_at: DateTime<Utc>,
}

impl<'a> From<&'a Order> for PlacedOrderResource<'a> {
    fn from(order: &'a Order) -> Self {
        Self {
            id: &order.id,
            customer_id: &order.customer_id,
            status: Status::Pending,
            lines: &order.lines,
            total: order.total,
            placed_at: order.placed_at,
        }
    }
}

/// A picture.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ImageResource<'a> {
    id: &'a ImageId,
    alt: &'a str,
    format: ImageFormat,
    width_px: u32,
    height_px: u32,
    size_bytes: u64,
    renditions: &'a [Rendition],
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
}

impl<'a> From<&'a Image> for ImageResource<'a> {
    fn from(image: &'a Image) -> Self {
        let Image { id, alt, format, width_px, height_px, size_bytes, renditions, source: _, created_at } =
            image;
        let (format, width_px, height_px) = (*format, *width_px, *height_px);
        Self {
            id,
            alt,
            format,
            width_px,
            height_px,
            size_bytes: *size_bytes,
            renditions,
            created_at: *created_at,
        }
    }
}

/// A product with the pieces that can be ordered now.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductResource {
    id: ProductId,
    sku: Sku,
    #[serde(flatten)]
    details: Details,
    #[serde(serialize_with = "images")]
    images: Vec<Image>,
    available: u32,
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
    #[serde(with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
}

impl ProductResource {
    /// The product; one without counts has nothing to sell.
    pub fn new(product: Product, stock: Option<&Stock>) -> Self {
        let Product { id, sku, details, images, created_at, updated_at, creation: _, deleted_at } = product;
        let available = stock.map_or(0, Stock::available);
        Self { id, sku, details, images, available, created_at, updated_at, deleted_at }
    }
}

fn images<S: Serializer>(images: &[Image], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(images.iter().map(ImageResource::from))
}

/// A category or collection.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct CollectionResource<'a> {
    id: &'a CollectionId,
    kind: CollectionKind,
    name: &'a str,
    description: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a CollectionId>,
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Collection> for CollectionResource<'a> {
    fn from(collection: &'a Collection) -> Self {
        let Collection { id, kind, name, description, parent_id, created_at, updated_at, creation: _ } =
            collection;
        let (kind, parent_id) = (*kind, parent_id.as_ref());
        Self { id, kind, name, description, parent_id, created_at: *created_at, updated_at: *updated_at }
    }
}

/// The version of a product as it is answered: the document's own, and the pieces that can be ordered, which change
/// beside it. Only the first part matters in `If-Match`.
pub fn product_etag(version: &Etag, stock: Option<&Stock>) -> String {
    let version = version.as_str().trim_matches('"');
    format!("\"{version}.{}\"", stock.map_or(0, Stock::available))
}

/// Whether the tags of an `If-Match` name this version of a product, whatever could be ordered then.
pub fn names_product(wanted: &IfMatch, version: &Etag) -> bool {
    let version = version.as_str().trim_matches('"');
    match wanted {
        IfMatch::None | IfMatch::Any => true,
        IfMatch::Tags(tags) => tags.iter().any(|tag| {
            let opaque = tag.strip_prefix('"').and_then(|tag| tag.strip_suffix('"'));
            opaque.and_then(|tag| tag.rsplit_once('.')).is_some_and(|(named, _)| named == version)
        }),
    }
}

/// The counts of a product.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StockResource<'a> {
    product_id: &'a ProductId,
    on_hand: u32,
    held: u32,
    available: u32,
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
}

impl<'a> From<&'a Stock> for StockResource<'a> {
    fn from(stock: &'a Stock) -> Self {
        Self {
            product_id: &stock.product_id,
            on_hand: stock.on_hand,
            held: stock.held,
            available: stock.available(),
            updated_at: stock.updated_at,
        }
    }
}

/// A change of the pieces on hand.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct AdjustmentResource<'a> {
    id: &'a str,
    product_id: &'a ProductId,
    delta: i64,
    reason: &'a str,
    on_hand_after: u32,
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
}

impl<'a> From<&'a Adjustment> for AdjustmentResource<'a> {
    fn from(adjustment: &'a Adjustment) -> Self {
        Self {
            id: &adjustment.id,
            product_id: &adjustment.product_id,
            delta: adjustment.delta,
            reason: &adjustment.reason,
            on_hand_after: adjustment.on_hand_after,
            created_at: adjustment.created_at,
        }
    }
}

/// The path of a product.
pub fn product_path(id: &ProductId) -> String {
    format!("/api/products/{id}")
}

/// The path of a category or collection.
pub fn collection_path(id: &CollectionId) -> String {
    format!("/api/collections/{id}")
}

/// The path of an order.
pub fn order_path(id: &OrderId) -> String {
    format!("/api/orders/{id}")
}

/// The version of an order as it is answered, for `If-Match`.
pub fn order_etag(order: &Order) -> String {
    content_etag(&Answer::json(StatusCode::OK, &OrderResource::from(order)))
}

/// 200 with the order after a change.
pub fn order_answer(order: &Order) -> Answer {
    with_content_etag(Answer::json(StatusCode::OK, &OrderResource::from(order)), Keep::Private)
}

/// 200 with the resource, or 304 when the caller has it. The `ETag` is the store's version where a `PUT` needs it in
/// `If-Match`, otherwise a hash of the content.
///
/// # Errors
/// 400 when `If-None-Match` is malformed.
pub fn read(
    headers: &HeaderMap,
    body: &impl Serialize,
    keep: Keep,
    etag: Option<&str>,
) -> Result<Answer, Problem> {
    let answer = Answer::json(StatusCode::OK, body);
    let etag = etag.map_or_else(|| content_etag(&answer), str::to_owned);
    let known = match if_none_match(headers)? {
        IfNoneMatch::None => false,
        condition => condition.matches(&etag),
    };
    let answer = if known { Answer::empty(StatusCode::NOT_MODIFIED) } else { answer };
    Ok(with_keep(answer, keep).header(header::ETAG, etag))
}

/// The answer with a hash of its content as `ETag`.
pub fn with_content_etag(answer: Answer, keep: Keep) -> Answer {
    let etag = content_etag(&answer);
    with_keep(answer, keep).header(header::ETAG, etag)
}

/// The answer with its `Cache-Control` and `Vary`.
pub fn with_keep(answer: Answer, keep: Keep) -> Answer {
    answer.header(header::CACHE_CONTROL, keep.cache_control()).header(header::VARY, "Accept, Accept-Encoding")
}

/// A hash of the answer's content.
pub fn content_etag(answer: &Answer) -> String {
    format!("\"{}\"", base32(&Sha256::digest(answer.body())[..15]))
}
