//! Adding, removing and sweeping pictures, with every kind of fault at every request to either store: no product ever
//! refers to a blob that is not there, and what a dead worker left behind is gone after the next sweep.
//!
//! The real router and both real clients, one over HTTP to the Cosmos emulator, one to Azurite through a door of the
//! test's own. The door counts what arrives at either and lets one request go wrong. A killed worker is a dropped
//! invocation; nothing that it sends later gets through.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::extract::State;
use axum::http::request::Parts;
use axum::http::{Request, Response, StatusCode};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::net::TcpListener;
use widgetco::app::images::Images;
use widgetco::config::CosmosConfig;
use widgetco::store::Store;
use widgetco::store::emulator::{Emulator, Fate};

use crate::azurite::{Azurite, settings};
use crate::blobs::names;
use crate::door::{Door, FAULTS, Fault};
use crate::group_commit::beside;
use crate::images::png;
use crate::shop::{DATABASE, TestShop};
use crate::sweep_images::{leave, old};

/// How often a caller asks again after an answer that is not a success.
const CALLS_MAX: usize = 5;
const ORPHAN: &str = "ghost/aaaaaaaaaaaaaaaaaaaaaaaaaa/original.png";

/// The invocation under test.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Act {
    Add,
    Remove,
    Sweep,
}

/// The door in front of Azurite.
#[derive(Clone)]
struct BlobDoor {
    door: Arc<Door>,
    client: Client<HttpConnector, Body>,
    azurite: String,
}

impl BlobDoor {
    async fn serve(self) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let router = Router::new().fallback(admit).with_state(self);
        tokio::spawn(async move { axum::serve(listener, router).await });
        format!("http://{address}")
    }

    async fn forward(&self, head: &Parts, body: Bytes) -> Response<Body> {
        let path = head.uri.path_and_query().unwrap();
        let mut request =
            Request::builder().method(head.method.clone()).uri(format!("{}{path}", self.azurite));
        *request.headers_mut().unwrap() = head.headers.clone();
        let response = self.client.request(request.body(Body::from(body)).unwrap()).await.unwrap();
        response.map(Body::new)
    }
}

async fn admit(State(blobs): State<BlobDoor>, request: Request<Body>) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    // Making the container is part of connecting, which nobody is killed at.
    let is_container_made = head.method == "PUT" && head.uri.path().split('/').count() == 3;
    let fate = if is_container_made { Fate::Pass } else { blobs.door.decide() };
    let failed = |status| Response::builder().status(status).body(Body::empty()).unwrap();
    match fate {
        Fate::Pass => blobs.forward(&head, body).await,
        Fate::Refuse(status) => failed(status),
        Fate::Mislead(status) => {
            blobs.forward(&head, body).await;
            failed(status)
        }
        Fate::Vanish => {
            blobs.door.killed.notify_one();
            std::future::pending().await
        }
        Fate::Silence => {
            blobs.forward(&head, body).await;
            blobs.door.killed.notify_one();
            std::future::pending().await
        }
    }
}

/// A shop whose every request can be made to go wrong.
struct Stage {
    door: Arc<Door>,
    shop: TestShop,
    emulator: Arc<Emulator>,
    cosmos: CosmosConfig,
    blobs: String,
    _azurite: Azurite,
}

impl Stage {
    async fn build() -> Self {
        let door = Arc::new(Door::refusing(503));
        let azurite = Azurite::start();
        let address = azurite.url("");
        let origin = address.split("/devstoreaccount1").next().unwrap().to_owned();
        let client = Client::builder(TokioExecutor::new()).build(HttpConnector::new());
        let blobs = BlobDoor { door: Arc::clone(&door), client, azurite: origin }.serve().await;
        let (shop, cosmos) = beside(Arc::clone(&door).gate(), &[]).await;
        let emulator = Arc::clone(&shop.emulator);
        Self { door, shop, emulator, cosmos, blobs, _azurite: azurite }
    }

    fn images(&self, case: usize) -> Images {
        Images::connect(&settings(format!("{}/devstoreaccount1/case-{case}", self.blobs)))
    }

    /// Plays the act on a product and container of its own, with one fault or none. Gives the number of requests.
    async fn play(&mut self, case: usize, act: Act, plan: Option<(usize, Fault)>) -> usize {
        self.door.begin(None);
        let product = format!("p{case}");
        let path = format!("/api/products/{product}/images");
        self.shop.restart(Store::embedded(Arc::clone(&self.emulator), DATABASE));
        self.shop.show_images(self.images(case));
        self.shop.add_product(&product, 1).await;
        let first = self.shop.exchange("POST", &path, &[], png(1, 500, 20)).await;
        assert_eq!(first.0, StatusCode::CREATED);
        let first = first.1["location"].to_str().unwrap().to_owned();
        self.shop.app.images.blobs.put(ORPHAN, "image/png", Bytes::from_static(b"x")).await.unwrap();
        leave(&self.shop, old());

        // The worker under test has clients of its own, and is connected.
        self.shop.restart(Store::connect(&self.cosmos));
        self.shop.show_images(self.images(case));
        assert_eq!(self.shop.exchange("GET", &first, &[], Body::empty()).await.0, StatusCode::OK);
        self.door.begin(plan);
        let killed = tokio::select! {
            biased;
            () = self.door.killed.notified() => true,
            _ = self.perform(act, &path, &first) => false,
        };
        let requests = self.door.arrived.load(Ordering::SeqCst);
        if let Some((_, fault)) = plan {
            assert_eq!(killed, fault.kills(), "{act:?} {plan:?}: {requests} requests came");
        }

        // Another worker finds what the first one left.
        self.door.begin(None);
        self.shop.restart(Store::embedded(Arc::clone(&self.emulator), DATABASE));
        self.shop.show_images(self.images(case));
        self.check(&path, None).await;
        let mut done = false;
        for _ in 0..CALLS_MAX {
            done = done || self.perform(act, &path, &first).await;
        }
        assert!(done, "{act:?} {plan:?}: it cannot be done at all");
        leave(&self.shop, old());
        assert_eq!(self.shop.tick("SweepImages").await.status, StatusCode::OK);
        let pictures = match act {
            Act::Add => 2,
            Act::Remove => 0,
            Act::Sweep => 1,
        };
        self.check(&path, Some(pictures)).await;
        requests
    }

    /// Whether the act has come to its end.
    async fn perform(&self, act: Act, path: &str, first: &str) -> bool {
        let status = match act {
            Act::Add => self.shop.exchange("POST", path, &[], png(2, 1300, 30)).await.0,
            Act::Remove => self.shop.exchange("DELETE", first, &[], Body::empty()).await.0,
            Act::Sweep => self.shop.tick("SweepImages").await.status,
        };
        status.is_success() || act == Act::Remove && status == StatusCode::NOT_FOUND
    }

    /// All that the product refers to is there; when so many pictures are given, there is nothing else.
    async fn check(&self, path: &str, pictures: Option<usize>) {
        let list = self.shop.get(path).await.body;
        let items = list["items"].as_array().unwrap();
        let mut count = 0;
        for item in items {
            let image = format!("{path}/{}", item["id"].as_str().unwrap());
            let widths = item["renditions"].as_array().unwrap().iter();
            let copies = widths.map(|rendition| format!("{image}/{}", rendition["widthPx"]));
            for file in std::iter::once(image.clone()).chain(copies) {
                let (status, ..) = self.shop.exchange("GET", &file, &[], Body::empty()).await;
                assert_eq!(status, StatusCode::OK, "{file}");
                count += 1;
            }
        }
        if let Some(pictures) = pictures {
            assert_eq!(items.len(), pictures);
            let left = names(&self.shop.app.images.blobs, 100).await;
            assert_eq!(left.len(), count, "{left:?} for {items:?}");
        }
    }
}

/// Plays the act without a fault, then with every fault at every request. Most of the time passes in the clients' pauses.
async fn survive(act: Act) {
    let mut stage = Box::pin(Stage::build()).await;
    let requests = Box::pin(stage.play(0, act, None)).await;
    assert!(requests >= 5, "{act:?} took only {requests} requests");
    let cases = (1..=requests).flat_map(|at| FAULTS.map(|fault| (at, fault)));
    for (case, plan) in cases.enumerate() {
        Box::pin(stage.play(case + 1, act, Some(plan))).await;
    }
}

#[tokio::test]
async fn adding_a_picture_survives_every_fault_at_every_request() {
    survive(Act::Add).await;
}

#[tokio::test]
async fn removing_a_picture_survives_every_fault_at_every_request() {
    survive(Act::Remove).await;
}

#[tokio::test]
async fn sweep_survives_every_fault_at_every_request() {
    survive(Act::Sweep).await;
}
