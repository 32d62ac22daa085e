//! A product of the catalogue: what it is, what it costs, where it belongs and whether it is on sale.
//!
//! Does not know how many there are; that is stock, which changes far more often. A product that is deleted stays, so
//! that old orders can still be explained; it is only gone from the lists.

use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Number;

use crate::domain::catalogue::{
    ATTRIBUTE_NAME_CHARS_MAX, ATTRIBUTE_TEXT_CHARS_MAX, ATTRIBUTES_MAX, CATEGORIES_MAX, COLLECTIONS_MAX,
    DESCRIPTION_CHARS_MAX, NAME_CHARS_MAX,
};
use crate::domain::creation::Creation;
use crate::domain::draft::LINE_PATTERN;
use crate::domain::id::{CollectionId, ImageId, ProductId, Sku};
use crate::domain::image::Image;
use crate::domain::money::Money;

/// The revision of a product that was never changed.
fn first() -> u32 {
    1
}

/// Something that can be ordered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Product {
    /// The product's id: its SKU in small letters, so that both are unique together. Unchangeable.
    pub id: ProductId,
    /// The stock keeping unit: what the warehouse calls it.
    pub sku: Sku,
    /// What the back office maintains.
    #[serde(flatten)]
    pub details: Details,
    /// Its pictures, in the order in which they are shown; at most [`crate::domain::image::IMAGES_MAX`].
    pub images: Vec<Image>,
    /// How often it was changed, its creation included. What is announced of it is numbered by that.
    #[serde(default = "first")]
    pub revision: u32,
    /// When it was created.
    #[serde(with = "crate::domain::time")]
    pub created_at: DateTime<Utc>,
    /// When it was last changed.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
    /// The request that created it, if that had an idempotency key.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub creation: Option<Creation>,
    /// When it was deleted, if it was.
    #[serde(with = "crate::domain::time::option", default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<DateTime<Utc>>,
}

/// What the back office maintains of a product. Checked: see [`crate::domain::catalogue`] for the limits.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Details {
    /// What it is called; copied into an order when that is placed.
    #[schemars(length(min = 1, max = NAME_CHARS_MAX), example = &"Mug, red")]
    pub name: String,
    /// What it is, in a few sentences.
    #[schemars(length(max = DESCRIPTION_CHARS_MAX), example = &"Holds 300 ml.")]
    pub description: String,
    /// What one piece costs; copied into an order when that is placed.
    pub price: Money,
    /// Whether it is on sale.
    pub status: ProductStatus,
    /// The categories in which it is found, by their ids.
    #[schemars(length(max = CATEGORIES_MAX))]
    pub category_ids: Vec<CollectionId>,
    /// The collections that show it, by their ids.
    #[schemars(length(max = COLLECTIONS_MAX))]
    pub collection_ids: Vec<CollectionId>,
    /// What else is to be known of it.
    #[schemars(length(max = ATTRIBUTES_MAX))]
    pub attributes: Vec<Attribute>,
}

/// Whether a product is on sale.
#[derive(JsonSchema, Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, Default)]
#[serde(rename_all = "camelCase")]
pub enum ProductStatus {
    /// Not yet: the back office still works on it.
    #[default]
    Draft,
    /// It can be found and ordered.
    Active,
    /// Not any more.
    Archived,
}

/// One fact about a product.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Attribute {
    /// What the fact is about: `weight`. Unique within a product.
    #[schemars(length(min = 1, max = ATTRIBUTE_NAME_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"weight")]
    pub name: String,
    /// The fact.
    pub value: AttributeValue,
    /// The unit of a number: `g`. Texts and truths have none.
    #[schemars(length(min = 1, max = ATTRIBUTE_NAME_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"g")]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
}

/// A fact's value, by its JSON type.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum AttributeValue {
    /// Yes or no.
    Boolean(bool),
    /// A number.
    Number(Number),
    /// A text.
    Text(#[schemars(length(min = 1, max = ATTRIBUTE_TEXT_CHARS_MAX), regex(pattern = LINE_PATTERN))] String),
}

impl Details {
    /// The least that a product on sale has.
    pub fn on_sale(name: impl Into<String>, price: Money) -> Self {
        Self {
            name: name.into(),
            description: String::new(),
            price,
            status: ProductStatus::Active,
            category_ids: Vec::new(),
            collection_ids: Vec::new(),
            attributes: Vec::new(),
        }
    }
}

impl ProductStatus {
    /// The status with this word.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Draft, Self::Active, Self::Archived].into_iter().find(|status| status.as_str() == text)
    }

    /// The word for it in documents, answers and filters.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Draft => "draft",
            Self::Active => "active",
            Self::Archived => "archived",
        }
    }
}

impl Product {
    /// A new product without pictures.
    pub fn new(sku: Sku, details: Details, now: DateTime<Utc>) -> Self {
        let id = ProductId::of_sku(&sku);
        Self {
            id,
            sku,
            details,
            images: Vec::new(),
            revision: first(),
            created_at: now,
            updated_at: now,
            creation: None,
            deleted_at: None,
        }
    }

    /// Whether it can be ordered, as far as the catalogue is concerned.
    pub fn is_on_sale(&self) -> bool {
        self.deleted_at.is_none() && self.details.status == ProductStatus::Active
    }

    /// The picture with this id.
    pub fn image(&self, id: &ImageId) -> Option<&Image> {
        self.images.iter().find(|image| image.id == *id)
    }

    /// The product with other details; unchanged when they are the same.
    pub fn with_details(&self, details: Details, now: DateTime<Utc>) -> Self {
        if details == self.details {
            return self.clone();
        }
        Self { details, updated_at: now, ..self.clone() }
    }

    /// The product, deleted; the first deletion counts.
    pub fn deleted(&self, now: DateTime<Utc>) -> Self {
        match self.deleted_at {
            Some(_) => self.clone(),
            None => Self { deleted_at: Some(now), updated_at: now, ..self.clone() },
        }
    }
}
