//! What the shop announces to others: each kind of thing that happens, and what there is to know of it.
//!
//! An announcement leaves the house, so it names no customer and repeats no words of theirs; who may know more asks the API.
//! Does not know in which envelope it travels.

use chrono::{DateTime, TimeDelta, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::event::{Event, EventKind};
use crate::domain::id::{OrderId, ProductId, base32};
use crate::domain::product::{Product, ProductStatus};
use crate::domain::review::Review;

/// How long the creation of a product is announced again with each of its changes. The feed shows a product as it is, so a
/// change that comes before the feed was read would hide that it is new. A week is longer than a feed may stand still unnoticed.
pub const CREATION_RETOLD_FOR: TimeDelta = TimeDelta::days(7);

/// Characters that tell the reviews of one product apart in the ids of what is announced of them.
const REVIEW_NAME_CHARS: usize = 16;

/// One thing that happened, as others hear of it. It may be heard more than once; its id says that it is the same.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Announcement {
    /// Its name among all announcements of the shop: what it is about comes first and a number last, so that no product's id
    /// makes two of them equal.
    pub id: String,
    /// When it happened.
    #[serde(with = "crate::domain::time")]
    pub at: DateTime<Utc>,
    /// The trace in which it happened, as W3C's `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What happened.
    #[serde(flatten)]
    pub news: News,
}

impl Announcement {
    /// What an event of an order tells others.
    pub fn of_order(event: &Event) -> Self {
        let order = OrderNews { order_id: event.order_id.clone(), sequence: event.sequence };
        let news = match &event.kind {
            EventKind::OrderPlaced => News::OrderPlaced(order),
            EventKind::OrderConfirmed => News::OrderConfirmed(order),
            EventKind::OrderFailed { failure } => {
                News::OrderFailed(OrderFailure { order, code: failure.code().to_owned() })
            }
            EventKind::OrderShipped { shipment } => News::OrderShipped(OrderShipment {
                order,
                shipped_at: shipment.shipped_at,
                carrier: shipment.carrier.clone(),
            }),
            EventKind::OrderCancelled { .. } => News::OrderCancelled(order),
        };
        Self { id: event.id.clone(), at: event.at, traceparent: None, news }
    }

    /// What a product tells others by being as it is: its last change, and that it is new, for [`CREATION_RETOLD_FOR`].
    pub fn of_product(product: &Product) -> Vec<Self> {
        let Product { id, revision, created_at, updated_at, .. } = product;
        let told = |revision: u32, at: DateTime<Utc>, news: fn(ProductNews) -> News| Self {
            id: format!("product:{id}:{revision}"),
            at,
            traceparent: None,
            news: news(ProductNews {
                product_id: id.clone(),
                revision: product.revision,
                status: product.details.status,
            }),
        };
        let is_young = *updated_at - *created_at <= CREATION_RETOLD_FOR;
        let created = is_young.then(|| told(1, *created_at, News::ProductCreated));
        let changed = match product.deleted_at {
            Some(deleted_at) => Some(told(*revision, deleted_at, News::ProductDeleted)),
            None => (*revision > 1).then(|| told(*revision, *updated_at, News::ProductUpdated)),
        };
        created.into_iter().chain(changed).collect()
    }

    /// That the pieces of a product have come down to its mark, for the `warnings`th time.
    pub fn of_low_stock(news: StockNews, warnings: u32, at: DateTime<Utc>) -> Self {
        let id = format!("stock:{}:{warnings}", news.product_id);
        Self { id, at, traceparent: None, news: News::StockLow(news) }
    }

    /// That a review was written; `None` while it says nothing or is hidden.
    pub fn of_review(review: &Review) -> Option<Self> {
        let Review { product_id, customer_id, postings, .. } = review;
        let name = Sha256::digest(format!("{product_id}/{customer_id}"));
        let name: String = base32(&name).chars().take(REVIEW_NAME_CHARS).collect();
        let news = ReviewNews {
            product_id: product_id.clone(),
            rating: review.listed()?.rating.number(),
            verified_purchase: review.verified_purchase,
        };
        Some(Self {
            id: format!("review:{product_id}:{name}:{postings}"),
            at: review.updated_at,
            traceparent: None,
            news: News::ReviewPosted(news),
        })
    }
}

/// What can happen.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", content = "data")]
pub enum News {
    /// The catalogue has a new product. Heard again with each change in its first week.
    ProductCreated(ProductNews),
    /// The back office changed a product. Changes in quick succession may be heard as one.
    ProductUpdated(ProductNews),
    /// A product is off every list, for good.
    ProductDeleted(ProductNews),
    /// An order was accepted and is not decided yet.
    OrderPlaced(OrderNews),
    /// All pieces of an order are held.
    OrderConfirmed(OrderNews),
    /// An order came to nothing.
    OrderFailed(OrderFailure),
    /// An order left the house.
    OrderShipped(OrderShipment),
    /// An order was called off.
    OrderCancelled(OrderNews),
    /// The pieces of a product that can still be sold have come down to its low-water mark.
    StockLow(StockNews),
    /// A customer wrote a review of a product, or wrote it anew.
    ReviewPosted(ReviewNews),
}

/// Of a product.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ProductNews {
    /// Which one.
    pub product_id: ProductId,
    /// How often it was changed, its creation included.
    #[schemars(range(min = 1))]
    pub revision: u32,
    /// Whether it is on sale.
    pub status: ProductStatus,
}

/// Of an order.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderNews {
    /// Which one.
    pub order_id: OrderId,
    /// Its place among the events of the order, from 1 on.
    #[schemars(range(min = 1))]
    pub sequence: u32,
}

/// Of an order that came to nothing.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderFailure {
    /// Which order, and where in its life.
    #[serde(flatten)]
    pub order: OrderNews,
    /// Why, in one word.
    #[schemars(example = &"outOfStock")]
    pub code: String,
}

/// Of an order that left the house.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct OrderShipment {
    /// Which order, and where in its life.
    #[serde(flatten)]
    pub order: OrderNews,
    /// When it left.
    #[schemars(with = "DateTime<Utc>")]
    #[serde(with = "crate::domain::time")]
    pub shipped_at: DateTime<Utc>,
    /// Who carries it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub carrier: Option<String>,
}

/// Of a product that is running out.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StockNews {
    /// Which one.
    pub product_id: ProductId,
    /// Pieces that could still be sold at that moment.
    pub available: u32,
    /// The mark that was reached.
    pub low_water: u32,
}

/// Of a review.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReviewNews {
    /// What was reviewed.
    pub product_id: ProductId,
    /// How many stars of five.
    #[schemars(range(min = 1, max = 5))]
    pub rating: u8,
    /// Whether an order of the customer with the product had shipped.
    pub verified_purchase: bool,
}

impl News {
    /// The names of all kinds.
    pub const KINDS: [&str; 10] = [
        "ProductCreated",
        "ProductUpdated",
        "ProductDeleted",
        "OrderPlaced",
        "OrderConfirmed",
        "OrderFailed",
        "OrderShipped",
        "OrderCancelled",
        "StockLow",
        "ReviewPosted",
    ];

    /// The name of its kind.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::ProductCreated(_) => "ProductCreated",
            Self::ProductUpdated(_) => "ProductUpdated",
            Self::ProductDeleted(_) => "ProductDeleted",
            Self::OrderPlaced(_) => "OrderPlaced",
            Self::OrderConfirmed(_) => "OrderConfirmed",
            Self::OrderFailed(_) => "OrderFailed",
            Self::OrderShipped(_) => "OrderShipped",
            Self::OrderCancelled(_) => "OrderCancelled",
            Self::StockLow(_) => "StockLow",
            Self::ReviewPosted(_) => "ReviewPosted",
        }
    }

    /// To what it happened: the path of a resource of the API, without its beginning.
    pub fn subject(&self) -> String {
        match self {
            Self::ProductCreated(product) | Self::ProductUpdated(product) | Self::ProductDeleted(product) => {
                format!("products/{}", product.product_id)
            }
            Self::OrderPlaced(order) | Self::OrderConfirmed(order) | Self::OrderCancelled(order) => {
                format!("orders/{}", order.order_id)
            }
            Self::OrderFailed(failure) => format!("orders/{}", failure.order.order_id),
            Self::OrderShipped(shipment) => format!("orders/{}", shipment.order.order_id),
            Self::StockLow(stock) => format!("products/{}/stock", stock.product_id),
            Self::ReviewPosted(review) => format!("products/{}/reviews", review.product_id),
        }
    }
}
