//! The JSON resources that the HTTP functions answer with, and where they are.
//!
//! Does not know where a resource came from.

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use crate::domain::collection::{self, Collection, CollectionKind};
use crate::domain::draft::LINES_MAX;
use crate::domain::id::{CollectionId, CustomerId, ImageId, OrderId, ProductId, Sku};
use crate::domain::image::{
    ALT_CHARS_MAX, FILE_BYTES_MAX, IMAGES_MAX, Image, ImageFormat, Rendition, SIDE_PX_MAX,
};
use crate::domain::money::Money;
use crate::domain::order::{Cancellation, Failure, Line, Order, Shipment, Status};
use crate::domain::product::{Details, Product};
use crate::domain::stock::{Adjustment, ON_HAND_MAX, REASON_CHARS_MAX, Stock};
use crate::functions::keep::{Keep, content_etag, with_content_etag};
use crate::host::{Answer, IfMatch};
use crate::store::Etag;

/// An order as its customer sees it.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Order")]
pub struct OrderResource<'a> {
    /// Its id.
    id: &'a OrderId,
    /// Who placed it.
    customer_id: &'a CustomerId,
    /// How far it has come.
    status: Status,
    /// Why it came to nothing; present exactly when it failed.
    #[serde(skip_serializing_if = "Option::is_none")]
    failure: Option<&'a Failure>,
    /// Each product once, with name and price as they were when the order was placed.
    #[schemars(length(min = 1, max = LINES_MAX))]
    lines: &'a [Line],
    /// The sum of the lines.
    total: Money,
    /// When it was accepted.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    placed_at: DateTime<Utc>,
    /// When its status last changed.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
    /// When and how it left; present exactly when it shipped.
    #[serde(skip_serializing_if = "Option::is_none")]
    shipment: Option<&'a Shipment>,
    /// When and why it was called off; present exactly when it was cancelled.
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
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "PlacedOrder")]
pub struct PlacedOrderResource<'a> {
    /// Its id.
    id: &'a OrderId,
    /// Who placed it.
    customer_id: &'a CustomerId,
    /// Always pending: stock is not checked yet.
    status: Status,
    /// Each product once, with name and price as they were when the order was placed.
    #[schemars(length(min = 1, max = LINES_MAX))]
    lines: &'a [Line],
    /// The sum of the lines.
    total: Money,
    /// When it was accepted.
    #[schemars(with = "DateTime<Utc>")]
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
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Image")]
pub struct ImageResource<'a> {
    /// Its id; its bytes are at `/api/products/{product}/images/{id}`.
    id: &'a ImageId,
    /// What it shows, for those who cannot see it; may be empty.
    #[schemars(length(max = ALT_CHARS_MAX), example = &"a red mug")]
    alt: &'a str,
    /// What its bytes are.
    format: ImageFormat,
    /// Width in pixels.
    #[schemars(range(min = 1, max = SIDE_PX_MAX))]
    width_px: u32,
    /// Height in pixels.
    #[schemars(range(min = 1, max = SIDE_PX_MAX))]
    height_px: u32,
    /// Size in bytes.
    #[schemars(range(min = 1, max = FILE_BYTES_MAX))]
    size_bytes: u64,
    /// Smaller copies as WebP, smallest first.
    #[schemars(length(max = 2))]
    renditions: &'a [Rendition],
    /// When it was added.
    #[schemars(with = "DateTime<Utc>")]
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
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Product")]
pub struct ProductResource<'a> {
    /// Its id: the SKU in small letters.
    id: &'a ProductId,
    /// What the warehouse calls it.
    sku: &'a Sku,
    #[serde(flatten)]
    details: &'a Details,
    /// Its pictures, in the order in which they are shown.
    #[schemars(with = "Vec<ImageResource<'_>>", length(max = IMAGES_MAX))]
    #[serde(serialize_with = "images")]
    images: &'a [Image],
    /// Pieces that can be ordered now, as they were a second ago at most.
    #[schemars(range(max = ON_HAND_MAX))]
    available: u32,
    /// When it was created.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    /// When it was last changed; stock does not count.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    updated_at: DateTime<Utc>,
    /// When it was deleted; absent on all others.
    #[schemars(with = "Option<DateTime<Utc>>")]
    #[serde(with = "crate::domain::time::option", skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
}

impl<'a> ProductResource<'a> {
    /// The product; one without counts has nothing to sell.
    pub fn new(product: &'a Product, stock: Option<&Stock>) -> Self {
        let Product { id, sku, details, images, created_at, updated_at, deleted_at, .. } = product;
        let (created_at, updated_at, deleted_at) = (*created_at, *updated_at, *deleted_at);
        let available = stock.map_or(0, Stock::available);
        Self { id, sku, details, images, available, created_at, updated_at, deleted_at }
    }
}

fn images<S: Serializer>(images: &[Image], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(images.iter().map(ImageResource::from))
}

/// A category or collection.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Collection")]
pub struct CollectionResource<'a> {
    /// Its id.
    id: &'a CollectionId,
    /// Which of the two it is.
    kind: CollectionKind,
    /// What it is called.
    #[schemars(length(min = 1, max = collection::NAME_CHARS_MAX), example = &"Desk lamps")]
    name: &'a str,
    /// What belongs to it, in a few sentences.
    #[schemars(length(max = collection::DESCRIPTION_CHARS_MAX), example = &"Lamps that stand on a desk.")]
    description: &'a str,
    /// The category above it; absent for a collection and for a category at the top.
    #[serde(skip_serializing_if = "Option::is_none")]
    parent_id: Option<&'a CollectionId>,
    /// When it was created.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    created_at: DateTime<Utc>,
    /// When it was last changed.
    #[schemars(with = "DateTime<Utc>")]
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
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Stock")]
pub struct StockResource<'a> {
    /// Whose counts these are.
    product_id: &'a ProductId,
    /// Pieces in the warehouse, those held for orders included.
    #[schemars(range(max = ON_HAND_MAX))]
    on_hand: u32,
    /// Pieces that orders hold.
    #[schemars(range(max = ON_HAND_MAX))]
    held: u32,
    /// Pieces that can still be sold: on hand, less held.
    #[schemars(range(max = ON_HAND_MAX))]
    available: u32,
    /// The number of available pieces at which staff are warned; absent while nobody is.
    #[schemars(range(max = ON_HAND_MAX))]
    #[serde(skip_serializing_if = "Option::is_none")]
    low_water: Option<u32>,
    /// When the counts last changed.
    #[schemars(with = "DateTime<Utc>")]
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
            low_water: stock.low_water,
            updated_at: stock.updated_at,
        }
    }
}

/// A change of the pieces on hand.
#[derive(Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "Adjustment")]
pub struct AdjustmentResource<'a> {
    /// Its id.
    #[schemars(length(max = 300), example = &"adjustment-mfrggzdfmztwq2lknnwg23tpoa")]
    id: &'a str,
    /// Whose stock it changed.
    product_id: &'a ProductId,
    /// Pieces that came (above 0) or went.
    #[schemars(range(min = -i64::from(ON_HAND_MAX), max = ON_HAND_MAX))]
    delta: i64,
    /// Why.
    #[schemars(length(max = REASON_CHARS_MAX), example = &"broken in the warehouse")]
    reason: &'a str,
    /// Pieces on hand afterwards.
    #[schemars(range(max = ON_HAND_MAX))]
    on_hand_after: u32,
    /// When it was entered.
    #[schemars(with = "DateTime<Utc>")]
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
