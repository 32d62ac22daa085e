//! The kinds of problems that come from what the shop does. Those that come from HTTP itself are in `host::kind`.

use axum::http::StatusCode;

use crate::host::kind::{Kind, Member};

/// 403.
pub const NO_CONTRACT: Kind = Kind::new(
    StatusCode::FORBIDDEN,
    "no-contract",
    "No contract allows this",
    "There is no contract with the partner, or it has ended. Only a new one helps.",
);

/// 409.
pub const ID_TAKEN: Kind = Kind::new(
    StatusCode::CONFLICT,
    "id-taken",
    "The id is taken",
    "Something else has the id or SKU that the body asks for; a deleted product keeps its own, and so does an erased customer.",
);

/// 409.
pub const PRODUCT_DELETED: Kind = Kind::new(
    StatusCode::CONFLICT,
    "product-deleted",
    "The product was deleted",
    "A deleted product can be read and not be changed.",
);

/// 409.
pub const WRONG_STATUS: Kind = Kind::new(
    StatusCode::CONFLICT,
    "wrong-status",
    "The order's status does not allow this",
    "Only a confirmed order can ship, and only a pending or confirmed one can be cancelled.",
)
.with_members(&[Member { name: "orderStatus", json_type: "string", description: "The order's status." }]);

/// 409.
pub const SHIPPED_OTHERWISE: Kind = Kind::new(
    StatusCode::CONFLICT,
    "shipped-otherwise",
    "The order has shipped otherwise",
    "The recorded shipment has another date, carrier or tracking number; it is not overwritten.",
)
.with_members(&[Member { name: "shipment", json_type: "object", description: "The recorded shipment." }]);

/// 409.
pub const STOCK_REFUSED: Kind = Kind::new(
    StatusCode::CONFLICT,
    "stock-refused",
    "The stock does not allow this",
    "There are too few pieces, or orders hold more than would remain. Nothing was changed.",
)
.with_members(&[
    Member { name: "available", json_type: "integer", description: "Pieces that could still be sold." },
    Member { name: "held", json_type: "integer", description: "Pieces that orders hold." },
]);

/// 409.
pub const TOO_MANY_IMAGES: Kind = Kind::new(
    StatusCode::CONFLICT,
    "too-many-images",
    "The product has all the pictures it may have",
    "Remove a picture first.",
);

/// 409.
pub const OWN_REVIEW: Kind = Kind::new(
    StatusCode::CONFLICT,
    "own-review",
    "The review is one's own",
    "Only others can find a review helpful, or report it.",
);

/// 409.
pub const EMAIL_TAKEN: Kind = Kind::new(
    StatusCode::CONFLICT,
    "email-taken",
    "The email address is taken",
    "Another customer has the address, or one that differs in case only.",
);

/// 409.
pub const ORDERS_OPEN: Kind = Kind::new(
    StatusCode::CONFLICT,
    "orders-open",
    "An order is not done yet",
    "A customer is erased when no order of theirs is pending or confirmed: wait until it has shipped, or cancel it.",
);

/// 409.
pub const WEBHOOK_DISABLED: Kind = Kind::new(
    StatusCode::CONFLICT,
    "webhook-disabled",
    "The webhook is disabled",
    "Nothing is sent there until it is enabled: replace it, with the status `active`.",
);

/// 410.
pub const CUSTOMER_ERASED: Kind = Kind::new(
    StatusCode::GONE,
    "customer-erased",
    "The customer was erased",
    "Nothing personal is left of the customer, and nobody else gets the id. Their orders can still be read.",
);

/// 415.
pub const UNSUPPORTED_IMAGE: Kind = Kind::new(
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    "unsupported-image",
    "The file is no picture of a format that is taken",
    "The bytes, whatever the `Content-Type` says, are no PNG, JPEG, WebP or AVIF.",
);

/// 422.
pub const UNPROCESSABLE_BODY: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable-body",
    "The body contradicts itself or the time",
    "Each field has its form, but not together, or not now; `errors` points at each.",
);

/// 422.
pub const UNPROCESSABLE_ORDER: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable-order",
    "The order cannot be placed",
    "The customer or a product does not exist or is not on sale; `errors` points at each.",
);

/// 422.
pub const UNPROCESSABLE_PRODUCT: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable-product",
    "The product cannot be like that",
    "A category or collection does not exist, or the SKU would change; `errors` points at each.",
);

/// 422.
pub const UNPROCESSABLE_COLLECTION: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable-collection",
    "The category or collection cannot be like that",
    "Its parent is no category or lies below it, the tree would be too deep, id or kind would change, or there are 1,000 \
     already; `errors` points at each.",
);

/// 422.
pub const UNPROCESSABLE_REVIEW: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable-review",
    "Nobody could have said that",
    "The customer who writes, votes or reports does not exist; `errors` names the parameter.",
);

/// 422.
pub const UNPROCESSABLE_INSIGHTS: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "unprocessable-insights",
    "There is no such report",
    "The product or category does not exist, both are named, the period ends before it begins, or it is more than can be added \
     up at once; `errors` names the parameter.",
);

/// 422.
pub const KEY_REUSED: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "idempotency-key-reused",
    "The idempotency key belongs to another request",
    "The `Idempotency-Key` was used with another body. Take a new key for a new request.",
);

/// 422.
pub const INCOMPLETE_ARRANGEMENT: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "incomplete-arrangement",
    "The list must name each picture of the product once",
    "A picture is missing, unknown or there twice; `errors` points at it.",
);

/// 422.
pub const TOO_MANY_PIXELS: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "too-many-pixels",
    "The picture has too many pixels",
    "A picture may have 40 megapixels and 16,383 pixels a side. Send a smaller one.",
);

/// 422.
pub const ANIMATED_IMAGE: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "animated-image",
    "The picture is not a still one",
    "Send one picture, not a sequence.",
);

/// 422.
pub const IMAGE_METADATA: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "image-metadata",
    "The file holds more than a picture",
    "The file has metadata that cannot be left out safely. Save it without, and send it again.",
);

/// 422.
pub const DAMAGED_IMAGE: Kind = Kind::new(
    StatusCode::UNPROCESSABLE_ENTITY,
    "damaged-image",
    "The picture cannot be read",
    "The file begins like a picture and cannot be decoded.",
);

/// 503.
pub const IMAGES_NOT_SET_UP: Kind = Kind::new(
    StatusCode::SERVICE_UNAVAILABLE,
    "images-not-set-up",
    "This shop has no place for pictures",
    "The setting `IMAGES_STORE` names none. A retry helps only after it does.",
);
