//! What the API's document says around its operations: the front, their groups, and what lists have in common.

use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::domain::id::IdempotencyKey;
use crate::functions::described;
use crate::functions::kind::KEY_REUSED;
use crate::functions::page::{LIMIT_DEFAULT, LIMIT_MAX};
use crate::host::{Front, Operation, document};

/// Orders.
pub const ORDERS: &str = "Orders";
/// Customers.
pub const CUSTOMERS: &str = "Customers";
/// Stock.
pub const STOCK: &str = "Stock";
/// Products.
pub const PRODUCTS: &str = "Products";
/// Pictures of products.
pub const IMAGES: &str = "Pictures";
/// What customers say of products.
pub const REVIEWS: &str = "Reviews";
/// What products are grouped by.
pub const COLLECTIONS: &str = "Categories and collections";
/// With whom customers' data is shared.
pub const PARTNERS: &str = "Partners";
/// Who is told of events.
pub const WEBHOOKS: &str = "Webhooks";
/// What operators look at.
pub const OPERATIONS: &str = "Operations";

/// The document, or why it cannot be made. Made when it is first asked for, so that a cold start does not wait for it.
pub static DOCUMENT: LazyLock<Result<Value, String>> = LazyLock::new(|| document(&FRONT, described()));

/// The document's first page.
pub const FRONT: Front = Front {
    title: "Widget & Co shop API",
    version: env!("CARGO_PKG_VERSION"),
    description: "A shop that never oversells and never loses an order.\n\n\
        * **JSON** in camelCase. Unknown fields of a body and unknown parameters of a query are refused. Times are RFC 3339 \
        in UTC, amounts are whole minor units of a currency.\n\
        * **Mistakes together**: a refusal is `application/problem+json` (RFC 9457) and points at every field that is wrong.\n\
        * **Versions**: an answer's `ETag` goes into `If-None-Match` to learn whether it still holds (304), and into \
        `If-Match` to change only what you have seen (412).\n\
        * **Repeating is safe**: with an `Idempotency-Key`, the same request is made once, however often it is sent.\n\
        * **Lists** come by page: follow `nextLink` until there is none.\n\
        * **HEAD** works wherever GET does. `x-request-id` and `traceparent` are taken over and returned.",
    tags: &[
        (
            ORDERS,
            "Placing an order, and its way to the customer. Stock is checked after the order is accepted.",
        ),
        (CUSTOMERS, "Who may order, and what they agreed to. Erasing one leaves nothing personal anywhere."),
        (STOCK, "Pieces on hand and pieces held for orders."),
        (PRODUCTS, "What can be ordered."),
        (IMAGES, "Pictures of products, and smaller copies of them."),
        (REVIEWS, "What customers say of products, and how helpful others find it."),
        (COLLECTIONS, "What products are grouped by: a tree of categories, and free collections."),
        (
            PARTNERS,
            "With whom data of customers who agreed is shared, under which contract, and what has left.",
        ),
        (
            WEBHOOKS,
            "Who is told of what happens, and what was sent to them: signed events, repeated until they arrive.",
        ),
        (OPERATIONS, "Whether the shop works, and whether its books agree."),
    ],
};

/// The parameters of every list: `limit` and `cursor`.
pub fn paged(operation: Operation) -> Operation {
    let limit = json!({"type": "integer", "minimum": 1, "maximum": LIMIT_MAX, "default": LIMIT_DEFAULT});
    let cursor = json!({"type": "string"});
    operation.query_as("limit", "Most items of the page.", limit).query_as(
        "cursor",
        "Where the page begins: from the `nextLink` of the page before, and only from there.",
        cursor,
    )
}

/// The parameter of every request that can be repeated safely by its key.
pub fn keyed(operation: Operation) -> Operation {
    let description = "Your name for this request, 1 to 255 visible characters: the same key and body is one request, however \
                       often it is sent. The same key with another body is refused.";
    operation.idempotency_key::<IdempotencyKey>(description).replays().problems(&[&KEY_REUSED])
}
