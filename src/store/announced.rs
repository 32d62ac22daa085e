//! What documents announce: how an announcement is written beside the change that it tells of, and how the documents of a change
//! feed are read for what they announce.
//!
//! The events of orders and the announcements of stock and reviews are documents of their own; a product announces itself, for
//! nothing can be written in one transaction with it. Does not know who listens.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::announcement::Announcement;
use crate::domain::event::Event;
use crate::domain::id::ProductId;
use crate::domain::product::Product;
use crate::host::context;
use crate::store::Error;
use crate::store::containers::Container;
use crate::store::cosmos::{Document, Write};

/// The type of an announcement that is a document of its own.
const KIND: &str = "announcement";
/// How long such a document waits for the feed: 30 days, longer than a feed may stand still unnoticed.
const TTL_S: u32 = 30 * 24 * 60 * 60;

/// A document that announces something and cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("document {id:?} of container {container} announces something that cannot be read: {detail}")]
pub struct Unreadable {
    /// Where it lies.
    pub container: &'static str,
    /// Its id.
    pub id: String,
    /// What is wrong with it.
    pub detail: String,
}

/// What every document says of itself.
#[derive(Deserialize)]
struct Head {
    #[serde(default)]
    id: String,
    #[serde(default)]
    r#type: String,
    traceparent: Option<String>,
}

/// Writes the announcement beside the change of a product's stock or reviews, in the trace of this task.
pub(super) fn write(
    container: Container,
    product_id: &ProductId,
    announcement: &Announcement,
) -> Result<Write, Error> {
    let announcement = Announcement { traceparent: context::traceparent(), ..announcement.clone() };
    let place = (announcement.id.as_str(), product_id.as_str());
    Document::new(container, KIND, place, Some(TTL_S), &announcement).map(Write::Create)
}

/// What this document announces; most announce nothing.
///
/// # Errors
/// [`Unreadable`]; a retry does not help.
pub fn announcements(container: Container, document: Value) -> Result<Vec<Announcement>, Unreadable> {
    let unreadable = |id: &str, error: serde_json::Error| Unreadable {
        container: container.definition().name,
        id: id.to_owned(),
        detail: error.to_string(),
    };
    let Head { id, r#type, traceparent } =
        Head::deserialize(&document).map_err(|error| unreadable("", error))?;
    let read = match (container, r#type.as_str()) {
        (Container::Orders, "event") => {
            Event::deserialize(document).map(|event| vec![Announcement::of_order(&event)])
        }
        (Container::Products, "product") => {
            Product::deserialize(document).map(|product| Announcement::of_product(&product))
        }
        (Container::Stock | Container::Reviews, KIND) => {
            Announcement::deserialize(document).map(|one| vec![one])
        }
        _ => return Ok(Vec::new()),
    };
    let mut announcements = read.map_err(|error| unreadable(&id, error))?;
    announcements.iter_mut().for_each(|one| one.traceparent.clone_from(&traceparent));
    Ok(announcements)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    fn product(revision: u32, updated_at: &str) -> Value {
        json!({
            "id": "mug", "type": "product", "sku": "MUG", "name": "Mug", "description": "", "status": "active",
            "price": {"amountMinor": 100, "currency": "EUR"}, "categoryIds": [], "collectionIds": [], "attributes": [],
            "images": [], "revision": revision, "createdAt": "2026-03-01T12:00:00.000Z", "updatedAt": updated_at,
            "_etag": "\"1\"", "traceparent": TRACE,
        })
    }

    fn told(container: Container, document: Value) -> Vec<(String, &'static str)> {
        let announced = announcements(container, document).unwrap();
        assert!(announced.iter().all(|one| one.traceparent.as_deref() == Some(TRACE)));
        announced.into_iter().map(|one| (one.id, one.news.kind())).collect()
    }

    #[test]
    fn young_product_tells_again_that_it_is_new_and_an_old_one_does_not() {
        let told = |revision, at| told(Container::Products, product(revision, at));
        let created = || ("product:mug:1".to_owned(), "ProductCreated");
        let updated = || ("product:mug:3".to_owned(), "ProductUpdated");
        assert_eq!(told(1, "2026-03-01T12:00:00.000Z"), [created()]);
        assert_eq!(told(3, "2026-03-08T12:00:00.000Z"), [created(), updated()]);
        assert_eq!(told(3, "2026-03-08T12:00:00.001Z"), [updated()]);
        let mut gone = product(4, "2026-04-01T12:00:00.000Z");
        gone["deletedAt"] = "2026-04-01T12:00:00.000Z".into();
        assert_eq!(
            super::tests::told(Container::Products, gone),
            [("product:mug:4".to_owned(), "ProductDeleted")]
        );
    }

    #[test]
    fn documents_that_announce_nothing_are_passed_over() {
        for (container, kind) in [
            (Container::Orders, "order"),
            (Container::Orders, "shippingAddress"),
            (Container::Stock, "reservation"),
            (Container::Reviews, "review"),
            (Container::Customers, "customer"),
        ] {
            assert_eq!(announcements(container, json!({"id": "x", "type": kind})).unwrap(), []);
        }
        assert_eq!(announcements(Container::Stock, json!({"id": "x"})).unwrap(), []);
    }

    #[test]
    fn what_cannot_be_read_is_named_by_its_id() {
        let broken = json!({"id": "e-1", "type": "event", "at": 7});
        let error = announcements(Container::Orders, broken).unwrap_err();
        assert_eq!((error.container, error.id.as_str()), ("orders", "e-1"));
        assert!(announcements(Container::Orders, json!("text")).is_err());
    }
}
