//! `PUT /api/collections/{id}`: a category or collection anew. Products refer to it by id, so a new name is one write.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::catalogue::Changed;
use crate::auth::caller::{By, Staff};
use crate::domain::collection::CollectionDraft;
use crate::domain::draft::Invalid;
use crate::domain::id::CollectionId;
use crate::functions::api::COLLECTIONS;
use crate::functions::error::{collection_id, invalid_body, no_such, unprocessable_collection};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{UNPROCESSABLE_BODY, UNPROCESSABLE_COLLECTION};
use crate::functions::resource::CollectionResource;
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse, require_if_match};

/// Answers 200 with the category or collection, 404, 412, 422 when it would hang below itself, or 428 without `If-Match`.
///
/// # Errors
/// A [`Problem`].
pub async fn replace_collection(
    _: By<Staff>,
    State(app): State<App>,
    Path(id): Path<String>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let collection_id = collection_id(&id)?;
    let wanted = require_if_match(&headers)?;
    let draft: CollectionDraft = parse(&headers, &body)?;
    let collection = draft.check(app.clock.now()).map_err(invalid_body)?;
    if collection.id != collection_id {
        return Err(unprocessable_collection(vec![Invalid::new("/id", "is not the id in the path")]));
    }
    match app.change_collection(&collection, |etag| wanted.allows(etag.as_str())).await? {
        Changed::Done(collection) => {
            let answer = Answer::json(StatusCode::OK, &CollectionResource::from(&collection.value));
            Ok(with_keep(answer, Keep::Validate).header(header::ETAG, collection.etag.as_str()))
        }
        Changed::Stale => Err(Problem::precondition_failed()),
        Changed::NotFound | Changed::Deleted => Err(no_such("category or collection", &id, None)),
        Changed::Invalid(invalid) => Err(unprocessable_collection(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    let description =
        "A new name is one write, because products refer to it by id. A category can move with all below it.";
    Operation::new(COLLECTIONS, "Replace a category or collection", description)
        .path::<CollectionId>("id", "The category or collection; the body's `id` is the same.")
        .if_match_required()
        .body::<CollectionDraft>(example::collection_draft())
        .answers::<CollectionResource<'_>>(
            StatusCode::OK,
            "The category or collection.",
            &[Header::Etag],
            example::collection(),
        )
        .problems(&[&UNPROCESSABLE_BODY, &UNPROCESSABLE_COLLECTION])
}
