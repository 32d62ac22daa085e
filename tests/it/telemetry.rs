//! Telemetry: one trace from the caller to the worker, metrics of what happened, nothing about persons in lines, spans or
//! labels; and the program sends all that to a receiver, or goes on without one.
#![cfg(test)]

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::TimeDelta;
use flate2::read::GzDecoder;
use opentelemetry_sdk::metrics::data::{AggregatedMetrics, MetricData};
use opentelemetry_sdk::metrics::{InMemoryMetricExporter, SdkMeterProvider};
use opentelemetry_sdk::trace::{InMemorySpanExporter, SimpleSpanProcessor, SpanData};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer};
use widgetco::sources::{Clock, Ids};
use widgetco::telemetry::layer::{Exporting, Told};
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::mail_stand_in::MailService;
use crate::notify_customer::order_event;
use crate::program::{Program, eventually};
use crate::shop::{TestShop, order_body};
use crate::warn_low_stock::stock_event;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const CALLER: &str = "00f067aa0ba902b7";
/// Everything of our own; of others what is logged by default.
const LOUDEST: &str = "info,azure_data_cosmos_driver=warn,azure_data_cosmos=warn,widgetco=trace";
/// Far more than a request takes, and less than a receiver that does not answer would.
const UNDISTURBED: Duration = Duration::from_secs(4);

/// What this thread logs and would export while it is there.
struct Watch {
    lines: Arc<Mutex<Vec<u8>>>,
    spans: InMemorySpanExporter,
    metrics: InMemoryMetricExporter,
    meters: SdkMeterProvider,
    _guard: DefaultGuard,
}

struct Writer(Arc<Mutex<Vec<u8>>>);

impl Write for Writer {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl Watch {
    fn begin(filter: &str) -> Self {
        let (lines, spans) = (Arc::new(Mutex::new(Vec::new())), InMemorySpanExporter::default());
        let metrics = InMemoryMetricExporter::default();
        let meters = SdkMeterProvider::builder().with_periodic_exporter(metrics.clone()).build();
        let processor = SimpleSpanProcessor::new(spans.clone());
        let exporting = Exporting::new(processor, &meters, Clock::system(), Ids::random());
        let shared = Arc::clone(&lines);
        let written = tracing_subscriber::fmt::layer().json().flatten_event(true);
        let written = written.with_writer(move || Writer(Arc::clone(&shared)));
        let subscriber = tracing_subscriber::registry()
            .with(written.with_filter(EnvFilter::new(filter)))
            .with(exporting.with_filter(Told));
        Self { lines, spans, metrics, meters, _guard: subscriber.set_default() }
    }

    fn spans(&self) -> Vec<SpanData> {
        self.spans.get_finished_spans().unwrap()
    }

    fn lines(&self) -> String {
        String::from_utf8(self.lines.lock().unwrap().clone()).unwrap()
    }

    /// How often each metric was told, and the sum of its values, by name and labels.
    fn metrics(&self) -> BTreeMap<String, (u64, f64)> {
        self.meters.force_flush().unwrap();
        let last = self.metrics.get_finished_metrics().unwrap().pop().unwrap();
        let mut told = BTreeMap::new();
        for metric in last.scope_metrics().flat_map(|scope| scope.metrics()) {
            let AggregatedMetrics::F64(data) = metric.data() else { panic!("{}", metric.name()) };
            let mut add = |labels: String, count, sum| {
                told.insert(format!("{}{labels}", metric.name()), (count, sum));
            };
            match data {
                MetricData::Sum(sum) => sum.data_points().for_each(|point| {
                    add(labels(point.attributes()), 1, point.value());
                }),
                MetricData::Histogram(histogram) => histogram.data_points().for_each(|point| {
                    add(labels(point.attributes()), point.count(), point.sum());
                }),
                MetricData::Gauge(_) | MetricData::ExponentialHistogram(_) => panic!("{}", metric.name()),
            }
        }
        told
    }
}

fn labels<'a>(attributes: impl Iterator<Item = &'a opentelemetry::KeyValue>) -> String {
    let mut labels: Vec<_> =
        attributes.map(|label| format!(" {}={}", label.key, label.value.as_str())).collect();
    labels.sort();
    labels.concat()
}

fn parent() -> String {
    format!("00-{TRACE}-{CALLER}-01")
}

fn named<'a>(spans: &'a [SpanData], name: &str) -> Vec<&'a SpanData> {
    spans.iter().filter(|span| span.name == name).collect()
}

#[tokio::test]
async fn order_is_one_trace_from_its_caller_over_the_queue_to_every_request_to_the_store() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let watch = Watch::begin("info");
    let answer =
        shop.post("/api/orders", &[("traceparent", &parent())], order_body("ada", &[("w", 3)])).await;
    assert_eq!(answer.status.as_u16(), 202);
    shop.work().await;
    let spans = watch.spans();
    assert!(spans.iter().all(|span| span.span_context.trace_id().to_string() == TRACE), "{spans:#?}");
    let (placed, processed) = (named(&spans, "POST /PlaceOrder")[0], named(&spans, "POST /ProcessOrder")[0]);
    // The ids are those that callers and messages are told.
    let told = answer.header("traceparent").split('-').nth(2).unwrap();
    assert_eq!(placed.span_context.span_id().to_string(), told);
    assert_eq!(placed.parent_span_id.to_string(), CALLER);
    assert_eq!(processed.parent_span_id, placed.span_context.span_id());
    assert_ne!(processed.span_context.span_id(), placed.span_context.span_id());
    // An answer in an envelope counts as its caller sees it.
    let status = placed.attributes.iter().find(|one| one.key.as_str() == "http.response.status_code");
    assert_eq!(status.unwrap().value, 202_i64.into());
    for (name, request) in [
        ("read customers", placed),
        ("read products", placed),
        ("batch orders", placed),
        ("batch stock", processed),
        ("batch orders", processed),
    ] {
        let found = named(&spans, name);
        let is_below = |span: &&&SpanData| span.parent_span_id == request.span_context.span_id();
        let found = found.iter().find(is_below).unwrap_or_else(|| panic!("{name}: {spans:#?}"));
        let charge = "azure.cosmosdb.operation.request_charge";
        assert!(found.attributes.iter().any(|one| one.key.as_str() == charge), "{found:#?}");
        assert!(found.start_time >= request.start_time && found.end_time <= request.end_time, "{found:#?}");
    }
}

#[tokio::test]
async fn request_without_a_trace_begins_one_and_failures_are_marked() {
    let shop = TestShop::open(&[]).await;
    let watch = Watch::begin("off");
    let answer = shop.get("/api/products/none").await;
    assert_eq!(answer.status.as_u16(), 404);
    let lost = shop.deliver("ProcessOrder", &json!({"orderId": "a".repeat(34)}).to_string(), 1).await;
    assert_eq!(lost.status.as_u16(), 500);
    let spans = watch.spans();
    let (read, processed) =
        (named(&spans, "GET /api/products/{id}")[0], named(&spans, "POST /ProcessOrder")[0]);
    assert!(answer.header("traceparent").contains(&read.span_context.trace_id().to_string()));
    assert!(!read.parent_span_is_remote);
    let has_failed = |span: &SpanData| matches!(span.status, opentelemetry::trace::Status::Error { .. });
    assert!(!has_failed(read) && has_failed(processed));
    assert!(!has_failed(named(&spans, "read products")[0]), "a document that is missing is an answer");
}

#[tokio::test]
async fn metrics_tell_outcomes_times_batches_charges_and_ages() {
    let shop = TestShop::open(&[("w", 10)]).await;
    let watch = Watch::begin("off");
    shop.place("ada", &[("w", 3)]).await;
    shop.place("bob", &[("w", 8)]).await;
    shop.advance(Duration::from_secs(2));
    let inserted_at = shop.app.clock.now() - TimeDelta::seconds(7);
    for bell in shop.drain("orders") {
        let data = json!({"message": Value::String(bell).to_string()});
        let metadata = json!({"DequeueCount": "1", "InsertionTime": inserted_at.to_rfc3339()});
        assert_eq!(shop.invoke("ProcessOrder", data, metadata).await.status.as_u16(), 200);
    }
    let told = watch.metrics();
    for (metric, wanted) in [
        ("widgetco.orders outcome=placed", (1, 2.0)),
        ("widgetco.orders outcome=confirmed", (1, 1.0)),
        ("widgetco.orders code=outOfStock outcome=failed", (1, 1.0)),
        ("widgetco.order.decision.duration outcome=confirmed", (1, 2.0)),
        ("widgetco.order.decision.duration outcome=failed", (1, 2.0)),
        ("widgetco.stock.holds_per_batch", (1, 1.0)),
        ("widgetco.queue.age queue=orders", (2, 14.0)),
    ] {
        assert_eq!(told.get(metric), Some(&wanted), "{metric} in {told:#?}");
    }
    let charges =
        "azure.cosmosdb.client.operation.request_charge db.collection.name=orders db.operation.name=batch";
    assert!(told[charges].1 > 0.0, "{told:#?}");
    let served = "http.server.request.duration http.request.method=POST http.response.status_code=202 \
                  http.route=/PlaceOrder";
    assert_eq!(told[served].0, 2, "{told:#?}");
    assert!(!told.keys().any(|key| key.contains("clashes")), "{told:#?}");
}

#[tokio::test]
async fn line_of_the_log_names_the_part_of_the_trace_that_it_belongs_to() {
    let shop = TestShop::open(&[]).await;
    let watch = Watch::begin("info");
    let answer = shop.deliver("ProcessOrder", "garbage", 1).await;
    assert_eq!(answer.status.as_u16(), 200);
    let (lines, spans) = (watch.lines(), watch.spans());
    let line = lines.lines().find(|line| line.contains("a message was rejected")).unwrap();
    let line: Value = serde_json::from_str(line).unwrap();
    let span = &named(&spans, "POST /ProcessOrder")[0].span_context;
    assert_eq!(line["span"]["span_id"], span.span_id().to_string(), "{line}");
    let trace_id = line["span"]["trace_id"].as_str().unwrap().replace('-', "");
    assert_eq!(trace_id, span.trace_id().to_string());
}

/// What may stand in the store and in answers, and nowhere in telemetry.
const PRIVATE: [&str; 20] = [
    "eve.private@mail.example",
    "eve.other@mail.example",
    "Eve Example",
    "+4930987654",
    "Secret Street",
    "SW1A-2AA-7",
    "Hiddenham",
    "squeaks at night",
    "A title of Eve",
    "broken since my operation",
    "PX-EVE-0042",
    "calls for eve@raided.example",
    "insulting words",
    "newsletter of eve",
    "key-of-eve-77",
    "Bearer ey",
    "free.text.of.a.message",
    "whk-of-a-receiver",
    "whsec_",
    "words.of.a.kiosk",
];

/// What hears of events and tells others, with an order and what is private of a receiver and of a checkout elsewhere.
async fn hear(shop: &TestShop, id: &str) {
    let hook = json!({"url": "https://hooks.example/in?key=whk-of-a-receiver"});
    let hook = shop.post("/api/webhooks", &[], hook).await.body["id"].as_str().unwrap().to_owned();
    let rotated = shop.post(&format!("/api/webhooks/{hook}/secret"), &[], json!({})).await;
    assert!(rotated.status.is_success(), "{:?}", rotated.body);
    let now = shop.app.clock.now();
    let events =
        [order_event(id, "confirmed", now), order_event(id, "shipped", now), stock_event("w", "w-low", now)];
    for event in events {
        for function in ["NotifyCustomer", "WarnLowStock", "UpdateInventory", "DispatchWebhooks"] {
            assert!(shop.tell(function, &event).await.status.is_success(), "{function}");
        }
    }
    let data = json!({"checkoutId": "key-of-eve-77", "customerId": "Eve Example", "words.of.a.kiosk": 1});
    let kiosk =
        json!({"specversion": "1.0", "id": "1", "source": "urn:kiosk", "type": "OrderPlaced", "data": data});
    assert!(shop.invoke("StartOrder", json!({ "event": kiosk }), json!({})).await.status.is_success());
}

/// Goes with all of that through every kind of function, in requests that are right and in such as are not.
async fn live(shop: &TestShop) {
    let address = json!({
        "lines": ["Secret Street 7"], "postalCode": "SW1A-2AA-7", "city": "Hiddenham", "country": "QQ",
    });
    let eve = json!({
        "id": "eve", "email": PRIVATE[0], "name": "Eve Example", "phone": "+4930987654", "addresses": [address],
    });
    let mut statuses = Vec::new();
    let mut note = |answer: crate::shop::Answer| {
        statuses.push(answer.status.as_u16());
        answer.body
    };
    note(shop.post("/api/customers", &[("Idempotency-Key", "key-of-eve-77")], eve.clone()).await);
    note(shop.post("/api/customers", &[], eve.clone()).await);
    let mut other = eve;
    other["email"] = PRIVATE[1].into();
    note(shop.put("/api/customers/eve", &[("If-Match", "*")], other.clone()).await);
    other["phone"] = "call Eve Example".into();
    note(shop.put("/api/customers/eve", &[("If-Match", "*")], other).await);
    let contract = json!({
        "purpose": "calls for eve@raided.example", "fields": ["/name"], "validUntil": "2027-01-01T00:00:00Z",
    });
    note(shop.put("/api/partners/willy", &[("If-None-Match", "*")], contract).await);
    let sharing = [json!({"partnerId": "willy", "granted": true})];
    let consents = json!({"source": "newsletter of eve", "marketing": true, "sharing": sharing});
    note(shop.put("/api/customers/eve/consents", &[("If-Match", "*")], consents).await);
    for body in [r#"{"email": "eve.private@mail.example""#, r#"{"name": "Eve Example", "Secret Street": 7}"#]
    {
        note(shop.send("POST", "/api/customers", &[], Some(body.to_owned())).await);
        note(shop.send("POST", "/api/orders", &[], Some(body.to_owned())).await);
    }
    let mut order = order_body("eve", &[("w", 2)]);
    order["shippingAddress"] = address;
    let id = note(shop.post("/api/orders", &[("Idempotency-Key", "key-of-eve-77")], order).await)["id"]
        .as_str()
        .unwrap()
        .to_owned();
    shop.work().await;
    let shipment = json!({"carrier": "Parcel Express", "trackingNumber": "PX-EVE-0042"});
    note(shop.put(&format!("/api/orders/{id}/shipment"), &[], shipment).await);
    let second = shop.place("eve", &[("w", 1)]).await;
    let reason = json!({"reason": "broken since my operation"});
    note(shop.post(&format!("/api/orders/{second}/cancellation"), &[], reason).await);
    shop.work().await;
    let review = json!({"rating": 2, "title": "A title of Eve", "text": "It squeaks at night."});
    note(shop.put("/api/products/w/reviews/eve", &[], review.clone()).await);
    note(
        shop.put("/api/products/w/reviews/eve", &[("authorization", "Bearer eyJh.forged.token")], review)
            .await,
    );
    let report = json!({"reason": "abuse", "details": "insulting words"});
    note(shop.put("/api/products/w/reviews/eve/reports/ada", &[], report).await);
    note(shop.get("/api/partners/willy/customers").await);
    note(shop.get("/api/customers/eve?email=eve.private@mail.example").await);
    note(shop.get("/api/customers/eve.private@mail.example").await);
    note(shop.get("/api/customers/eve/export").await);
    note(shop.get("/api/customers/eve/Secret%20Street").await);
    let checkout = json!({
        "checkoutId": "key-of-eve-77", "customerId": "Eve Example", "lines": [], "free.text.of.a.message": 1,
    });
    for text in ["free.text.of.a.message", &checkout.to_string()] {
        note(shop.deliver("ProcessOrder", text, 1).await);
        note(shop.deliver("RecordPoisonOrder", text, 1).await);
    }
    note(shop.get(&format!("/api/orders/{id}/shipping-address")).await);
    hear(shop, &id).await;
    note(shop.send("DELETE", "/api/customers/eve", &[], None).await);
    let successes = statuses.iter().filter(|status| (200..300).contains(*status)).count();
    assert!(successes >= 12 && statuses.len() - successes >= 9, "{statuses:?}");
}

#[tokio::test]
async fn nothing_personal_and_no_key_is_in_any_line_span_or_label() {
    let service = MailService::start().await;
    let mut shop = TestShop::open(&[("w", 10)]).await;
    shop.mail_by(service.mailer());
    let watch = Watch::begin(LOUDEST);
    live(&shop).await;
    assert!(!service.taken().is_empty(), "mails were sent");
    let spans: String =
        watch.spans().iter().map(|span| format!("{} {:?}\n", span.name, span.attributes)).collect();
    let (lines, labels) = (watch.lines(), format!("{:?}", watch.metrics().keys()));
    assert!(lines.contains("\"measure\"") && spans.contains("GET /api/customers/{id}"), "{lines}");
    for private in PRIVATE {
        for (place, text) in [("a line", &lines), ("a span", &spans), ("a label", &labels)] {
            let found = text.lines().find(|line| line.to_lowercase().contains(&private.to_lowercase()));
            assert_eq!(found, None, "`{private}` is in {place}");
        }
    }
    // Spans and labels name no order, customer or product either.
    for id in ["eve", "\"w\"", "key-of"] {
        assert!(!spans.contains(id) && !labels.contains(id), "{id} in {spans} {labels}");
    }
}

// --- The program and its receivers ---------------------------------------------------------------------------------------

async fn receiver(at: &str) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path(at))
        .respond_with(ResponseTemplate::new(200).set_body_raw("{}", "application/json"))
        .mount(&server)
        .await;
    server
}

async fn ask(program: &Program) {
    let request = program.client.get(format!("{}/api/products?limit=1", program.address));
    let begun = Instant::now();
    let answer = request.header("traceparent", parent()).send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(begun.elapsed() < UNDISTURBED, "{:?}", begun.elapsed());
}

#[tokio::test]
async fn program_sends_its_spans_to_a_receiver_of_otlp() {
    let receiver = receiver("/team/v1/traces").await;
    let endpoint = format!("{}/team", receiver.uri());
    let settings = [("COSMOS_ENDPOINT", "emulator"), ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str())];
    let program = Program::serve_with(&settings).await;
    ask(&program).await;
    let trace_id: Vec<u8> =
        (0..TRACE.len()).step_by(2).map(|at| u8::from_str_radix(&TRACE[at..at + 2], 16).unwrap()).collect();
    let wanted = [trace_id.as_slice(), b"GET /api/products", b"query products", b"azure.cosmosdb"];
    eventually(async || {
        let sent = receiver.received_requests().await.unwrap();
        let sent: Vec<_> = sent.iter().filter(|one| one.url.path() == "/team/v1/traces").collect();
        for one in &sent {
            assert_eq!(one.headers["content-type"], "application/x-protobuf");
            assert!(!one.headers.contains_key("authorization"));
        }
        let holds =
            |wanted: &[u8]| sent.iter().any(|one| one.body.windows(wanted.len()).any(|part| part == wanted));
        wanted.iter().all(|wanted| holds(wanted)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn program_sends_to_application_insights_with_a_token_of_its_identity() {
    let receiver = receiver("/v2.1/track").await;
    let token = json!({
        "access_token": "token-of-the-identity", "expires_on": "4102444800", "token_type": "Bearer",
        "resource": "https://monitor.azure.com",
    });
    Mock::given(method("GET"))
        .and(path("/identity"))
        .and(query_param("resource", "https://monitor.azure.com"))
        .and(query_param("client_id", "id-1"))
        .and(header("x-identity-header", "of-this-machine"))
        .respond_with(ResponseTemplate::new(200).set_body_json(token))
        .mount(&receiver)
        .await;
    let key = "00000000-1111-2222-3333-444444444444";
    let connection = format!("InstrumentationKey={key};IngestionEndpoint={}/", receiver.uri());
    let identity = format!("{}/identity", receiver.uri());
    let program = Program::serve_with(&[
        ("COSMOS_ENDPOINT", "emulator"),
        ("APPLICATIONINSIGHTS_CONNECTION_STRING", &connection),
        ("AZURE_CLIENT_ID", "id-1"),
        ("IDENTITY_ENDPOINT", &identity),
        ("IDENTITY_HEADER", "of-this-machine"),
    ])
    .await;
    ask(&program).await;
    let (request, query) = eventually(async || {
        let sent = receiver.received_requests().await.unwrap();
        let items = sent.iter().filter(|one| one.url.path() == "/v2.1/track").flat_map(|one| {
            assert_eq!(one.headers["authorization"], "Bearer token-of-the-identity");
            let mut text = String::new();
            GzDecoder::new(one.body.as_slice()).read_to_string(&mut text).unwrap();
            serde_json::from_str::<Vec<Value>>(&text).unwrap()
        });
        let items: Vec<_> = items.filter(|item| item["tags"]["ai.operation.id"] == TRACE).collect();
        let of = |name: &str| items.iter().find(|item| item["data"]["baseData"]["name"] == name).cloned();
        of("GET /api/products").zip(of("query products"))
    })
    .await;
    assert_eq!(request["tags"]["ai.operation.parentId"], CALLER, "{request}");
    assert_eq!(request["tags"]["ai.cloud.role"], "widgetco", "{request}");
    assert_eq!(request["data"]["baseData"]["responseCode"], "200", "{request}");
    assert_eq!(query["data"]["baseData"]["type"], "azure.cosmosdb", "{query}");
    assert_eq!(query["tags"]["ai.operation.parentId"], request["data"]["baseData"]["id"], "{query}");
}

#[tokio::test]
async fn receiver_that_never_answers_disturbs_nobody_and_is_told_of_once() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = format!("http://{}", silent.local_addr().unwrap());
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("telemetry-{}", std::process::id()));
    let log = File::options().read(true).append(true).create(true).open(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let program = Program::serve_to(
        &[
            ("COSMOS_ENDPOINT", "emulator"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint),
            ("LOG_FILTER", "warn"),
            ("LOG_FORMAT", "json"),
        ],
        Stdio::from(log.try_clone().unwrap()),
    )
    .await;
    eventually(async || {
        ask(&program).await;
        (complaints(&log) > 0).then_some(())
    })
    .await;
    for _ in 0..20 {
        ask(&program).await;
    }
    assert_eq!(complaints(&log), 1);
}

/// How often the log says that something could not be sent.
fn complaints(mut log: &File) -> usize {
    let mut text = String::new();
    log.rewind().unwrap();
    log.read_to_string(&mut text).unwrap();
    text.matches("traces and metrics cannot be sent").count()
}
