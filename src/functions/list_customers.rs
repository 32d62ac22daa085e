//! `GET /api/customers`: customers by page, in the order of their ids. For staff.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::CustomerId;
use crate::functions::api::{CUSTOMERS, paged};
use crate::functions::customer::CustomerResource;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::host::{Answer, Operation, Problem};

const PATH: &str = "/api/customers";

/// Answers 200 or 304. One query.
///
/// # Errors
/// A [`Problem`].
pub async fn list_customers(
    _: By<Staff>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let request: PageRequest<CustomerId> = PageRequest::parse(query.as_deref())?;
    let found = app.store.customers.page(request.cursor.as_ref(), request.read_max()).await?;
    let page = request.page(PATH, &Filters::default(), found, |customer| customer.id.clone());
    let items = page.items.iter().map(CustomerResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "In the order of their ids, by page; those who were erased are left out.";
    let operation = Operation::new(CUSTOMERS, "List customers", description)
        .reads::<Page<CustomerResource<'_>>>("One page.", example::page(example::customer()));
    paged(operation)
}
