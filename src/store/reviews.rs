//! The container `reviews`: in each product's partition its reviews, what they say together in all and in each month, and the
//! votes and reports of others.
//!
//! A review and what follows from it are written in one batch: the books never change alone, and no vote is counted twice.
//! Does not know which change is right.

mod books;
mod months;
pub mod reported;
mod turns;

use std::sync::Arc;

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use self::books::SUMMARY_ID;
use self::turns::Turns;
use crate::domain::announcement::Announcement;
use crate::domain::id::{CustomerId, ProductId};
use crate::domain::month::Month;
use crate::domain::review::summary::Summary;
use crate::domain::review::{Mark, Rating, Review};
use crate::domain::time;
use crate::store::announced;
use crate::store::containers::Container;
use crate::store::cosmos::{Batch, Cosmos, Document, Write};
use crate::store::pause::{ATTEMPTS_MAX, pause};
use crate::store::{Error, Etag, Versioned};

/// How long a vote that was taken back is remembered: longer than any request lasts.
const TAKEN_BACK_TTL_S: u32 = 24 * 60 * 60;
/// Attempts after which books that contradict a review are not just an old sight of one of them.
const OLD_SIGHTS_MAX: u32 = 3;

/// Reviews and their summaries.
#[derive(Clone, Debug)]
pub struct Reviews {
    cosmos: Arc<Cosmos>,
    turns: Arc<Turns>,
}

/// Which review.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// What is reviewed.
    pub product_id: &'a ProductId,
    /// Who reviews.
    pub customer_id: &'a CustomerId,
}

/// Which vote or report of somebody else.
#[derive(Debug, Clone, Copy)]
pub enum MarkOf<'a> {
    /// That they find it helpful.
    Vote(&'a CustomerId),
    /// That they report it.
    Report(&'a CustomerId),
}

/// What is there before a change.
#[derive(Debug)]
pub struct Sight {
    /// The review, also one that was taken back.
    pub review: Option<Versioned<Review>>,
    /// The vote or report, if one was asked for.
    pub mark: Option<Versioned<Mark>>,
}

/// What is to be written together.
#[derive(Debug, Clone)]
pub struct Change {
    /// The review.
    pub review: Review,
    /// Whether it said nothing before, or was not there.
    pub is_new: bool,
    /// The vote or report that changes with it.
    pub mark: Option<Mark>,
}

/// The order of a list; reviews that are equal in it are in the order of their customers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Sort {
    /// The youngest first.
    #[default]
    Newest,
    /// What most find helpful first, and of those the youngest.
    Helpful,
}

/// A place in a list: after this review. It stays where it is whatever is added or removed meanwhile.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Of which order.
    pub sort: Sort,
    /// What that sorts by.
    pub key: String,
    /// Whose review.
    pub id: CustomerId,
}

/// A review as it is stored: with what lists select and sort by.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Stored<'a> {
    #[serde(flatten)]
    review: &'a Review,
    is_listed: bool,
    rank: String,
    #[serde(flatten)]
    reported: reported::Ranks,
}

impl Sort {
    /// The order with this word.
    pub fn parse(text: &str) -> Option<Self> {
        match text {
            "newest" => Some(Self::Newest),
            "helpful" => Some(Self::Helpful),
            _ => None,
        }
    }

    /// The place of a review in a list of this order.
    pub fn cursor(self, review: &Review) -> Cursor {
        let key = match self {
            Self::Newest => time::text(review.created_at),
            Self::Helpful => rank(review),
        };
        Cursor { sort: self, key, id: review.customer_id.clone() }
    }

    fn field(self) -> &'static str {
        match self {
            Self::Newest => "c.createdAt",
            Self::Helpful => "c.rank",
        }
    }
}

impl Reviews {
    pub(super) fn new(cosmos: Arc<Cosmos>) -> Self {
        Self { cosmos, turns: Arc::default() }
    }

    /// The review, also one that was taken back or is hidden, looked for where it is newest before it is called missing.
    /// One request, or two.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn find(&self, place: Place<'_>) -> Result<Option<Versioned<Review>>, Error> {
        let (partition, id) = (place.product_id.as_str(), place.customer_id.as_str());
        self.cosmos.find(Container::Reviews, partition, id).await
    }

    /// The product's summary; `None` when nobody has reviewed it yet. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn summary(&self, product_id: &ProductId) -> Result<Option<Summary>, Error> {
        let found: Option<Versioned<Summary>> =
            self.cosmos.read(Container::Reviews, product_id.as_str(), SUMMARY_ID).await?;
        Ok(found.map(|found| found.value))
    }

    /// The product's listed reviews after this place, perhaps of one rating only. One query within a partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn list(
        &self,
        product_id: &ProductId,
        (sort, rating): (Sort, Option<Rating>),
        after: Option<&Cursor>,
        count_max: usize,
    ) -> Result<Vec<Review>, Error> {
        let field = sort.field();
        let of_rating = rating.map(|rating| format!(" AND c.content.rating = {}", rating.number()));
        let rest = after.map(|_| format!(" AND ({field} < @key OR ({field} = @key AND c.id < @id))"));
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.isListed = true{}{} ORDER BY {field} DESC, c.id DESC",
            of_rating.unwrap_or_default(),
            rest.unwrap_or_default(),
        );
        let parameters: Vec<_> = after
            .into_iter()
            .flat_map(|after| [("@key", after.key.as_str()), ("@id", after.id.as_str())])
            .collect();
        let partition = Some(product_id.as_str());
        self.cosmos.query(Container::Reviews, partition, (&text, &parameters), count_max).await
    }

    /// What this customer says of any product, listed or not. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn of_customer(
        &self,
        customer_id: &CustomerId,
        count_max: usize,
    ) -> Result<Vec<Review>, Error> {
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.customerId = @customer AND IS_DEFINED(c.content) ORDER BY c.productId"
        );
        let parameters = [("@customer", customer_id.as_str())];
        self.cosmos.query(Container::Reviews, None, (&text, &parameters), count_max).await
    }

    /// Makes the review, and perhaps the vote or report that is asked for, what `decide` finds right; or gives the answer with
    /// which `decide` leaves them alone. Two requests when nobody else writes, one more for a vote or report, one more
    /// when the books change and are not remembered, and another one for a month without a document.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be written. Calling again is always safe.
    pub async fn revise<A>(
        &self,
        place: Place<'_>,
        mark: Option<MarkOf<'_>>,
        decide: impl Fn(&Sight) -> Result<Change, A>,
    ) -> Result<Result<Versioned<Change>, A>, Error> {
        let mut tried: Option<Change> = None;
        for attempt in 0..ATTEMPTS_MAX {
            pause(attempt, place.customer_id.as_str()).await;
            let sight = self.look(place, mark).await?;
            if let Some(tried) = tried.take()
                && let Some(etag) = written_before(&sight, &tried)
            {
                return Ok(Ok(Versioned { value: tried, etag }));
            }
            let change = match decide(&sight) {
                Ok(change) => change,
                Err(answer) => return Ok(Err(answer)),
            };
            if let Some(etag) = self.write(place, mark, &sight, &change, attempt).await? {
                return Ok(Ok(Versioned { value: change, etag }));
            }
            tried = Some(change);
        }
        Err(Error::Contended { operation: operation(place) })
    }

    /// The review and the mark where they are newest, at once.
    async fn look(&self, place: Place<'_>, mark: Option<MarkOf<'_>>) -> Result<Sight, Error> {
        let mark = async {
            match mark {
                Some(mark) => self.newest(place.product_id, &mark.document_id(place.customer_id)).await,
                None => Ok(None),
            }
        };
        let review = self.newest(place.product_id, place.customer_id.as_str());
        let (review, mark) = tokio::try_join!(review, mark)?;
        Ok(Sight { review, mark })
    }

    /// Writes all or nothing; the review's version, or `None` when somebody else wrote first.
    async fn write(
        &self,
        place: Place<'_>,
        mark: Option<MarkOf<'_>>,
        sight: &Sight,
        change: &Change,
        attempt: u32,
    ) -> Result<Option<Etag>, Error> {
        let (partition, id) = (place.product_id.as_str(), place.customer_id.as_str());
        let seen = sight.review.as_ref();
        let document = review_document(&change.review)?;
        let mut writes = vec![write(id, document, seen.map(|seen| &seen.etag))];
        if let (Some(of), Some(mark)) = (mark, &change.mark) {
            let id = of.document_id(place.customer_id);
            let document = mark_document(&id, place.product_id, mark)?;
            writes.push(write(&id, document, sight.mark.as_ref().map(|seen| &seen.etag)));
        }
        let is_posted = change.review.postings > seen.map_or(0, |seen| seen.value.postings);
        let announcement = Announcement::of_review(&change.review).filter(|_| is_posted);
        let announcement =
            announcement.map(|one| announced::write(Container::Reviews, place.product_id, &one));
        writes.extend(announcement.transpose()?);
        let (before, after) = (seen.and_then(|seen| seen.value.listed()), change.review.listed());
        if before == after {
            let written = self.cosmos.batch(Container::Reviews, partition, writes).await?;
            return Ok(first_etag(written));
        }
        // What is listed stays in the month in which it was written.
        let month = Month::of(change.review.created_at);
        let mut turn = self.turns.wait(place.product_id).await?;
        // Taken out: whatever goes wrong, the books are then read anew.
        let books = match turn.take() {
            Some(books) if books.are_of(month) => books,
            Some(_) | None => self.newest_books(place.product_id, month).await?,
        };
        let revision = match books.revision(before, after) {
            Ok(revision) => revision,
            Err(_) if attempt < OLD_SIGHTS_MAX => return Ok(None),
            Err(error) => {
                return Err(Error::Corrupt { operation: operation(place), detail: error.to_string() });
            }
        };
        let others = writes.len();
        writes.extend(books.writes(&revision)?);
        let written = self.cosmos.batch(Container::Reviews, partition, writes).await?;
        if let Batch::Done(etags) = &written {
            *turn = Some(books.written(revision, &etags[others..]));
        }
        Ok(first_etag(written))
    }

    async fn newest<T: DeserializeOwned>(
        &self,
        product_id: &ProductId,
        id: &str,
    ) -> Result<Option<Versioned<T>>, Error> {
        self.cosmos.read_newest(Container::Reviews, product_id.as_str(), id).await
    }
}

impl MarkOf<'_> {
    /// No id of a customer begins with an underscore or has a point, so this is nobody else's.
    fn document_id(self, customer_id: &CustomerId) -> String {
        match self {
            Self::Vote(voter_id) => format!("_vote.{customer_id}.{voter_id}"),
            Self::Report(reporter_id) => format!("_report.{customer_id}.{reporter_id}"),
        }
    }
}

/// The review's version when an earlier attempt, which seemed to fail, has written what it tried. Two who vote try the same
/// review; there the vote itself says whether it was written, to whoever decides.
fn written_before(sight: &Sight, tried: &Change) -> Option<Etag> {
    let review = sight.review.as_ref().filter(|review| review.value == tried.review)?;
    tried.mark.is_none().then(|| review.etag.clone())
}

fn write(id: &str, document: Document, seen: Option<&Etag>) -> Write {
    match seen {
        Some(etag) => Write::Replace(id.to_owned(), document, etag.clone()),
        None => Write::Create(document),
    }
}

fn first_etag(written: Batch) -> Option<Etag> {
    match written {
        Batch::Done(etags) => etags.into_iter().next(),
        Batch::Exists(_) | Batch::Changed(_) => None,
    }
}

fn rank(review: &Review) -> String {
    format!("{:010}-{}", review.helpful, time::text(review.created_at))
}

fn review_document(review: &Review) -> Result<Document, Error> {
    let place = (review.customer_id.as_str(), review.product_id.as_str());
    let stored = Stored {
        review,
        is_listed: review.listed().is_some(),
        rank: rank(review),
        reported: reported::Ranks::of(review),
    };
    Document::new(Container::Reviews, "review", place, None, &stored)
}

fn mark_document(id: &str, product_id: &ProductId, mark: &Mark) -> Result<Document, Error> {
    let ttl_s = mark.reaction.is_none().then_some(TAKEN_BACK_TTL_S);
    Document::new(Container::Reviews, "mark", (id, product_id.as_str()), ttl_s, mark)
}

fn operation(place: Place<'_>) -> String {
    format!("change the review of product {} by customer {}", place.product_id, place.customer_id)
}
