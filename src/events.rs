//! The envelopes of what happened: an announcement of the shop as a CloudEvent, and back.
//!
//! Does not know who sends them, nor who listens.

use serde_json::{Value, json};

use crate::domain::announcement::{Announcement, News};
use crate::domain::time;
use crate::host::CloudEvent;
use crate::host::event::SPEC_VERSION;

/// Who announces: this shop. What is announced elsewhere has another source.
pub const SOURCE: &str = "urn:widgetco:shop";
/// How the types of this shop's events begin; the name of the kind follows.
pub const TYPE_PREFIX: &str = "WidgetCo.";

/// The announcement as it is sent.
pub fn event(announcement: &Announcement) -> CloudEvent {
    let Announcement { id, at, traceparent, news } = announcement;
    let mut told = json!(news);
    CloudEvent {
        specversion: SPEC_VERSION.to_owned(),
        id: id.clone(),
        source: SOURCE.to_owned(),
        r#type: format!("{TYPE_PREFIX}{}", news.kind()),
        subject: Some(news.subject()),
        time: Some(time::text(*at)),
        datacontenttype: Some("application/json".to_owned()),
        traceparent: traceparent.clone(),
        data: told.get_mut("data").map(Value::take).unwrap_or_default(),
        data_base64: None,
    }
}

/// The announcement that an event of this shop is; `None` for those of others, and for kinds that this version does not know.
pub fn announcement(event: &CloudEvent) -> Option<Announcement> {
    let at = event.time.as_deref()?.parse().ok()?;
    let (id, traceparent) = (event.id.clone(), event.traceparent.clone());
    Some(Announcement { id, at, traceparent, news: news(event)? })
}

/// The kind of an event of this shop, also one that only another version knows; `None` for those of others.
pub fn kind(event: &CloudEvent) -> Option<&str> {
    event.r#type.strip_prefix(TYPE_PREFIX).filter(|_| event.source == SOURCE)
}

/// What an event of this shop says; `None` for those of others, and for kinds that this version does not know.
pub fn news(event: &CloudEvent) -> Option<News> {
    serde_json::from_value(json!({"kind": kind(event)?, "data": event.data})).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::announcement::{OrderNews, ProductNews};
    use crate::domain::id::{CustomerId, OrderId, ProductId};
    use crate::domain::product::ProductStatus;

    fn announcement() -> Announcement {
        let order_id = OrderId::from_chance(&CustomerId::parse("ada").unwrap(), [7; 16]);
        Announcement {
            id: format!("{order_id}-confirmed"),
            at: "2026-03-01T12:00:00Z".parse().unwrap(),
            traceparent: Some("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".to_owned()),
            news: News::OrderConfirmed(OrderNews { order_id, sequence: 2 }),
        }
    }

    #[test]
    fn event_says_what_was_announced_and_can_be_read_again() {
        let announcement = announcement();
        let sent = event(&announcement);
        assert_eq!(
            (sent.r#type.as_str(), sent.id.as_str()),
            ("WidgetCo.OrderConfirmed", announcement.id.as_str())
        );
        assert_eq!(sent.time.as_deref(), Some("2026-03-01T12:00:00.000Z"));
        assert_eq!(sent.data["sequence"], 2);
        assert!(sent.data.get("kind").is_none());
        let heard: CloudEvent = serde_json::from_str(&sent.to_json()).unwrap();
        assert_eq!(news(&heard).as_ref(), Some(&announcement.news));
        assert_eq!(super::announcement(&heard), Some(announcement));
    }

    #[test]
    fn events_of_others_and_of_unknown_kinds_say_nothing_to_us() {
        let sent = event(&announcement());
        assert_eq!(news(&CloudEvent { source: "urn:elsewhere".to_owned(), ..sent.clone() }), None);
        assert_eq!(news(&CloudEvent { r#type: "WidgetCo.OrderEaten".to_owned(), ..sent.clone() }), None);
        assert_eq!(news(&CloudEvent { data: Value::Null, ..sent }), None);
    }

    #[test]
    fn every_kind_is_listed_and_has_a_subject() {
        let product_id = ProductId::parse("w").unwrap();
        let product = ProductNews { product_id, revision: 1, status: ProductStatus::Active };
        let news = News::ProductCreated(product);
        assert_eq!(news.subject(), "products/w");
        assert!(News::KINDS.contains(&news.kind()));
    }
}
