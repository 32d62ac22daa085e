//! `WarnLowStock`: the staff gets one mail for each time that a product comes down to its mark.
#![cfg(test)]

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use widgetco::config::{MailConfig, MailPlace};
use widgetco::domain::announcement::{Announcement, News, StockNews};
use widgetco::domain::id::ProductId;
use widgetco::events;
use widgetco::host::CloudEvent;
use widgetco::mail::Mailer;

use crate::blobs::Folder;
use crate::mail_stand_in::{MailService, STAFF, settings};
use crate::notify_customer::{order_event, record};
use crate::shop::TestShop;

/// What the shop announces of a product that is running out.
pub(crate) fn stock_event(product: &str, id: &str, at: DateTime<Utc>) -> CloudEvent {
    let product_id = ProductId::parse(product).unwrap();
    let news = News::StockLow(StockNews { product_id, available: 2, low_water: 5 });
    events::event(&Announcement { id: id.to_owned(), at, traceparent: None, news })
}

#[tokio::test]
async fn staff_is_warned_once_each_time_that_stock_is_low() {
    let service = MailService::start().await;
    let mut shop = TestShop::open(&[("w", 2)]).await;
    shop.mail_by(service.mailer());
    let now = shop.app.clock.now();
    for id in ["w-low-1", "w-low-1", "w-low-2", "w-low-1"] {
        let answer = shop.tell("WarnLowStock", &stock_event("w", id, now)).await;
        assert_eq!(answer.status, StatusCode::OK);
    }
    let order = shop.place("ada", &[("w", 1)]).await;
    assert_eq!(shop.tell("WarnLowStock", &order_event(&order, "placed", now)).await.status, StatusCode::OK);
    let taken = service.taken();
    assert_eq!(taken.len(), 2);
    assert_eq!((taken[0].to(), taken[0].subject()), (STAFF, "Stock is low: 2 left of w"));
    assert!(
        taken[0].body["content"]["plainText"].as_str().unwrap().starts_with("Product w (w) is running out")
    );
    assert_eq!(record(&shop, "w", "w-low-2").await["state"], "sent");
}

#[tokio::test]
async fn without_an_address_of_the_staff_it_is_logged_alone() {
    let folder = Folder::new("no-staff");
    let mut shop = TestShop::open(&[("w", 2)]).await;
    let config = settings(MailPlace::Folder(folder.path().to_owned()));
    shop.mail_by(Mailer::connect(&MailConfig { staff: None, ..config }));
    let answer = shop.tell("WarnLowStock", &stock_event("w", "w-low-1", shop.app.clock.now())).await;
    assert_eq!((answer.status, folder.path().exists()), (StatusCode::OK, false));
}
