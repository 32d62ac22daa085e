//! `GET /api/customers/{id}/disclosures`: who got a customer's data, by page, newest first; also of one who was erased.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Owner};
use crate::domain::id::CustomerId;
use crate::functions::api::{CUSTOMERS, paged};
use crate::functions::customer::owned_id;
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::functions::partner::DisclosureResource;
use crate::host::{Answer, Operation, Problem};
use crate::store::customers::Record;
use crate::store::disclosures::Place;

/// Answers 200, 304, or 404 for a customer who never was. One query, and a request or two when it finds nothing.
///
/// # Errors
/// A [`Problem`].
pub async fn list_customer_disclosures(
    By(Owner(scope)): By<Owner>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let customer_id = owned_id(&scope, &id)?;
    let request: PageRequest<Place> = PageRequest::parse(query.as_deref())?;
    let disclosures = &app.store.disclosures;
    let found = disclosures.about(&customer_id, request.cursor.as_ref(), request.read_max()).await?;
    if found.is_empty() {
        match app.store.customers.look_up(&customer_id).await?.map(|found| found.value) {
            Some(Record::Customer(_) | Record::Erased(_)) => {}
            Some(Record::Vacant) | None => return Err(no_such("customer", &id, None)),
        }
    }
    let path = format!("/api/customers/{customer_id}/disclosures");
    let page = request.page(&path, &Filters::default(), found, Place::behind);
    let items: Vec<_> = page.items.into_iter().map(DisclosureResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Each time that something about the customer left for a partner, the newest first, by page: who got it, when, \
                       which fields, and what for.";
    let operation = Operation::new(CUSTOMERS, "List who got a customer's data", description)
        .path::<CustomerId>("id", "The customer.")
        .reads::<Page<DisclosureResource>>("One page.", example::page(example::disclosure()));
    paged(operation)
}
