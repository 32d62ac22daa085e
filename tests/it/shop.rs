//! A whole shop for a test: the real router, driven with the envelopes that the Functions host sends, over the SDK's
//! emulator, with queues, a clock and chance that the test controls.
#![cfg(test)]

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use azure_data_cosmos::clients::ContainerClient;
use azure_data_cosmos::options::Region;
use azure_data_cosmos::{
    AccountReference, CosmosClientBuilder, CosmosRuntimeBuilder, FeedScope, RoutingStrategy,
};
use chrono::{DateTime, TimeDelta, TimeZone, Utc};
use futures::TryStreamExt;
use futures::future::try_join_all;
use serde_json::{Value, json};
use tower::ServiceExt;
use widgetco::app::App;
use widgetco::app::customers::Enrolment;
use widgetco::app::images::Images;
use widgetco::auth::development::{self, Bearer};
use widgetco::config::AuthConfig;
use widgetco::domain::customer::contact::Email;
use widgetco::domain::customer::{Customer, Details};
use widgetco::domain::id::{CustomerId, Fingerprint, PartnerId, Sku};
use widgetco::domain::money::{Currency, Money};
use widgetco::domain::product::{Details as ProductDetails, Product};
use widgetco::domain::stock::Adjustment;
use widgetco::domain::webhook::Reach;
use widgetco::functions::timing::timed;
use widgetco::host::{self, CloudEvent};
use widgetco::mail::Mailer;
use widgetco::outbound::Outbound;
use widgetco::sources::{Clock, Ids};
use widgetco::store::Store;
use widgetco::store::emulator::{Emulator, KEY};
use widgetco::store::stock::Counted;

use crate::contract;

pub(crate) const DATABASE: &str = "test";
/// For a request without a token.
pub(crate) const NOBODY: (&str, &str) = ("authorization", "");
/// Deliveries after which a message counts as one that is retried for ever.
const DELIVERIES_MAX: usize = 5_000;
/// `maxDequeueCount` of the test's host.
pub(crate) const DEQUEUES_MAX: u32 = 5;

/// A shop, and everything around it.
pub(crate) struct TestShop {
    pub(crate) app: App,
    pub(crate) emulator: Arc<Emulator>,
    router: Router,
    functions: Vec<Function>,
    queues: Mutex<BTreeMap<String, VecDeque<Message>>>,
    invocations: AtomicU32,
}

/// A message in a queue of the test's host.
#[derive(Debug, Clone)]
struct Message {
    text: String,
    dequeue_count: u32,
}

/// What a `function.json` says.
#[derive(Debug)]
struct Function {
    name: String,
    bindings: Vec<Value>,
}

/// An HTTP answer as the caller outside sees it.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

impl TestShop {
    /// A shop with these products, so many pieces of each, at 2.50 euros, and the customers `ada` and `bob`.
    pub(crate) async fn open(stock: &[(&str, u32)]) -> Self {
        Self::open_in(Arc::new(Emulator::in_process().unwrap()), stock).await
    }

    /// The same in this account, past its gate.
    pub(crate) async fn open_in(emulator: Arc<Emulator>, stock: &[(&str, u32)]) -> Self {
        // As the program does first of all; only the first of many tests finds none there.
        drop(rustls::crypto::ring::default_provider().install_default());
        let clock = Clock::manual(Utc.with_ymd_and_hms(2026, 3, 2, 9, 15, 0).unwrap());
        let app = App::new(Store::embedded(Arc::clone(&emulator), DATABASE), clock, Ids::seeded(1));
        app.store.create_containers().await.unwrap();
        let router = router(&app);
        let shop = Self {
            app,
            emulator,
            router,
            functions: functions(),
            queues: Mutex::default(),
            invocations: AtomicU32::default(),
        };
        for (id, on_hand) in stock {
            shop.add_product(id, *on_hand).await;
        }
        for id in ["ada", "bob"] {
            shop.add_customer(id).await;
        }
        shop
    }

    /// Ends the handler's process and starts another, which reaches the same account by this store. Queues and clock
    /// are the host's, and stay.
    pub(crate) fn restart(&mut self, store: Store) {
        let app = App::new(store, self.app.clock.clone(), self.app.ids.clone());
        let app = app.with_mailer(self.app.mailer.clone()).with_outbound(self.app.outbound.clone());
        self.become_app(app.with_images(self.app.images.clone()));
    }

    /// Gives the handler another place for pictures.
    pub(crate) fn show_images(&mut self, images: Images) {
        self.become_app(self.app.clone().with_images(images));
    }

    /// Has somebody else send the handler's mails.
    pub(crate) fn mail_by(&mut self, mailer: Mailer) {
        self.become_app(self.app.clone().with_mailer(mailer));
    }

    /// Lets the handler send webhooks to this machine, as it does in development.
    pub(crate) fn reach_this_machine(&mut self) {
        self.become_app(self.app.clone().with_outbound(Outbound::new(Reach::ThisMachine)));
    }

    /// Has the handler believe whom these settings name.
    pub(crate) fn admit(&mut self, config: &AuthConfig) {
        let ids = self.app.ids.clone();
        let routes = widgetco::functions::routes(self.app.clone().with_auth(config));
        self.router = host::shell(routes, Arc::new(move || ids.hex32()));
    }

    /// Lets the handler tell what its answers cost, as it does in development.
    pub(crate) fn develop(&mut self) {
        let routes = timed(widgetco::functions::routes(open_to_all(&self.app)));
        let ids = self.app.ids.clone();
        self.router = host::shell(routes, Arc::new(move || ids.hex32()));
    }

    /// Name, method and route of every HTTP function, as its `function.json` says.
    pub(crate) fn http_functions(&self) -> Vec<(&str, &str, &str)> {
        let functions = self.functions.iter().filter_map(|function| {
            let trigger = function.trigger();
            let methods = trigger["methods"].as_array()?;
            assert_eq!(methods.len(), 1, "{}", function.name);
            Some((function.name.as_str(), methods[0].as_str()?, trigger["route"].as_str()?))
        });
        functions.collect()
    }

    fn become_app(&mut self, app: App) {
        self.app = app;
        self.router = router(&self.app);
    }

    pub(crate) async fn add_product(&self, id: &str, on_hand: u32) {
        let now = self.app.clock.now();
        let price = Money { amount_minor: 250, currency: Currency::parse("EUR").unwrap() };
        let details = ProductDetails::on_sale(format!("Product {id}"), price);
        let product = Product::new(Sku::parse(&id.to_uppercase()).unwrap(), details, now);
        let id = product.id.clone();
        self.app.store.products.create(&product).await.unwrap();
        let delivery = Adjustment {
            id: Adjustment::id_from_chance(self.app.ids.bytes16()),
            product_id: id,
            delta: 0,
            reason: "delivered".into(),
            on_hand_after: 0,
            created_at: now,
            fingerprint: Fingerprint::of([]),
        };
        let counted = self
            .app
            .store
            .stock
            .count(|current| current.is_none(), delivery, (on_hand, None), now)
            .await
            .unwrap();
        assert!(matches!(counted, Counted::Done(_)));
    }

    /// A customer with an address of their own at `example.com`.
    pub(crate) async fn add_customer(&self, id: &str) {
        let details = Details {
            email: Email::parse(&format!("{id}@example.com")).unwrap(),
            name: id.to_uppercase(),
            phone: None,
            addresses: Vec::new(),
        };
        let customer = Customer::new(CustomerId::parse(id).unwrap(), details, self.app.clock.now());
        assert!(matches!(self.app.enrol(&customer).await.unwrap(), Enrolment::Done(_)));
    }

    /// The shop in another process: it shares the store and the clock, and remembers nothing of this one.
    pub(crate) fn another_instance(&self) -> App {
        let store = Store::embedded(Arc::clone(&self.emulator), DATABASE);
        App::new(store, self.app.clock.clone(), Ids::seeded(2))
    }

    pub(crate) fn advance(&self, by: Duration) {
        self.app.clock.advance(by);
    }

    /// Another handler over a store that may have been filled already, with a host of its own.
    pub(crate) fn over(app: App, emulator: Arc<Emulator>) -> Self {
        let router = router(&app);
        Self {
            app,
            emulator,
            router,
            functions: functions(),
            queues: Mutex::default(),
            invocations: AtomicU32::default(),
        }
    }

    // --- HTTP, as the host in front of the handler does it -----------------------------------------------------------

    pub(crate) async fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], None).await
    }

    pub(crate) async fn post(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.send("POST", path, headers, Some(body.to_string())).await
    }

    pub(crate) async fn put(&self, path: &str, headers: &[(&str, &str)], body: Value) -> Answer {
        self.send("PUT", path, headers, Some(body.to_string())).await
    }

    /// A request from outside: proxied, or wrapped in an envelope when the function has other outputs than `http`.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Answer {
        let headers = &self.signed(path, headers);
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let (bare, query) = path.split_once('?').unwrap_or((path, ""));
        let route = bare.strip_prefix("/api/").unwrap_or("(none)");
        let found = self.functions.iter().find_map(|function| {
            let params = function.http_params(method, route)?;
            Some((function, params))
        });
        let Some((function, params)) = found else {
            let (headers, body) = (HeaderMap::new(), Value::Null);
            return Answer { status: StatusCode::NOT_FOUND, headers, body };
        };
        let mut sent: Vec<(String, String)> =
            headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        if body.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            sent.push(("Content-Type".into(), "application/json".into()));
        }
        if function.is_proxied() {
            let mut request =
                Request::builder().method(Method::from_bytes(method.as_bytes()).unwrap()).uri(path);
            for (name, value) in &sent {
                request = request.header(name, value);
            }
            let answer = self.call(request.body(Body::from(body.unwrap_or_default())).unwrap()).await;
            contract::hold(&function.name, &answer);
            return answer;
        }
        let answer = self.send_enveloped(function, (method, path, query), params, sent, body).await;
        contract::hold(&function.name, &answer);
        answer
    }

    /// A request with any bytes, and the answer as it is. Only for functions that are proxied.
    pub(crate) async fn exchange(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: impl Into<Body>,
    ) -> (StatusCode, HeaderMap, Bytes) {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in self.signed(path, headers) {
            request = request.header(name, value);
        }
        let response = self.router.clone().oneshot(request.body(body.into()).unwrap()).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let route = path.split('?').next().unwrap().strip_prefix("/api/").unwrap_or("(none)");
        let function = self.functions.iter().find(|one| one.http_params(method, route).is_some());
        // What is packed or has no body is not looked into.
        let is_plain = !parts.headers.contains_key(header::CONTENT_ENCODING) && method != "HEAD";
        if let Some(function) = function.filter(|one| is_plain && one.is_proxied()) {
            let body = serde_json::from_slice(&bytes).unwrap_or_default();
            contract::hold(
                &function.name,
                &Answer { status: parts.status, headers: parts.headers.clone(), body },
            );
        }
        (parts.status, parts.headers, bytes)
    }

    /// These headers, and a token of somebody who may call there unless they have one; `NOBODY` has none.
    fn signed<'a>(&self, path: &str, headers: &[(&'a str, &str)]) -> Vec<(&'a str, String)> {
        let given = headers.iter().map(|(name, value)| (*name, (*value).to_owned()));
        if headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("authorization")) {
            return given.filter(|(name, value)| *name != NOBODY.0 || !value.is_empty()).collect();
        }
        given.chain([("authorization", self.token(&usual_caller(path)))]).collect()
    }

    /// The value of `Authorization` for this bearer, for the next hour.
    pub(crate) fn token(&self, bearer: &Bearer) -> String {
        let token = development::token(bearer, self.app.clock.now(), TimeDelta::hours(1)).unwrap();
        format!("Bearer {token}")
    }

    async fn send_enveloped(
        &self,
        function: &Function,
        (method, path, query): (&str, &str, &str),
        params: BTreeMap<String, String>,
        headers: Vec<(String, String)>,
        body: Option<String>,
    ) -> Answer {
        let mut values: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for (name, value) in headers {
            values.entry(name).or_default().push(value);
        }
        let query: BTreeMap<_, _> = query.split('&').filter_map(|pair| pair.split_once('=')).collect();
        let url = format!("http://localhost:7071{path}");
        let mut data =
            json!({"Url": url, "Method": method, "Query": query, "Headers": values, "Params": params});
        if let Some(body) = body.filter(|body| !body.is_empty()) {
            data["Body"] = body.into();
        }
        let name = function.trigger()["name"].as_str().unwrap().to_owned();
        let answer = self.invoke(&function.name, json!({ name: data }), json!({})).await;
        if answer.status != StatusCode::OK {
            return answer;
        }
        let res = &answer.body["Outputs"]["res"];
        let mut outer = HeaderMap::new();
        for (name, value) in res["headers"].as_object().unwrap() {
            let name = name.parse::<header::HeaderName>().unwrap();
            outer.insert(name, value.as_str().unwrap().parse().unwrap());
        }
        let status = res["statusCode"]
            .as_u64()
            .unwrap_or_else(|| res["statusCode"].as_str().unwrap().parse().unwrap());
        let status = StatusCode::from_u16(u16::try_from(status).unwrap()).unwrap();
        let body = res["body"].as_str().and_then(|text| serde_json::from_str(text).ok()).unwrap_or_default();
        Answer { status, headers: outer, body }
    }

    /// Places an order and gives its id.
    pub(crate) async fn place(&self, customer: &str, lines: &[(&str, u32)]) -> String {
        let answer = self.post("/api/orders", &[], order_body(customer, lines)).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED, "{:?}", answer.body);
        answer.body["id"].as_str().unwrap().to_owned()
    }

    pub(crate) async fn order(&self, id: &str) -> Value {
        let answer = self.get(&format!("/api/orders/{id}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        answer.body
    }

    pub(crate) async fn status(&self, id: &str) -> String {
        self.order(id).await["status"].as_str().unwrap().to_owned()
    }

    /// The kinds of an order's events, oldest first.
    pub(crate) async fn timeline(&self, id: &str) -> Vec<String> {
        let events = self.get(&format!("/api/orders/{id}/events")).await.body;
        let items = events["items"].as_array().unwrap();
        items.iter().map(|event| event["kind"].as_str().unwrap().to_owned()).collect()
    }

    // --- Invocations and queues --------------------------------------------------------------------------------------

    /// `POST /{FunctionName}` with an envelope; queue outputs of a success go into the queues.
    pub(crate) async fn invoke(&self, name: &str, data: Value, metadata: Value) -> Answer {
        let request = Request::post(format!("/{name}"))
            .header(header::CONTENT_TYPE, "application/json; charset=utf-8")
            .header("X-Azure-Functions-InvocationId", self.invocation_id())
            .header(header::USER_AGENT, "Azure-Functions-Host/4.0")
            .body(Body::from(json!({"Data": data, "Metadata": metadata}).to_string()));
        let answer = self.call(request.unwrap()).await;
        if answer.status == StatusCode::OK {
            let function = self.functions.iter().find(|function| function.name == name).unwrap();
            for output in function.bindings.iter().filter(|binding| binding["type"] == "queue") {
                let messages = answer.body["Outputs"][output["name"].as_str().unwrap()].as_array().cloned();
                for message in messages.unwrap_or_default() {
                    self.put_message(output["queueName"].as_str().unwrap(), message.as_str().unwrap());
                }
            }
        }
        answer
    }

    /// One delivery of a text to a queue function, as the host would make it.
    pub(crate) async fn deliver(&self, function: &str, text: &str, dequeue_count: u32) -> Answer {
        let literal = Value::String(text.to_owned()).to_string();
        let metadata = json!({"DequeueCount": dequeue_count.to_string()});
        self.invoke(function, json!({ "message": literal }), metadata).await
    }

    /// One delivery of an event to a function, as the host would make it.
    pub(crate) async fn tell(&self, function: &str, event: &CloudEvent) -> Answer {
        self.invoke(function, json!({ "event": event }), json!({})).await
    }

    pub(crate) async fn tick(&self, function: &str) -> Answer {
        let timer = json!({"Schedule": {"AdjustForDST": true}, "ScheduleStatus": null, "IsPastDue": false});
        self.invoke(function, json!({ "timer": timer }), json!({})).await
    }

    pub(crate) fn put_message(&self, queue: &str, text: &str) {
        let message = Message { text: text.to_owned(), dequeue_count: 0 };
        self.queues.lock().unwrap().entry(queue.to_owned()).or_default().push_back(message);
    }

    /// The texts that lie in a queue.
    pub(crate) fn messages(&self, queue: &str) -> Vec<String> {
        let queues = self.queues.lock().unwrap();
        queues
            .get(queue)
            .map_or_else(Vec::new, |queue| queue.iter().map(|message| message.text.clone()).collect())
    }

    /// Takes the messages out, as if they were lost.
    pub(crate) fn drain(&self, queue: &str) -> Vec<String> {
        let mut queues = self.queues.lock().unwrap();
        queues
            .remove(queue)
            .map_or_else(Vec::new, |queue| queue.into_iter().map(|message| message.text).collect())
    }

    /// Delivers until every queue that a function reads is empty: again after a failure, to poison after too many.
    pub(crate) async fn work(&self) {
        for _ in 0..DELIVERIES_MAX {
            let Some((function, queue, mut message)) = self.next_message() else { return };
            message.dequeue_count += 1;
            let answer = self.deliver(&function, &message.text, message.dequeue_count).await;
            if answer.status == StatusCode::OK {
                continue;
            }
            let mut queues = self.queues.lock().unwrap();
            if message.dequeue_count < DEQUEUES_MAX {
                queues.entry(queue).or_default().push_back(message);
            } else {
                let poison = Message { dequeue_count: 0, ..message };
                queues.entry(format!("{queue}-poison")).or_default().push_back(poison);
            }
        }
        panic!("messages are retried for ever");
    }

    fn next_message(&self) -> Option<(String, String, Message)> {
        let mut queues = self.queues.lock().unwrap();
        self.functions.iter().find_map(|function| {
            let queue = function.trigger()["queueName"].as_str()?;
            let message = queues.get_mut(queue)?.pop_front()?;
            Some((function.name.clone(), queue.to_owned(), message))
        })
    }

    /// A name of its own for each invocation, as the host draws it.
    fn invocation_id(&self) -> String {
        format!("{:08x}-0d0b-4a7e-9a53-0f7f4d1f6a10", self.invocations.fetch_add(1, Ordering::Relaxed) + 1)
    }

    async fn call(&self, request: Request<Body>) -> Answer {
        let response = self.router.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    // --- The books ---------------------------------------------------------------------------------------------------

    /// Requests for documents so far.
    pub(crate) fn requests(&self) -> u64 {
        self.emulator.requests()
    }

    /// On hand, held and available pieces of a product.
    pub(crate) async fn counts(&self, product: &str) -> (u64, u64, u64) {
        let body = self.get(&format!("/api/products/{product}/stock")).await.body;
        let count = |name: &str| body[name].as_u64().unwrap();
        (count("onHand"), count("held"), count("available"))
    }

    /// Checks the ledger of a product against its documents, read behind the shop's back.
    pub(crate) async fn audit(&self, product: &str) {
        let documents = self.documents("stock", product).await;
        let sum = |kind: &str, state: Option<&str>, field: &str| -> i64 {
            let wanted = documents.iter().filter(|document| {
                document["type"] == kind && state.is_none_or(|state| document["state"] == state)
            });
            wanted.map(|document| document[field].as_i64().unwrap()).sum()
        };
        let stock = documents.iter().find(|document| document["type"] == "stock").unwrap();
        let (on_hand, held) = (stock["onHand"].as_i64().unwrap(), stock["held"].as_i64().unwrap());
        assert_eq!(held, sum("reservation", Some("held"), "quantity"), "held of {product}");
        let taken = sum("reservation", Some("taken"), "quantity");
        assert_eq!(on_hand, sum("adjustment", None, "delta") - taken, "on hand of {product}");
        assert!((0..=on_hand).contains(&held), "0 <= {held} <= {on_hand} of {product}");
    }

    /// Every document of a partition.
    pub(crate) async fn documents(&self, container: &str, partition: &str) -> Vec<Value> {
        let client = self.container(container).await;
        let scope = FeedScope::partition(partition.to_owned());
        client.query_items("SELECT * FROM c", scope, None).await.unwrap().try_collect().await.unwrap()
    }

    /// The container itself, for a test that must change a document behind the shop's back.
    pub(crate) async fn container(&self, name: &str) -> ContainerClient {
        let [container] = self.containers_in([name], None).await;
        container
    }

    /// Containers as they are in this region, or in the account's first one.
    pub(crate) async fn containers_in<const COUNT: usize>(
        &self,
        names: [&str; COUNT],
        region: Option<&str>,
    ) -> [ContainerClient; COUNT] {
        let runtime = CosmosRuntimeBuilder::from(self.emulator.runtime_builder()).build().await.unwrap();
        let account =
            AccountReference::with_authentication_key(self.emulator.endpoint().parse().unwrap(), KEY);
        let builder = CosmosClientBuilder::new().with_runtime(runtime);
        let regions = region.map(|region| Region::from(region.to_owned())).into_iter().collect();
        let client = builder.build(account, RoutingStrategy::PreferredRegions(regions)).await.unwrap();
        let database = client.database_client(DATABASE);
        let containers = names.map(|name| database.container_client(name.to_owned(), None));
        try_join_all(containers).await.unwrap().try_into().ok().unwrap()
    }
}

/// The handler as `serve` would run it.
fn router(app: &App) -> Router {
    let ids = app.ids.clone();
    host::shell(widgetco::functions::routes(open_to_all(app)), Arc::new(move || ids.hex32()))
}

/// The handler where those who develop can sign in, as often as a test needs.
fn open_to_all(app: &App) -> App {
    let config = AuthConfig { requests_per_minute: 1_000_000, ..AuthConfig::development() };
    app.clone().with_auth(&config)
}

/// Who calls there, if a test does not say: staff, but a customer or partner where nobody can speak for them.
fn usual_caller(path: &str) -> Bearer {
    let parts: Vec<_> = path.split('?').next().unwrap_or_default().split('/').collect();
    let after = |name: &str| parts.iter().position(|part| *part == name).and_then(|at| parts.get(at + 1));
    let author = after("reviews").filter(|_| parts.len() == 6);
    if let (Some(id), true) = (after("partners"), parts.last() == Some(&"customers")) {
        return Bearer::Partner(PartnerId::parse(id).unwrap());
    }
    match after("votes").or(after("reports")).or(author) {
        Some(id) => Bearer::Customer(CustomerId::parse(id).unwrap_or(CustomerId::parse("ada").unwrap())),
        None => Bearer::Staff,
    }
}

/// The body of a request for these lines.
pub(crate) fn order_body(customer: &str, lines: &[(&str, u32)]) -> Value {
    let line = |(product, quantity): &(&str, u32)| json!({"productId": product, "quantity": quantity});
    json!({"customerId": customer, "lines": lines.iter().map(line).collect::<Vec<_>>()})
}

/// Reads a time of the shop's JSON.
pub(crate) fn time(value: &Value) -> DateTime<Utc> {
    value.as_str().unwrap().parse().unwrap()
}

/// Every `function.json` of the repository, in the order in which the host tries routes.
fn functions() -> Vec<Function> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("functions");
    let mut functions: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| {
            let path = entry.unwrap().path();
            let text = std::fs::read_to_string(path.join("function.json")).unwrap();
            let text: Value = serde_json::from_str(&text).unwrap();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            Function { name, bindings: text["bindings"].as_array().unwrap().clone() }
        })
        .collect();
    functions.sort_by(|one, other| one.name.cmp(&other.name));
    functions
}

impl Function {
    fn trigger(&self) -> &Value {
        let is_trigger = |binding: &&Value| binding["type"].as_str().unwrap().ends_with("Trigger");
        self.bindings.iter().find(is_trigger).unwrap()
    }

    fn is_proxied(&self) -> bool {
        self.trigger()["type"] == "httpTrigger" && self.bindings.len() == 2
    }

    /// The route's parameters, when the function answers this method at this path.
    fn http_params(&self, method: &str, path: &str) -> Option<BTreeMap<String, String>> {
        let trigger = self.trigger();
        let allows = |methods: &Value| {
            let mut methods = methods.as_array().unwrap().iter().map(|one| one.as_str().unwrap());
            methods.any(|one| one.eq_ignore_ascii_case(method) || (method == "HEAD" && one == "get"))
        };
        if !trigger.get("methods").is_none_or(allows) {
            return None;
        }
        if trigger["route"] == "{*path}" {
            return Some(BTreeMap::new());
        }
        let (template, path): (Vec<_>, Vec<_>) =
            (trigger["route"].as_str()?.split('/').collect(), path.split('/').collect());
        if template.len() != path.len() {
            return None;
        }
        let mut params = BTreeMap::new();
        for (part, segment) in template.iter().zip(&path) {
            match part.strip_prefix('{').and_then(|part| part.strip_suffix('}')) {
                Some(name) => drop(params.insert(name.to_owned(), (*segment).to_owned())),
                None if part == segment => {}
                None => return None,
            }
        }
        Some(params)
    }
}
