//! `NotifyCustomer`: one mail to the customer for each thing that they are told of, to the address that they have now, and
//! none that is no longer true.
#![cfg(test)]

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use serde_json::{Value, json};
use widgetco::config::MailPlace;
use widgetco::domain::announcement::{Announcement, News, OrderFailure, OrderNews, OrderShipment};
use widgetco::domain::id::OrderId;
use widgetco::events;
use widgetco::host::CloudEvent;
use widgetco::mail::Mailer;

use crate::blobs::Folder;
use crate::mail_stand_in::{FROM, MailService, settings};
use crate::shop::TestShop;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// What the shop announces of an order.
pub(crate) fn order_event(order_id: &str, kind: &str, at: DateTime<Utc>) -> CloudEvent {
    let order = OrderNews { order_id: OrderId::parse(order_id).unwrap(), sequence: 2 };
    let news = match kind {
        "placed" => News::OrderPlaced(order),
        "confirmed" => News::OrderConfirmed(order),
        "failed" => News::OrderFailed(OrderFailure { order, code: "outOfStock".to_owned() }),
        "shipped" => News::OrderShipped(OrderShipment { order, shipped_at: at, carrier: None }),
        "cancelled" => News::OrderCancelled(order),
        kind => panic!("{kind}"),
    };
    let traceparent = Some(format!("00-{TRACE}-00f067aa0ba902b7-01"));
    events::event(&Announcement { id: format!("{order_id}-{kind}"), at, traceparent, news })
}

/// A shop with a mail service, and an order of Ada's that is decided.
async fn scene(pieces: u32) -> (TestShop, MailService, String) {
    let service = MailService::start().await;
    let mut shop = TestShop::open(&[("w", 5)]).await;
    shop.mail_by(service.mailer());
    let order = shop.place("ada", &[("w", pieces)]).await;
    shop.work().await;
    (shop, service, order)
}

async fn tell(shop: &TestShop, order: &str, kind: &str) -> StatusCode {
    shop.tell("NotifyCustomer", &order_event(order, kind, shop.app.clock.now())).await.status
}

/// The record of the mail about this, behind the shop's back.
pub(crate) async fn record(shop: &TestShop, subject: &str, id: &str) -> Value {
    let records = shop.documents("notifications", subject).await;
    records.into_iter().find(|record| record["id"] == id).unwrap_or_default()
}

#[tokio::test]
async fn customer_gets_one_mail_for_each_kind_however_often_it_is_heard() {
    let (shop, service, order) = scene(2).await;
    for _ in 0..3 {
        assert_eq!(tell(&shop, &order, "placed").await, StatusCode::OK);
        assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    }
    let shipment = json!({"carrier": "Parcel post", "trackingNumber": "X-1"});
    shop.put(&format!("/api/orders/{order}/shipment"), &[], shipment).await;
    for _ in 0..3 {
        assert_eq!(tell(&shop, &order, "shipped").await, StatusCode::OK);
    }
    let taken = service.taken();
    let told: Vec<_> = taken.iter().map(|mail| (mail.to(), mail.subject())).collect();
    let (first, second) =
        (format!("Your order is confirmed ({order})"), format!("Your order is on its way ({order})"));
    assert_eq!(told, [("ada@example.com", first.as_str()), ("ada@example.com", second.as_str())]);
    assert!(taken[1].body["content"]["plainText"].as_str().unwrap().contains("Tracking number: X-1"));
    assert!(taken[0].body["content"]["html"].as_str().unwrap().contains("5.00 EUR"));
    let kept = record(&shop, &order, &format!("{order}-confirmed")).await;
    assert_eq!((&kept["state"], &kept["operationId"]), (&json!("sent"), &json!(taken[0].operation_id)));
    assert_eq!(kept["ttl"], 90 * 24 * 60 * 60);
    let text = kept.to_string();
    assert!(!text.contains("example.com") && !text.contains("ADA") && !text.contains("\"ada\""), "{text}");
}

#[tokio::test]
async fn customer_hears_why_an_order_failed_and_that_one_was_cancelled() {
    let (shop, service, failed) = scene(9).await;
    assert_eq!(tell(&shop, &failed, "failed").await, StatusCode::OK);
    let cancelled = shop.place("bob", &[("w", 1)]).await;
    shop.work().await;
    shop.post(&format!("/api/orders/{cancelled}/cancellation"), &[], json!({})).await;
    // The confirmation comes late, and is not true any more.
    assert_eq!(tell(&shop, &cancelled, "confirmed").await, StatusCode::OK);
    assert_eq!(tell(&shop, &cancelled, "cancelled").await, StatusCode::OK);
    let taken = service.taken();
    let told: Vec<_> = taken.iter().map(|mail| (mail.to(), mail.subject())).collect();
    let (first, second) = (
        format!("Your order could not be fulfilled ({failed})"),
        format!("Your order is cancelled ({cancelled})"),
    );
    assert_eq!(told, [("ada@example.com", first.as_str()), ("bob@example.com", second.as_str())]);
    let text = taken[0].body["content"]["plainText"].as_str().unwrap();
    assert!(text.contains("Product w: you asked for 9, and we have 5"), "{text}");
    let skipped = record(&shop, &cancelled, &format!("{cancelled}-confirmed")).await;
    assert_eq!((&skipped["state"], &skipped["reason"]), (&json!("skipped"), &json!("tooLate")));
}

#[tokio::test]
async fn mail_goes_to_the_address_of_today_and_to_nobody_who_was_erased() {
    let (shop, service, order) = scene(1).await;
    let moved = json!({"id": "ada", "email": "new@example.org", "name": "Ada"});
    let put = shop.put("/api/customers/ada", &[("If-Match", "*")], moved).await;
    assert_eq!(put.status, StatusCode::OK);
    tell(&shop, &order, "confirmed").await;
    assert_eq!(service.taken()[0].to(), "new@example.org");
    shop.send("PUT", &format!("/api/orders/{order}/shipment"), &[], None).await;
    assert_eq!(shop.send("DELETE", "/api/customers/ada", &[], None).await.status, StatusCode::NO_CONTENT);
    assert_eq!(tell(&shop, &order, "shipped").await, StatusCode::OK);
    assert_eq!(service.taken().len(), 1);
    assert_eq!(record(&shop, &order, &format!("{order}-shipped")).await["reason"], "noCustomer");
}

#[tokio::test]
async fn what_is_not_for_customers_or_too_old_or_nobodys_is_acknowledged_at_once() {
    let (shop, service, order) = scene(1).await;
    let before = shop.requests();
    let event = order_event(&order, "confirmed", shop.app.clock.now());
    let others = CloudEvent { source: "urn:elsewhere".to_owned(), ..event.clone() };
    let old = order_event(&order, "confirmed", shop.app.clock.now() - chrono::TimeDelta::days(4));
    let nameless = CloudEvent { id: "a/b".to_owned(), ..event };
    for event in [&others, &old, &nameless, &order_event(&order, "placed", shop.app.clock.now())] {
        assert_eq!(shop.tell("NotifyCustomer", event).await.status, StatusCode::OK, "{event:?}");
    }
    assert_eq!((shop.requests() - before, service.taken().len()), (0, 0));
    let ghost = "a".repeat(34);
    assert_eq!(tell(&shop, &ghost, "confirmed").await, StatusCode::OK);
    assert_eq!(record(&shop, &ghost, &format!("{ghost}-confirmed")).await["reason"], "noOrder");
    assert!(service.taken().is_empty());
}

#[tokio::test]
async fn news_that_come_before_the_order_is_seen_so_wait() {
    let (shop, service, order) = scene(1).await;
    assert_eq!(tell(&shop, &order, "shipped").await, StatusCode::INTERNAL_SERVER_ERROR);
    shop.send("PUT", &format!("/api/orders/{order}/shipment"), &[], None).await;
    assert_eq!(tell(&shop, &order, "shipped").await, StatusCode::OK);
    assert_eq!(service.taken().len(), 1);
}

#[tokio::test]
async fn without_a_sender_nothing_is_sent_and_nothing_waits() {
    let shop = TestShop::open(&[("w", 5)]).await;
    let order = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    assert_eq!(record(&shop, &order, &format!("{order}-confirmed")).await, Value::Null);
}

#[tokio::test]
async fn throttled_mail_is_tried_again_at_once_or_when_the_event_comes_again() {
    let (shop, service, order) = scene(1).await;
    service.refuse(429, Some(1), "TooManyRequests");
    assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    assert_eq!(service.taken().len(), 1);
    // Who is told to wait long comes again, and needs not wait for a lease.
    shop.send("PUT", &format!("/api/orders/{order}/shipment"), &[], None).await;
    service.refuse(429, Some(60), "TooManyRequests");
    assert_eq!(tell(&shop, &order, "shipped").await, StatusCode::INTERNAL_SERVER_ERROR);
    assert_eq!(service.taken().len(), 1);
    assert_eq!(tell(&shop, &order, "shipped").await, StatusCode::OK);
    assert_eq!(service.taken().len(), 2);
}

#[tokio::test]
async fn mail_that_is_never_taken_is_recorded_and_acknowledged() {
    let (shop, service, order) = scene(1).await;
    service.refuse(400, None, "InvalidRecipient");
    for _ in 0..2 {
        assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    }
    let kept = record(&shop, &order, &format!("{order}-confirmed")).await;
    assert_eq!((&kept["state"], &kept["code"]), (&json!("rejected"), &json!("InvalidRecipient")));
    assert!(service.taken().is_empty());
}

#[tokio::test]
async fn wrong_rights_keep_the_event_until_they_are_put_right() {
    let (shop, service, order) = scene(1).await;
    for status in [401, 403, 404] {
        service.refuse(status, None, "Denied");
        assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::INTERNAL_SERVER_ERROR);
        shop.advance(Duration::from_secs(121));
    }
    assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    assert_eq!(service.taken().len(), 1);
}

#[tokio::test]
async fn mail_that_was_taken_and_then_bounced_is_not_sent_again() {
    let (shop, service, order) = scene(1).await;
    *service.book.outcome.lock().unwrap() = Some(("Failed", "EmailDroppedAllRecipientsSuppressed"));
    tell(&shop, &order, "confirmed").await;
    // As if the worker had died before it wrote down that the mail was taken.
    let notifications = &shop.app.store.notifications;
    let seen = notifications.newest(&order, &format!("{order}-confirmed")).await.unwrap().unwrap();
    let now = shop.app.clock.now();
    let sending = widgetco::domain::notification::Progress::Sending { until: now };
    notifications.write(Some(&seen.etag), &seen.value.at(sending, now)).await.unwrap();
    assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    assert_eq!(service.taken().len(), 1);
    let kept = record(&shop, &order, &format!("{order}-confirmed")).await;
    assert_eq!(kept["code"], "EmailDroppedAllRecipientsSuppressed");
}

#[tokio::test]
async fn folder_keeps_one_file_that_carries_the_trace_of_the_event() {
    let folder = Folder::new("mails");
    let mut shop = TestShop::open(&[("w", 5)]).await;
    shop.mail_by(Mailer::connect(&settings(MailPlace::Folder(folder.path().to_owned()))));
    let order = shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    for _ in 0..2 {
        assert_eq!(tell(&shop, &order, "confirmed").await, StatusCode::OK);
    }
    let kept = record(&shop, &order, &format!("{order}-confirmed")).await;
    let files: Vec<_> =
        std::fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
    let name = format!("{}.eml", kept["operationId"].as_str().unwrap());
    assert_eq!(files, [folder.path().join(name)]);
    let text = std::fs::read_to_string(&files[0]).unwrap();
    let (head, body) = text.split_once("\r\n\r\n").unwrap();
    let head = head.replace("\r\n ", " ").replace("\r\n\t", " ");
    for line in [
        format!("traceparent: 00-{TRACE}-"),
        format!("Subject: Your order is confirmed ({order})"),
        "To: <ada@example.com>".to_owned(),
        format!("From: <{FROM}>"),
        "Date: Mon, 2 Mar 2026 09:15:00 +0000".to_owned(),
    ] {
        assert!(head.contains(&line), "{line} is not in {head}");
    }
    assert!(body.contains("text/html") && body.contains("text/plain") && body.contains("ADA"), "{body}");
}

/// What is logged in this thread.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn logs_tell_of_every_end_and_never_to_whom() {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt().with_env_filter("info,azure_data_cosmos_driver=warn");
    let lines = lines.with_ansi(false).with_writer(move || writer.clone()).finish();
    // While there is one alone, a place that another thread comes to first is silent for all.
    let _second = tracing::Dispatch::new(tracing_subscriber::registry());
    let _logging = tracing::subscriber::set_default(lines);
    let (shop, service, order) = scene(1).await;
    for (status, code) in [(403, "to ada@example.com"), (429, "busy"), (400, "ada@example.com")] {
        service.refuse(status, Some(60), code);
        tell(&shop, &order, "confirmed").await;
        shop.advance(Duration::from_secs(121));
    }
    shop.send("PUT", &format!("/api/orders/{order}/shipment"), &[], None).await;
    tell(&shop, &order, "shipped").await;
    let text = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let said = ["a mail was sent", "a mail was rejected", "look at MAIL", "is busy: 429", TRACE];
    for said in said.iter().chain(&["code=\"unknown\""]) {
        assert!(text.contains(said), "{said} is not in {text}");
    }
    for personal in ["example.com", "ADA", "Bearer", "X-1"] {
        assert!(!text.contains(personal), "{personal} is in {text}");
    }
}
