//! Looking whether a container is as it is declared, and whether this program may read and write there.
//!
//! What it writes is a marker of no kind that anybody reads; it is deleted again.

use azure_data_cosmos::models::TimeToLive;
use azure_data_cosmos::options::ReadContainerOptions;
use serde_json::{Value, json};

use super::meaning::{corrupt, failed};
use super::{Cosmos, Document, operation_options};
use crate::store::containers::Container;
use crate::store::{Error, Versioned, Written};

/// After which a marker that could not be deleted vanishes, where documents can.
const MARKER_TTL_S: u32 = 60;

impl Cosmos {
    /// In what the container differs from its definition. One request.
    ///
    /// # Errors
    /// [`Error`] when that cannot be known.
    pub async fn differences(&self, container: Container) -> Result<Vec<String>, Error> {
        let definition = container.definition();
        let operation = || format!("read how container {} is made", definition.name);
        let client = self.container(container).await?;
        let options = ReadContainerOptions::default().with_operation_options(operation_options());
        let answer = client.read(Some(options)).await.map_err(|error| failed(operation(), error))?;
        let made = answer.into_model().map_err(|_| corrupt(operation()))?;
        let mut differences = Vec::new();
        let partition_key = format!("/{}", definition.partition_key);
        if !made.partition_key.paths().iter().eq([partition_key.as_str()]) {
            let found = made.partition_key.paths().join(", ");
            differences.push(format!("its partition key is {found} and should be {partition_key}"));
        }
        let (expires, should) = match definition.expires {
            true => (TimeToLive::NoDefault, "on without a default (-1)"),
            false => (TimeToLive::Forever, "off"),
        };
        if made.default_ttl != expires {
            differences.push(format!("its time to live should be {should}"));
        }
        Ok(differences)
    }

    /// Writes a document under this id, which nothing else has, reads it and deletes it again. Three requests.
    ///
    /// # Errors
    /// [`Error`] when one of them fails.
    pub async fn try_access(&self, container: Container, id: &str) -> Result<(), Error> {
        let marker = Document::new(container, "marker", (id, id), Some(MARKER_TTL_S), &json!({}))?;
        if let Written::Done(Versioned { etag, .. }) = self.create(container, id, marker).await? {
            self.read::<Value>(container, id, id).await?;
            self.delete(container, (id, id), &etag).await?;
        }
        Ok(())
    }
}

#[cfg(all(test, feature = "emulator"))]
mod tests {
    use std::sync::Arc;

    use azure_data_cosmos::models::ContainerProperties;

    use super::*;
    use crate::store::emulator::Emulator;

    #[tokio::test]
    async fn container_that_is_made_otherwise_is_told_and_the_marker_leaves_nothing() {
        drop(rustls::crypto::ring::default_provider().install_default());
        let cosmos = Cosmos::embedded(Arc::new(Emulator::in_process().unwrap()), "widgetco");
        let client = cosmos.client().await.unwrap();
        client.create_database("widgetco", None).await.unwrap();
        let database = client.database_client("widgetco".to_owned());
        let strange = ContainerProperties::new("orders", "/id".into());
        database.create_container(strange, None).await.unwrap();
        cosmos.create_containers().await.unwrap();
        let differences = cosmos.differences(Container::Orders).await.unwrap();
        let [key, ttl] = &differences[..] else { panic!("{differences:?}") };
        assert!(key.contains("is /id and should be /partition"), "{key}");
        assert!(ttl.contains("-1"), "{ttl}");
        for container in Container::ALL.into_iter().filter(|container| *container != Container::Orders) {
            assert_eq!(cosmos.differences(container).await.unwrap(), Vec::<String>::new());
            cosmos.try_access(container, "_marker").await.unwrap();
            assert_eq!(cosmos.read::<Value>(container, "_marker", "_marker").await.unwrap(), None);
        }
    }
}
