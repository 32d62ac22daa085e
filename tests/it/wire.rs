//! The wire between the Functions host and the handler, pinned by recorded shapes (`tests/fixtures/wire`) and by real
//! connections. It knows nothing of the shop.
#![cfg(test)]

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use widgetco::host::{self, Answer, ENVELOPE_BYTES_MAX, Invocation, Problem, Reply};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("../fixtures/wire/", $name, ".json"))
    };
}

async fn invocation(envelope: &'static str) -> Invocation {
    let request = Request::post("/Anything")
        .header("X-Azure-Functions-InvocationId", "6f1c8a5e-0d0b-4a7e-9a53-0f7f4d1f6a10")
        .body(Body::from(envelope))
        .unwrap();
    Invocation::from_request(request, &()).await.unwrap()
}

async fn queue_text(envelope: &'static str) -> String {
    invocation(envelope).await.queue_text("order").unwrap()
}

#[tokio::test]
async fn queue_message_is_read_in_every_form() {
    assert_eq!(queue_text(fixture!("queue-plain-text")).await, "hello");
    assert_eq!(queue_text(fixture!("queue-json-text")).await, r#"{"orderId": "k7q2m5xa"}"#);
    assert_eq!(queue_text(fixture!("queue-number")).await, "4");
    assert_eq!(queue_text(fixture!("queue-array")).await, "[1,2]");
    assert_eq!(queue_text(fixture!("queue-object")).await, r#"{"orderId":"k7q2m5xa"}"#);
    assert_eq!(queue_text(r#"{"Data":{"order":"hello"},"Metadata":{}}"#).await, "hello");
    assert_eq!(queue_text(r#"{"Data":{"order":[1,"a"]}}"#).await, r#"[1,"a"]"#);
    assert_eq!(queue_text(r#"{"Data":{"order":4}}"#).await, "4");
}

#[tokio::test]
async fn message_as_deep_as_json_goes_is_read_although_its_metadata_is_deeper() {
    let (open, close) = ("[".repeat(127), "]".repeat(127));
    let text = format!("{open}{close}");
    let literal = serde_json::to_string(&text).unwrap();
    let envelope =
        format!(r#"{{"Data":{{"order":{}}},"Metadata":{{"deep":{{"er":{text}}}}}}}"#, json!(literal));
    let request = Request::post("/Anything").body(Body::from(envelope)).unwrap();
    let invocation = Invocation::from_request(request, &()).await.unwrap();
    assert_eq!(invocation.queue_text("order").unwrap(), text);
}

#[tokio::test]
async fn message_that_overwrites_its_metadata_does_not_change_the_text_or_the_id() {
    let leaked = invocation(fixture!("queue-leaked-metadata")).await;
    assert_eq!(leaked.queue_text("order").unwrap(), r#"{"Id":"mine","DequeueCount":"99"}"#);
    assert_eq!(leaked.id(), "6f1c8a5e-0d0b-4a7e-9a53-0f7f4d1f6a10");
}

#[tokio::test]
async fn timer_is_read_with_and_without_a_monitor() {
    let late = invocation(fixture!("timer-with-status")).await.timer("sweep").unwrap();
    assert!(late.is_past_due);
    assert_eq!(late.last.as_deref(), Some("2026-03-02T09:10:00+00:00"));
    assert_eq!(late.next.as_deref(), Some("2026-03-02T09:15:00+00:00"));
    let plain = invocation(fixture!("timer-without-status")).await.timer("sweep").unwrap();
    assert!(!plain.is_past_due);
    assert_eq!((plain.last, plain.next), (None, None));
}

#[tokio::test]
async fn changes_are_read_in_every_form() {
    let forms = [fixture!("changes-literal"), fixture!("changes-text"), fixture!("changes-array")];
    for form in forms {
        let documents = invocation(form).await.documents("documents").unwrap();
        let ids: Vec<_> = documents.iter().map(|document| document["id"].as_str().unwrap()).collect();
        assert_eq!(ids, ["k7q2m5xa-placed", "k7q2m5xa-confirmed"]);
        assert_eq!(documents[0]["_etag"], "\"0f007efc-0000-0800-0000-67f5fb920000\"");
        assert_eq!(documents[1]["_ts"], 1_744_174_180);
    }
}

#[tokio::test]
async fn event_is_read_and_one_of_another_schema_is_refused() {
    let event = invocation(fixture!("event-cloud")).await.event("event").unwrap();
    assert_eq!((event.r#type.as_str(), &event.data["sequence"]), ("WidgetCo.OrderConfirmed", &json!(2)));
    let traceparent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(event.traceparent.as_deref(), Some(traceparent));
    assert!(invocation(fixture!("event-grid")).await.event("event").is_err());
}

#[tokio::test]
async fn http_get_is_read_without_a_body() {
    let request = invocation(fixture!("http-get")).await.http("req").unwrap();
    assert_eq!(request.method, "GET");
    assert_eq!(request.raw_query(), Some("limit=5&tag=a&tag=b%26c"));
    assert_eq!(request.query["tag"], "a,b&c");
    assert!(request.params.is_empty());
    assert_eq!(request.headers.get_all("x-twice").iter().collect::<Vec<_>>(), ["one", "two"]);
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn http_post_is_read_with_its_text_body() {
    let request = invocation(fixture!("http-post")).await.http("req").unwrap();
    assert_eq!(request.method, "POST");
    assert_eq!(request.params["orderId"], "k7q2m5xa");
    assert_eq!(request.headers["idempotency-key"], "8f3a");
    let body: Value = host::parse(&request.headers, &request.body).unwrap();
    assert_eq!(body, json!({"lines": [{"productId": "mug", "quantity": 2}]}));
    assert_eq!(request.raw_query(), None);
}

#[tokio::test]
async fn binary_http_body_is_decoded() {
    let request = invocation(fixture!("http-binary-body")).await.http("req").unwrap();
    assert_eq!(request.body, b"\x89PNG");
}

#[tokio::test]
async fn what_is_no_envelope_is_refused() {
    for body in ["", "null", "[]", "{", r#"{"Metadata":{}}"#, r#"{"Data":[]}"#] {
        let request = Request::post("/Anything").body(Body::from(body)).unwrap();
        let problem = Invocation::from_request(request, &()).await.unwrap_err();
        assert_eq!(problem.status(), StatusCode::BAD_REQUEST, "{body}");
    }
}

async fn sent(reply: Reply) -> Value {
    let response = reply.into_response();
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-type"], "application/json");
    serde_json::from_slice(&to_bytes(response.into_body(), ENVELOPE_BYTES_MAX).await.unwrap()).unwrap()
}

fn value(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[tokio::test]
async fn replies_have_the_form_that_the_host_keeps_to_the_byte() {
    assert_eq!(sent(Reply::new()).await, value(fixture!("reply-empty")));
    let bell = r#"{"orderId":"k7q2m5xa"}"#.to_owned();
    let rejected = Reply::new()
        .queue("rejected", ["test".to_owned(), bell.clone()])
        .queue("unused", [])
        .log("order k7q2m5xa rejected");
    assert_eq!(sent(rejected).await, value(fixture!("reply-queue")));
    let answer = Answer::json(StatusCode::ACCEPTED, &json!({"orderId": "k7q2m5xa"}))
        .header(header::LOCATION, "/api/orders/k7q2m5xa");
    let accepted = Reply::new().queue("doorbell", [bell]).http("res", answer);
    assert_eq!(sent(accepted).await, value(fixture!("reply-http")));
}

#[tokio::test]
async fn problem_travels_as_an_http_output() {
    let mut got = sent(Reply::new().http("res", Problem::unavailable())).await;
    let mut wanted = value(fixture!("reply-problem"));
    // The order of the members in the body's text is not part of the contract.
    for reply in [&mut got, &mut wanted] {
        let body = reply["Outputs"]["res"]["body"].take();
        reply["Outputs"]["res"]["body"] = value(body.as_str().unwrap());
    }
    assert_eq!(got, wanted);
}

/// A handler on a port of its own.
struct Handler {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    served: JoinHandle<std::io::Result<()>>,
}

impl Handler {
    async fn start() -> Self {
        let routes = Router::new()
            .route("/Echo", post(echo))
            .route("/Panic", post(panicking))
            .route("/api/panic", get(panicking))
            .route("/api/raw", post(|body: String| async { body }));
        let app = host::shell(routes, Arc::new(|| "fresh".to_owned()));
        let listener = host::bind(0).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(host::serve(listener, app, async {
            stopped.await.unwrap_or_default();
        }));
        Self { address, stop, served }
    }

    /// Sends `request` on a connection of its own and reads the whole response.
    async fn exchange(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut response = String::new();
        stream.read_to_string(&mut response).await.unwrap();
        response
    }

    async fn stop(self) {
        self.stop.send(()).unwrap();
        self.served.await.unwrap().unwrap();
    }
}

async fn echo(invocation: Invocation) -> Result<Reply, Problem> {
    let text = invocation.queue_text("order").map_err(|_| Problem::bad_request())?;
    Ok(Reply::new().queue("out", [text]).log(invocation.id()))
}

async fn panicking() -> Response {
    panic!("a mistake")
}

const HELLO: &str = r#"{"Data":{"order":"\"hello\""},"Metadata":{}}"#;

fn with_length(path: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Azure-Functions-InvocationId: i-1\r\n\
         Content-Type: application/json; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}"
    )
}

fn chunked(path: &str, chunks: &[&str]) -> String {
    let mut request = format!(
        "POST {path} HTTP/1.1\r\nHost: h\r\nConnection: close\r\nX-Azure-Functions-InvocationId: i-1\r\n\
         Content-Type: application/json; charset=utf-8\r\nTransfer-Encoding: chunked\r\n\r\n"
    );
    for chunk in chunks.iter().chain([&""]) {
        request += &format!("{:x}\r\n{chunk}\r\n", chunk.len());
    }
    request
}

fn body(response: &str) -> Value {
    value(response.split_once("\r\n\r\n").unwrap().1)
}

#[tokio::test]
async fn readiness_is_answered_at_once() {
    let handler = Handler::start().await;
    let response = handler.exchange("GET / HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    handler.stop().await;
}

#[tokio::test]
async fn only_the_loopback_address_is_bound() {
    assert!(host::bind(0).await.unwrap().local_addr().unwrap().ip().is_loopback());
}

#[tokio::test]
async fn chunked_and_length_delimited_envelopes_are_read_alike() {
    let handler = Handler::start().await;
    let wanted = json!({"Outputs": {"out": ["hello"]}, "Logs": ["i-1"], "ReturnValue": null});
    let (start, end) = HELLO.split_at(17);
    for request in [with_length("/Echo", HELLO), chunked("/Echo", &[HELLO]), chunked("/Echo", &[start, end])]
    {
        let response = handler.exchange(&request).await;
        assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
        assert!(response.contains("content-type: application/json\r\n"), "{response}");
        assert!(response.contains("x-request-id: i-1\r\n"), "{response}");
        assert_eq!(body(&response), wanted);
    }
    handler.stop().await;
}

#[tokio::test]
async fn panic_is_a_500_and_the_next_request_is_served() {
    let handler = Handler::start().await;
    let get = "GET /api/panic HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".to_owned();
    for request in [with_length("/Panic", HELLO), get] {
        let response = handler.exchange(&request).await;
        assert!(response.starts_with("HTTP/1.1 500 "), "{response}");
        assert_eq!(body(&response)["code"], "internal");
        assert!(!response.contains("a mistake"));
        let next = handler.exchange(&with_length("/Echo", HELLO)).await;
        assert!(next.starts_with("HTTP/1.1 200 OK\r\n"), "{next}");
    }
    handler.stop().await;
}

#[tokio::test]
async fn body_above_the_limit_is_a_413_for_both_kinds_of_function() {
    let handler = Handler::start().await;
    // Exactly one byte too many, so that the handler has read all that was sent when it answers.
    let text = "x".repeat(ENVELOPE_BYTES_MAX + 1);
    for path in ["/Echo", "/api/raw"] {
        for request in [with_length(path, &text), chunked(path, &[&text])] {
            let response = handler.exchange(&request).await;
            assert!(response.starts_with("HTTP/1.1 413 "), "{path}");
            assert_eq!(body(&response)["code"], "payload-too-large");
        }
    }
    let largest = handler.exchange(&with_length("/api/raw", &text[1..])).await;
    assert!(largest.starts_with("HTTP/1.1 200 OK\r\n"));
    handler.stop().await;
}

#[tokio::test]
async fn unknown_function_is_a_404_problem_and_wrong_method_a_405() {
    let handler = Handler::start().await;
    let unknown = handler.exchange(&with_length("/NoSuchFunction", HELLO)).await;
    assert!(unknown.starts_with("HTTP/1.1 404 "), "{unknown}");
    assert!(unknown.contains("content-type: application/problem+json\r\n"), "{unknown}");
    assert_eq!(body(&unknown)["traceId"], "i-1");
    let wrong = handler.exchange("GET /Echo HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").await;
    assert!(wrong.starts_with("HTTP/1.1 405 "), "{wrong}");
    assert!(wrong.contains("allow: POST\r\n"), "{wrong}");
    handler.stop().await;
}
