//! `GET /api/partners`: partners and their contracts by page, in the order of their ids. For staff.

use axum::extract::{RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::PartnerId;
use crate::functions::api::{PARTNERS, paged};
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::functions::partner::PartnerResource;
use crate::host::{Answer, Operation, Problem};

const PATH: &str = "/api/partners";

/// Answers 200 or 304. One query.
///
/// # Errors
/// A [`Problem`].
pub async fn list_partners(
    _: By<Staff>,
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let request: PageRequest<PartnerId> = PageRequest::parse(query.as_deref())?;
    let found = app.store.partners.page(request.cursor.as_ref(), request.read_max()).await?;
    let page = request.page(PATH, &Filters::default(), found, |partner| partner.id.clone());
    let items = page.items.iter().map(PartnerResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let operation = Operation::new(PARTNERS, "List partners", "In the order of their ids, by page.")
        .reads::<Page<PartnerResource<'_>>>("One page.", example::page(example::partner()));
    paged(operation)
}
