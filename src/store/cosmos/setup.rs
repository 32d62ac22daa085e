//! Making the database and its containers, as they are declared. For the emulator only: in Azure they come with the
//! account, and the handler's identity may not make any.

use azure_data_cosmos::models::{
    CompositeIndex, CompositeIndexOrder, CompositeIndexProperty, ContainerProperties, IndexingMode,
    IndexingPolicy, TimeToLive,
};
use azure_data_cosmos::{CosmosClient, CosmosError};

use super::failed;
use crate::store::Error;
use crate::store::containers::Container;

/// Creates what does not exist.
pub(super) async fn create_containers(client: &CosmosClient, database: &str) -> Result<(), Error> {
    let unless_it_exists = |error: CosmosError, operation: String| match error.status().is_conflict() {
        true => Ok(()),
        false => Err(failed(operation, error)),
    };
    if let Err(error) = client.create_database(database, None).await {
        unless_it_exists(error, format!("create database {database}"))?;
    }
    let client = client.database_client(database.to_owned());
    for container in Container::ALL {
        if let Err(error) = client.create_container(properties(container), None).await {
            unless_it_exists(error, format!("create container {}", container.definition().name))?;
        }
    }
    Ok(())
}

/// A container's definition as the client wants it.
fn properties(container: Container) -> ContainerProperties {
    let definition = container.definition();
    let mut indexing =
        IndexingPolicy::default().with_indexing_mode(IndexingMode::Consistent).with_excluded_path("/*");
    indexing.automatic = true;
    for path in definition.indexed {
        indexing = indexing.with_included_path(*path);
    }
    for paths in definition.ordered_by {
        let index = paths.iter().fold(CompositeIndex::default(), |index, path| {
            index.with_property(CompositeIndexProperty::new(*path, CompositeIndexOrder::Descending))
        });
        indexing = indexing.with_composite_index(index);
    }
    let partition_key = format!("/{}", definition.partition_key);
    let properties =
        ContainerProperties::new(definition.name, partition_key.into()).with_indexing_policy(indexing);
    if definition.expires { properties.with_default_ttl(TimeToLive::NoDefault) } else { properties }
}
