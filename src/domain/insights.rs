//! What reviews say over a period, of a product, a category or the whole shop: figures, their course, words, and the products
//! that do worst and best.
//!
//! Adds up months of products. Does not know where they come from.

use std::collections::BTreeMap;

use crate::domain::id::{CollectionId, ProductId};
use crate::domain::month::{Month, Period};
use crate::domain::review::Rating;
use crate::domain::review::summary::{Monthly, Ratings};

/// Months of a period when nothing is said.
pub const MONTHS_DEFAULT: u32 = 12;
/// Most months of a period.
pub const MONTHS_MAX: u32 = 36;
/// Most products of a category that are looked at.
pub const PRODUCTS_MAX: usize = 1000;
/// Most months of products that are added up, those of the previous period included.
pub const DOCUMENTS_MAX: usize = 6000;
/// Most words that are named.
pub const TERMS_MAX: usize = 20;
/// Reviews that have to mention a word before it is named: of one review it would be a quotation.
pub const MENTIONS_MIN: u64 = 2;
/// Most products that are named as worst, and as best.
pub const RANKED_MAX: usize = 5;
/// Reviews that a product needs to be one of these.
pub const RANKED_REVIEWS_MIN: u64 = 3;
/// Most reviews that are shown as worst, and as best.
pub const REVIEWS_MAX: usize = 3;

/// What is asked about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Everything.
    Shop,
    /// The products of a category and of those below it, as they are now.
    Category(CollectionId),
    /// One product.
    Product(ProductId),
}

/// A product with the ratings of a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ranked {
    /// Which product.
    pub product_id: ProductId,
    /// How its reviews of the period rate.
    pub ratings: Ratings,
}

/// What the reviews say that were written in a period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insights {
    /// The period.
    pub period: Period,
    /// All of it.
    pub total: Ratings,
    /// The previous period of equal length.
    pub previous: Ratings,
    /// Each month of the period.
    pub months: Vec<(Month, Ratings)>,
    /// The words that most reviews mention, and how many do; at most [`TERMS_MAX`].
    pub terms: Vec<(String, u64)>,
    /// Of the worse half of the products those with the lowest means, the worst first; at most [`RANKED_MAX`].
    pub worst: Vec<Ranked>,
    /// Of the better half those with the highest means, the best first; at most [`RANKED_MAX`].
    pub best: Vec<Ranked>,
}

impl Insights {
    /// What these months of products say of the period and the previous one; others are left out.
    pub fn of(period: Period, documents: impl IntoIterator<Item = Monthly>) -> Self {
        let mut months: BTreeMap<Month, Ratings> =
            period.months().map(|month| (month, Ratings::default())).collect();
        let mut previous = Ratings::default();
        let mut products: BTreeMap<ProductId, Ratings> = BTreeMap::new();
        let mut terms: BTreeMap<String, u64> = BTreeMap::new();
        for document in documents {
            if period.previous().contains(document.month) {
                previous = previous.plus(document.ratings);
            }
            let Some(month) = months.get_mut(&document.month) else { continue };
            *month = month.plus(document.ratings);
            for (term, count) in document.terms.iter() {
                *terms.entry(term.to_owned()).or_default() += u64::from(count);
            }
            let product = products.entry(document.product_id).or_default();
            *product = product.plus(document.ratings);
        }
        let total = months.values().fold(Ratings::default(), |sum, month| sum.plus(*month));
        let (worst, best) = worst_and_best(products);
        Self {
            period,
            total,
            previous,
            months: months.into_iter().collect(),
            terms: most_mentioned(terms),
            worst,
            best,
        }
    }

    /// By how many reviews there are more than in the previous period, or fewer.
    pub fn count_change(&self) -> i64 {
        let signed = |ratings: Ratings| i64::try_from(ratings.count()).unwrap_or(i64::MAX);
        signed(self.total) - signed(self.previous)
    }

    /// By how many hundredths the mean is higher than in the previous period; `None` when either has no reviews.
    pub fn mean_change_hundredths(&self) -> Option<i32> {
        let signed = |ratings: Ratings| ratings.mean_hundredths().and_then(|mean| i32::try_from(mean).ok());
        Some(signed(self.total)? - signed(self.previous)?)
    }

    /// Of which ratings how many reviews are the worst: those rated 1 and 2, lowest first.
    pub fn worst_ratings(&self) -> Vec<(Rating, usize)> {
        self.first_of([Rating::ALL[0], Rating::ALL[1]])
    }

    /// Of which ratings how many reviews are the best: those rated 5 and 4, highest first.
    pub fn best_ratings(&self) -> Vec<(Rating, usize)> {
        self.first_of([Rating::ALL[4], Rating::ALL[3]])
    }

    fn first_of(&self, ratings: [Rating; 2]) -> Vec<(Rating, usize)> {
        let mut free = REVIEWS_MAX;
        let shares = ratings.map(|rating| {
            let count = usize::try_from(self.total.of(rating)).unwrap_or(REVIEWS_MAX).min(free);
            free -= count;
            (rating, count)
        });
        shares.into_iter().filter(|(_, count)| *count > 0).collect()
    }
}

fn most_mentioned(terms: BTreeMap<String, u64>) -> Vec<(String, u64)> {
    let mut terms: Vec<_> = terms.into_iter().filter(|(_, count)| *count >= MENTIONS_MIN).collect();
    // Stable, so that those which are equal stay in the order of the alphabet.
    terms.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    terms.truncate(TERMS_MAX);
    terms
}

/// The products on either side of the middle of all ratings, each from outside.
fn worst_and_best(products: BTreeMap<ProductId, Ratings>) -> (Vec<Ranked>, Vec<Ranked>) {
    let enough = products.into_iter().filter(|(_, ratings)| ratings.count() >= RANKED_REVIEWS_MIN);
    let mut ranked: Vec<_> = enough.map(|(product_id, ratings)| Ranked { product_id, ratings }).collect();
    // Of equal means, what more reviews say stands further outside; here for the best.
    let key = |one: &Ranked| (one.ratings.mean_hundredths(), one.ratings.count());
    ranked.sort_by_key(|one| std::cmp::Reverse(key(one)));
    let best_len = ranked.partition_point(|one| one.ratings.mean_hundredths() >= Some(MIDDLE_HUNDREDTHS));
    let mut worst = ranked.split_off(best_len);
    worst.sort_by_key(|one| (one.ratings.mean_hundredths(), std::cmp::Reverse(one.ratings.count())));
    worst.truncate(RANKED_MAX);
    ranked.truncate(RANKED_MAX);
    (worst, ranked)
}

/// The mean, in hundredths, from which on a product is among the best and not among the worst.
const MIDDLE_HUNDREDTHS: u32 = 300;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::review::Content;

    fn month(text: &str) -> Month {
        Month::parse(text).unwrap()
    }

    fn monthly(product: &str, text: &str, reviews: &[(usize, &str)]) -> Monthly {
        let product_id = ProductId::parse(product).unwrap();
        reviews.iter().fold(Monthly::empty(&product_id, month(text)), |monthly, (rating, text)| {
            let content =
                Content { rating: Rating::ALL[rating - 1], title: (*text).into(), text: String::new() };
            monthly.revised(None, Some(&content)).unwrap()
        })
    }

    fn insights(documents: impl IntoIterator<Item = Monthly>) -> Insights {
        Insights::of(Period { from: month("2026-01"), to: month("2026-03") }, documents)
    }

    fn ids(ranked: &[Ranked]) -> Vec<&str> {
        ranked.iter().map(|one| one.product_id.as_str()).collect()
    }

    #[test]
    fn period_is_the_sum_of_its_months_beside_the_one_before() {
        let insights = insights([
            monthly("a", "2025-09", &[(1, "")]),
            monthly("a", "2025-10", &[(2, "")]),
            monthly("b", "2025-12", &[(2, "")]),
            monthly("a", "2026-01", &[(5, ""), (4, "")]),
            monthly("b", "2026-01", &[(4, "")]),
            monthly("a", "2026-03", &[(1, "")]),
            monthly("a", "2026-04", &[(1, "")]),
        ]);
        assert_eq!((insights.total, insights.previous), (Ratings([1, 0, 0, 2, 1]), Ratings([0, 2, 0, 0, 0])));
        let counts: Vec<_> = insights.months.iter().map(|(_, ratings)| ratings.count()).collect();
        assert_eq!(counts, [3, 0, 1]);
        assert_eq!((insights.count_change(), insights.mean_change_hundredths()), (2, Some(150)));
    }

    #[test]
    fn change_of_the_mean_needs_two_means() {
        let insights = insights([monthly("a", "2025-12", &[(2, "")])]);
        assert_eq!((insights.count_change(), insights.mean_change_hundredths()), (-1, None));
    }

    #[test]
    fn words_are_added_up_and_those_of_one_review_left_out() {
        let insights = insights([
            monthly("a", "2026-01", &[(5, "quiet motor"), (4, "quiet")]),
            monthly("b", "2026-02", &[(5, "quiet handle"), (4, "motor lasts")]),
            monthly("b", "2025-12", &[(5, "lasts")]),
        ]);
        assert_eq!(insights.terms, [("quiet".to_owned(), 3), ("motor".to_owned(), 2)]);
    }

    #[test]
    fn worst_and_best_have_enough_reviews_and_are_not_the_same() {
        let all = |product: &str, rating| monthly(product, "2026-02", &[(rating, ""); 3]);
        let few = insights([all("a", 3), monthly("few", "2026-01", &[(1, ""), (1, "")])]);
        assert_eq!((ids(&few.worst), ids(&few.best)), (vec![], vec!["a"]));
        let bad = insights([all("a", 1)]);
        assert_eq!((ids(&bad.worst), ids(&bad.best)), (vec!["a"], vec![]));
        let many = insights(
            [("a", 1), ("b", 5), ("c", 2), ("d", 4), ("e", 3), ("f", 5), ("g", 3)]
                .map(|(product, rating)| all(product, rating))
                .into_iter()
                .chain([monthly("f", "2026-01", &[(5, "")])]),
        );
        assert_eq!(ids(&many.best), ["f", "b", "d", "e", "g"]);
        assert_eq!(ids(&many.worst), ["a", "c"]);
        let crowd = insights((b'a'..=b'z').map(|letter| all(&char::from(letter).to_string(), 4)));
        assert_eq!((crowd.worst.len(), crowd.best.len()), (0, RANKED_MAX));
    }

    #[test]
    fn worst_reviews_are_of_the_lowest_ratings_that_there_are() {
        let insights =
            insights([monthly("a", "2026-02", &[(1, ""), (2, ""), (2, ""), (2, ""), (3, ""), (4, "")])]);
        let numbers = |ratings: Vec<(Rating, usize)>| -> Vec<_> {
            ratings.into_iter().map(|(rating, count)| (rating.number(), count)).collect()
        };
        assert_eq!(numbers(insights.worst_ratings()), [(1, 1), (2, 2)]);
        assert_eq!(numbers(insights.best_ratings()), [(4, 1)]);
    }
}
