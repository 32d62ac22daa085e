//! Keeping webhooks: creating, changing, giving another secret, deleting.

use crate::app::App;
use crate::app::catalogue::{Changed, Created};
use crate::domain::creation::Creation;
use crate::domain::draft::Invalid;
use crate::domain::id::WebhookId;
use crate::domain::webhook::draft::Status;
use crate::domain::webhook::signature::Secret;
use crate::domain::webhook::{Terms, WEBHOOKS_MAX, Webhook};
use crate::store::containers::Container;
use crate::store::{Error, Etag, Written};

/// Attempts against others who write the same webhook, before the caller is told to come back.
const ATTEMPTS_MAX: u32 = 8;

impl App {
    /// Adds a webhook, up to [`WEBHOOKS_MAX`]. A request that comes again under its key finds what it created, as it is now. One
    /// query, one request, and one more with a key.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be there, and calling again with a key is safe.
    pub async fn create_webhook(
        &self,
        terms: Terms,
        status: Status,
        creation: Option<Creation>,
    ) -> Result<Created<Webhook>, Error> {
        let id = match &creation {
            Some(creation) => WebhookId::derive(&creation.key, &creation.request),
            None => WebhookId::from_chance(self.ids.bytes16()),
        };
        let mut invalid = self.check_address(&terms);
        if self.store.webhooks.page(None, WEBHOOKS_MAX).await?.len() >= WEBHOOKS_MAX {
            let detail = format!("there are {WEBHOOKS_MAX} already, the most there may be");
            invalid.push(Invalid::sense("", detail));
        }
        if invalid.is_empty() {
            if !self.has_key(Container::Webhooks, creation.as_ref()).await? {
                return Ok(Created::KeyReused);
            }
            let secret = Secret::from_chance(self.ids.bytes32());
            let is_disabled = status == Status::Disabled;
            let mut webhook = Webhook::new(id.clone(), terms, is_disabled, secret, self.clock.now());
            webhook.creation.clone_from(&creation);
            if let Written::Done(webhook) = self.store.webhooks.create(&webhook).await? {
                return Ok(Created::Done(webhook));
            }
        }
        match self.store.webhooks.newest(&id).await? {
            // Also created just now, when it only seemed to exist by the client's own second try.
            Some(earlier) if earlier.value.creation == creation => Ok(Created::Replayed(earlier)),
            _ if !invalid.is_empty() => Ok(Created::Invalid(invalid)),
            Some(_) => Ok(Created::Exists),
            None => Err(Error::Contended { operation: format!("create webhook {id}") }),
        }
    }

    /// Gives a webhook these terms if the caller `allows` its version. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have them, and calling again is safe.
    pub async fn change_webhook(
        &self,
        id: &WebhookId,
        allows: impl Fn(&Etag) -> bool,
        terms: &Terms,
        status: Status,
    ) -> Result<Changed<Webhook>, Error> {
        let invalid = self.check_address(terms);
        if !invalid.is_empty() {
            return Ok(Changed::Invalid(invalid));
        }
        let is_disabled = status == Status::Disabled;
        let change = |webhook: &Webhook| webhook.with_terms(terms.clone(), is_disabled, self.clock.now());
        self.revise_webhook(id, allows, change).await
    }

    /// Gives a webhook another secret if the caller `allows` its version. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may have another one, and calling again is safe: the old one still signs.
    pub async fn rotate_webhook_secret(
        &self,
        id: &WebhookId,
        allows: impl Fn(&Etag) -> bool,
    ) -> Result<Changed<Webhook>, Error> {
        let secret = Secret::from_chance(self.ids.bytes32());
        self.revise_webhook(id, allows, |webhook| webhook.rotated(secret.clone(), self.clock.now())).await
    }

    /// Deletes a webhook if the caller `allows` its version. Two requests.
    ///
    /// # Errors
    /// [`Error`]; with [`Error::Unavailable`] it may be deleted, and calling again is safe.
    pub async fn delete_webhook(
        &self,
        id: &WebhookId,
        allows: impl Fn(&Etag) -> bool,
    ) -> Result<Changed<Webhook>, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(seen) = self.store.webhooks.newest(id).await? else { return Ok(Changed::NotFound) };
            if !allows(&seen.etag) {
                return Ok(Changed::Stale);
            }
            if self.store.webhooks.delete(id, &seen.etag).await? {
                return Ok(Changed::Done(seen));
            }
        }
        Err(Error::Contended { operation: format!("delete webhook {id}") })
    }

    /// What is wrong with where it leads, as far as that is known before anything is sent there.
    fn check_address(&self, terms: &Terms) -> Vec<Invalid> {
        let refused = self.outbound.refuses(&terms.url);
        refused.then(|| Invalid::sense("/url", "is not on the public internet")).into_iter().collect()
    }

    async fn revise_webhook(
        &self,
        id: &WebhookId,
        allows: impl Fn(&Etag) -> bool,
        change: impl Fn(&Webhook) -> Webhook,
    ) -> Result<Changed<Webhook>, Error> {
        for _ in 0..ATTEMPTS_MAX {
            let Some(seen) = self.store.webhooks.newest(id).await? else { return Ok(Changed::NotFound) };
            if !allows(&seen.etag) {
                return Ok(Changed::Stale);
            }
            let next = change(&seen.value);
            if next == seen.value {
                return Ok(Changed::Done(seen));
            }
            if let Written::Done(webhook) = self.store.webhooks.replace(&seen.etag, &next).await? {
                return Ok(Changed::Done(webhook));
            }
        }
        Err(Error::Contended { operation: format!("change webhook {id}") })
    }
}
