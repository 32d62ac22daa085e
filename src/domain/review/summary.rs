//! What the listed reviews of a product say together: in all, and of each month.
//!
//! Every change of a review says what it does to both, so that they never drift. Does not know how they are written, only that
//! they are written with the review.

use serde::{Deserialize, Serialize};

use super::terms::{Terms, terms_of};
use super::{Content, RATINGS, Rating};
use crate::domain::id::ProductId;
use crate::domain::month::Month;

/// How many reviews gave each rating, the worst first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Ratings(pub [u32; RATINGS]);

/// The books do not hold what the review says they do: one of them was read too early, or they are broken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the summary contradicts the review")]
pub struct Contradiction;

impl Ratings {
    /// The counts after a review changed from `before` to `after`.
    ///
    /// # Errors
    /// [`Contradiction`] when they do not count `before`.
    pub fn revised(self, before: Option<Rating>, after: Option<Rating>) -> Result<Self, Contradiction> {
        let mut counts = self.0;
        if let Some(before) = before {
            let count = &mut counts[before.index()];
            *count = count.checked_sub(1).ok_or(Contradiction)?;
        }
        if let Some(after) = after {
            let count = &mut counts[after.index()];
            *count = count.checked_add(1).ok_or(Contradiction)?;
        }
        Ok(Self(counts))
    }

    /// These and others together.
    pub fn plus(self, other: Self) -> Self {
        let mut counts = self.0;
        for (count, more) in counts.iter_mut().zip(other.0) {
            *count = count.saturating_add(more);
        }
        Self(counts)
    }

    /// How many reviews there are.
    pub fn count(self) -> u64 {
        self.0.iter().map(|count| u64::from(*count)).sum()
    }

    /// How many gave this rating.
    pub fn of(self, rating: Rating) -> u32 {
        self.0[rating.index()]
    }

    /// The mean rating in hundredths, rounded to the nearest; `None` without reviews.
    pub fn mean_hundredths(self) -> Option<u32> {
        let of_each = Rating::ALL.into_iter().zip(self.0);
        let sum: u64 = of_each.map(|(rating, count)| u64::from(rating.number()) * u64::from(count)).sum();
        let count = self.count();
        (sum * 100 + count / 2).checked_div(count).and_then(|mean| u32::try_from(mean).ok())
    }
}

/// How many listed reviews of a product gave each rating. Changed only together with a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Summary {
    /// What is reviewed.
    pub product_id: ProductId,
    /// How many gave each rating.
    pub ratings: Ratings,
}

/// What the listed reviews of a product say that were written in one month. Changed only together with a review.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Monthly {
    /// What is reviewed.
    pub product_id: ProductId,
    /// In which month.
    pub month: Month,
    /// How many gave each rating.
    pub ratings: Ratings,
    /// What they mention.
    pub terms: Terms,
}

impl Summary {
    /// The summary of no reviews.
    pub fn empty(product_id: &ProductId) -> Self {
        Self { product_id: product_id.clone(), ratings: Ratings::default() }
    }

    /// The summary after a review changed what it says from `before` to `after`, as far as it is listed.
    ///
    /// # Errors
    /// [`Contradiction`] when it does not count `before`.
    pub fn revised(&self, before: Option<&Content>, after: Option<&Content>) -> Result<Self, Contradiction> {
        let ratings = self.ratings.revised(before.map(rating), after.map(rating))?;
        Ok(Self { ratings, ..self.clone() })
    }
}

impl Monthly {
    /// A month without reviews.
    pub fn empty(product_id: &ProductId, month: Month) -> Self {
        let (ratings, terms) = (Ratings::default(), Terms::default());
        Self { product_id: product_id.clone(), month, ratings, terms }
    }

    /// The month after a review of this month changed what it says from `before` to `after`, as far as it is listed.
    ///
    /// # Errors
    /// [`Contradiction`] when it does not count `before`.
    pub fn revised(&self, before: Option<&Content>, after: Option<&Content>) -> Result<Self, Contradiction> {
        let ratings = self.ratings.revised(before.map(rating), after.map(rating))?;
        let terms_of = |content: Option<&Content>| content.map(terms_of).unwrap_or_default();
        let terms = self.terms.revised(&terms_of(before), &terms_of(after));
        Ok(Self { ratings, terms, ..self.clone() })
    }
}

fn rating(content: &Content) -> Rating {
    content.rating
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use chrono::{DateTime, TimeDelta, Utc};
    use proptest::prelude::{prop_assert_eq, proptest};

    use super::*;
    use crate::domain::id::CustomerId;
    use crate::domain::review::{Review, ReviewStatus};

    const WORDS: [&str; 4] = ["quiet", "quiet widget", "broke", ""];

    fn product() -> ProductId {
        ProductId::parse("w").unwrap()
    }

    fn content(rating: usize, text: &str) -> Content {
        Content { rating: Rating::ALL[rating], title: "Good".into(), text: text.into() }
    }

    #[test]
    fn mean_is_rounded_from_whole_numbers() {
        assert_eq!(Ratings([0; RATINGS]).mean_hundredths(), None);
        assert_eq!(Ratings([1, 0, 0, 0, 2]).mean_hundredths(), Some(367));
        assert_eq!(Ratings([0, 0, 0, 1, 2]).mean_hundredths(), Some(467));
        assert_eq!(Ratings([0, 0, 0, 2, 1]).mean_hundredths(), Some(433));
        assert_eq!(Ratings([u32::MAX; RATINGS]).mean_hundredths(), Some(300));
    }

    #[test]
    fn summary_that_does_not_count_a_review_is_a_contradiction() {
        let summary = |ratings| Summary { ratings: Ratings(ratings), ..Summary::empty(&product()) };
        let (one, two) = (content(0, ""), content(1, ""));
        assert_eq!(summary([1, 0, 0, 0, 0]).revised(Some(&two), None), Err(Contradiction));
        assert_eq!(summary([u32::MAX, 0, 0, 0, 0]).revised(None, Some(&one)), Err(Contradiction));
        let month = Monthly::empty(&product(), Month::of(DateTime::UNIX_EPOCH));
        assert_eq!(month.revised(Some(&one), None), Err(Contradiction));
    }

    proptest! {
        /// Who does what with which rating and words, and how many days later.
        #[test]
        fn summary_and_months_are_what_the_reviews_say_whatever_happens(
            moves in proptest::collection::vec((0..6_usize, 0..4_u8, 0..5_usize, 0..4_usize, 0..20_i64), 0..80),
        ) {
            let mut now = DateTime::<Utc>::UNIX_EPOCH;
            let mut reviews: [Option<Review>; 6] = Default::default();
            let mut summary = Summary::empty(&product());
            let mut months = BTreeMap::new();
            for (who, what, rating, words, days) in moves {
                now += TimeDelta::days(days);
                let customer = CustomerId::parse(&format!("c{who}")).unwrap();
                let before = reviews[who].clone();
                let after = match (what, &before) {
                    (0, _) | (_, None) => {
                        let said = content(rating, WORDS[words]);
                        Review::written(before.as_ref(), (&product(), &customer), said, false, now)
                    }
                    (1, Some(review)) => review.withdrawn(now),
                    (2, Some(review)) => review.moderated(ReviewStatus::Hidden, "x".into(), now),
                    (_, Some(review)) => review.moderated(ReviewStatus::Published, "x".into(), now),
                };
                let listed = before.as_ref().and_then(Review::listed);
                summary = summary.revised(listed, after.listed()).unwrap();
                let month = Month::of(after.created_at);
                let monthly = months.remove(&month).unwrap_or_else(|| Monthly::empty(&product(), month));
                months.insert(month, monthly.revised(listed, after.listed()).unwrap());
                reviews[who] = Some(after);

                let mut expected: BTreeMap<_, _> =
                    months.keys().map(|month| (*month, Monthly::empty(&product(), *month))).collect();
                let mut total = Ratings::default();
                for review in reviews.iter().flatten().filter(|review| review.listed().is_some()) {
                    let month = expected.get_mut(&Month::of(review.created_at)).unwrap();
                    *month = month.revised(None, review.listed()).unwrap();
                    total = total.revised(None, review.listed().map(super::rating)).unwrap();
                }
                prop_assert_eq!(&months, &expected);
                prop_assert_eq!(summary.ratings, total);
                let sum = months.values().fold(Ratings::default(), |sum, month| sum.plus(month.ratings));
                prop_assert_eq!(sum, summary.ratings);
            }
        }
    }
}
