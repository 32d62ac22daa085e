//! Dispatching and delivering with every kind of fault at every request to the store: no event is lost for a webhook that wants
//! it, though all bells are lost, too.
//!
//! The real router and the real client, over HTTP to an emulator behind a gate that lets one request go wrong. A killed
//! worker is a dropped request; nothing that it sends later gets through.
#![cfg(test)]

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};
use tower::ServiceExt;
use widgetco::app::App;
use widgetco::domain::webhook::Reach;
use widgetco::host::{self, CloudEvent};
use widgetco::outbound::Outbound;
use widgetco::sources::Ids;
use widgetco::store::Store;

use wiremock::matchers::any;
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::door::{Door, FAULTS, Fault};
use crate::group_commit::beside;
use crate::shop::TestShop;
use crate::webhooks::confirmed;

/// Webhooks that want every event.
const WEBHOOKS: usize = 2;

/// A shop past the door, its worker behind it, and somebody who takes all events.
struct Stage {
    door: Arc<Door>,
    shop: TestShop,
    worker: Router,
    receiver: MockServer,
}

impl Stage {
    async fn build() -> Self {
        let door = Arc::new(Door::refusing(400));
        let (mut shop, cosmos) = beside(Arc::clone(&door).gate(), &[]).await;
        shop.reach_this_machine();
        let receiver = MockServer::start().await;
        Mock::given(any()).respond_with(ResponseTemplate::new(200)).mount(&receiver).await;
        for _ in 0..WEBHOOKS {
            let created = shop.post("/api/webhooks", &[], json!({"url": receiver.uri()})).await;
            assert_eq!(created.status, StatusCode::CREATED);
        }
        let app = App::new(Store::connect(&cosmos), shop.app.clock.clone(), Ids::seeded(3));
        let app = app.with_outbound(Outbound::new(Reach::ThisMachine));
        let worker = host::shell(widgetco::functions::routes(app), Arc::new(|| "fresh".to_owned()));
        Self { door, shop, worker, receiver }
    }

    /// The outputs of a function of the worker, if it succeeded.
    async fn invoke(&self, function: &str, data: Value) -> Option<Value> {
        let body = Body::from(json!({"Data": data, "Metadata": {}}).to_string());
        let request = Request::post(format!("/{function}")).body(body).unwrap();
        let response = self.worker.clone().oneshot(request).await.unwrap();
        if response.status() != StatusCode::OK {
            return None;
        }
        let body = to_bytes(response.into_body(), usize::MAX).await.unwrap();
        Some(serde_json::from_slice::<Value>(&body).unwrap()["Outputs"].take())
    }

    /// The worker hears of the event and answers each bell; `is_heard` becomes true once the event is acknowledged.
    async fn work(&self, event: &CloudEvent, is_heard: &Mutex<bool>) {
        let Some(outputs) = self.invoke("DispatchWebhooks", json!({ "event": event })).await else { return };
        *is_heard.lock().unwrap() = true;
        for bell in outputs["webhooks"].as_array().unwrap() {
            let acknowledged = self.invoke("DeliverWebhook", json!({ "message": bell.to_string() })).await;
            assert!(acknowledged.is_some(), "no bell ever becomes poison");
        }
    }

    async fn arrivals(&self, event_id: &str) -> usize {
        let received = self.receiver.received_requests().await.unwrap();
        received.iter().filter(|request| request.headers["webhook-id"] == event_id).count()
    }

    /// One event, with one fault or none. All bells of the faulty worker are lost. Gives the number of requests.
    async fn play(&self, event_id: &str, plan: Option<(usize, Fault)>) -> usize {
        let event = confirmed(&self.shop, event_id);
        let is_heard = Mutex::new(false);
        self.door.begin(plan);
        let killed = tokio::select! {
            biased;
            () = self.door.killed.notified() => true,
            () = Box::pin(self.work(&event, &is_heard)) => false,
        };
        let requests = self.door.arrived.load(Ordering::SeqCst);
        assert_eq!(killed, plan.is_some_and(|(_, fault)| fault.kills()), "{plan:?}: {requests} requests");
        self.door.begin(None);
        if !is_heard.into_inner().unwrap() {
            self.shop.tell("DispatchWebhooks", &event).await;
        }
        self.shop.drain("webhooks");
        self.shop.advance(Duration::from_secs(60));
        self.shop.tick("RetryWebhooks").await;
        self.shop.work().await;
        let arrivals = self.arrivals(event_id).await;
        // Only what was sent and then not written down is sent again.
        assert!((WEBHOOKS..=WEBHOOKS + 1).contains(&arrivals), "{plan:?}: {arrivals} arrivals");
        let due = self.shop.app.store.deliveries.due(self.shop.app.clock.now(), 10).await.unwrap();
        assert!(due.is_empty(), "{plan:?}: {due:?}");
        // What is remembered of the webhooks is read anew for each event.
        self.shop.advance(Duration::from_secs(60));
        requests
    }
}

#[tokio::test]
async fn no_event_is_lost_for_a_webhook_whatever_goes_wrong_at_whichever_request() {
    let stage = Box::pin(Stage::build()).await;
    Box::pin(stage.play("warm", None)).await;
    let requests = Box::pin(stage.play("plain", None)).await;
    assert_eq!(stage.arrivals("plain").await, WEBHOOKS, "without a fault nothing is sent twice");
    assert!(requests >= 9, "it took only {requests} requests");
    for at in 1..=requests {
        for fault in FAULTS {
            Box::pin(stage.play(&format!("e-{at}-{fault:?}"), Some((at, fault)))).await;
        }
    }
}
