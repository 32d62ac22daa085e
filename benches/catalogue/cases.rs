//! What is measured: which question is asked, and who answers it.

use std::fmt;

use crate::Failure;
use crate::asking::Asking;

/// Products of the shop: several pages.
pub(crate) const PRODUCTS: usize = 100;
/// Pieces of each.
pub(crate) const ON_HAND: u32 = 250;
/// Products of a page of the list.
const PAGE: usize = 20;

/// What the warehouse calls a product. The first one is asked for.
pub(crate) fn sku(number: usize) -> String {
    format!("WIDGET-{number:04}")
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Question {
    /// One product by its id.
    Product,
    /// The same by somebody who has it: `If-None-Match` and 304.
    Unchanged,
    /// The first page of the list.
    List,
}

impl Question {
    pub(crate) const ALL: [Self; 3] = [Self::Product, Self::Unchanged, Self::List];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Product => "product",
            Self::Unchanged => "product, unchanged (304)",
            Self::List => "list of 20",
        }
    }

    /// The address in the form in which a router takes it.
    pub(crate) fn route(self) -> &'static str {
        match self {
            Self::Product | Self::Unchanged => "/api/products/{id}",
            Self::List => "/api/products",
        }
    }

    /// The request as the Functions host passes it on, from a caller who wants it as it is and not compressed.
    pub(crate) fn request(self, etag: Option<&str>) -> String {
        let path = self.route().replace("{id}", &sku(0).to_ascii_lowercase());
        let condition = etag.map_or_else(String::new, |etag| format!("If-None-Match: {etag}\r\n"));
        format!(
            "GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\nUser-Agent: bench\r\n\
             X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: shop.example\r\nX-Forwarded-Proto: https\r\n\
             X-Azure-Functions-InvocationId: 6f1c8a5e-0d0b-4a7e-9a53-0f7f4d1f6a10\r\n\
             X-Azure-Functions-HostVersion: 4.1042.0\r\n{condition}\r\n"
        )
    }

    /// Whether that is an answer to it.
    ///
    /// # Errors
    /// When it is none: nothing that is measured with it would mean anything.
    pub(crate) fn check(self, asking: &Asking) -> Result<(), Failure> {
        let body: serde_json::Value = serde_json::from_slice(asking.body()).unwrap_or_default();
        let is_right = match self {
            Self::Product => asking.status() == 200 && body["sku"] == sku(0) && body["available"] == ON_HAND,
            Self::Unchanged => asking.status() == 304 && asking.body().is_empty(),
            Self::List => asking.status() == 200 && body["items"].as_array().map(Vec::len) == Some(PAGE),
        };
        is_right.then_some(()).ok_or_else(|| format!("{}: {} {body}", self.name(), asking.status()).into())
    }
}

/// Who answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Answerer {
    /// A handler that has the answer ready.
    Bare,
    /// The shop as it ships.
    Cached,
    /// The shop, to which everything that it has read is too old at once.
    Uncached,
}

impl Answerer {
    pub(crate) const ALL: [Self; 3] = [Self::Bare, Self::Cached, Self::Uncached];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Bare => "bare axum handler",
            Self::Cached => "the shop",
            Self::Uncached => "the shop, nothing cached",
        }
    }
}

/// One combination.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Case {
    pub(crate) question: Question,
    pub(crate) answerer: Answerer,
}

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}", self.question.name(), self.answerer.name())
    }
}

/// The same, turned by one answerer each round: whoever goes first has a cooler machine.
pub(crate) fn in_order_of_round<T>(askings: &[(Case, T)], round: u32) -> Vec<&(Case, T)> {
    let mut ordered = Vec::new();
    for compared in askings.chunk_by(|one, other| one.0.question == other.0.question) {
        let first = usize::try_from(round).unwrap_or_default() % compared.len();
        ordered.extend(compared[first..].iter().chain(&compared[..first]));
    }
    ordered
}
