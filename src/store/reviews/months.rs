//! What reviews say by month, of some products or of all, and the reviews of a period.
//!
//! Reads only. What it reads is bounded by who asks.

use super::Reviews;
use crate::domain::id::ProductId;
use crate::domain::month::Period;
use crate::domain::review::summary::Monthly;
use crate::domain::review::{Rating, Review};
use crate::domain::time;
use crate::store::Error;
use crate::store::containers::Container;

/// Products that one query names.
const PRODUCTS_AT_ONCE: usize = 100;

impl Reviews {
    /// The months of a product within a period. One query within a partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn months_of(&self, product_id: &ProductId, period: Period) -> Result<Vec<Monthly>, Error> {
        let count_max = usize::try_from(period.months_len()).unwrap_or(usize::MAX);
        self.months_where("", &[], Some(product_id), period, count_max).await
    }

    /// The months of these products within a period, in no order. One query across partitions for each hundred
    /// products.
    ///
    /// # Errors
    /// [`Error`] when a query fails.
    pub async fn months_of_all(
        &self,
        product_ids: &[ProductId],
        period: Period,
        count_max: usize,
    ) -> Result<Vec<Monthly>, Error> {
        let mut found = Vec::new();
        for product_ids in product_ids.chunks(PRODUCTS_AT_ONCE) {
            let names: Vec<_> = (0..product_ids.len()).map(|at| format!("@p{at}")).collect();
            let products: Vec<_> =
                names.iter().map(String::as_str).zip(product_ids.iter().map(ProductId::as_str)).collect();
            let condition = format!(" AND c.productId IN ({})", names.join(", "));
            let free = count_max.saturating_sub(found.len());
            found.extend(self.months_where(&condition, &products, None, period, free).await?);
        }
        Ok(found)
    }

    /// The months of all products within a period, in no order. One query across partitions.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn months(&self, period: Period, count_max: usize) -> Result<Vec<Monthly>, Error> {
        self.months_where("", &[], None, period, count_max).await
    }

    async fn months_where(
        &self,
        condition: &str,
        products: &[(&str, &str)],
        product_id: Option<&ProductId>,
        period: Period,
        count_max: usize,
    ) -> Result<Vec<Monthly>, Error> {
        let text = format!("SELECT * FROM c WHERE c.month >= @from AND c.month <= @to{condition}");
        let (from, to) = (period.from.to_string(), period.to.to_string());
        let parameters = [&[("@from", from.as_str()), ("@to", to.as_str())], products].concat();
        let partition = product_id.map(ProductId::as_str);
        self.cosmos.query(Container::Reviews, partition, (&text, &parameters), count_max).await
    }

    /// The product's listed reviews with this rating that were written in the period, those first that most find helpful. One
    /// query within a partition.
    ///
    /// # Errors
    /// [`Error`] when the query fails.
    pub async fn rated(
        &self,
        product_id: &ProductId,
        rating: Rating,
        period: Period,
        count_max: usize,
    ) -> Result<Vec<Review>, Error> {
        let text = format!(
            "SELECT TOP {count_max} * FROM c WHERE c.isListed = true AND c.content.rating = {} \
             AND c.createdAt >= @from AND c.createdAt < @end ORDER BY c.rank DESC, c.id DESC",
            rating.number(),
        );
        let (from, end) = (time::text(period.from.start()), time::text(period.end()));
        let parameters = [("@from", from.as_str()), ("@end", end.as_str())];
        let partition = Some(product_id.as_str());
        self.cosmos.query(Container::Reviews, partition, (&text, &parameters), count_max).await
    }
}
