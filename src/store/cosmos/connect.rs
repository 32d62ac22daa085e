//! Connecting: which account, as whom, from which region first.
//!
//! Does not know what is asked of the account afterwards.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use azure_data_cosmos::options::{Region, RoutingStrategy};
use azure_data_cosmos::{
    AccountEndpoint, AccountReference, CosmosClient, CosmosClientBuilder, CosmosRuntimeBuilder,
};
use futures::FutureExt;
use futures::future::BoxFuture;

use super::meaning::{failed, said};
use crate::config::{CosmosConfig, Endpoint};
use crate::credential::credential;
use crate::store::Error;
#[cfg(feature = "emulator")]
use crate::store::emulator::Emulator;

/// An account to connect to.
#[derive(Debug)]
pub(super) enum Account {
    /// The one that the settings name.
    Configured(CosmosConfig),
    /// The emulator in this process.
    #[cfg(feature = "emulator")]
    Embedded(Arc<Emulator>),
}

impl Account {
    /// A client of the account. Asks it for its regions: one request, and one for a token.
    ///
    /// # Errors
    /// [`Error::Refused`] when the settings or this machine do not allow it, [`Error::Unavailable`] when it does not
    /// answer.
    pub(super) async fn connect(&self) -> Result<CosmosClient, Error> {
        // The HTTP client panics on a machine without CA certificates; that is for the operator to read, not a crash.
        let building: BoxFuture<'_, _> = Box::pin(self.build());
        match AssertUnwindSafe(building).catch_unwind().await {
            Ok(client) => client,
            Err(_) => Err(Error::Refused {
                operation: "connect to Cosmos DB".to_owned(),
                source: said("no TLS client can be made: does this machine have CA certificates?"),
            }),
        }
    }

    async fn build(&self) -> Result<CosmosClient, Error> {
        // A runtime of its own, not the one that the SDK shares between all clients of a program: what this account is
        // like is nobody else's to remember.
        let (runtime, account, routing) = match self {
            Self::Configured(config) => (CosmosRuntimeBuilder::new(), account(config)?, routing(config)),
            #[cfg(feature = "emulator")]
            Self::Embedded(emulator) => {
                let runtime = CosmosRuntimeBuilder::from(emulator.runtime_builder());
                (runtime, with_emulator_key(emulator.endpoint())?, routing_anywhere())
            }
        };
        let runtime = runtime.build().await;
        let runtime = runtime.map_err(|error| failed("start the Cosmos DB client".to_owned(), error))?;
        let builder = CosmosClientBuilder::new().with_runtime(runtime);
        let client = builder.build(account, routing).await;
        client.map_err(|error| failed("connect to Cosmos DB".to_owned(), error))
    }
}

fn account(config: &CosmosConfig) -> Result<AccountReference, Error> {
    match &config.endpoint {
        Endpoint::Azure(address) => {
            let credential = credential(&config.identity).map_err(|error| Error::Refused {
                operation: "sign in to Azure".to_owned(),
                source: Arc::new(error),
            })?;
            Ok(AccountReference::with_credential(parse_endpoint(address)?, credential))
        }
        #[cfg(feature = "emulator")]
        Endpoint::Loopback(address) => with_emulator_key(address),
        #[cfg(feature = "emulator")]
        Endpoint::Embedded => Err(Error::Corrupt {
            operation: "connect to Cosmos DB".to_owned(),
            detail: "an embedded emulator is given, not configured".to_owned(),
        }),
    }
}

#[cfg(feature = "emulator")]
fn with_emulator_key(address: &str) -> Result<AccountReference, Error> {
    Ok(AccountReference::with_authentication_key(parse_endpoint(address)?, crate::store::emulator::KEY))
}

fn parse_endpoint(address: &str) -> Result<AccountEndpoint, Error> {
    address.parse().map_err(|error| failed("read the account's address".to_owned(), error))
}

fn routing(config: &CosmosConfig) -> RoutingStrategy {
    match &config.region {
        Some(region) => RoutingStrategy::ProximityTo(Region::from(region.clone())),
        None => routing_anywhere(),
    }
}

/// The account's own order of regions.
fn routing_anywhere() -> RoutingStrategy {
    RoutingStrategy::PreferredRegions(Vec::new())
}
