//! `GET /api/partners/{id}`: one partner and its contract. For staff.

use axum::extract::{Path, State};
use axum::http::HeaderMap;

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::PartnerId;
use crate::functions::api::PARTNERS;
use crate::functions::error::no_such;
use crate::functions::example;
use crate::functions::keep::{Keep, read};
use crate::functions::partner::{PartnerResource, partner_id};
use crate::host::{Answer, NoQuery, Operation, Problem};

/// Answers 200, 304 or 404. One request.
///
/// # Errors
/// A [`Problem`].
pub async fn get_partner(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
) -> Result<Answer, Problem> {
    let found = app.store.partners.newest(&partner_id(&id)?).await?;
    let partner = found.ok_or_else(|| no_such("partner", &id, None))?;
    read(&headers, &PartnerResource::from(&partner.value), Keep::Private, Some(partner.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    Operation::new(PARTNERS, "Get a partner", "A partner and its contract as it is now.")
        .path::<PartnerId>("id", "The partner.")
        .reads::<PartnerResource<'_>>("The partner.", example::partner())
}
