//! A partner's pull with every kind of fault at every request: nothing leaves that is not on record, what is cut off does not
//! look whole, and the same pull again gives the same.
//!
//! The real router and the real client, over HTTP to an emulator behind a gate that lets one request go wrong. A killed
//! worker is a dropped request; nothing that it sends later gets through.
#![cfg(test)]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Body;
use axum::http::{Request, StatusCode};
use azure_data_cosmos::FeedScope;
use azure_data_cosmos::clients::ContainerClient;
use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tower::ServiceExt;
use widgetco::app::App;
use widgetco::app::pull::Opened;
use widgetco::auth::development::Bearer;
use widgetco::config::AuthConfig;
use widgetco::domain::id::PartnerId;
use widgetco::domain::partner::Change;
use widgetco::domain::partner::disclosure::Form;
use widgetco::host;
use widgetco::sources::Ids;
use widgetco::store::Store;

use crate::door::{Door, FAULTS, Fault};
use crate::group_commit::beside;
use crate::partners::{PULL, agree, consent};

/// Who agreed; enough for several pages of those that take two.
const CUSTOMERS: [&str; 5] = ["ann", "ben", "cid", "dot", "eli"];
/// What marks a customer's name in what leaves.
const MARK: &str = "NAME-OF-";

/// How it is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// A page as JSON.
    Json,
    /// A stream, which is all in one piece here.
    Ndjson,
    /// The pieces of a stream that takes two customers at once.
    Pieces,
}

/// What has left so far, and whether it looks whole.
#[derive(Debug, Default)]
struct Left {
    names: BTreeSet<String>,
    is_whole: bool,
}

impl Left {
    fn take(&mut self, text: &str) {
        for part in text.split(MARK).skip(1) {
            self.names.insert(part.chars().take_while(char::is_ascii_lowercase).collect());
        }
        self.is_whole |= text.contains("deltaLink") || text.contains(r#""change":"cursor""#);
    }
}

/// A shop, and a handler behind the door.
struct Stage {
    door: Arc<Door>,
    app: App,
    router: Router,
    authorization: String,
    /// Past the door.
    records: ContainerClient,
}

impl Stage {
    async fn build() -> Self {
        let door = Arc::new(Door::refusing(400));
        let (shop, cosmos) = beside(Arc::clone(&door).gate(), &[]).await;
        agree(&shop, "willy", &["/name"]).await;
        for id in CUSTOMERS {
            shop.add_customer(id).await;
            let name = format!("{MARK}{id}");
            let body = json!({"id": id, "email": format!("{id}@example.com"), "name": name});
            let put = shop.put(&format!("/api/customers/{id}"), &[("If-Match", "*")], body).await;
            assert_eq!(put.status, StatusCode::OK);
            consent(&shop, id, &["willy"]).await;
        }
        let app = App::new(Store::connect(&cosmos), shop.app.clock.clone(), Ids::seeded(3));
        let config = AuthConfig { requests_per_minute: 1_000_000, ..AuthConfig::development() };
        let routes = widgetco::functions::routes(app.clone().with_auth(&config));
        let router = host::shell(routes, Arc::new(|| "fresh".to_owned()));
        let authorization = shop.token(&Bearer::Partner(PartnerId::parse("willy").unwrap()));
        let records = shop.container("disclosures").await;
        Self { door, app, router, authorization, records }
    }

    async fn pull(&self, way: Way, left: &Mutex<Left>) {
        match way {
            Way::Json => self.ask("application/json", left).await,
            Way::Ndjson => self.ask("application/x-ndjson", left).await,
            Way::Pieces => self.take(left).await,
        }
    }

    async fn ask(&self, accept: &str, left: &Mutex<Left>) {
        let request = Request::get(PULL).header("Accept", accept);
        let request = request.header("Authorization", &self.authorization).body(Body::empty()).unwrap();
        let response = self.router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert!(status.is_success() || status.is_server_error(), "{status}");
        let mut pieces = response.into_body().into_data_stream();
        while let Some(Ok(piece)) = pieces.next().await {
            left.lock().unwrap().take(std::str::from_utf8(&piece).unwrap());
        }
    }

    /// As the stream does, with small pages.
    async fn take(&self, left: &Mutex<Left>) {
        let willy = PartnerId::parse("willy").unwrap();
        let page_max = NonZeroU32::new(2).unwrap();
        let opened = self.app.open_pull(&willy, None, Form::Ndjson, page_max).await;
        let Ok(Opened::Pull(mut pull)) = opened else { return };
        loop {
            let Ok(portion) = pull.next().await else { return };
            let portion = portion.unwrap();
            for change in portion.changes {
                let Change::Shared(shared) = change else { panic!("nobody has left") };
                left.lock().unwrap().take(&shared.fields.to_string());
            }
            if portion.is_end {
                left.lock().unwrap().is_whole = pull.close().await.is_ok();
                return;
            }
        }
    }

    async fn records(&self) -> Vec<Value> {
        let text = "SELECT c.id, c.customerIds FROM c";
        let all = self.records.query_items(text, FeedScope::full_container(), None).await;
        all.unwrap().try_collect().await.unwrap()
    }

    /// Pulls with one fault or none, and then once more without. Gives the number of requests.
    async fn play(&self, way: Way, plan: Option<(usize, Fault)>) -> usize {
        let context = format!("{way:?} {plan:?}");
        let known: BTreeSet<_> = self.records().await.iter().map(|one| one["id"].to_string()).collect();
        self.door.begin(plan);
        let left = Mutex::new(Left::default());
        let killed = tokio::select! {
            biased;
            () = self.door.killed.notified() => true,
            () = Box::pin(self.pull(way, &left)) => false,
        };
        let requests = self.door.arrived.load(Ordering::SeqCst);
        assert_eq!(killed, plan.is_some_and(|(_, fault)| fault.kills()), "{context}: {requests} requests");
        let left = left.into_inner().unwrap();
        let records = self.records().await;
        let records = records.iter().filter(|one| !known.contains(&one["id"].to_string()));
        let recorded: BTreeSet<_> = records
            .flat_map(|one| one["customerIds"].as_array().unwrap())
            .map(|id| id.as_str().unwrap().to_owned())
            .collect();
        assert!(left.names.is_subset(&recorded), "{context}: {:?} of {recorded:?}", left.names);
        let everybody: BTreeSet<_> = CUSTOMERS.map(str::to_owned).into();
        assert!(!left.is_whole || left.names == everybody, "{context}: {left:?}");

        self.door.begin(None);
        let again = Mutex::new(Left::default());
        Box::pin(self.pull(way, &again)).await;
        let again = again.into_inner().unwrap();
        assert!(again.is_whole && again.names == everybody, "{context}: {again:?}");
        requests
    }
}

#[tokio::test]
async fn pull_survives_every_fault_at_every_request_and_nothing_leaves_unrecorded() {
    let stage = Box::pin(Stage::build()).await;
    for (way, least) in [(Way::Json, 6), (Way::Ndjson, 7), (Way::Pieces, 20)] {
        Box::pin(stage.play(way, None)).await;
        let requests = Box::pin(stage.play(way, None)).await;
        assert!(requests >= least, "{way:?} took only {requests} requests");
        for at in 1..=requests {
            for fault in FAULTS {
                Box::pin(stage.play(way, Some((at, fault)))).await;
            }
        }
    }
}
