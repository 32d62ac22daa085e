//! Agreeing on a contract with a partner.

use crate::app::App;
use crate::domain::id::PartnerId;
use crate::domain::partner::{Partner, Secret, Terms};
use crate::store::{Error, Etag, Versioned, Written};

/// Attempts against others who write the same partner, before the caller is told to come back.
const ATTEMPTS_MAX: u32 = 8;

impl App {
    /// Gives a partner these terms if the caller `allows` its version, or `None` for a partner that is not there yet; `None`
    /// when not. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have them, and calling again is safe.
    pub async fn agree(
        &self,
        id: &PartnerId,
        terms: &Terms,
        allows: impl Fn(Option<&Etag>) -> bool,
    ) -> Result<Option<Versioned<Partner>>, Error> {
        let partners = &self.store.partners;
        for _ in 0..ATTEMPTS_MAX {
            let now = self.clock.now();
            let seen = partners.newest(id).await?;
            if !allows(seen.as_ref().map(|seen| &seen.etag)) {
                return Ok(None);
            }
            let written = match seen {
                None => {
                    let secret = Secret::from_chance(self.ids.bytes16());
                    partners.create(&Partner::new(id.clone(), terms.clone(), secret, now)).await?
                }
                Some(seen) => {
                    let next = seen.value.with_terms(terms.clone(), now);
                    if next == seen.value {
                        return Ok(Some(seen));
                    }
                    partners.replace(&seen.etag, &next).await?
                }
            };
            if let Written::Done(partner) = written {
                return Ok(Some(partner));
            }
        }
        Err(Error::Contended { operation: format!("agree with partner {id}") })
    }
}
