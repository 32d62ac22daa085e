//! Bringing many products in: each row creates its product or makes it what the row says, so that a file can be brought
//! in again, whole or from where it stopped.

use futures::{Stream, StreamExt, stream};

use crate::app::App;
use crate::app::catalogue::{Changed, Created};
use crate::domain::draft::Invalid;
use crate::domain::id::{ProductId, Sku};
use crate::domain::import::Row;
use crate::domain::product::{Details, Product};
use crate::store::Error;

/// Rows that are worked on side by side; each is a product of its own.
const AT_ONCE_MAX: usize = 8;

/// What came of a row.
#[derive(Debug, Clone)]
pub struct Imported {
    /// Which row.
    pub number: usize,
    /// Its product; `None` for a row that is invalid.
    pub id: Option<ProductId>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a row's product.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// It was new.
    Created,
    /// It was there and is now as the row says.
    Updated,
    /// It was as the row says.
    Unchanged,
    /// It cannot be as the row says.
    Invalid(Vec<Invalid>),
    /// It is not known; the row can be brought in again.
    Failed(Error),
}

impl App {
    /// Brings in the rows, and tells what came of each, in their order. One request for a row that
    /// changes nothing, else two, and one for each category and collection.
    pub fn import(&self, rows: Vec<Row>) -> impl Stream<Item = Imported> {
        stream::iter(rows).map(|row| self.import_row(row)).buffered(AT_ONCE_MAX)
    }

    async fn import_row(&self, row: Row) -> Imported {
        let number = row.number;
        let (sku, details) = match row.draft.and_then(|draft| draft.check()) {
            Ok(checked) => checked,
            Err(invalid) => return Imported { number, id: None, outcome: Outcome::Invalid(invalid) },
        };
        let id = Some(ProductId::of_sku(&sku));
        let outcome = self.create_or_change(sku, details).await.unwrap_or_else(Outcome::Failed);
        Imported { number, id, outcome }
    }

    async fn create_or_change(&self, sku: Sku, details: Details) -> Result<Outcome, Error> {
        let id = ProductId::of_sku(&sku);
        let overtaken = || Outcome::Failed(Error::Contended { operation: format!("bring in product {id}") });
        let change = |product: &Product| match product.details == details {
            true => Err(Outcome::Unchanged),
            false => Ok(details.clone()),
        };
        match self.change_product(&id, |_| true, change).await? {
            Ok(Changed::Done(_)) => return Ok(Outcome::Updated),
            Err(unchanged) => return Ok(unchanged),
            Ok(Changed::Invalid(invalid)) => return Ok(Outcome::Invalid(invalid)),
            Ok(Changed::Deleted) => {
                let deleted = Invalid::new("/sku", "is the SKU of a product that was deleted");
                return Ok(Outcome::Invalid(vec![deleted]));
            }
            Ok(Changed::Stale) => return Ok(overtaken()),
            Ok(Changed::NotFound) => {}
        }
        Ok(match self.create_product(sku, details, None).await? {
            Created::Done(_) | Created::Replayed(_) => Outcome::Created,
            Created::Invalid(invalid) => Outcome::Invalid(invalid),
            Created::Exists | Created::KeyReused => overtaken(),
        })
    }
}
