//! What the shop announces to others: each kind of thing that happens, and what there is to know of it.
//!
//! An announcement leaves the house, so it names no customer and repeats no words of theirs; who may know more asks the API.
//! Does not know in which envelope it travels.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::domain::id::{OrderId, ProductId};
use crate::domain::product::ProductStatus;

/// One thing that happened, as others hear of it. It may be heard more than once; its id says that it is the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announcement {
    /// Its name among all announcements of the shop.
    pub id: String,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// The trace in which it happened, as W3C's `traceparent`.
    pub traceparent: Option<String>,
    /// What happened.
    pub news: News,
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
