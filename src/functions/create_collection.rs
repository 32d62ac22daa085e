//! `POST /api/collections`: a new category or collection.

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};

use crate::app::App;
use crate::app::catalogue::Created;
use crate::auth::caller::{By, Staff};
use crate::domain::collection::{Collection, CollectionDraft};
use crate::domain::creation::Creation;
use crate::functions::api::{COLLECTIONS, keyed};
use crate::functions::error::{
    IDEMPOTENCY_REPLAYED, idempotency_key, invalid_body, key_reused, taken, unprocessable_collection,
};
use crate::functions::example;
use crate::functions::keep::{Keep, with_keep};
use crate::functions::kind::{ID_TAKEN, UNPROCESSABLE_BODY, UNPROCESSABLE_COLLECTION};
use crate::functions::resource::{CollectionResource, collection_path};
use crate::host::{Answer, Header, NoQuery, Operation, Problem, parse};
use crate::store::Versioned;

/// Answers 201 with the category or collection and its `Location`, the same again for the same request, 409 when the id is
/// taken, or 422 when its parent cannot be one. Without an `Idempotency-Key` it is the same request as long as what it created
/// is as it was; with one, also when that was changed since.
///
/// # Errors
/// A [`Problem`].
pub async fn create_collection(
    _: By<Staff>,
    State(app): State<App>,
    _: NoQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Answer, Problem> {
    let key = idempotency_key(&headers)?;
    let draft: CollectionDraft = parse(&headers, &body)?;
    let creation = key.map(|key| Creation::of(&key, &draft));
    let collection = draft.check(app.clock.now()).map_err(invalid_body)?;
    let collection = Collection { creation, ..collection };
    match app.create_collection(&collection).await? {
        Created::Done(collection) => Ok(created(&collection)),
        Created::Replayed(collection) => Ok(created(&collection).header(IDEMPOTENCY_REPLAYED, "true")),
        Created::Exists => Err(taken("/id", "is the id of another category or collection")),
        Created::KeyReused => Err(key_reused()),
        Created::Invalid(invalid) => Err(unprocessable_collection(invalid)),
    }
}

/// What the API's document says of it.
pub fn operation() -> Operation {
    keyed(
        Operation::new(COLLECTIONS, "Create a category or collection", "Products refer to it by its id.")
            .body::<CollectionDraft>(example::collection_draft())
            .answers::<CollectionResource<'_>>(
                StatusCode::CREATED,
                "The category or collection was created.",
                &[Header::Location, Header::Etag],
                example::collection(),
            )
            .leads_to("GetCollection", &[("id", "$response.body#/id")])
            .problems(&[&ID_TAKEN, &UNPROCESSABLE_BODY, &UNPROCESSABLE_COLLECTION]),
    )
}

fn created(collection: &Versioned<Collection>) -> Answer {
    let answer = Answer::json(StatusCode::CREATED, &CollectionResource::from(&collection.value));
    with_keep(answer, Keep::Validate)
        .header(header::LOCATION, collection_path(&collection.value.id))
        .header(header::ETAG, collection.etag.as_str())
}
