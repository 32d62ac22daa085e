//! What the functions need, in one cheap clone, and the few things that more than one of them does.
//!
//! Knows nothing of HTTP, queues or envelopes.

use std::ops::Deref;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};

use crate::app::images::Images;
use crate::auth::Auth;
use crate::blob::Blobs;
use crate::config::{AuthConfig, Config};
use crate::domain::webhook::Reach;
use crate::mail::Mailer;
use crate::outbound::Outbound;
use crate::sources::{Clock, Ids};
use crate::store::Store;

pub mod audit;
pub mod catalogue;
pub mod customers;
pub mod deliver;
pub mod erasure;
pub mod images;
pub mod import;
pub mod insights;
pub mod notify;
pub mod partners;
pub mod place;
pub mod pull;
pub mod reviews;
mod revision;
pub mod sweep;
pub mod transition;
pub mod webhooks;

/// The shop at work; a clone shares everything. It is a single pointer, because the router clones it several times for each
/// request, on all cores at once.
#[derive(Clone, Debug)]
pub struct App(Arc<Parts>);

/// What the functions need.
#[derive(Clone, Debug)]
pub struct Parts {
    /// What it remembers.
    pub store: Store,
    /// The pictures of the products.
    pub images: Images,
    /// Who may call.
    pub auth: Auth,
    /// Who sends mails.
    pub mailer: Mailer,
    /// The way to the receivers of webhooks.
    pub outbound: Outbound,
    /// What time it is.
    pub clock: Clock,
    /// Where new ids come from.
    pub ids: Ids,
    started_at: DateTime<Utc>,
}

impl Deref for App {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl AsRef<Auth> for App {
    fn as_ref(&self) -> &Auth {
        &self.auth
    }
}

impl App {
    /// The shop over any store, without a place for pictures, where nobody can sign in or gets mails.
    pub fn new(store: Store, clock: Clock, ids: Ids) -> Self {
        let started_at = clock.now();
        let images = Images::new(Blobs::unset(), None);
        let auth = Auth::new(&AuthConfig::nobody(), clock.clone());
        let (mailer, outbound) = (Mailer::unset(), Outbound::new(Reach::Public));
        Self(Arc::new(Parts { store, images, auth, mailer, outbound, clock, ids, started_at }))
    }

    /// The same shop for callers whom these settings name.
    pub fn with_auth(self, config: &AuthConfig) -> Self {
        let auth = Auth::new(config, self.clock.clone());
        Self(Arc::new(Parts { auth, ..Parts::clone(&self) }))
    }

    /// The same shop with a place for pictures.
    pub fn with_images(self, images: Images) -> Self {
        Self(Arc::new(Parts { images, ..Parts::clone(&self) }))
    }

    /// The same shop with somebody who sends mails.
    pub fn with_mailer(self, mailer: Mailer) -> Self {
        Self(Arc::new(Parts { mailer, ..Parts::clone(&self) }))
    }

    /// The same shop with another way to the receivers of webhooks.
    pub fn with_outbound(self, outbound: Outbound) -> Self {
        Self(Arc::new(Parts { outbound, ..Parts::clone(&self) }))
    }

    /// The shop over the store that the settings name. Connects at the first request.
    pub fn connect(config: &Config) -> Self {
        Self::over(Store::connect(&config.cosmos), config)
    }

    /// The shop over this store, and with all else that the settings name.
    pub fn over(store: Store, config: &Config) -> Self {
        let reach = if config.development { Reach::ThisMachine } else { Reach::Public };
        Self::new(store, Clock::system(), Ids::random())
            .with_images(Images::connect(&config.images))
            .with_mailer(Mailer::connect(&config.mail))
            .with_auth(&config.auth)
            .with_outbound(Outbound::new(reach))
    }

    /// How long it has been at work.
    pub fn uptime(&self) -> TimeDelta {
        self.clock.now() - self.started_at
    }
}
