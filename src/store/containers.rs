//! The containers: name, partition key, time to live and indexes, declared once.
//!
//! The emulator is set up from this, the infrastructure is held equal to it. Does not know what the documents mean.

/// A container of the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Container {
    /// The catalogue.
    Products,
    /// Categories and collections.
    Collections,
    /// Counts, reservations and adjustments.
    Stock,
    /// Orders and their events.
    Orders,
    /// Who may order.
    Customers,
    /// Reviews, their summaries, and votes and reports.
    Reviews,
    /// Contracts with partners.
    Partners,
    /// What left for partners.
    Disclosures,
    /// How far each reader of a change feed has come; the Functions host writes it, not the shop.
    Leases,
    /// Which mails were sent.
    Notifications,
    /// Where others want to hear of what happens, and what is on its way there.
    Webhooks,
}

/// How a container is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Definition {
    /// Its name.
    pub name: &'static str,
    /// The property that decides where a document lies, without the slash.
    pub partition_key: &'static str,
    /// Whether single documents may carry a `ttl`; without one they stay for ever.
    pub expires: bool,
    /// The paths that queries name; nothing else is indexed, for each index costs on every write.
    pub indexed: &'static [&'static str],
    /// Orderings over more than one property, all descending.
    pub ordered_by: &'static [&'static [&'static str]],
}

/// One partition for each document.
const PLAIN: Definition =
    Definition { name: "", partition_key: "id", expires: false, indexed: &["/type/?"], ordered_by: &[] };
const WEBHOOKS: Definition = Definition {
    name: "webhooks",
    partition_key: "webhookId",
    expires: true,
    // Deliveries that are done have no next attempt.
    indexed: &["/webhookId/?", "/type/?", "/createdAt/?", "/nextAttemptAt/?"],
    ordered_by: &[&["/createdAt", "/id"]],
};
const REVIEWS_INDEXED: &[&str] = &[
    "/productId/?",
    "/customerId/?",
    "/isListed/?",
    "/content/rating/?",
    "/createdAt/?",
    "/rank/?",
    "/month/?",
    // Those that were reported alone have these.
    "/waitingRank/?",
    "/decidedRank/?",
];

/// Read by id alone.
const NOTIFICATIONS: Definition = Definition {
    name: "notifications",
    partition_key: "subjectId",
    expires: true,
    indexed: &[],
    ordered_by: &[],
};

impl Container {
    /// Every container.
    pub const ALL: [Self; 11] = [
        Self::Products,
        Self::Collections,
        Self::Stock,
        Self::Orders,
        Self::Customers,
        Self::Reviews,
        Self::Partners,
        Self::Disclosures,
        Self::Leases,
        Self::Notifications,
        Self::Webhooks,
    ];

    /// How it is made.
    pub fn definition(self) -> Definition {
        match self {
            Self::Products => Definition {
                name: "products",
                partition_key: "id",
                expires: true,
                indexed: &[
                    "/type/?",
                    "/isDeleted/?",
                    "/status/?",
                    "/sortName/?",
                    "/createdAt/?",
                    "/categoryIds/[]/?",
                    "/collectionIds/[]/?",
                    "/price/amountMinor/?",
                    "/price/currency/?",
                ],
                // Cosmos also reads an index backwards, all of it at once.
                ordered_by: &[&["/sortName", "/id"], &["/price/amountMinor", "/id"], &["/createdAt", "/id"]],
            },
            Self::Collections => Definition { name: "collections", expires: true, ..PLAIN },
            Self::Stock => Definition {
                name: "stock",
                partition_key: "productId",
                expires: true,
                indexed: &["/productId/?", "/type/?", "/state/?"],
                ordered_by: &[],
            },
            Self::Orders => Definition {
                name: "orders",
                partition_key: "partition",
                expires: true,
                // The partition key is a path like any other: unless it is the id, it is indexed only when it is named.
                indexed: &[
                    "/partition/?",
                    "/type/?",
                    "/customerId/?",
                    "/orderId/?",
                    "/placedAt/?",
                    "/ringAt/?",
                    "/leftAt/?",
                ],
                ordered_by: &[&["/placedAt", "/id"]],
            },
            Self::Customers => Definition {
                name: "customers",
                expires: true,
                indexed: &["/type/?", "/customerId/?"],
                ..PLAIN
            },
            Self::Reviews => Definition {
                name: "reviews",
                partition_key: "productId",
                expires: true,
                indexed: REVIEWS_INDEXED,
                ordered_by: &[&["/createdAt", "/id"], &["/rank", "/id"]],
            },
            Self::Partners => Definition { name: "partners", ..PLAIN },
            Self::Disclosures => Definition {
                name: "disclosures",
                partition_key: "partnerId",
                expires: false,
                indexed: &["/partnerId/?", "/sequence/?", "/at/?", "/customerIds/[]/?"],
                ordered_by: &[&["/at", "/id"]],
            },
            // The host looks leases up by their ids, which are always indexed.
            Self::Leases => Definition { name: "leases", indexed: &[], ..PLAIN },
            Self::Notifications => NOTIFICATIONS,
            Self::Webhooks => WEBHOOKS,
        }
    }
}
