//! The shop's store as the host on a laptop reads it: changes of its containers, and how far each function has come.

use std::sync::Arc;

use crate::local::{ChangeSource, Changes, Place};
use crate::store::Store;
use crate::store::containers::Container;
use crate::store::cosmos::feed::Start;

/// The changes of a store whose database has this name.
pub(super) fn source(store: &Store, database: &str) -> ChangeSource {
    let [reading, loading, saving] = [0; 3].map(|_| store.leases.clone());
    ChangeSource {
        database: database.to_owned(),
        containers: Container::ALL.map(|container| container.definition().name.to_owned()).into(),
        lease_container: Container::Leases.definition().name.to_owned(),
        read: Arc::new(move |name, place, count_max| {
            let leases = reading.clone();
            Box::pin(async move {
                let named = |container: &Container| container.definition().name == name;
                let container = Container::ALL.into_iter().find(named);
                let container = container.ok_or_else(|| format!("there is no container `{name}`"))?;
                let start = match &place {
                    Place::Beginning => Start::Beginning,
                    Place::Now => Start::Now,
                    Place::After(place) => Start::After(place),
                };
                let (documents, place) = leases.changes(container, start, count_max).await?;
                Ok(Changes { documents, place })
            })
        }),
        load: Arc::new(move |lease| {
            let leases = loading.clone();
            Box::pin(async move { Ok(leases.place(&lease).await?) })
        }),
        save: Arc::new(move |lease, place| {
            let leases = saving.clone();
            Box::pin(async move { Ok(leases.keep(&lease, place).await?) })
        }),
    }
}
