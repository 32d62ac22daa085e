//! A report of what reviews say over a period: what is read for it, and who is named in it.
//!
//! Reads bounded documents, however many reviews there are: months, not reviews. Knows nothing of how it is shown.

use futures::future::try_join_all;

use crate::app::App;
use crate::domain::collection::CollectionKind;
use crate::domain::id::{CollectionId, ProductId};
use crate::domain::insights::{DOCUMENTS_MAX, Insights, PRODUCTS_MAX, Ranked, Scope};
use crate::domain::month::Period;
use crate::domain::review::summary::{Monthly, Ratings};
use crate::domain::review::{Rating, Review};
use crate::store::Error;

/// What the reviews of a period say, with what people call the things in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What it is about.
    pub scope: Scope,
    /// Its name; empty for the whole shop.
    pub name: String,
    /// What they say.
    pub insights: Insights,
    /// Who does worst and best.
    pub extremes: Extremes,
}

/// The worst and the best, each beginning with the utmost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Extremes {
    /// Of a product its reviews, of equal ratings those that most find helpful.
    Reviews {
        /// Those rated 1 and 2.
        worst: Vec<Review>,
        /// Those rated 5 and 4.
        best: Vec<Review>,
    },
    /// Of anything else its products.
    Products {
        /// Those with the lowest means.
        worst: Vec<NamedProduct>,
        /// Those with the highest means.
        best: Vec<NamedProduct>,
    },
}

/// A product with its name and the ratings of the period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedProduct {
    /// Which one.
    pub product_id: ProductId,
    /// What it is called; its id where nobody knows any more.
    pub name: String,
    /// How its reviews rate.
    pub ratings: Ratings,
}

/// Why there is no report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReport {
    /// There is no such product.
    NoProduct,
    /// There is no such category.
    NoCategory,
    /// The category has more than [`PRODUCTS_MAX`] products.
    TooManyProducts,
    /// More than [`DOCUMENTS_MAX`] months of products would have to be read.
    TooManyMonths,
}

impl App {
    /// What reviews say over a period. Of a product: one request, one query for the months, and up to four for reviews. Of a
    /// category: two queries, one for each hundred products, and a request for each product that is named. Of the shop: one
    /// query, and the same.
    ///
    /// # Errors
    /// [`Error`] when something cannot be read.
    pub async fn review_insights(
        &self,
        scope: Scope,
        period: Period,
    ) -> Result<Result<Report, NoReport>, Error> {
        let found = match &scope {
            Scope::Product(product_id) => self.product_months(product_id, with_previous(period)).await?,
            Scope::Category(category_id) => self.category_months(category_id, with_previous(period)).await?,
            Scope::Shop => {
                let months = self.store.reviews.months(with_previous(period), DOCUMENTS_MAX + 1).await?;
                Ok((String::new(), months))
            }
        };
        let (name, months) = match found {
            Ok((_, months)) if months.len() > DOCUMENTS_MAX => return Ok(Err(NoReport::TooManyMonths)),
            Ok(found) => found,
            Err(why) => return Ok(Err(why)),
        };
        let insights = Insights::of(period, months);
        let extremes = match &scope {
            Scope::Product(product_id) => Extremes::Reviews {
                worst: self.rated(product_id, period, insights.worst_ratings()).await?,
                best: self.rated(product_id, period, insights.best_ratings()).await?,
            },
            Scope::Category(_) | Scope::Shop => Extremes::Products {
                worst: self.named(&insights.worst).await?,
                best: self.named(&insights.best).await?,
            },
        };
        Ok(Ok(Report { scope, name, insights, extremes }))
    }

    async fn product_months(
        &self,
        product_id: &ProductId,
        period: Period,
    ) -> Result<Result<(String, Vec<Monthly>), NoReport>, Error> {
        let Some(product) = self.store.products.recent(product_id, self.clock.now()).await? else {
            return Ok(Err(NoReport::NoProduct));
        };
        let months = self.store.reviews.months_of(product_id, period).await?;
        Ok(Ok((product.value.details.name.clone(), months)))
    }

    async fn category_months(
        &self,
        category_id: &CollectionId,
        period: Period,
    ) -> Result<Result<(String, Vec<Monthly>), NoReport>, Error> {
        let tree = self.store.collections.tree().await?;
        let category = tree.get(category_id).filter(|found| found.kind == CollectionKind::Category);
        let Some(category) = category else { return Ok(Err(NoReport::NoCategory)) };
        let category_ids = tree.with_descendants(category_id);
        let product_ids = self.store.products.ids_in(&category_ids, PRODUCTS_MAX + 1).await?;
        if product_ids.len() > PRODUCTS_MAX {
            return Ok(Err(NoReport::TooManyProducts));
        }
        let months = self.store.reviews.months_of_all(&product_ids, period, DOCUMENTS_MAX + 1).await?;
        Ok(Ok((category.name.clone(), months)))
    }

    async fn rated(
        &self,
        product_id: &ProductId,
        period: Period,
        ratings: Vec<(Rating, usize)>,
    ) -> Result<Vec<Review>, Error> {
        let reviews = &self.store.reviews;
        let looks =
            ratings.into_iter().map(|(rating, count)| reviews.rated(product_id, rating, period, count));
        Ok(try_join_all(looks).await?.into_iter().flatten().collect())
    }

    async fn named(&self, ranked: &[Ranked]) -> Result<Vec<NamedProduct>, Error> {
        let now = self.clock.now();
        let looks = ranked.iter().map(|Ranked { product_id, ratings }| async move {
            let product = self.store.products.recent(product_id, now).await?;
            let name = product
                .map_or_else(|| product_id.as_str().to_owned(), |product| product.value.details.name.clone());
            Ok(NamedProduct { product_id: product_id.clone(), name, ratings: *ratings })
        });
        try_join_all(looks).await
    }
}

/// The period and the one before it, with which it is compared.
fn with_previous(period: Period) -> Period {
    Period { from: period.previous().from, ..period }
}
