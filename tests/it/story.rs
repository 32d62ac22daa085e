//! From the request to the mail, with real processes: one trace leads through host, queue, change feed and topic, and a handler
//! that is killed anywhere on that way loses no event and no mail. The folder keeps one mail of a name, whoever writes it; that
//! none is sent twice, also by a service that sends whatever it is given, is shown by `notify_crash`.
#![cfg(test)]

use std::collections::BTreeMap;
use std::time::Duration;

use futures::future::join_all;
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::time::interval;

use crate::program::{Program, eventually, signal};
use crate::shop::order_body;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
/// Between two deaths of the handler: it works again after a few hundredths of a second, and dies in the middle of that.
const LIFE: Duration = Duration::from_millis(400);
const KILLS: u32 = 10;

/// The mails that were sent, as they lie in their folder, without the breaks of long lines.
async fn mails(shop: &Program) -> Vec<String> {
    let files = shop.get("/local/folders/mail").await;
    let names = files.as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap());
    let names: Vec<_> = names.filter(|name| name.ends_with(".eml")).collect();
    let read = names.iter().map(|name| async move {
        let file =
            shop.client.get(format!("{}/local/folders/mail/{name}", shop.address)).send().await.unwrap();
        file.text().await.unwrap().replace("=\r\n", "").replace("=\n", "")
    });
    join_all(read).await
}

/// Events of this subject, newest first.
async fn events(shop: &Program, subject: &str) -> Vec<Value> {
    let published = shop.get("/local/events").await;
    let about = published.as_array().unwrap().iter().filter(|one| one["event"]["subject"] == subject);
    about.cloned().collect()
}

/// Whether every function has heard every event that is remembered.
async fn is_heard(shop: &Program) -> bool {
    let published = shop.get("/local/events").await;
    let mut deliveries =
        published.as_array().unwrap().iter().flat_map(|one| one["deliveries"].as_object().unwrap().values());
    deliveries.all(|delivery| delivery["state"] == "delivered")
}

#[tokio::test]
async fn one_trace_leads_from_the_request_to_the_mail() {
    let shop = Program::local();
    let request = shop.client.post(format!("{}/api/orders", shop.address));
    let request = request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"));
    let request = request.header("Content-Type", "application/json");
    let placed = request.body(order_body("c1", &[("widget-mini", 1)]).to_string()).send().await.unwrap();
    assert_eq!(placed.status(), StatusCode::ACCEPTED);
    let placed: Value = serde_json::from_slice(&placed.bytes().await.unwrap()).unwrap();
    let id = placed["id"].as_str().unwrap();
    let mail = eventually(async || mails(&shop).await.pop()).await;
    assert!(mail.contains(id) && mail.contains("c1@shop.example"), "{mail}");
    let names_trace = |line: &str| line.to_lowercase().starts_with(&format!("traceparent: 00-{TRACE}-"));
    assert!(mail.lines().any(names_trace), "{mail}");
    let events = events(&shop, &format!("orders/{id}")).await;
    assert_eq!(events.len(), 2, "{events:?}");
    for event in events {
        let parent = event["event"]["traceparent"].as_str().unwrap();
        assert!(parent.starts_with(&format!("00-{TRACE}-")), "{event}");
    }
}

#[tokio::test]
async fn handler_killed_on_the_way_loses_no_event_and_no_mail() {
    let shop = Program::local();
    let keys: Vec<_> = (0..20).map(|index| format!("story-{index}")).collect();
    let placing = async {
        let mut ids = Vec::new();
        for keys in keys.chunks(3) {
            ids.extend(join_all(keys.iter().map(|key| shop.place(key, &[("widget-oak", 2)]))).await);
        }
        ids
    };
    let kills = async {
        let mut lives = interval(LIFE);
        let mut killed = Vec::new();
        while killed.len() < usize::try_from(KILLS).unwrap() {
            lives.tick().await;
            let handler = shop.get("/local/handler").await;
            if handler["state"] == "ready" && !killed.contains(&handler["pid"]) {
                signal(u32::try_from(handler["pid"].as_u64().unwrap()).unwrap(), "KILL");
                killed.push(handler["pid"].clone());
            }
        }
    };
    let (ids, ()) = tokio::join!(placing, kills);
    join_all(ids.iter().map(|id| shop.decided(id))).await;
    eventually(async || (mails(&shop).await.len() >= ids.len()).then_some(())).await;
    // Whatever is still on its way may bring another one.
    eventually(async || is_heard(&shop).await.then_some(())).await;
    assert_eq!(shop.get("/local/events/dead-letters").await, json!([]));
    let mails = mails(&shop).await;
    let of = |id: &String| mails.iter().filter(|mail| mail.contains(id.as_str())).count();
    let counts: BTreeMap<_, _> = ids.iter().map(|id| (id, of(id))).collect();
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    assert_eq!(mails.len(), ids.len());
    let shipped = &ids[0];
    let path = format!("/api/orders/{shipped}/shipment");
    let (status, answer) = shop.call(Method::PUT, &path, None, Some("{}".to_owned())).await.unwrap();
    assert_eq!(status, StatusCode::OK, "{answer}");
    eventually(async || (self::mails(&shop).await.len() > ids.len()).then_some(())).await;
    for id in &ids {
        let (mut kinds, events) = (Vec::new(), events(&shop, &format!("orders/{id}")).await);
        kinds.extend(events.iter().map(|event| event["event"]["type"].as_str().unwrap().to_owned()));
        for kind in ["WidgetCo.OrderPlaced", "WidgetCo.OrderConfirmed"] {
            assert!(kinds.contains(&kind.to_owned()), "{id}: {kinds:?}");
        }
    }
}
