//! `PUT /api/partners/{id}`: agrees on a contract with a partner, new or in place of the one before. For staff.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::auth::caller::{By, Staff};
use crate::domain::id::PartnerId;
use crate::domain::partner::draft::ContractDraft;
use crate::functions::api::PARTNERS;
use crate::functions::error::invalid_body;
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::partner::{PartnerResource, partner_id};
use crate::host::{Answer, Header, IfNoneMatch, Operation, Problem, if_none_match, parse, require_if_match};
use crate::host::{Match, NoQuery};
use crate::store::Etag;

/// Answers 200 with the partner, 412, or 428 without a condition. `If-None-Match: *` adds a partner.
///
/// # Errors
/// A [`Problem`].
pub async fn replace_partner(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let partner_id = partner_id(&id)?;
    let wanted: Option<Match> = match if_none_match(&headers)? {
        // Both conditions must hold, and no partner can be absent and of a version.
        IfNoneMatch::Any if headers.contains_key(header::IF_MATCH) => {
            return Err(Problem::precondition_failed());
        }
        IfNoneMatch::Any => None,
        IfNoneMatch::None | IfNoneMatch::Tags(_) => Some(require_if_match(&headers)?),
    };
    let draft: ContractDraft = parse(&headers, &body)?;
    let terms = draft.check().map_err(invalid_body)?;
    let allows = |current: Option<&Etag>| match (&wanted, current) {
        (None, current) => current.is_none(),
        (Some(wanted), Some(etag)) => wanted.allows(etag.as_str()),
        (Some(_), None) => false,
    };
    let partner = app.agree(&partner_id, &terms, allows).await?.ok_or_else(Problem::precondition_failed)?;
    let answer = Answer::json(StatusCode::OK, &PartnerResource::from(&partner.value));
    Ok(with_keep(answer, Keep::Private).header(header::ETAG, partner.etag.as_str()))
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description = "What the partner may have, of whom, for what and until when. Each change is a new version: the partner's \
                       cursors end with it, and it begins again with everybody. There is no field that it gets without being \
                       named. To end a contract, set `validUntil` to a moment in the past.";
    Operation::new(PARTNERS, "Agree on a contract", description)
        .path::<PartnerId>("id", "The partner.")
        .if_match_or_none()
        .body::<ContractDraft>(example::contract_draft())
        .answers::<PartnerResource<'_>>(StatusCode::OK, "The partner.", &[Header::Etag], example::partner())
}
