//! Reviews: who may write one, vote for one, report one, and what staff decide.
//!
//! Knows nothing of HTTP. Whether the caller is who they say is for those who ask.

use crate::app::App;
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::review::{Content, Mark, Reaction, ReportReason, Review, ReviewStatus};
use crate::store::reviews::{Change, MarkOf, Place, Sight};
use crate::store::{Error, Etag, Versioned};

/// Reviews of one customer that are taken back after one query.
const REVIEWS_AT_ONCE: usize = 100;
/// How often they are looked for.
const ROUNDS_MAX: usize = 100;

/// Why a review is left as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refusal {
    /// There is no such product.
    NoProduct,
    /// The product was deleted.
    Deleted,
    /// There is no such customer.
    NoCustomer,
    /// There is no such review, or it was taken back, or not everybody may see it.
    NoReview,
    /// It is not in the version that the caller named.
    Stale,
    /// It is the caller's own.
    Own,
}

/// Whether a review is there for the first time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// The review.
    pub review: Versioned<Review>,
    /// Nobody could read it before.
    pub is_new: bool,
}

/// Whether the version that is there, or `None` for nothing, is one that the caller wants to change.
type Allows<'a> = &'a (dyn Fn(Option<&Etag>) -> bool + Send + Sync);

impl App {
    /// Writes a customer's review, for the first time or anew. Whether its author has bought the product is decided now. Five
    /// requests, six when the product's books are not remembered, seven for the first review of a month.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be written, and calling again is safe.
    pub async fn write_review(
        &self,
        place: Place<'_>,
        allows: Allows<'_>,
        content: &Content,
    ) -> Result<Result<Posted, Refusal>, Error> {
        // Boxed: the client's futures are large.
        let (product, customer, is_verified) = tokio::try_join!(
            Box::pin(self.store.products.find(place.product_id)),
            Box::pin(self.store.customers.find(place.customer_id)),
            self.store.orders.has_shipped(place.customer_id, place.product_id),
        )?;
        match (product, customer) {
            (None, _) => return Ok(Err(Refusal::NoProduct)),
            (Some(product), _) if product.value.deleted_at.is_some() => return Ok(Err(Refusal::Deleted)),
            (Some(_), None) => return Ok(Err(Refusal::NoCustomer)),
            (Some(_), Some(_)) => {}
        }
        let now = self.clock.now();
        let decide = |sight: &Sight| {
            let seen = sight.review.as_ref();
            let readable = seen.filter(|seen| seen.value.content.is_some());
            if !allows(readable.map(|seen| &seen.etag)) {
                return Err(Unwritten::Refused(Refusal::Stale));
            }
            let earlier = seen.map(|seen| &seen.value);
            let ids = (place.product_id, place.customer_id);
            let review = Review::written(earlier, ids, content.clone(), is_verified, now);
            match readable {
                Some(seen)
                    if (Review { updated_at: seen.value.updated_at, ..review.clone() }) == seen.value =>
                {
                    Err(Unwritten::Already(Box::new(seen.clone())))
                }
                Some(_) | None => Ok(Change { review, is_new: readable.is_none(), mark: None }),
            }
        };
        let revised = Box::pin(self.store.reviews.revise(place, None, decide)).await?;
        Ok(match revised {
            Ok(change) => Ok(Posted { is_new: change.value.is_new, review: reviewed(change) }),
            Err(Unwritten::Already(review)) => Ok(Posted { review: *review, is_new: false }),
            Err(Unwritten::Refused(refusal)) => Err(refusal),
        })
    }

    /// Takes a customer's review back; again changes nothing. Two requests, three when the product's books are not remembered.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be gone, and calling again is safe.
    pub async fn withdraw_review(
        &self,
        place: Place<'_>,
        allows: Allows<'_>,
    ) -> Result<Result<(), Refusal>, Error> {
        let now = self.clock.now();
        let decide = |sight: &Sight| match &sight.review {
            None => Err(Unwritten::Refused(Refusal::NoReview)),
            Some(seen) if seen.value.content.is_none() => Err(Unwritten::Already(Box::new(seen.clone()))),
            Some(seen) if !allows(Some(&seen.etag)) => Err(Unwritten::Refused(Refusal::Stale)),
            Some(seen) => Ok(Change { review: seen.value.withdrawn(now), is_new: false, mark: None }),
        };
        let revised = Box::pin(self.store.reviews.revise(place, None, decide)).await?;
        Ok(settled(revised).map(|_| ()))
    }

    /// Takes everything back that a customer says of products. One query for each hundred reviews, and what each costs.
    ///
    /// # Errors
    /// [`Error`]; with any, some may be left, and calling again is safe.
    pub async fn withdraw_reviews_of(&self, customer_id: &CustomerId) -> Result<(), Error> {
        for _ in 0..ROUNDS_MAX {
            let reviews = self.store.reviews.of_customer(customer_id, REVIEWS_AT_ONCE).await?;
            for review in &reviews {
                let place = Place { product_id: &review.product_id, customer_id };
                // Whatever it answers, the review says nothing any more.
                let _: Result<(), Refusal> = self.withdraw_review(place, &|_| true).await?;
            }
            if reviews.len() < REVIEWS_AT_ONCE {
                return Ok(());
            }
        }
        Err(Error::Contended { operation: format!("take back the reviews of {customer_id}") })
    }

    /// Hides a review or publishes it again. Two requests, three when the product's books are not remembered.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be done, and calling again is safe.
    pub async fn moderate_review(
        &self,
        place: Place<'_>,
        allows: Allows<'_>,
        (status, reason): (ReviewStatus, &str),
    ) -> Result<Result<Versioned<Review>, Refusal>, Error> {
        let now = self.clock.now();
        let decide = |sight: &Sight| {
            let seen = sight.review.as_ref().filter(|seen| seen.value.content.is_some());
            let seen = seen.ok_or(Unwritten::Refused(Refusal::NoReview))?;
            if !allows(Some(&seen.etag)) {
                return Err(Unwritten::Refused(Refusal::Stale));
            }
            match &seen.value.moderation {
                Some(earlier) if earlier.status == status && earlier.reason == reason => {
                    Err(Unwritten::Already(Box::new(seen.clone())))
                }
                Some(_) | None => {
                    let review = seen.value.moderated(status, reason.to_owned(), now);
                    Ok(Change { review, is_new: false, mark: None })
                }
            }
        };
        let revised = Box::pin(self.store.reviews.revise(place, None, decide)).await?;
        Ok(settled(revised))
    }

    /// Lets somebody find a review helpful or report it, once each; again changes nothing, but for another reason. Four
    /// requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be counted, and calling again is safe.
    pub async fn react_to_review(
        &self,
        place: Place<'_>,
        voter_id: &CustomerId,
        reaction: Reaction,
    ) -> Result<Result<Versioned<Review>, Refusal>, Error> {
        if voter_id == place.customer_id {
            return Ok(Err(Refusal::Own));
        }
        if self.store.customers.find(voter_id).await?.is_none() {
            return Ok(Err(Refusal::NoCustomer));
        }
        let of = match reaction {
            Reaction::Vote => MarkOf::Vote(voter_id),
            Reaction::Report { .. } => MarkOf::Report(voter_id),
        };
        self.mark_review(place, of, voter_id, Some(reaction)).await
    }

    /// Takes somebody's vote back; without one nothing changes. Three requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be gone, and calling again is safe.
    pub async fn take_vote_back(
        &self,
        place: Place<'_>,
        voter_id: &CustomerId,
    ) -> Result<Result<Versioned<Review>, Refusal>, Error> {
        self.mark_review(place, MarkOf::Vote(voter_id), voter_id, None).await
    }

    async fn mark_review(
        &self,
        place: Place<'_>,
        of: MarkOf<'_>,
        voter_id: &CustomerId,
        reaction: Option<Reaction>,
    ) -> Result<Result<Versioned<Review>, Refusal>, Error> {
        let at = self.clock.now();
        let decide = |sight: &Sight| {
            let seen = sight.review.as_ref().filter(|seen| seen.value.listed().is_some());
            let seen = seen.ok_or(Unwritten::Refused(Refusal::NoReview))?;
            let edition = seen.value.edition;
            let earlier = sight.mark.as_ref().and_then(|mark| mark.value.of_edition(edition));
            if earlier == reaction {
                return Err(Unwritten::Already(Box::new(seen.clone())));
            }
            let review = match reaction {
                Some(Reaction::Report { reason }) => seen.value.reported(reason_of(earlier), reason, at),
                Some(Reaction::Vote) | None => seen.value.voted(earlier.is_some(), reaction.is_some()),
            };
            let (customer_id, voter_id) = (place.customer_id.clone(), voter_id.clone());
            let mark = Some(Mark { customer_id, voter_id, edition, reaction, at });
            Ok(Change { review, is_new: false, mark })
        };
        let revised = Box::pin(self.store.reviews.revise(place, Some(of), decide)).await?;
        Ok(settled(revised))
    }

    /// Whether there is such a product, also a deleted one, whose reviews can still be read. No request, or one.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn has_product(&self, product_id: &ProductId) -> Result<bool, Error> {
        Ok(self.store.products.recent(product_id, self.clock.now()).await?.is_some())
    }
}

fn reason_of(reaction: Option<Reaction>) -> Option<ReportReason> {
    match reaction {
        Some(Reaction::Report { reason }) => Some(reason),
        Some(Reaction::Vote) | None => None,
    }
}

/// Why nothing is written.
enum Unwritten {
    /// It is already as asked for.
    Already(Box<Versioned<Review>>),
    /// It cannot be.
    Refused(Refusal),
}

fn settled(revised: Result<Versioned<Change>, Unwritten>) -> Result<Versioned<Review>, Refusal> {
    match revised {
        Ok(change) => Ok(reviewed(change)),
        Err(Unwritten::Already(review)) => Ok(*review),
        Err(Unwritten::Refused(refusal)) => Err(refusal),
    }
}

fn reviewed(Versioned { value, etag }: Versioned<Change>) -> Versioned<Review> {
    Versioned { value: value.review, etag }
}
