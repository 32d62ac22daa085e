//! Whose turn it is to change a product's books: in one process one after the other, so that they do not overtake each
//! other. Other processes are seen by the version of the document.
//!
//! Nobody does another's work: whoever is called off only lets the next one go. Does not know what is written.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex as Turn, OwnedMutexGuard};
use tokio::time::timeout;

use super::books::Books;
use crate::domain::id::ProductId;
use crate::store::Error;

/// Products whose books are remembered; beyond that, those for which nobody waits are forgotten.
const PRODUCTS_MAX: usize = 512;
/// Longest that somebody waits for their turn before they are told to come back.
const WAIT_MAX: Duration = Duration::from_secs(15);

/// One turn for each product that was reviewed lately, with the books if nothing spoke against them.
#[derive(Debug, Default)]
pub(super) struct Turns(Mutex<HashMap<ProductId, Arc<Turn<Option<Books>>>>>);

impl Turns {
    /// Waits for the turn; it ends with what is given.
    pub(super) async fn wait(&self, product_id: &ProductId) -> Result<OwnedMutexGuard<Option<Books>>, Error> {
        let turn = self.of(product_id);
        let operation = || format!("change the reviews of product {product_id}");
        timeout(WAIT_MAX, turn.lock_owned()).await.map_err(|_| Error::Contended { operation: operation() })
    }

    fn of(&self, product_id: &ProductId) -> Arc<Turn<Option<Books>>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if turns.len() >= PRODUCTS_MAX && !turns.contains_key(product_id) {
            turns.retain(|_, turn| Arc::strong_count(turn) > 1);
        }
        Arc::clone(turns.entry(product_id.clone()).or_default())
    }
}
