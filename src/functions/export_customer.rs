//! `GET /api/customers/{id}/export`: all that we hold about one customer, from every container. Their orders come by page,
//! so that an answer is bounded however long somebody has been a customer.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;
use chrono::{DateTime, Utc};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::customer::Address;
use crate::domain::customer::fields::{Use, select};
use crate::domain::event::Event;
use crate::domain::id::{CustomerId, OrderId};
use crate::domain::shipping::ShippingAddress;
use crate::functions::api::{CUSTOMERS, paged};
use crate::functions::customer::{CustomerResource, owned_id, read_customer};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::kind::CUSTOMER_ERASED;
use crate::functions::page::{Filters, LIMIT_MAX, PageRequest};
use crate::functions::partner::DisclosureResource;
use crate::functions::resource::OrderResource;
use crate::functions::review::KeptReviewResource;
use crate::host::{Answer, Operation, Problem};
use crate::store::orders::{EVENTS_MAX, OrderCursor};

/// Most addresses of one customer's orders that are exported: of those that a person places in the days for which they are kept.
const ADDRESSES_MAX: usize = 1000;
/// Most reviews of one customer that are exported; the shop has far fewer products that one person reviews.
const REVIEWS_MAX: usize = 1000;
/// Most records of what left for partners; the rest is at `/api/customers/{id}/disclosures`.
const DISCLOSURES_MAX: usize = 1000;

#[derive(Serialize, Deserialize)]
struct Cursor(DateTime<Utc>, OrderId);

/// What we hold about a customer: all of what they told us, what they say of products, who
/// got their data, and one page of their orders.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "CustomerExport")]
struct Export<'a> {
    /// The customer, as the table of fields lets them go to themselves.
    #[schemars(with = "CustomerResource<'a>")]
    customer: Value,
    /// Their orders, newest first.
    #[schemars(length(max = LIMIT_MAX))]
    orders: Vec<ExportedOrder<'a>>,
    /// What they say of products, listed or not; on the first page.
    #[schemars(length(max = REVIEWS_MAX))]
    reviews: Vec<KeptReviewResource<'a>>,
    /// Where their orders go, as long as that is kept; on the first page.
    #[schemars(length(max = ADDRESSES_MAX))]
    shipping_addresses: Vec<ExportedAddress<'a>>,
    /// What left about them for partners, the newest; the others are at `/api/customers/{id}/disclosures`, newest first; on the first page.
    #[schemars(length(max = DISCLOSURES_MAX))]
    disclosures: Vec<DisclosureResource>,
    /// Path and query of the next page of orders; absent on the last.
    #[schemars(length(max = 4000), example = &"/api/customers/c1/export?limit=20&cursor=eyJrIjoxfQ")]
    #[serde(skip_serializing_if = "Option::is_none")]
    next_link: Option<String>,
}

/// Where an order goes.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExportedAddress")]
struct ExportedAddress<'a> {
    /// The order.
    order_id: &'a OrderId,
    /// The address.
    address: &'a Address,
}

/// An order with what happened to it.
#[derive(JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
#[schemars(rename = "ExportedOrder")]
struct ExportedOrder<'a> {
    /// The order.
    order: OrderResource<'a>,
    /// Its timeline, oldest first.
    #[schemars(length(max = EVENTS_MAX))]
    events: Vec<Event>,
}

/// Answers 200, 304, 404, or 410 after they were erased. Five queries, and one for each order.
///
/// # Errors
/// A [`Problem`].
pub async fn export_customer(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let request: PageRequest<Cursor> = PageRequest::parse(query.as_deref())?;
    let found = read_customer(&app, &owned_id(&scope, &id)?).await?.value;
    let after = request
        .cursor
        .as_ref()
        .map(|Cursor(placed_at, id)| OrderCursor { placed_at: *placed_at, id: id.clone() });
    let orders = app.store.orders.of_customer(&found.id, after.as_ref(), request.read_max()).await?;
    let path = format!("/api/customers/{}/export", found.id);
    let page =
        request.page(&path, &Filters::default(), orders, |order| Cursor(order.placed_at, order.id.clone()));
    let timelines = app.timelines(&page.items).await?;
    let orders = page.items.iter().zip(timelines);
    let orders = orders.map(|(order, events)| ExportedOrder { order: OrderResource::from(order), events });
    let customer = select(&found, Use::Subject);
    let (reviews, addresses, disclosures) = match request.cursor {
        None => (
            app.store.reviews.of_customer(&found.id, REVIEWS_MAX).await?,
            app.store.orders.shipping_addresses_of(&found.id, ADDRESSES_MAX).await?,
            app.store.disclosures.about(&found.id, None, DISCLOSURES_MAX).await?,
        ),
        Some(_) => (Vec::new(), Vec::new(), Vec::new()),
    };
    let shipping_addresses = addresses
        .iter()
        .map(|ShippingAddress { order_id, address, .. }| ExportedAddress { order_id, address })
        .collect();
    let reviews = reviews.iter().filter_map(KeptReviewResource::new).collect();
    let disclosures = disclosures.into_iter().map(DisclosureResource::from).collect();
    let (orders, next_link) = (orders.collect(), page.next_link);
    let export = Export { customer, orders, reviews, shipping_addresses, disclosures, next_link };
    read(&headers, &export, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "For a customer who asks what we know: their own data whole on every page; on the first their reviews, where \
                       their orders go, and who got their data; and \
                       their orders with all that happened to each, newest first, by page.";
    let operation = Operation::new(CUSTOMERS, "Export all about a customer", description)
        .path::<CustomerId>("id", "The customer.")
        .reads::<Export<'_>>("What we hold, with one page of orders.", example::customer_export())
        .problems(&[&CUSTOMER_ERASED]);
    paged(operation)
}
