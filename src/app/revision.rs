//! Changing a product: read, decide, write at that version, and again when somebody else was faster.
//!
//! Does not know which change is wanted.

use crate::app::App;
use crate::domain::id::ProductId;
use crate::domain::product::Product;
use crate::store::{Error, Versioned, Written};

/// Attempts against others who change the same product, before the caller is told to come back.
const ATTEMPTS_MAX: u32 = 8;

impl App {
    /// Makes the product what `decide` finds right for it as it is; or gives the answer with which `decide` leaves it alone,
    /// and `missing` when there is none. Two requests when nobody else writes, and those of `decide`.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be changed, and calling again is safe.
    pub(super) async fn revise_product<A, D>(
        &self,
        id: &ProductId,
        missing: A,
        decide: impl Fn(Versioned<Product>) -> D,
    ) -> Result<Result<Versioned<Product>, A>, Error>
    where
        D: Future<Output = Result<Result<Product, A>, Error>>,
    {
        let mut attempted: Option<Product> = None;
        for _ in 0..ATTEMPTS_MAX {
            let seen = match &attempted {
                None => self.store.products.find(id).await?,
                // Near by it may be what it was, again and again.
                Some(_) => self.store.products.newest(id).await?,
            };
            let Some(seen) = seen else { return Ok(Err(missing)) };
            if attempted.as_ref() == Some(&seen.value) {
                // It was written, and only seemed to be overtaken, by the client's own second try.
                return Ok(Ok(seen));
            }
            let (etag, revision) = (seen.etag.clone(), seen.value.revision.saturating_add(1));
            let product = match decide(seen).await? {
                Ok(product) => Product { revision, ..product },
                Err(answer) => return Ok(Err(answer)),
            };
            if let Written::Done(product) = self.store.products.replace(&etag, &product).await? {
                return Ok(Ok(product));
            }
            attempted = Some(product);
        }
        Err(Error::Contended { operation: format!("change product {id}") })
    }
}
