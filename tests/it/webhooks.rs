//! Webhooks from outside: what receivers get and when, what staff see of it, and where nothing is ever sent.
#![cfg(test)]

use std::process::Command;
use std::time::Duration;

use axum::http::StatusCode;
use data_encoding::BASE64;
use ring::hmac;
use serde_json::{Value, json};
use widgetco::domain::announcement::{Announcement, News, OrderNews};
use widgetco::domain::id::{CustomerId, OrderId};
use widgetco::domain::webhook::delivery::BACK_OFF;
use widgetco::domain::webhook::{FAILING_MAX, WEBHOOKS_MAX};
use widgetco::events;
use widgetco::functions::retry_webhooks::DELIVERIES_MAX;
use widgetco::host::CloudEvent;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::shop::{Answer, TestShop};

const MINUTE: Duration = Duration::from_secs(60);
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// An event of the shop: an order was confirmed.
pub(crate) fn confirmed(shop: &TestShop, id: &str) -> CloudEvent {
    let order_id = OrderId::from_chance(&CustomerId::parse("ada").unwrap(), [7; 16]);
    let news = News::OrderConfirmed(OrderNews { order_id, sequence: 2 });
    let traceparent = Some(format!("00-{TRACE}-00f067aa0ba902b7-01"));
    events::event(&Announcement { id: id.to_owned(), at: shop.app.clock.now(), traceparent, news })
}

/// A webhook at an address where nobody is asked, with an event on its way there. Gives its id.
pub(crate) async fn with_a_delivery(shop: &TestShop, event_id: &str) -> String {
    let webhook = create(shop, json!({"url": "https://example.com/hook"})).await;
    assert_eq!(shop.tell("DispatchWebhooks", &confirmed(shop, event_id)).await.status, StatusCode::OK);
    shop.drain("webhooks");
    id(&webhook)
}

async fn create(shop: &TestShop, body: Value) -> Value {
    let answer = shop.post("/api/webhooks", &[], body).await;
    assert_eq!(answer.status, StatusCode::CREATED, "{:?}", answer.body);
    answer.body
}

fn id(webhook: &Value) -> String {
    webhook["id"].as_str().unwrap().to_owned()
}

/// Somebody who gets events.
struct Receiver(MockServer);

impl Receiver {
    async fn answering(status: u16) -> Self {
        let receiver = Self(MockServer::start().await);
        receiver.answer(ResponseTemplate::new(status)).await;
        receiver
    }

    /// From now on answers like this, and forgets what was received before.
    async fn answer(&self, answer: ResponseTemplate) {
        self.0.reset().await;
        Mock::given(any()).respond_with(answer).mount(&self.0).await;
    }

    async fn received(&self) -> Vec<Request> {
        self.0.received_requests().await.unwrap()
    }

    fn url(&self) -> String {
        format!("{}/hook?key=k3y", self.0.uri())
    }
}

/// A shop that may reach this machine, a receiver that answers like this, and a webhook there.
async fn scene(status: u16) -> (TestShop, Receiver, Value) {
    let mut shop = TestShop::open(&[]).await;
    shop.reach_this_machine();
    let receiver = Receiver::answering(status).await;
    let webhook = create(&shop, json!({"url": receiver.url()})).await;
    (shop, receiver, webhook)
}

/// An event happens, and every bell is answered.
async fn happen(shop: &TestShop, event_id: &str) {
    let told = shop.tell("DispatchWebhooks", &confirmed(shop, event_id)).await;
    assert_eq!(told.status, StatusCode::OK);
    shop.work().await;
}

/// The timer comes round after this time, and every bell is answered.
async fn later(shop: &TestShop, by: Duration) {
    shop.advance(by);
    assert_eq!(shop.tick("RetryWebhooks").await.status, StatusCode::OK);
    shop.work().await;
}

async fn deliveries(shop: &TestShop, webhook: &Value) -> Vec<Value> {
    let answer = shop.get(&format!("/api/webhooks/{}/deliveries", id(webhook))).await;
    assert_eq!(answer.status, StatusCode::OK);
    answer.body["items"].as_array().unwrap().clone()
}

async fn read(shop: &TestShop, webhook: &Value) -> Value {
    shop.get(&format!("/api/webhooks/{}", id(webhook))).await.body
}

async fn redeliver(shop: &TestShop, webhook: &Value, event_id: &str) -> Answer {
    let path = format!("/api/webhooks/{}/deliveries/{event_id}/redelivery", id(webhook));
    shop.send("POST", &path, &[], None).await
}

fn header<'a>(request: &'a Request, name: &str) -> &'a str {
    request.headers.get(name).map_or("", |value| value.to_str().unwrap())
}

/// Whether one of the signatures is right under this secret, as the specification has it.
fn verifies(request: &Request, secret: &Value) -> bool {
    let key = BASE64.decode(secret.as_str().unwrap().strip_prefix("whsec_").unwrap().as_bytes()).unwrap();
    let key = hmac::Key::new(hmac::HMAC_SHA256, &key);
    let start = format!("{}.{}.", header(request, "webhook-id"), header(request, "webhook-timestamp"));
    let content = [start.as_bytes(), &request.body].concat();
    header(request, "webhook-signature").split(' ').any(|signature| {
        let tag = BASE64.decode(signature.strip_prefix("v1,").unwrap().as_bytes()).unwrap();
        hmac::verify(&key, &content, &tag).is_ok()
    })
}

#[tokio::test]
async fn event_arrives_signed_where_its_kind_is_wanted_and_nowhere_else() {
    let (shop, receiver, webhook) = scene(204).await;
    let named = Receiver::answering(200).await;
    create(&shop, json!({"url": named.url(), "eventTypes": ["StockLow", "OrderConfirmed"]})).await;
    let others = Receiver::answering(200).await;
    create(&shop, json!({"url": others.url(), "eventTypes": ["StockLow"]})).await;
    create(&shop, json!({"url": others.url(), "status": "disabled"})).await;

    happen(&shop, "e-1").await;
    let received = receiver.received().await;
    assert_eq!((received.len(), named.received().await.len(), others.received().await.len()), (1, 1, 0));
    let request = &received[0];
    assert_eq!(request.body, confirmed(&shop, "e-1").to_json().as_bytes());
    assert_eq!(header(request, "webhook-id"), "e-1");
    assert_eq!(header(request, "webhook-timestamp"), shop.app.clock.now().timestamp().to_string());
    assert!(header(request, "content-type").starts_with("application/cloudevents+json"));
    assert!(verifies(request, &webhook["secret"]));
    assert!(!verifies(request, &json!(format!("whsec_{}", BASE64.encode(&[0; 32])))));
    let log = deliveries(&shop, &webhook).await;
    assert_eq!(
        (log.len(), &log[0]["state"], &log[0]["attempts"][0]["status"]),
        (1, &json!("delivered"), &json!(204))
    );
    assert_eq!(log[0]["event"], json!(confirmed(&shop, "e-1")));
}

#[tokio::test]
async fn receiver_can_verify_as_the_documentation_says() {
    let (shop, receiver, webhook) = scene(200).await;
    happen(&shop, "e-1").await;
    let request = receiver.received().await.remove(0);
    let page = include_str!("../../docs/webhooks.md");
    let code = page.split("```js\n").nth(1).unwrap().split("```").next().unwrap();
    let names = ["webhook-id", "webhook-timestamp", "webhook-signature"];
    let headers: serde_json::Map<_, _> =
        names.iter().map(|name| ((*name).to_owned(), json!(header(&request, name)))).collect();
    let body = String::from_utf8(request.body.clone()).unwrap();
    let (secret, now) = (&webhook["secret"], shop.app.clock.now().timestamp());
    let call = |body: &str, now: i64| format!("verify({}, {}, {secret}, {now})", json!(headers), json!(body));
    let calls = [call(&body, now + 300), call(&format!("{body} "), now), call(&body, now + 301)].join(", ");
    let node = Command::new("node").args(["-e", &format!("{code}\nconsole.log([{calls}].join())")]).output();
    let output = node.expect("Node.js 20 or newer is installed");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "true,false,false", "{output:?}");
}

#[tokio::test]
async fn failed_delivery_is_tried_again_when_its_time_has_come_and_the_log_tells() {
    let (shop, receiver, webhook) = scene(503).await;
    happen(&shop, "e-1").await;
    assert_eq!(receiver.received().await.len(), 1);
    later(&shop, MINUTE - Duration::from_secs(1)).await;
    assert_eq!(receiver.received().await.len(), 1, "too early");
    later(&shop, Duration::from_secs(1)).await;
    assert_eq!(receiver.received().await.len(), 2);
    assert!(read(&shop, &webhook).await["failingSince"].is_string());
    receiver.answer(ResponseTemplate::new(200)).await;
    later(&shop, 4 * MINUTE).await;
    assert_eq!(receiver.received().await.len(), 0, "the pause grows");
    later(&shop, MINUTE).await;
    let received = receiver.received().await;
    assert_eq!((received.len(), header(&received[0], "webhook-id")), (1, "e-1"));
    assert_eq!(header(&received[0], "webhook-timestamp"), shop.app.clock.now().timestamp().to_string());
    assert!(verifies(&received[0], &webhook["secret"]));
    let log = &deliveries(&shop, &webhook).await[0];
    let statuses: Vec<_> =
        log["attempts"].as_array().unwrap().iter().map(|one| one["status"].as_u64().unwrap()).collect();
    assert_eq!((&log["state"], statuses), (&json!("delivered"), vec![503, 503, 200]));
    assert!(log["nextAttemptAt"].is_null());
    assert!(read(&shop, &webhook).await["failingSince"].is_null());
}

#[tokio::test]
async fn receiver_that_takes_nothing_for_days_is_left_alone_until_staff_enable_it() {
    let (shop, receiver, webhook) = scene(500).await;
    let began = shop.app.clock.now();
    let mut events = 0;
    while shop.app.clock.now() - began < FAILING_MAX + BACK_OFF[5] * 2 {
        events += 1;
        happen(&shop, &format!("e-{events}")).await;
        for pause in BACK_OFF {
            later(&shop, pause.to_std().unwrap()).await;
        }
    }
    let disabled = read(&shop, &webhook).await;
    assert_eq!(
        (&disabled["status"], &disabled["disabled"]["reason"]),
        (&json!("disabled"), &json!("failing"))
    );
    let log = deliveries(&shop, &webhook).await;
    assert!(log.iter().all(|one| one["state"] == "failed"), "{log:?}");
    let sent = receiver.received().await.len();
    assert!(sent > 0 && sent % (BACK_OFF.len() + 1) == 0, "{sent} attempts");
    happen(&shop, "e-missed").await;
    assert_eq!(receiver.received().await.len(), sent);
    assert_eq!(redeliver(&shop, &webhook, "e-1").await.body["code"], "webhook-disabled");

    receiver.answer(ResponseTemplate::new(200)).await;
    let path = format!("/api/webhooks/{}", id(&webhook));
    let enabled =
        shop.put(&path, &[("If-Match", "*")], json!({"url": receiver.url(), "status": "active"})).await;
    assert_eq!((enabled.status, &enabled.body["status"]), (StatusCode::OK, &json!("active")));
    happen(&shop, "e-again").await;
    assert_eq!(redeliver(&shop, &webhook, "e-1").await.status, StatusCode::ACCEPTED);
    shop.work().await;
    let received = receiver.received().await;
    let ids: Vec<_> = received.iter().map(|request| header(request, "webhook-id")).collect();
    assert_eq!(ids, ["e-again", "e-1"]);
}

#[tokio::test]
async fn receiver_that_is_gone_is_disabled_at_once_and_what_was_on_its_way_is_given_up() {
    let (shop, receiver, webhook) = scene(500).await;
    happen(&shop, "e-1").await;
    receiver.answer(ResponseTemplate::new(410)).await;
    happen(&shop, "e-2").await;
    assert_eq!(read(&shop, &webhook).await["disabled"]["reason"], "gone");
    later(&shop, 2 * MINUTE).await;
    assert_eq!(receiver.received().await.len(), 1, "the first is not tried again");
    assert!(deliveries(&shop, &webhook).await.iter().all(|one| one["state"] == "failed"));
}

#[tokio::test]
async fn deleted_webhook_gets_nothing_not_even_what_was_on_its_way() {
    let (shop, receiver, webhook) = scene(200).await;
    shop.tell("DispatchWebhooks", &confirmed(&shop, "e-1")).await;
    let path = format!("/api/webhooks/{}", id(&webhook));
    assert_eq!(shop.send("DELETE", &path, &[], None).await.status, StatusCode::NO_CONTENT);
    shop.work().await;
    happen(&shop, "e-2").await;
    later(&shop, 2 * MINUTE).await;
    assert!(shop.messages("webhooks").is_empty() && receiver.received().await.is_empty());
    assert_eq!(shop.get(&path).await.status, StatusCode::NOT_FOUND);
    assert_eq!(deliveries(&shop, &webhook).await[0]["state"], "failed", "the log stays for a while");
    assert_eq!(redeliver(&shop, &webhook, "e-1").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn event_that_is_heard_twice_and_a_bell_that_rings_twice_are_one_delivery() {
    let (shop, receiver, webhook) = scene(200).await;
    happen(&shop, "e-1").await;
    happen(&shop, "e-1").await;
    for _ in 0..2 {
        let bell = json!({"webhookId": id(&webhook), "deliveryId": "e-1"}).to_string();
        assert_eq!(shop.deliver("DeliverWebhook", &bell, 1).await.status, StatusCode::OK);
    }
    assert_eq!((receiver.received().await.len(), deliveries(&shop, &webhook).await.len()), (1, 1));
}

#[tokio::test]
async fn lost_bell_is_rung_again_and_one_that_is_none_does_no_harm() {
    let (shop, receiver, _) = scene(200).await;
    shop.tell("DispatchWebhooks", &confirmed(&shop, "e-1")).await;
    assert_eq!(shop.drain("webhooks").len(), 1);
    later(&shop, MINUTE - Duration::from_secs(1)).await;
    assert!(receiver.received().await.is_empty(), "a first bell gets its time");
    shop.advance(Duration::from_secs(1));
    shop.tick("RetryWebhooks").await;
    let bells = shop.messages("webhooks");
    assert!(bells[0].contains(TRACE), "{bells:?} goes on in the event's trace");
    shop.work().await;
    assert_eq!(receiver.received().await.len(), 1);
    for text in ["what is this?", "{}", r#"{"webhookId":"aaaaaaaaaaaaaaaaaaaaaaaaaa","deliveryId":"e-9"}"#] {
        assert_eq!(shop.deliver("DeliverWebhook", text, 1).await.status, StatusCode::OK);
    }
}

#[tokio::test]
async fn events_of_others_are_not_passed_on() {
    let (shop, receiver, _) = scene(200).await;
    let ours = confirmed(&shop, "e-1");
    for foreign in [
        CloudEvent { source: "urn:elsewhere".to_owned(), ..ours.clone() },
        CloudEvent { r#type: "Kiosk.OrderEaten".to_owned(), ..ours.clone() },
        CloudEvent { id: "no/path".to_owned(), ..ours },
    ] {
        assert_eq!(shop.tell("DispatchWebhooks", &foreign).await.status, StatusCode::OK);
    }
    shop.work().await;
    assert!(receiver.received().await.is_empty());
}

#[tokio::test]
async fn secret_is_shown_once_and_the_old_one_signs_for_a_day_beside_the_new() {
    let (shop, receiver, webhook) = scene(200).await;
    let path = format!("/api/webhooks/{}", id(&webhook));
    let rotated = shop.send("POST", &format!("{path}/secret"), &[], None).await;
    assert_eq!(rotated.status, StatusCode::OK);
    let (old, new) = (&webhook["secret"], &rotated.body["secret"]);
    assert_ne!(old, new);
    for path in [&path, "/api/webhooks"] {
        assert!(!shop.get(path).await.body.to_string().contains("whsec_"), "{path}");
    }
    happen(&shop, "e-1").await;
    shop.advance(24 * 60 * MINUTE);
    happen(&shop, "e-2").await;
    let received = receiver.received().await;
    let verified = received.iter().map(|request| (verifies(request, old), verifies(request, new)));
    assert_eq!(verified.collect::<Vec<_>>(), [(true, true), (false, true)]);
}

#[tokio::test]
async fn private_address_is_refused_at_once_and_a_name_that_leads_to_one_when_it_is_resolved() {
    let shop = TestShop::open(&[]).await;
    for (url, status) in [
        ("https://10.0.0.1/", 422),
        ("https://169.254.169.254/metadata/identity/oauth2/token", 422),
        ("https://[::ffff:127.0.0.1]/", 422),
        ("https://[fd00::1]:8443/", 422),
        // One address in other figures.
        ("https://2130706433/", 422),
        ("https://0x7f.1/", 422),
        ("http://127.0.0.1/", 422),
        ("http://example.com/", 422),
        ("https://example.com:22/", 422),
        ("ftp://example.com/", 400),
    ] {
        let answer = shop.post("/api/webhooks", &[], json!({ "url": url })).await;
        assert_eq!(
            (answer.status.as_u16(), &answer.body["errors"][0]["pointer"]),
            (status, &json!("/url")),
            "{url}"
        );
    }
    let webhook = create(&shop, json!({"url": "https://localhost/"})).await;
    happen(&shop, "e-1").await;
    let log = &deliveries(&shop, &webhook).await[0];
    assert_eq!((&log["state"], &log["attempts"][0]["error"]), (&json!("pending"), &json!("forbidden")));
}

#[tokio::test]
async fn webhook_for_this_machine_is_not_followed_where_it_may_not_be_reached() {
    let (mut shop, receiver, webhook) = scene(200).await;
    // Another instance of the shop, which may not reach this machine.
    let store = shop.another_instance().store.clone();
    let app = widgetco::app::App::new(store, shop.app.clock.clone(), shop.app.ids.clone());
    shop = TestShop::over(app, std::sync::Arc::clone(&shop.emulator));
    happen(&shop, "e-1").await;
    assert!(receiver.received().await.is_empty());
    assert_eq!(deliveries(&shop, &webhook).await[0]["attempts"][0]["error"], "forbidden");
}

#[tokio::test]
async fn redirect_is_not_followed() {
    let (shop, receiver, webhook) = scene(200).await;
    let elsewhere = Receiver::answering(200).await;
    receiver.answer(ResponseTemplate::new(307).insert_header("location", elsewhere.url())).await;
    happen(&shop, "e-1").await;
    assert!(elsewhere.received().await.is_empty());
    assert_eq!(deliveries(&shop, &webhook).await[0]["attempts"][0]["status"], 307);
}

#[tokio::test]
async fn receiver_that_cannot_be_reached_is_tried_again() {
    let (shop, receiver, _) = scene(200).await;
    let url = receiver.url();
    let silent =
        create(&shop, json!({ "url": url.replace(&receiver.0.address().port().to_string(), "1") })).await;
    happen(&shop, "e-1").await;
    let log = &deliveries(&shop, &silent).await[0];
    assert_eq!((&log["state"], &log["attempts"][0]["error"]), (&json!("pending"), &json!("unreachable")));
}

#[tokio::test]
async fn deliveries_come_by_page_newest_first() {
    let (shop, _receiver, webhook) = scene(200).await;
    for number in 1..=5 {
        happen(&shop, &format!("e-{number}")).await;
        shop.advance(MINUTE);
    }
    let (mut path, mut ids) = (format!("/api/webhooks/{}/deliveries?limit=2", id(&webhook)), Vec::new());
    loop {
        let page = shop.get(&path).await.body;
        ids.extend(
            page["items"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned()),
        );
        let Some(next) = page["nextLink"].as_str() else { break };
        path = next.to_owned();
    }
    assert_eq!(ids, ["e-5", "e-4", "e-3", "e-2", "e-1"]);
}

#[tokio::test]
async fn shop_has_so_many_webhooks_and_no_more_and_rings_for_so_many_at_once() {
    let shop = TestShop::open(&[]).await;
    let body = |number: usize| json!({"url": format!("https://example.com/{number}")});
    for number in 0..WEBHOOKS_MAX {
        let key = format!("k-{number}");
        let created = shop.post("/api/webhooks", &[("Idempotency-Key", &key)], body(number)).await;
        assert_eq!(created.status, StatusCode::CREATED);
    }
    let refused = shop.post("/api/webhooks", &[], body(WEBHOOKS_MAX)).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY);
    let replayed = shop.post("/api/webhooks", &[("Idempotency-Key", "k-0")], body(0)).await;
    assert_eq!((replayed.status, replayed.header("idempotency-replayed")), (StatusCode::CREATED, "true"));
    for number in 0..=DELIVERIES_MAX / WEBHOOKS_MAX {
        shop.tell("DispatchWebhooks", &confirmed(&shop, &format!("e-{number}"))).await;
        shop.advance(MINUTE);
    }
    assert_eq!(shop.drain("webhooks").len(), DELIVERIES_MAX + WEBHOOKS_MAX);
    shop.tick("RetryWebhooks").await;
    let bells = shop.drain("webhooks");
    assert_eq!(bells.len(), DELIVERIES_MAX);
    let newest = format!("e-{}\"", DELIVERIES_MAX / WEBHOOKS_MAX);
    assert!(!bells.iter().any(|bell| bell.contains(&newest)), "the longest waiting come first");
}

#[tokio::test]
async fn event_costs_a_request_for_each_webhook_that_wants_it() {
    let (shop, _receiver, webhook) = scene(200).await;
    happen(&shop, "e-1").await;
    let before = shop.requests();
    shop.tell("DispatchWebhooks", &confirmed(&shop, "e-2")).await;
    assert_eq!(shop.requests() - before, 1, "the webhooks are remembered");
    shop.work().await;
    assert_eq!(shop.requests() - before, 4);
    assert_eq!(deliveries(&shop, &webhook).await.len(), 2);
}
