//! Which products a list shows, in which order, and where a page of it begins.
//!
//! Does not know how many pieces there are: a list of what is in stock looks that up for each page.

use serde::{Deserialize, Serialize};

use crate::domain::id::{CollectionId, ProductId};
use crate::domain::money::Currency;
use crate::domain::product::{Product, ProductStatus};
use crate::domain::time;

/// A list of products: all conditions hold for each of them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// With this status; deleted ones are in no list.
    pub status: ProductStatus,
    /// With this text in the name, whatever the case.
    pub text: Option<String>,
    /// In one of these categories; in any or none when empty.
    pub category_ids: Vec<CollectionId>,
    /// In this collection.
    pub collection_id: Option<CollectionId>,
    /// Priced in this currency.
    pub currency: Option<Currency>,
    /// One piece costs at least so many minor units.
    pub price_min_minor: Option<u64>,
    /// One piece costs at most so many minor units.
    pub price_max_minor: Option<u64>,
    /// In which order.
    pub sort: Sort,
}

/// The order of a list; products that are equal in it are in the order of their ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// By name, whatever the case.
    #[default]
    Name,
    /// The cheapest first. Minor units are compared, whatever the currency.
    PriceUp,
    /// The dearest first.
    PriceDown,
    /// The youngest first.
    Newest,
}

/// A place in a list: after this product. It stays where it is whatever is added or removed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// What the list sorts by.
    pub key: Key,
    /// The product.
    pub id: ProductId,
}

/// What a list sorts by.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Key {
    /// Minor units.
    Number(u64),
    /// A name, or a moment.
    Text(String),
}

impl Sort {
    /// The order with this word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "name" => Some(Self::Name),
            "price" => Some(Self::PriceUp),
            "-price" => Some(Self::PriceDown),
            "newest" => Some(Self::Newest),
            _ => None,
        }
    }

    /// The place of a product in a list of this order.
    pub fn cursor(self, product: &Product) -> Cursor {
        let key = match self {
            Self::Name => Key::Text(product.details.name.to_lowercase()),
            Self::PriceUp | Self::PriceDown => Key::Number(product.details.price.amount_minor),
            Self::Newest => Key::Text(time::text(product.created_at)),
        };
        Cursor { key, id: product.id.clone() }
    }

    /// Whether a cursor comes from a list of this order.
    pub fn fits(self, cursor: &Cursor) -> bool {
        match (self, &cursor.key) {
            (Self::Name | Self::Newest, Key::Text(_)) | (Self::PriceUp | Self::PriceDown, Key::Number(_)) => {
                true
            }
            (Self::Name | Self::Newest, Key::Number(_)) | (Self::PriceUp | Self::PriceDown, Key::Text(_)) => {
                false
            }
        }
    }
}
