//! An audit: the books of some products, and the orders that wait too long. Reports, and repairs nothing.

use futures::{StreamExt, TryStreamExt, stream};

use crate::app::App;
use crate::domain::audit::{AuditReport, ORDERS_MAX, PRODUCTS_MAX, WAIT_MAX};
use crate::domain::id::ProductId;
use crate::store::Error;
use crate::store::audits::Books;

/// Products that are looked at side by side.
const AT_ONCE_MAX: usize = 8;

impl App {
    /// Audits the orders, in two queries, and the products after this one, at most [`PRODUCTS_MAX`]: one query, and some
    /// four requests for each.
    ///
    /// # Errors
    /// [`Error`] when something cannot be read.
    pub async fn audit(&self, after: Option<&ProductId>) -> Result<AuditReport, Error> {
        let now = self.clock.now();
        let late = self.store.audits.late(now - WAIT_MAX, ORDERS_MAX).await?;
        let left = self.store.audits.left(now, ORDERS_MAX).await?;
        Ok(AuditReport { late, left, ..self.audit_products(after).await? })
    }

    /// The same without the orders, which one look finds for all parts of the catalogue.
    ///
    /// # Errors
    /// [`Error`] when something cannot be read.
    pub async fn audit_products(&self, after: Option<&ProductId>) -> Result<AuditReport, Error> {
        let at = self.clock.now();
        let products = self.store.products.page(after, PRODUCTS_MAX).await?;
        let next_after =
            products.last().filter(|_| products.len() == PRODUCTS_MAX).map(|last| last.id.clone());
        let looks = products.into_iter().map(|product| async move {
            let books = Box::pin(self.store.audits.books(&product.id)).await?;
            Ok::<_, Error>((product.id, books))
        });
        let looks: Vec<_> = stream::iter(looks).buffered(AT_ONCE_MAX).try_collect().await?;
        let mut report = AuditReport {
            at,
            products: looks.len(),
            next_after,
            busy: Vec::new(),
            differences: Vec::new(),
            late: Vec::new(),
            left: Vec::new(),
        };
        for (product_id, books) in looks {
            match books {
                Books::Still(ledger) => report.differences.extend(ledger.difference()),
                Books::Busy => report.busy.push(product_id),
                Books::None => {}
            }
        }
        Ok(report)
    }
}
