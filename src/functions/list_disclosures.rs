//! `GET /api/partners/{id}/disclosures`: the pulls of a partner by page, newest first. For staff.

use axum::extract::{Path, RawQuery, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::PartnerId;
use crate::functions::api::{PARTNERS, paged};
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::page::{Filters, Page, PageRequest};
use crate::functions::partner::{PullResource, partner_id};
use crate::host::{Answer, Operation, Problem};
use crate::store::disclosures::Place;

/// Answers 200, 304, or 404 for a partner that does not exist. One query, and a request when it finds nothing.
///
/// # Errors
/// A [`Problem`].
pub async fn list_disclosures(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let partner_id = partner_id(&id)?;
    let request: PageRequest<Place> = PageRequest::parse(query.as_deref())?;
    let pulls = app.store.disclosures.pulls(&partner_id, request.cursor.as_ref(), request.read_max()).await?;
    if pulls.is_empty() && app.store.partners.newest(&partner_id).await?.is_none() {
        return Err(no_such("partner", &id, None));
    }
    let path = format!("/api/partners/{partner_id}/disclosures");
    let page = request.page(&path, &Filters::default(), pulls, Place::behind);
    let items = page.items.iter().map(PullResource::from).collect();
    read(&headers, &Page { items, next_link: page.next_link }, Keep::Private, None)
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "Every pull since ever, the newest first, by page: when, under which contract, what of customers, and how \
                       many. Each page of a JSON pull is one of its own.";
    let operation = Operation::new(PARTNERS, "List a partner's pulls", description)
        .path::<PartnerId>("id", "The partner.")
        .reads::<Page<PullResource<'_>>>("One page.", example::page(example::pull()));
    paged(operation)
}
