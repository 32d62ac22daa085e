//! A product as the back office asks for it: unchecked words in, a product's details out.
//!
//! Does not know whether the categories and collections exist.

use std::collections::BTreeSet;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::domain::draft::{Invalid, LINE_PATTERN, PROSE_PATTERN, check_prose, check_text, objects};
use crate::domain::id::{CollectionId, InvalidId, Sku};
use crate::domain::money::Money;
use crate::domain::product::{Attribute, AttributeValue, Details, Product, ProductStatus};

/// Longest name, in characters.
pub const NAME_CHARS_MAX: usize = 200;
/// Longest description, in characters.
pub const DESCRIPTION_CHARS_MAX: usize = 5000;
/// Highest price of one piece, in minor units.
pub const PRICE_MINOR_MAX: u64 = 100_000_000;
/// Most categories of one product.
pub const CATEGORIES_MAX: usize = 10;
/// Most collections of one product.
pub const COLLECTIONS_MAX: usize = 20;
/// Most attributes of one product.
pub const ATTRIBUTES_MAX: usize = 30;
/// Longest name and unit of an attribute, in characters.
pub const ATTRIBUTE_NAME_CHARS_MAX: usize = 50;
/// Longest text that is an attribute's value, in characters.
pub const ATTRIBUTE_TEXT_CHARS_MAX: usize = 500;

/// A product as somebody asks for it.
#[derive(JsonSchema, Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct ProductDraft {
    /// What the warehouse calls it. The id is the same in small letters; it cannot be changed.
    #[schemars(with = "Sku")]
    pub sku: String,
    /// What it is called.
    #[schemars(length(min = 1, max = NAME_CHARS_MAX), regex(pattern = LINE_PATTERN), example = &"Mug, red")]
    pub name: String,
    /// What it is, in a few sentences.
    #[serde(default)]
    #[schemars(length(max = DESCRIPTION_CHARS_MAX), regex(pattern = PROSE_PATTERN), example = &"Holds 300 ml.")]
    pub description: String,
    /// What one piece costs: at most 100,000,000 minor units.
    #[schemars(extend("properties" = {"amountMinor": {"maximum": PRICE_MINOR_MAX}}))]
    pub price: Money,
    /// Whether it is on sale. A draft, if nothing is said.
    #[serde(default)]
    pub status: ProductStatus,
    /// The categories in which it is found, each once, by their ids.
    #[serde(default)]
    #[schemars(with = "Vec<CollectionId>", length(max = CATEGORIES_MAX), extend("uniqueItems" = true))]
    pub category_ids: Vec<String>,
    /// The collections that show it, each once, by their ids.
    #[serde(default)]
    #[schemars(with = "Vec<CollectionId>", length(max = COLLECTIONS_MAX), extend("uniqueItems" = true))]
    pub collection_ids: Vec<String>,
    /// What else is to be known of it; each name once.
    #[serde(default, deserialize_with = "objects")]
    #[schemars(with = "Vec<Attribute>", length(max = ATTRIBUTES_MAX))]
    pub attributes: Vec<Attribute>,
}

impl From<&Product> for ProductDraft {
    /// What somebody would have to ask for to get this product.
    fn from(product: &Product) -> Self {
        let Details { name, description, price, status, category_ids, collection_ids, attributes } =
            product.details.clone();
        let texts = |ids: Vec<CollectionId>| ids.into_iter().map(String::from).collect();
        Self {
            sku: product.sku.to_string(),
            name,
            description,
            price,
            status,
            category_ids: texts(category_ids),
            collection_ids: texts(collection_ids),
            attributes,
        }
    }
}

impl ProductDraft {
    /// Checks every field.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self) -> Result<(Sku, Details), Vec<Invalid>> {
        let mut invalid = Vec::new();
        let sku =
            Sku::parse(&self.sku).map_err(|error| invalid.push(Invalid::new("/sku", error.to_string())));
        check_text(&mut invalid, "/name", Some(&self.name), NAME_CHARS_MAX);
        check_prose(&mut invalid, "/description", &self.description, DESCRIPTION_CHARS_MAX);
        if self.price.amount_minor > PRICE_MINOR_MAX {
            let detail = format!("must be at most {PRICE_MINOR_MAX}");
            invalid.push(Invalid::new("/price/amountMinor", detail));
        }
        let category_ids = ids(&mut invalid, "/categoryIds", &self.category_ids, CATEGORIES_MAX);
        let collection_ids = ids(&mut invalid, "/collectionIds", &self.collection_ids, COLLECTIONS_MAX);
        check_attributes(&mut invalid, &self.attributes);
        match (sku, invalid.is_empty()) {
            (Ok(sku), true) => {
                let Self { name, description, price, status, attributes, .. } = self;
                let details =
                    Details { name, description, price, status, category_ids, collection_ids, attributes };
                Ok((sku, details))
            }
            _ => Err(invalid),
        }
    }
}

/// The ids in a list that has each once.
fn ids(invalid: &mut Vec<Invalid>, pointer: &str, texts: &[String], most: usize) -> Vec<CollectionId> {
    if texts.len() > most {
        invalid.push(Invalid::new(pointer, format!("must have at most {most} entries")));
    }
    let (mut seen, mut found) = (BTreeSet::new(), Vec::new());
    for (index, text) in texts.iter().take(most).enumerate() {
        let mut wrong = |detail: String| invalid.push(Invalid::new(format!("{pointer}/{index}"), detail));
        match CollectionId::parse(text) {
            Ok(id) if seen.insert(id.clone()) => found.push(id),
            Ok(_) => wrong("is in the list twice".to_owned()),
            Err(error) => wrong(InvalidId::to_string(&error)),
        }
    }
    found
}

fn check_attributes(invalid: &mut Vec<Invalid>, attributes: &[Attribute]) {
    if attributes.len() > ATTRIBUTES_MAX {
        invalid.push(Invalid::new("/attributes", format!("must have at most {ATTRIBUTES_MAX} entries")));
    }
    let mut names = BTreeSet::new();
    for (index, attribute) in attributes.iter().take(ATTRIBUTES_MAX).enumerate() {
        let at = |field: &str| format!("/attributes/{index}/{field}");
        check_text(invalid, &at("name"), Some(&attribute.name), ATTRIBUTE_NAME_CHARS_MAX);
        check_text(invalid, &at("unit"), attribute.unit.as_deref(), ATTRIBUTE_NAME_CHARS_MAX);
        match &attribute.value {
            AttributeValue::Text(text) => {
                check_text(invalid, &at("value"), Some(text), ATTRIBUTE_TEXT_CHARS_MAX);
            }
            AttributeValue::Boolean(_) | AttributeValue::Number(_) => {}
        }
        if attribute.unit.is_some() && !matches!(attribute.value, AttributeValue::Number(_)) {
            invalid.push(Invalid::sense(at("unit"), "only a number has a unit"));
        }
        if !names.insert(&attribute.name) {
            invalid.push(Invalid::sense(at("name"), "is the name of an earlier attribute"));
        }
    }
}

/// A document with a merge patch (RFC 7396) applied: what is null vanishes, objects are merged, all else is replaced.
pub fn merge_patch(target: Value, patch: Value) -> Value {
    let Value::Object(changes) = patch else { return patch };
    let Value::Object(mut merged) =
        (if target.is_object() { target } else { Value::Object(Default::default()) })
    else {
        return Value::Null;
    };
    for (name, change) in changes {
        match change {
            Value::Null => drop(merged.remove(&name)),
            change => {
                let old = merged.remove(&name).unwrap_or_default();
                merged.insert(name, merge_patch(old, change));
            }
        }
    }
    Value::Object(merged)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn draft(change: Value) -> Result<(Sku, Details), Vec<Invalid>> {
        let price = json!({"amountMinor": 1999, "currency": "EUR"});
        let valid = json!({"sku": "MUG-1", "name": "Mug", "price": price});
        serde_json::from_value::<ProductDraft>(merge_patch(valid, change)).unwrap().check()
    }

    #[test]
    fn draft_needs_sku_name_and_price_only() {
        let (sku, details) = draft(json!({})).unwrap();
        assert_eq!(sku.as_str(), "MUG-1");
        assert_eq!((details.status, details.attributes.len()), (ProductStatus::Draft, 0));
    }

    #[test]
    fn product_asks_for_itself() {
        let change =
            json!({"attributes": [{"name": "weight", "value": 300, "unit": "g"}], "categoryIds": ["mugs"]});
        let (sku, details) = draft(change).unwrap();
        let product = Product::new(sku.clone(), details.clone(), chrono::DateTime::UNIX_EPOCH);
        assert_eq!(ProductDraft::from(&product).check().unwrap(), (sku, details));
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let invalid = draft(json!({
            "sku": "mug one", "name": "", "description": "\u{7}",
            "price": {"amountMinor": 100_000_001},
            "categoryIds": ["mugs", "mugs", "Mugs"],
            "attributes": [{"name": "a", "value": "x", "unit": "g"}, {"name": "a", "value": true}],
        }));
        let invalid = invalid.unwrap_err();
        let pointers: Vec<_> = invalid.iter().map(|one| one.pointer.as_str()).collect();
        let expected = [
            "/sku",
            "/name",
            "/description",
            "/price/amountMinor",
            "/categoryIds/1",
            "/categoryIds/2",
            "/attributes/0/unit",
            "/attributes/1/name",
        ];
        assert_eq!(pointers, expected);
    }

    #[test]
    fn merge_patch_follows_the_examples_of_its_rfc() {
        for (target, patch, merged) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
            (json!({"a": "foo"}), json!("bar"), json!("bar")),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            assert_eq!(merge_patch(target, patch), merged);
        }
    }
}
