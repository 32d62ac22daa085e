//! Reviews that somebody has reported, across products, in the order in which staff look at them.
//!
//! Only a reported review has the properties that are asked for here, so the others cost nothing. Does not know what is done
//! with them.

use serde::{Deserialize, Serialize};

use super::Reviews;
use crate::domain::review::Review;
use crate::domain::time;
use crate::store::Error;
use crate::store::containers::Container;

/// Above every rank: those begin with a digit.
const ABOVE_ALL: &str = "~";

/// Which reported reviews.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Reported {
    /// Those that were reported since staff decided of them, if they ever did.
    Waiting,
    /// All others.
    Decided,
}

/// A place in the list: after the review with this rank.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Of which list.
    pub reported: Reported,
    /// The rank, which no other review has.
    pub rank: String,
}

/// The place of a review in one of the two lists; most have none.
#[derive(Debug, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Ranks {
    #[serde(skip_serializing_if = "Option::is_none")]
    waiting_rank: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    decided_rank: Option<String>,
}

impl Ranks {
    pub(super) fn of(review: &Review) -> Self {
        match (rank(review), review.awaits_decision()) {
            (waiting_rank, true) => Self { waiting_rank, decided_rank: None },
            (decided_rank, false) => Self { waiting_rank: None, decided_rank },
        }
    }
}

impl Reported {
    fn field(self) -> &'static str {
        match self {
            Self::Waiting => "c.waitingRank",
            Self::Decided => "c.decidedRank",
        }
    }

    /// The place of a review in this list.
    pub fn cursor(self, review: &Review) -> Cursor {
        Cursor { reported: self, rank: rank(review).unwrap_or_default() }
    }
}

/// Most reports first, of those the one that was last reported; no two reviews have the same.
fn rank(review: &Review) -> Option<String> {
    let reported_at = time::text(review.reported_at?);
    Some(format!("{:010}-{reported_at}-{}/{}", review.reports, review.product_id, review.customer_id))
}

impl Reviews {
    /// The reported reviews after this place, those with most reports first. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn reported(
        &self,
        reported: Reported,
        after: Option<&Cursor>,
        count_max: usize,
    ) -> Result<Vec<Review>, Error> {
        let field = reported.field();
        let text = format!("SELECT TOP {count_max} * FROM c WHERE {field} < @before ORDER BY {field} DESC");
        let before = after.map_or(ABOVE_ALL, |after| after.rank.as_str());
        let parameters = [("@before", before)];
        self.cosmos.query(Container::Reviews, None, (&text, &parameters), count_max).await
    }
}
