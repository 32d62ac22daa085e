//! One mail about one event, however often the event is heard, whoever dies in between, and whoever hears it at the same time.
//!
//! A record of the mail is written before it is sent: who wrote it sends, and others come again later. When its time is up,
//! whoever comes takes over at the version that was read, and asks whether the mail was taken before sending it anew. What a
//! mail says, and to whom it goes, is read from the store at that moment. Does not know how an event is delivered.

use std::future::Future;

use chrono::TimeDelta;

use crate::app::App;
use crate::domain::announcement::{Announcement, News, StockNews};
use crate::domain::id::OrderId;
use crate::domain::notification::{AGE_MAX, Notification, OrderNotice, Progress, SkipReason, Timing};
use crate::mail::letter::{Letter, Unwritable};
use crate::mail::{self, Fate, Mail};
use crate::store::{self, Etag, Versioned, Written};

/// Why it is not known that the mail was sent, or never will be.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store of documents failed. A retry may help.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The mail could not be sent. A retry may help.
    #[error(transparent)]
    Mail(#[from] mail::Error),
    /// Somebody else is sending it, or was faster. A retry helps.
    #[error("cannot send the mail about event {id}: somebody else is at it")]
    Taken {
        /// The event's id.
        id: String,
    },
    /// What was read is older than the event. A retry helps.
    #[error("cannot write the mail about event {id}: the order is not yet as the event says")]
    Early {
        /// The event's id.
        id: String,
    },
    /// It cannot be written. A retry does not help.
    #[error(transparent)]
    Letter(#[from] Unwritable),
    /// The event's id cannot be the id of a document. A retry does not help.
    #[error("cannot keep a record of an event: its id is none of ours")]
    NoId,
}

/// A mail, or why there is none.
type Draft = Result<Mail, SkipReason>;

impl App {
    /// Sends the customer the mail about their order, if this is something that they are told of, once. Three reads and two
    /// writes, and the mail.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn notify_customer(&self, heard: &Announcement) -> Result<(), Error> {
        let Some((notice, order_id)) = OrderNotice::of(&heard.news) else { return Ok(()) };
        let draft = self.draft_to_customer(heard, notice, order_id);
        Box::pin(self.mail_once(heard, order_id.as_str(), draft)).await
    }

    /// Sends the staff the mail about a product that is running out, once. Two reads and two writes, and the mail.
    ///
    /// # Errors
    /// [`Error`].
    pub async fn warn_low_stock(&self, heard: &Announcement) -> Result<(), Error> {
        let News::StockLow(stock) = &heard.news else { return Ok(()) };
        let StockNews { product_id, available, low_water } = stock;
        let Some(staff) = self.mailer.staff().filter(|_| self.mailer.is_set()) else {
            tracing::warn!(%product_id, available, low_water, "stock is low");
            return Ok(());
        };
        Box::pin(self.mail_once(heard, product_id.as_str(), self.draft_to_staff(staff, stock))).await
    }

    /// Has the mail about this event sent, unless that was done or is being done. The draft is written only when it is needed.
    async fn mail_once(
        &self,
        heard: &Announcement,
        subject_id: &str,
        draft: impl Future<Output = Result<Draft, Error>>,
    ) -> Result<(), Error> {
        let (now, kind) = (self.clock.now(), heard.news.kind());
        if !self.mailer.is_set() || now - heard.at > AGE_MAX {
            tracing::info!(event_id = heard.id, kind, "no mail is sent: MAIL is not set, or it is too late");
            return Ok(());
        }
        let until = now + TimeDelta::from_std(self.mailer.lease()).unwrap_or(TimeDelta::MAX);
        let begun = Notification::about(heard, subject_id, Progress::Sending { until }, now);
        let begun = begun.ok_or(Error::NoId)?;
        let seen = self.store.notifications.newest(subject_id, &heard.id).await?;
        match seen.as_ref().map(|seen| &seen.value.progress) {
            None => {}
            Some(Progress::Sending { until }) if now >= *until => {}
            Some(Progress::Sending { .. }) => return Err(Error::Taken { id: heard.id.clone() }),
            Some(Progress::Sent | Progress::Rejected { .. } | Progress::Skipped { .. }) => return Ok(()),
        }
        let seen = seen.map(|seen| seen.etag);
        let mail = match draft.await? {
            Ok(mail) => mail,
            Err(reason) => {
                tracing::info!(event_id = heard.id, kind, ?reason, "no mail is sent");
                let skipped = begun.at(Progress::Skipped { reason }, now);
                return self.keep(seen.as_ref(), &skipped).await.map(|_| ());
            }
        };
        // The time begins to run now, not when the reading began.
        let until = self.clock.now() + TimeDelta::from_std(self.mailer.lease()).unwrap_or(TimeDelta::MAX);
        let begun = begun.at(Progress::Sending { until }, self.clock.now());
        let begun = self.keep(seen.as_ref(), &begun).await?;
        self.send(begun, &mail, seen.is_some()).await
    }

    /// Sends a mail whose record says that we do. After somebody else who had begun, it may be on its way already.
    async fn send(
        &self,
        begun: Versioned<Notification>,
        mail: &Mail,
        is_repeated: bool,
    ) -> Result<(), Error> {
        let Versioned { value: begun, etag } = begun;
        let operation_id = &begun.operation_id;
        let known = if is_repeated { self.mailer.ask(operation_id).await? } else { None };
        let fate = match known {
            Some(fate) => fate,
            None => match self.mailer.send(operation_id, mail).await {
                Ok(fate) => fate,
                Err(error) => {
                    if let mail::Error::Busy { .. } = error {
                        // Nothing was taken, so nobody has to wait. If this fails, they wait, which costs time only.
                        let now = self.clock.now();
                        drop(self.keep(Some(&etag), &begun.at(Progress::Sending { until: now }, now)).await);
                    }
                    return Err(error.into());
                }
            },
        };
        let (event_id, kind) = (&begun.id, &begun.kind);
        let progress = match fate {
            Fate::Taken => {
                tracing::info!(event_id, kind, %operation_id, "a mail was sent");
                Progress::Sent
            }
            Fate::Rejected { code } => {
                tracing::error!(event_id, kind, %operation_id, code, "a mail was rejected");
                Progress::Rejected { code }
            }
        };
        self.keep(Some(&etag), &begun.at(progress, self.clock.now())).await.map(|_| ())
    }

    /// Writes the record, if it still is as it was seen.
    async fn keep(
        &self,
        seen: Option<&Etag>,
        record: &Notification,
    ) -> Result<Versioned<Notification>, Error> {
        match self.store.notifications.write(seen, record).await? {
            Written::Done(written) => Ok(written),
            Written::Overtaken => Err(Error::Taken { id: record.id.clone() }),
        }
    }

    async fn draft_to_customer(
        &self,
        heard: &Announcement,
        notice: OrderNotice,
        order_id: &OrderId,
    ) -> Result<Draft, Error> {
        let Some(order) = self.store.orders.find(order_id).await? else {
            return Ok(Err(SkipReason::NoOrder));
        };
        let order = order.value;
        match notice.timing(order.status) {
            Timing::Right => {}
            Timing::TooLate => return Ok(Err(SkipReason::TooLate)),
            Timing::TooEarly => return Err(Error::Early { id: heard.id.clone() }),
        }
        let Some(customer) = self.store.customers.find(&order.customer_id).await? else {
            return Ok(Err(SkipReason::NoCustomer));
        };
        let details = customer.value.details;
        let letter = Letter::about_order(notice, &order, &details.name)?;
        Ok(Ok(Mail { to: details.email.as_str().to_owned(), letter, written_at: self.clock.now() }))
    }

    async fn draft_to_staff(&self, staff: &str, stock: &StockNews) -> Result<Draft, Error> {
        let product = self.store.products.find(&stock.product_id).await?;
        let name = product.as_ref().map(|product| product.value.details.name.as_str());
        let letter = Letter::about_stock(stock, name)?;
        Ok(Ok(Mail { to: staff.to_owned(), letter, written_at: self.clock.now() }))
    }
}
