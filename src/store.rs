//! What the shop remembers: one file per Cosmos container, with the verbs of the shop.
//!
//! A write tells what came of it as a value (written, overtaken, refused); an [`Error`] means that it is not known or
//! could not be tried. Knows nothing of HTTP, queues or what is done next.

use std::sync::Arc;

use crate::config::CosmosConfig;

pub mod announced;
pub mod audits;
pub mod collections;
pub mod containers;
pub mod cosmos;
pub mod customers;
pub mod disclosures;
#[cfg(feature = "emulator")]
pub mod emulator;
pub mod keys;
#[cfg(feature = "emulator")]
pub mod leases;
pub mod notifications;
pub mod orders;
pub mod partners;
mod pause;
pub mod products;
mod recent;
pub mod reviews;
pub mod stock;
pub mod sweeps;
pub mod webhooks;

/// All containers; a clone shares the connection.
#[derive(Clone, Debug)]
pub struct Store {
    /// Orders and their events.
    pub orders: orders::Orders,
    /// Counts, reservations and adjustments.
    pub stock: stock::StockLedger,
    /// The same as an auditor reads them.
    pub audits: audits::Audits,
    /// The catalogue.
    pub products: products::Products,
    /// How far the sweep of the pictures has come.
    pub sweeps: sweeps::Sweeps,
    /// Categories and collections.
    pub collections: collections::Collections,
    /// Idempotency keys in use.
    pub keys: keys::Keys,
    /// Who may order.
    pub customers: customers::Customers,
    /// Reviews of products.
    pub reviews: reviews::Reviews,
    /// Contracts with partners.
    pub partners: partners::Partners,
    /// What left for partners.
    pub disclosures: disclosures::Disclosures,
    /// Change feeds as a host reads them, and how far it has come.
    #[cfg(feature = "emulator")]
    pub leases: leases::Leases,
    /// Which mails were sent.
    pub notifications: notifications::Notifications,
    /// Where others want to hear of what happens.
    pub webhooks: webhooks::Webhooks,
    /// What is on its way there.
    pub deliveries: webhooks::deliveries::Deliveries,
    cosmos: Arc<cosmos::Cosmos>,
}

impl Store {
    /// A store that connects when it is first used, so that starting costs nothing.
    pub fn connect(config: &CosmosConfig) -> Self {
        Self::over(cosmos::Cosmos::lazy(config))
    }

    /// A store over an emulator in this process.
    #[cfg(feature = "emulator")]
    pub fn embedded(emulator: Arc<emulator::Emulator>, database: &str) -> Self {
        Self::over(cosmos::Cosmos::embedded(emulator, database))
    }

    fn over(cosmos: cosmos::Cosmos) -> Self {
        let cosmos = Arc::new(cosmos);
        let stock = stock::StockLedger::new(Arc::clone(&cosmos));
        Self {
            orders: orders::Orders::new(Arc::clone(&cosmos)),
            audits: audits::Audits::new(Arc::clone(&cosmos), stock.clone()),
            stock,
            products: products::Products::new(Arc::clone(&cosmos)),
            sweeps: sweeps::Sweeps::new(Arc::clone(&cosmos)),
            collections: collections::Collections::new(Arc::clone(&cosmos)),
            keys: keys::Keys::new(Arc::clone(&cosmos)),
            customers: customers::Customers::new(Arc::clone(&cosmos)),
            reviews: reviews::Reviews::new(Arc::clone(&cosmos)),
            partners: partners::Partners::new(Arc::clone(&cosmos)),
            disclosures: disclosures::Disclosures::new(Arc::clone(&cosmos)),
            #[cfg(feature = "emulator")]
            leases: leases::Leases::new(Arc::clone(&cosmos)),
            notifications: notifications::Notifications::new(Arc::clone(&cosmos)),
            webhooks: webhooks::Webhooks::new(Arc::clone(&cosmos)),
            deliveries: webhooks::deliveries::Deliveries::new(Arc::clone(&cosmos)),
            cosmos,
        }
    }

    /// Asks the database for anything, to know that it answers. One request.
    ///
    /// # Errors
    /// When it does not; a retry may help.
    pub async fn ping(&self) -> Result<(), Error> {
        self.products.contains_nothing_called_ping().await
    }

    /// In what a container differs from its definition. When in nothing, a document under this id, which nothing else has, is
    /// written, read and deleted again. Four requests.
    ///
    /// # Errors
    /// When the container is not there, does not answer, or may not be used from here.
    pub async fn check_container(
        &self,
        container: containers::Container,
        marker: &str,
    ) -> Result<Vec<String>, Error> {
        let differences = self.cosmos.differences(container).await?;
        if differences.is_empty() {
            self.cosmos.try_access(container, marker).await?;
        }
        Ok(differences)
    }

    /// Creates the database and its containers where they do not exist. For the emulator only: in Azure they are
    /// created with the account, and the handler's identity may not.
    ///
    /// # Errors
    /// When the emulator refuses or cannot be reached.
    #[cfg(feature = "emulator")]
    pub async fn create_containers(&self) -> Result<(), Error> {
        self.cosmos.create_containers().await
    }
}

/// A value and the version it was read at; a write with this version fails when somebody else wrote since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Versioned<T> {
    /// What was read.
    pub value: T,
    /// Its version.
    pub etag: Etag,
}

/// The version of a document, as Cosmos names it: opaque, with its quotes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Etag(String);

impl Etag {
    /// A version as it came from Cosmos or from an `If-Match` header.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text, with its quotes.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What came of a write that names the version it builds on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Written<T> {
    /// It is stored, in this version.
    Done(Versioned<T>),
    /// Somebody else wrote first (or our own earlier attempt did): read again.
    Overtaken,
}

impl<T> Written<T> {
    /// The same outcome for another value.
    fn map<U>(self, value: impl FnOnce(T) -> U) -> Written<U> {
        match self {
            Self::Done(Versioned { value: old, etag }) => {
                Written::Done(Versioned { value: value(old), etag })
            }
            Self::Overtaken => Written::Overtaken,
        }
    }
}

/// What the client says of an error; shared by those who asked together.
pub type Cause = Arc<dyn std::error::Error + Send + Sync>;

/// Why it is not known what the store holds, or whether a write took effect. A clone is for those who asked together.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The store did not answer, was busy, or answered too late; the write may have happened. A retry helps.
    #[error("cannot {operation}: the store does not answer")]
    Unavailable {
        /// What was tried, for which id.
        operation: String,
        /// What the client says.
        source: Cause,
    },
    /// The store understood and said no: wrong settings, missing rights, a missing container. A retry helps only after
    /// somebody has changed that.
    #[error("cannot {operation}: the store refuses")]
    Refused {
        /// What was tried, for which id.
        operation: String,
        /// What the client says.
        source: Cause,
    },
    /// A document is not what this program writes, or contradicts another. A retry does not help.
    #[error("cannot {operation}: what the store holds makes no sense: {detail}")]
    Corrupt {
        /// What was tried, for which id.
        operation: String,
        /// What does not fit.
        detail: String,
    },
    /// Others kept changing the same document first. A retry helps.
    #[error("cannot {operation}: too many others write at once")]
    Contended {
        /// What was tried, for which id.
        operation: String,
    },
}

impl Error {
    /// The same in other words: the id of a document may say who somebody is, and errors are logged.
    fn told_as(self, operation: &str) -> Self {
        let operation = operation.to_owned();
        match self {
            Self::Unavailable { operation: _, source } => Self::Unavailable { operation, source },
            Self::Refused { operation: _, source } => Self::Refused { operation, source },
            Self::Corrupt { operation: _, detail } => Self::Corrupt { operation, detail },
            Self::Contended { operation: _ } => Self::Contended { operation },
        }
    }
}
