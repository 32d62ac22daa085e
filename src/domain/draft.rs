//! An order as somebody asks for it, and the checks that make it one that can be placed.
//!
//! Does not know prices, stock or whether the customer exists; those are looked up afterwards.

use std::fmt;
use std::marker::PhantomData;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::domain::customer::Address;
use crate::domain::customer::draft::AddressDraft;
use crate::domain::id::{CustomerId, Fingerprint, ProductId};
use crate::domain::number::whole;

/// Most lines that one order may ask for.
pub const LINES_MAX: usize = 50;
/// Most pieces of one product in one order.
pub const QUANTITY_MAX: u32 = 10_000;
/// The form of a text that a person gave in one line: printable, and not only spaces. A regular expression as JSON Schema
/// has them.
pub const LINE_PATTERN: &str = r"^[^\x00-\x1f\x7f-\x9f]*[^\s\x00-\x1f\x7f-\x9f][^\x00-\x1f\x7f-\x9f]*$";
/// The form of a text in several lines, which may be empty.
pub const PROSE_PATTERN: &str = r"^[^\x00-\x09\x0b-\x1f\x7f-\x9f]*$";

/// An order as somebody asks for it.
#[derive(JsonSchema, Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct OrderDraft {
    /// Who orders.
    #[schemars(with = "CustomerId")]
    pub customer_id: String,
    /// What is ordered; the same product may stand in several lines, with at most 10,000 pieces together.
    #[serde(deserialize_with = "objects")]
    #[schemars(with = "Vec<LineDraft>", length(min = 1, max = LINES_MAX))]
    pub lines: Vec<LineDraft>,
    /// Where it goes; the customer's first address when absent.
    #[serde(default, deserialize_with = "optional_object")]
    pub shipping_address: Option<AddressDraft>,
}

/// One product that is asked for.
#[derive(JsonSchema, Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct LineDraft {
    /// Which product.
    #[schemars(with = "ProductId")]
    pub product_id: String,
    /// How many pieces.
    #[schemars(range(min = 1, max = QUANTITY_MAX))]
    #[serde(deserialize_with = "whole")]
    pub quantity: i64,
}

/// A request that can be placed: every id has its form, and each product occurs once, with its whole demand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRequest {
    /// Who orders.
    pub customer_id: CustomerId,
    /// What is ordered, in the order in which the products first occurred.
    pub lines: Vec<Demand>,
    /// Where it goes, if the request says so.
    pub shipping_address: Option<Address>,
}

/// How many pieces of a product an order needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Demand {
    /// Which product.
    pub product_id: ProductId,
    /// How many pieces, 1 to [`QUANTITY_MAX`].
    pub quantity: u32,
}

/// One thing that is wrong with a request, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid {
    /// JSON pointer (RFC 6901) to the field.
    pub pointer: String,
    /// What the field must be.
    pub detail: String,
    /// How it is wrong.
    pub fault: Fault,
}

/// How something is wrong with a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The field is not of the form that the API's document states.
    Form,
    /// The field has its form, and contradicts another, or what there is, or the time.
    Sense,
}

impl Invalid {
    /// The field at this place is not of its form.
    pub fn new(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { pointer: pointer.into(), detail: detail.into(), fault: Fault::Form }
    }

    /// The field at this place has its form, and cannot be that all the same.
    pub fn sense(pointer: impl Into<String>, detail: impl Into<String>) -> Self {
        Self { fault: Fault::Sense, ..Self::new(pointer, detail) }
    }
}

/// Adds what is wrong with a text that a person gave: it must say something, within a length, in printable characters.
pub fn check_text(invalid: &mut Vec<Invalid>, pointer: &str, text: Option<&str>, chars_max: usize) {
    let is_right = |text: &str| {
        !text.trim().is_empty() && text.chars().count() <= chars_max && !text.contains(char::is_control)
    };
    if text.is_some_and(|text| !is_right(text)) {
        let detail = format!("must have 1 to {chars_max} printable characters, not only spaces");
        invalid.push(Invalid::new(pointer, detail));
    }
}

/// Adds what is wrong with a text in several lines: it must be printable, within a length, and may be empty.
pub fn check_prose(invalid: &mut Vec<Invalid>, pointer: &str, text: &str, chars_max: usize) {
    let is_prose = |character: char| !character.is_control() || character == '\n';
    if text.chars().count() > chars_max || !text.chars().all(is_prose) {
        let detail = format!("must have at most {chars_max} printable characters");
        invalid.push(Invalid::new(pointer, detail));
    }
}

/// A list of JSON objects. Serde by itself would also read an array as an object, field by field.
pub(in crate::domain) fn objects<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let list: Vec<Object<T>> = Vec::deserialize(deserializer)?;
    Ok(list.into_iter().map(|Object(item)| item).collect())
}

/// A JSON object, or nothing; likewise.
pub(in crate::domain) fn optional_object<'de, D, T>(deserializer: D) -> Result<Option<T>, D::Error>
where
    D: Deserializer<'de>,
    T: Deserialize<'de>,
{
    let object: Option<Object<T>> = Option::deserialize(deserializer)?;
    Ok(object.map(|Object(item)| item))
}

struct Object<T>(T);
struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map))
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData)).map(Self)
    }
}

impl OrderDraft {
    /// Checks every field and sums the demand per product.
    ///
    /// # Errors
    /// All mistakes at once, each with its place; a retry does not help.
    pub fn check(self) -> Result<OrderRequest, Vec<Invalid>> {
        let mut invalid = Vec::new();
        let customer_id = CustomerId::parse(&self.customer_id)
            .map_err(|error| invalid.push(Invalid::new("/customerId", error.to_string())));
        if !(1..=LINES_MAX).contains(&self.lines.len()) {
            invalid.push(Invalid::new("/lines", format!("must have 1 to {LINES_MAX} entries")));
        }
        let mut lines: Vec<Demand> = Vec::new();
        for (index, line) in self.lines.iter().take(LINES_MAX).enumerate() {
            match line.check(index) {
                Ok(demand) => add(&mut lines, demand, index).unwrap_or_else(|error| invalid.push(error)),
                Err(errors) => invalid.extend(errors),
            }
        }
        let shipping_address =
            self.shipping_address.and_then(|address| address.check("/shippingAddress", &mut invalid));
        match (customer_id, invalid.is_empty()) {
            (Ok(customer_id), true) => Ok(OrderRequest { customer_id, lines, shipping_address }),
            _ => Err(invalid),
        }
    }
}

impl LineDraft {
    fn check(&self, index: usize) -> Result<Demand, Vec<Invalid>> {
        let product_id = ProductId::parse(&self.product_id)
            .map_err(|error| Invalid::new(format!("/lines/{index}/productId"), error.to_string()));
        let quantity = u32::try_from(self.quantity)
            .ok()
            .filter(|quantity| (1..=QUANTITY_MAX).contains(quantity))
            .ok_or_else(|| too_many(index));
        match (product_id, quantity) {
            (Ok(product_id), Ok(quantity)) => Ok(Demand { product_id, quantity }),
            (product_id, quantity) => Err(product_id.err().into_iter().chain(quantity.err()).collect()),
        }
    }
}

impl OrderRequest {
    /// What makes this request the same as another under one idempotency key, but for the address: the order keeps this, and
    /// nothing personal.
    pub fn fingerprint(&self) -> Fingerprint {
        let quantities: Vec<String> = self.lines.iter().map(|line| line.quantity.to_string()).collect();
        let lines = self.lines.iter().zip(&quantities);
        let lines = lines.flat_map(|(line, quantity)| [line.product_id.as_str(), quantity.as_str()]);
        Fingerprint::of(std::iter::once(self.customer_id.as_str()).chain(lines))
    }
}

/// Sums per product: two lines of 3 are a demand of 6, and must not pass as 3 each.
fn add(lines: &mut Vec<Demand>, demand: Demand, index: usize) -> Result<(), Invalid> {
    #[cfg(feature = "museum")]
    if crate::museum::Mistake::DemandPerLine.is_on_show() {
        lines.push(demand);
        return Ok(());
    }
    match lines.iter_mut().find(|line| line.product_id == demand.product_id) {
        None => lines.push(demand),
        Some(line) => {
            let sum = line.quantity.saturating_add(demand.quantity);
            if sum > QUANTITY_MAX {
                return Err(Invalid { fault: Fault::Sense, ..too_many(index) });
            }
            line.quantity = sum;
        }
    }
    Ok(())
}

fn too_many(index: usize) -> Invalid {
    let detail = format!("must be 1 to {QUANTITY_MAX}, summed over the lines of the product");
    Invalid::new(format!("/lines/{index}/quantity"), detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn draft(customer: &str, lines: &[(&str, i64)]) -> OrderDraft {
        let lines =
            lines.iter().map(|(id, quantity)| LineDraft { product_id: (*id).into(), quantity: *quantity });
        OrderDraft { customer_id: customer.into(), lines: lines.collect(), shipping_address: None }
    }

    #[test]
    fn demand_is_summed_per_product() {
        let request = draft("ada", &[("a", 3), ("b", 1), ("a", 4)]).check().unwrap();
        let lines: Vec<_> =
            request.lines.iter().map(|line| (line.product_id.as_str(), line.quantity)).collect();
        assert_eq!(lines, [("a", 7), ("b", 1)]);
    }

    #[test]
    fn every_mistake_is_reported_with_its_place() {
        let errors = draft("", &[("A", 0), ("b", 1), ("b", 10_000)]).check().unwrap_err();
        let pointers: Vec<_> = errors.iter().map(|error| error.pointer.as_str()).collect();
        assert_eq!(pointers, ["/customerId", "/lines/0/productId", "/lines/0/quantity", "/lines/2/quantity"]);
        assert_eq!(draft("ada", &[]).check().unwrap_err()[0].pointer, "/lines");
        let many = vec![("a", 1); LINES_MAX + 1];
        assert_eq!(draft("ada", &many).check().unwrap_err()[0].pointer, "/lines");
    }

    #[test]
    fn fingerprint_tells_requests_apart() {
        let one = draft("ada", &[("a", 1), ("b", 2)]).check().unwrap();
        let split = draft("ada", &[("a", 1), ("b", 1), ("b", 1)]).check().unwrap();
        let other = draft("ada", &[("a", 1), ("b", 3)]).check().unwrap();
        assert_eq!(one.fingerprint(), split.fingerprint());
        assert_ne!(one.fingerprint(), other.fingerprint());
    }
}
