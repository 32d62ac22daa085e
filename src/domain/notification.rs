//! Mails about what happened: which events have one, when an order has gone on so far that one makes no sense any more, and
//! how far the one mail about an event has come.
//!
//! Holds nothing personal, so it may stay when a customer is erased. Does not know what a mail says, nor how it is sent.

use std::fmt;

use chrono::{DateTime, TimeDelta, Utc};
use data_encoding::HEXLOWER;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::domain::announcement::{Announcement, News};
use crate::domain::id::OrderId;
use crate::domain::order::Status;

/// Nobody is told of what happened longer ago: whoever begins to listen does not mail the past.
pub const AGE_MAX: TimeDelta = TimeDelta::days(3);
/// Longest id of an event, in characters.
pub const EVENT_ID_CHARS_MAX: usize = 200;

/// What a customer is told of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderNotice {
    /// All its pieces are held.
    Confirmed,
    /// It came to nothing.
    Failed,
    /// It left the house.
    Shipped,
    /// It was called off.
    Cancelled,
}

/// Whether there is something to say of an order as it is now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Timing {
    /// It is as announced, or was and has gone on.
    Right,
    /// It has gone on so far that the news would only confuse.
    TooLate,
    /// It is not yet what was announced: what was read is older than the news.
    TooEarly,
}

impl OrderNotice {
    /// What a customer is told of this, and of which order; `None` for what is no customer's affair.
    pub fn of(news: &News) -> Option<(Self, &OrderId)> {
        match news {
            News::OrderConfirmed(order) => Some((Self::Confirmed, &order.order_id)),
            News::OrderFailed(failure) => Some((Self::Failed, &failure.order.order_id)),
            News::OrderShipped(shipment) => Some((Self::Shipped, &shipment.order.order_id)),
            News::OrderCancelled(order) => Some((Self::Cancelled, &order.order_id)),
            News::ProductCreated(_)
            | News::ProductUpdated(_)
            | News::ProductDeleted(_)
            | News::OrderPlaced(_)
            | News::StockLow(_)
            | News::ReviewPosted(_) => None,
        }
    }

    /// Whether to tell it of an order that has come so far. A confirmation is still true of one that has shipped, and is what
    /// people keep; of one that was called off it would only raise hopes.
    pub fn timing(self, status: Status) -> Timing {
        match (self, status) {
            (Self::Confirmed, Status::Confirmed | Status::Shipped)
            | (Self::Failed, Status::Failed)
            | (Self::Shipped, Status::Shipped)
            | (Self::Cancelled, Status::Cancelled) => Timing::Right,
            (_, Status::Pending) | (Self::Shipped | Self::Cancelled, Status::Confirmed) => Timing::TooEarly,
            (Self::Confirmed, Status::Failed | Status::Cancelled)
            | (Self::Failed, Status::Confirmed | Status::Shipped | Status::Cancelled)
            | (Self::Shipped, Status::Failed | Status::Cancelled)
            | (Self::Cancelled, Status::Failed | Status::Shipped) => Timing::TooLate,
        }
    }
}

/// The name of one mail for whoever sends it: always the same for the same event. A UUID.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OperationId(String);

impl OperationId {
    /// The name of the mail about this event.
    pub fn of(event_id: &str) -> Self {
        let mut bytes = Sha256::digest(event_id);
        // Version 8 (of our own making) and the variant of RFC 9562.
        bytes[6] = bytes[6] & 0x0f | 0x80;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let hex = HEXLOWER.encode(&bytes[..16]);
        Self(format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OperationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The one mail about an event, and how far it has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Notification {
    /// The event's id.
    pub id: String,
    /// The order or product that it is about.
    pub subject_id: String,
    /// What happened.
    pub kind: String,
    /// Under which name it is sent.
    pub operation_id: OperationId,
    /// How far it has come.
    #[serde(flatten)]
    pub progress: Progress,
    /// When this was written.
    #[serde(with = "crate::domain::time")]
    pub updated_at: DateTime<Utc>,
}

/// How far a mail has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "camelCase", rename_all_fields = "camelCase")]
pub enum Progress {
    /// Somebody is sending it, and nobody else does before this moment.
    Sending {
        /// When others may take over.
        #[serde(with = "crate::domain::time")]
        until: DateTime<Utc>,
    },
    /// Whoever delivers mails has taken it.
    Sent,
    /// They will never take it.
    Rejected {
        /// Their word for why.
        code: String,
    },
    /// None was sent.
    Skipped {
        /// Why.
        reason: SkipReason,
    },
}

/// Why there is no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SkipReason {
    /// The order does not exist.
    NoOrder,
    /// The customer does not exist, or was erased.
    NoCustomer,
    /// The order has gone on so far that it makes no sense any more.
    TooLate,
}

impl Notification {
    /// The mail about this announcement; `None` when its id cannot be the id of a document.
    pub fn about(
        heard: &Announcement,
        subject_id: &str,
        progress: Progress,
        now: DateTime<Utc>,
    ) -> Option<Self> {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"/\\?#".contains(&byte);
        let id = &heard.id;
        ((1..=EVENT_ID_CHARS_MAX).contains(&id.len()) && id.bytes().all(is_plain)).then(|| Self {
            id: id.clone(),
            subject_id: subject_id.to_owned(),
            kind: heard.news.kind().to_owned(),
            operation_id: OperationId::of(id),
            progress,
            updated_at: now,
        })
    }

    /// The same, so far.
    pub fn at(&self, progress: Progress, now: DateTime<Utc>) -> Self {
        Self { progress, updated_at: now, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::announcement::StockNews;
    use crate::domain::id::ProductId;

    #[test]
    fn operation_is_the_same_uuid_for_the_same_event_alone() {
        let (one, other) = (OperationId::of("order-confirmed"), OperationId::of("order-shipped"));
        assert_eq!(one, OperationId::of("order-confirmed"));
        assert_ne!(one, other);
        let parts: Vec<_> = one.as_str().split('-').map(str::len).collect();
        assert_eq!(parts, [8, 4, 4, 4, 12]);
        assert!(one.as_str().as_bytes()[14] == b'8' && b"89ab".contains(&one.as_str().as_bytes()[19]));
    }

    #[test]
    fn news_are_told_when_they_are_true_and_never_after_the_opposite() {
        use Timing::{Right, TooEarly, TooLate};
        // Pending, confirmed, failed, shipped, cancelled.
        let table = [
            (OrderNotice::Confirmed, [TooEarly, Right, TooLate, Right, TooLate]),
            (OrderNotice::Failed, [TooEarly, TooLate, Right, TooLate, TooLate]),
            (OrderNotice::Shipped, [TooEarly, TooEarly, TooLate, Right, TooLate]),
            (OrderNotice::Cancelled, [TooEarly, TooEarly, TooLate, TooLate, Right]),
        ];
        let all = [Status::Pending, Status::Confirmed, Status::Failed, Status::Shipped, Status::Cancelled];
        for (notice, expected) in table {
            assert_eq!(all.map(|status| notice.timing(status)), expected, "{notice:?}");
        }
    }

    #[test]
    fn record_names_the_event_and_reads_back_and_takes_no_id_that_is_none() {
        let product_id = ProductId::parse("w").unwrap();
        let news = News::StockLow(StockNews { product_id, available: 1, low_water: 5 });
        let heard = |id: &str| Announcement {
            id: id.to_owned(),
            at: DateTime::UNIX_EPOCH,
            traceparent: None,
            news: news.clone(),
        };
        let sending = Progress::Sending { until: DateTime::UNIX_EPOCH };
        let record =
            Notification::about(&heard("w-low-7"), "w", sending.clone(), DateTime::UNIX_EPOCH).unwrap();
        let written = serde_json::to_value(&record).unwrap();
        assert_eq!((&written["state"], &written["kind"]), (&"sending".into(), &"StockLow".into()));
        assert_eq!(serde_json::from_value::<Notification>(written).unwrap(), record);
        for id in ["", "a/b", "a b", "ä", &"x".repeat(EVENT_ID_CHARS_MAX + 1)] {
            assert_eq!(
                Notification::about(&heard(id), "w", sending.clone(), DateTime::UNIX_EPOCH),
                None,
                "{id}"
            );
        }
    }
}
