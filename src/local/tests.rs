//! The host as a whole: in front of a handler inside the test, and with a real child process.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request};
use axum::http::header::CONTENT_TYPE;
use axum::routing::{get, post};
use futures::StreamExt;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::time::timeout;

use super::cors::Cors;
use super::event::tests::cloud_event;
use super::testing::{
    Folder, PATIENCE, TestHost, TestStore, messages, send, start_time, stream, temporary_folder,
};
use super::topic::{RETRY_DELAYS, State, Topic};
use super::{Error, Handler, LocalHost, Options, TriggerKind, start};
use crate::sources::{Clock, Ids};

fn proxied(route: &str, methods: &[&str]) -> Value {
    json!([
        {"type": "httpTrigger", "direction": "in", "name": "req", "route": route, "methods": methods},
        {"type": "http", "direction": "out", "name": "res"},
    ])
}

/// An HTTP function that also writes to the queue `jobs`.
fn with_queue_output() -> Value {
    json!([
        {"type": "httpTrigger", "direction": "in", "name": "req", "route": "jobs/{id}"},
        {"type": "http", "direction": "out", "name": "res"},
        {"type": "queue", "direction": "out", "name": "bell", "queueName": "jobs"},
    ])
}

fn consumer(queue: &str) -> Value {
    json!([{"type": "queueTrigger", "direction": "in", "name": "job", "queueName": queue}])
}

fn timer(extra: &Value) -> Value {
    let mut binding =
        json!({"type": "timerTrigger", "direction": "in", "name": "tick", "schedule": "0 */5 * * * *"});
    let fields = binding.as_object_mut().unwrap();
    fields.extend(extra.as_object().unwrap().clone());
    json!([binding])
}

/// A function that is told of `orders`, two documents at a time, and publishes events.
fn teller(retry: &Value) -> Value {
    let mut function = json!({"bindings": [
        {
            "type": "cosmosDBTrigger",
            "direction": "in",
            "name": "documents",
            "connection": "COSMOS",
            "databaseName": "shop",
            "containerName": "orders",
            "leaseContainerPrefix": "events",
            "maxItemsPerInvocation": 2,
            "feedPollDelay": 1,
            "startFromBeginning": true,
        },
        {"type": "eventGrid", "direction": "out", "name": "events", "connection": "EVENTS"},
    ]});
    if !retry.is_null() {
        function["retry"] = retry.clone();
    }
    function
}

const LEASE: &str = "events.shop.orders";

fn at_once_without_end() -> Value {
    json!({"strategy": "fixedDelay", "maxRetryCount": -1, "delayInterval": "00:00:00"})
}

fn listener() -> Value {
    json!([{"type": "eventGridTrigger", "direction": "in", "name": "event"}])
}

#[tokio::test]
async fn proxied_request_arrives_unchanged_and_so_does_its_answer() {
    let mut test = TestHost::start(&[("Get", proxied("items/{id}", &[]))]).await;
    let headers = [("x-functions-key", "k"), ("x-azure-functions-invocationid", "forged")];
    let body = Body::from("{\"a\":1}");
    let reply = tokio::spawn(test.send_with("PUT", "/api/items/a%2Fb?x=%20&x=2", &headers, body));
    let call = test.handler.call().await;
    assert_eq!(call.method, "PUT");
    assert_eq!(call.uri.to_string(), "/api/items/a%2Fb?x=%20&x=2");
    assert_eq!(call.headers["x-functions-key"], "k");
    assert_eq!(call.headers["content-length"], "7");
    assert_eq!(call.headers["x-forwarded-for"], "127.0.0.1");
    let id = call.headers["x-azure-functions-invocationid"].clone();
    assert_eq!(id, call.headers["x-ms-invocation-id"]);
    assert_ne!(id, "forged");
    assert_eq!(call.body, "{\"a\":1}");
    call.reply((axum::http::StatusCode::FOUND, [("location", "/x"), ("etag", "1")], "moved"));
    let reply = reply.await.unwrap();
    assert_eq!((reply.status, reply.text()), (302, "moved"));
    assert_eq!(reply.headers["location"], "/x");
    assert_eq!(reply.headers["etag"], "1");
}

#[tokio::test]
async fn proxied_answer_streams() {
    let mut test = TestHost::start(&[("Get", proxied("events", &[]))]).await;
    let uri = format!("http://{}/api/events", test.host.address());
    let response = tokio::spawn(stream(Request::get(uri).body(Body::empty()).unwrap()));
    let (sender, receiver) = mpsc::unbounded_channel::<Result<Bytes, std::io::Error>>();
    let chunks = futures::stream::unfold(receiver, |mut receiver| async move {
        receiver.recv().await.map(|chunk| (chunk, receiver))
    });
    test.handler.call().await.reply(Body::from_stream(chunks));
    sender.send(Ok(Bytes::from("first"))).unwrap();
    let mut received = response.await.unwrap().into_body().into_data_stream();
    assert_eq!(received.next().await.unwrap().unwrap(), "first");
    sender.send(Ok(Bytes::from("second"))).unwrap();
    assert_eq!(received.next().await.unwrap().unwrap(), "second");
    drop(sender);
    assert!(received.next().await.is_none());
}

#[tokio::test]
async fn chunked_request_is_proxied_with_its_body() {
    let mut test = TestHost::start(&[("Get", proxied("items", &[]))]).await;
    let chunks = ["a", "b"].map(|chunk| Ok::<_, std::io::Error>(Bytes::from(chunk)));
    let body = Body::from_stream(futures::stream::iter(chunks));
    let reply = tokio::spawn(test.send("POST", "/api/items", body));
    let call = test.handler.call().await;
    assert_eq!(call.body, "ab");
    call.reply("done");
    assert_eq!(reply.await.unwrap().text(), "done");
}

#[tokio::test]
async fn empty_post_is_proxied() {
    let mut test = TestHost::start(&[("Get", proxied("items", &[]))]).await;
    let headers = [("content-length", "0")];
    let reply = tokio::spawn(test.send_with("POST", "/api/items", &headers, Body::empty()));
    let call = test.handler.call().await;
    assert_eq!(call.headers["content-length"], "0");
    assert!(!call.headers.contains_key("transfer-encoding"));
    call.reply("done");
    assert_eq!(reply.await.unwrap().status, 200);
}

#[tokio::test]
async fn routes_are_tried_in_alphabetical_order() {
    let functions = [
        ("B", proxied("{*rest}", &["get"])),
        ("a", proxied("items/special", &["post"])),
        ("C", proxied("items/{id:int}", &["post"])),
    ];
    let test = TestHost::start(&functions).await;
    let names: Vec<_> = test.host.functions().into_iter().map(|f| f.name).collect();
    assert_eq!(names, ["a", "B", "C"]);
    let cases = [
        ("POST", "/api/items/x", 404),
        ("DELETE", "/api/items/special", 404),
        ("GET", "/unknown", 404),
        ("HEAD", "/unknown", 404),
        ("POST", "/admin/functions/None", 404),
    ];
    for (method, target, status) in cases {
        let reply = test.send(method, target, Body::empty()).await;
        assert_eq!(reply.status, status, "{method} {target}");
    }
}

#[tokio::test]
async fn head_is_405_where_neither_head_nor_get_is_allowed() {
    let mut test =
        TestHost::start(&[("Post", proxied("posts", &["post"])), ("Read", proxied("reads", &["get"]))]).await;
    assert_eq!(test.send("HEAD", "/api/posts", Body::empty()).await.status, 405);
    let reply = tokio::spawn(test.send("HEAD", "/api/reads", Body::empty()));
    let call = test.handler.call().await;
    assert_eq!(call.method, "HEAD");
    call.reply("not sent");
    let reply = reply.await.unwrap();
    assert_eq!((reply.status, reply.text()), (200, ""));
    assert_eq!(reply.headers["content-length"], "8", "what GET would send");
}

#[tokio::test]
async fn preflight_is_answered_by_the_host_and_pages_of_listed_origins_may_read() {
    let cors = Cors::parse("https://shop.example", true).unwrap();
    let mut test = TestHost::with_cors(&[("Items", proxied("items", &["get", "put"]))], cors).await;
    let ask = |origin| {
        [
            ("origin", origin),
            ("access-control-request-method", "PUT"),
            ("access-control-request-headers", "if-match, idempotency-key"),
        ]
    };
    let allowed = test.send_with("OPTIONS", "/api/items", &ask("https://shop.example"), Body::empty()).await;
    assert_eq!(allowed.status, 204);
    for (name, value) in [
        ("access-control-allow-origin", "https://shop.example"),
        ("access-control-allow-credentials", "true"),
        ("access-control-allow-methods", "PUT"),
        ("access-control-allow-headers", "if-match, idempotency-key"),
        ("vary", "Origin"),
    ] {
        assert_eq!(allowed.headers[name], value);
    }
    let refused = test.send_with("OPTIONS", "/api/items", &ask("https://evil.example"), Body::empty()).await;
    assert_eq!(refused.status, 204);
    assert!(!refused.headers.keys().any(|name| name.as_str().starts_with("access-control-")));
    assert!(test.handler.is_idle());

    let origin = [("origin", "https://shop.example")];
    let reply = tokio::spawn(test.send_with("GET", "/api/items", &origin, Body::empty()));
    test.handler.call().await.reply(([("vary", "Accept-Encoding")], "here"));
    let reply = reply.await.unwrap();
    assert_eq!(reply.headers["access-control-allow-origin"], "https://shop.example");
    assert_eq!(reply.headers.get_all("vary").iter().collect::<Vec<_>>(), ["Accept-Encoding", "Origin"]);
}

#[tokio::test]
async fn without_origins_the_host_answers_no_preflight() {
    let test = TestHost::start(&[("Items", proxied("items", &["get"]))]).await;
    let ask = [("origin", "https://shop.example"), ("access-control-request-method", "GET")];
    let reply = test.send_with("OPTIONS", "/api/items", &ask, Body::empty()).await;
    assert_eq!((reply.status, reply.headers.get("access-control-allow-origin")), (404, None));
}

#[tokio::test]
async fn home_page_lists_the_functions() {
    let test = TestHost::start(&[("Get", proxied("items", &["get"])), ("Work", consumer("jobs"))]).await;
    let page = test.send("GET", "/", Body::empty()).await;
    assert!(page.text().contains("Get: [GET] /api/items\nWork: queue jobs\n"), "{}", page.text());
}

#[tokio::test]
async fn json_function_gets_an_envelope_and_its_outputs_are_sent() {
    let mut test = TestHost::start(&[("PutJob", with_queue_output())]).await;
    let headers = [("content-type", "text/plain"), ("content-length", "2")];
    let reply = tokio::spawn(test.send_with("POST", "/api/jobs/7?a=b", &headers, Body::from("hi")));
    let call = test.handler.call().await;
    assert_eq!((call.method.as_str(), call.uri.path()), ("POST", "/PutJob"));
    assert_eq!(call.headers["content-type"], "application/json; charset=utf-8");
    assert_eq!(call.headers["transfer-encoding"], "chunked");
    assert!(!call.headers.contains_key("content-length"));
    assert_eq!(call.headers["user-agent"], "Azure-Functions-Host/4.1052.200");
    let envelope = call.json();
    assert_eq!(envelope["Data"]["req"]["Body"], "hi");
    assert_eq!(envelope["Data"]["req"]["Params"], json!({"id": "7"}));
    assert_eq!(envelope["Metadata"]["id"], "\"7\"");
    call.answer(json!({
        "Outputs": {"bell": ["{\"id\":7}"], "res": {"statusCode": 202, "body": {"ok": true}, "headers": {"content-type": "application/json"}}},
        "Logs": ["a line"],
    }));
    let reply = reply.await.unwrap();
    assert_eq!(reply.status, 202);
    assert_eq!(reply.headers["content-type"], "application/json");
    assert_eq!(reply.text(), "{\n  \"ok\": true\n}");
    let jobs = test.messages("jobs", |messages| !messages.is_empty()).await;
    assert_eq!(jobs[0].text(), "{\"id\":7}");
}

#[tokio::test]
async fn failed_json_function_is_500_with_an_empty_body() {
    let mut test = TestHost::start(&[("PutJob", with_queue_output())]).await;
    let too_large = "x".repeat(48 * 1024 + 1);
    let answers = [
        json!(null),
        json!({"Outputs": {"res": "text"}}),
        json!({"Outputs": {"res": {"body": "ok"}, "bell": [too_large]}}),
    ];
    for answer in answers {
        let reply = tokio::spawn(test.send("GET", "/api/jobs/1", Body::empty()));
        test.handler.call().await.answer(answer);
        let reply = reply.await.unwrap();
        assert_eq!((reply.status, reply.text()), (500, ""));
    }
}

#[tokio::test]
async fn oversized_body_is_500_without_reaching_the_handler() {
    let mut test = TestHost::start(&[("Get", proxied("items", &[]))]).await;
    let headers = [("content-length", "100000001")];
    let body = Body::from_stream(futures::stream::pending::<Result<Bytes, std::io::Error>>());
    let reply = test.send_with("POST", "/api/items", &headers, body).await;
    assert_eq!(reply.status, 500);
    assert!(test.handler.is_idle());
}

#[tokio::test]
async fn keys_are_demanded_only_when_enabled() {
    let functions = [("Get", proxied("items", &[]))];
    let mut test = TestHost::with(&functions, true, |_| {}).await;
    let keys = test.host.development_keys().unwrap().clone();
    let none = test.send("GET", "/api/items", Body::empty()).await;
    assert_eq!((none.status, none.text()), (401, ""));
    let wrong = test.send("GET", "/api/items?code=x", Body::empty()).await;
    assert_eq!(wrong.status, 401);
    assert_eq!(test.send("GET", "/admin/functions", Body::empty()).await.status, 401);
    let target = format!("/admin/functions?code={}", keys.master);
    assert_eq!(test.send("GET", &target, Body::empty()).await.status, 200);
    let headers = [("x-functions-key", keys.functions["Get"].as_str())];
    let reply = tokio::spawn(test.send_with("GET", "/api/items", &headers, Body::empty()));
    test.handler.call().await.reply("in");
    assert_eq!(reply.await.unwrap().status, 200);
}

#[tokio::test]
async fn succeeded_message_is_deleted() {
    let mut test = TestHost::start(&[("Work", consumer("jobs"))]).await;
    let id = test.put("jobs", "hello");
    let call = test.handler.call().await;
    assert_eq!(call.uri.path(), "/Work");
    let envelope = call.json();
    assert_eq!(envelope["Data"]["job"], "\"hello\"");
    assert_eq!(envelope["Metadata"]["Id"], format!("\"{id}\""));
    assert_eq!(envelope["Metadata"]["DequeueCount"], "1");
    call.answer(json!({}));
    test.messages("jobs", <[_]>::is_empty).await;
}

#[tokio::test]
async fn replayed_message_keeps_its_id_and_ends_in_poison() {
    let mut test = TestHost::start(&[("Work", consumer("jobs"))]).await;
    let id = test.put("jobs", "hello");
    for count in ["1", "2"] {
        let call = test.handler.call().await;
        let metadata = &call.json()["Metadata"];
        assert_eq!(metadata["Id"], format!("\"{id}\""));
        assert_eq!(metadata["DequeueCount"], count);
        call.fail();
    }
    let poison = test.messages("jobs-poison", |messages| messages.len() == 1).await;
    assert_eq!(poison[0].text(), "hello");
    test.messages("jobs", <[_]>::is_empty).await;
    assert!(test.handler.is_idle());
}

#[tokio::test]
async fn failed_message_waits_for_its_visibility_timeout() {
    let functions = [("Work", consumer("jobs"))];
    let wait = Duration::from_secs(30);
    let mut test = TestHost::with(&functions, false, |config| {
        config.queues.failures.visibility_timeout = wait;
    })
    .await;
    test.put("jobs", "hello");
    test.handler.call().await.fail();
    let released =
        test.messages("jobs", |messages| messages[0].next_visible_time == start_time() + wait).await;
    assert_eq!(released[0].dequeue_count, 1);
    assert!(test.handler.is_idle());
    test.clock.advance(wait);
    let call = test.handler.call().await;
    assert_eq!(call.json()["Metadata"]["DequeueCount"], "2");
}

#[tokio::test]
async fn no_more_messages_run_at_once_than_host_json_allows() {
    let mut test = TestHost::start(&[("Work", consumer("jobs"))]).await;
    for number in 0..5 {
        test.put("jobs", &number.to_string());
    }
    let mut running = Vec::new();
    for _ in 0..3 {
        running.push(test.handler.call().await);
    }
    let count = test.send("GET", "/local/queues", Body::empty()).await.json();
    let jobs = json!({"name": "jobs", "visible": 2, "invisible": 3});
    assert_eq!(count, json!([jobs]));
    assert!(test.handler.is_idle());
    running.remove(0).answer(json!({}));
    let fourth = test.handler.call().await;
    assert_eq!(fourth.json()["Data"]["job"], "\"3\"");
}

#[tokio::test]
async fn overrunning_function_costs_the_handler_its_life() {
    let functions = [("Get", proxied("items", &[]))];
    let mut test = TestHost::with(&functions, false, |config| {
        config.function_timeout = Some(Duration::from_millis(20));
    })
    .await;
    let reply = tokio::spawn(test.send("GET", "/api/items", Body::empty()));
    let unanswered = test.handler.call().await;
    assert_eq!(reply.await.unwrap().status, 500);
    let reason = test.restarts.recv().await.unwrap();
    assert_eq!(reason, "function `Get` ran longer than functionTimeout (20ms)");
    drop(unanswered);
}

#[tokio::test]
async fn timer_runs_at_its_times() {
    let mut test = TestHost::start(&[("Tick", timer(&json!({})))]).await;
    assert!(test.handler.is_idle());
    test.clock.advance(Duration::from_secs(301));
    let call = test.handler.call().await;
    assert_eq!(call.uri.path(), "/Tick");
    let status = &call.json()["Data"]["tick"]["ScheduleStatus"];
    assert_eq!(status["Last"], "0001-01-01T00:00:00");
    assert_eq!(status["Next"], "2026-03-01T12:10:00+00:00");
    call.fail();
}

#[tokio::test]
async fn run_on_startup_runs_the_timer_at_once_and_then_at_its_times() {
    let mut test = TestHost::start(&[("Tick", timer(&json!({"runOnStartup": true})))]).await;
    let call = test.handler.call().await;
    assert_eq!(call.json()["Data"]["tick"]["IsPastDue"], false);
    call.fail();
    test.clock.advance(Duration::from_secs(300));
    let call = test.handler.call().await;
    let status = &call.json()["Data"]["tick"]["ScheduleStatus"];
    assert_eq!(status["Last"], "2026-03-01T12:00:00+00:00");
    call.answer(json!({}));
}

#[tokio::test]
async fn admin_runs_every_kind_of_function() {
    let functions =
        [("Get", proxied("items", &["put"])), ("Tick", timer(&json!({}))), ("Work", consumer("jobs"))];
    let mut test = TestHost::start(&functions).await;
    let input = json!({"input": "{\"id\":1}"}).to_string();
    for (name, path) in [("get", "/api/items"), ("Tick", "/Tick"), ("Work", "/Work")] {
        let target = format!("/admin/functions/{name}");
        assert_eq!(test.send("POST", &target, input.clone()).await.status, 202);
        let call = test.handler.call().await;
        assert_eq!(call.uri.path(), path);
        match name {
            "get" => assert_eq!((call.method.as_str(), &call.body[..]), ("PUT", &b"{\"id\":1}"[..])),
            "Work" => assert_eq!(call.json()["Data"]["job"], "\"{\\\"id\\\":1}\""),
            _ => {}
        }
        call.answer(json!({}));
    }
    let unknown = test.send("POST", "/admin/functions/None", input).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(unknown.headers[CONTENT_TYPE], "application/problem+json");
    assert_eq!(unknown.json()["detail"], "there is no function `None`");
    let bad = test.send("POST", "/admin/functions/Tick", "x").await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn queues_can_be_looked_into_filled_and_emptied() {
    let test = TestHost::start(&[("PutJob", with_queue_output())]).await;
    let messages = "/local/queues/jobs/messages";
    assert_eq!(test.send("GET", messages, Body::empty()).await.json(), json!([]));
    let put = test.send("POST", messages, "{\"a\": 1}").await;
    assert_eq!(put.status, 201);
    let listed = test.send("GET", messages, Body::empty()).await.json();
    let expected = json!([{
        "id": put.json()["id"],
        "text": "{\"a\": 1}",
        "dequeueCount": 0,
        "insertionTime": "2026-03-01T12:00:00Z",
        "nextVisibleTime": "2026-03-01T12:00:00Z",
        "expirationTime": "2026-03-08T12:00:00Z",
    }]);
    assert_eq!(listed, expected);
    let large = test.send("POST", messages, "x".repeat(48 * 1024 + 1)).await;
    assert_eq!(large.status, 413);
    let huge = test.send("POST", messages, "x".repeat(3_000_000)).await;
    assert_eq!(
        (huge.status, &huge.headers[CONTENT_TYPE]),
        (413, &"application/problem+json".parse().unwrap())
    );
    assert_eq!(test.send("DELETE", messages, Body::empty()).await.status, 204);
    assert_eq!(test.send("GET", messages, Body::empty()).await.json(), json!([]));
    let unknown = test.send("GET", "/local/queues/other/messages", Body::empty()).await;
    assert_eq!(unknown.status, 404);
    assert_eq!(
        unknown.json(),
        json!({"type": "about:blank", "title": "Not Found", "status": 404, "detail": "there is no queue `other`; known are: jobs"})
    );
    let bad = test.send("POST", "/local/queues/a_b/messages", "x").await;
    assert_eq!(bad.status, 400);
}

#[tokio::test]
async fn failed_changes_come_again_and_the_lease_moves_behind_those_that_were_taken() {
    let store = TestStore::default();
    store.write(&["a", "b", "c"]);
    let mut test = TestHost::with_store(&[("Tell", teller(&at_once_without_end()))], &store).await;
    for count in 0..3 {
        let call = test.handler.call().await;
        assert_eq!((call.uri.path(), call.documents()), ("/Tell", json!([{"id": "a"}, {"id": "b"}])));
        let context = &call.json()["Metadata"]["RetryContext"];
        assert_eq!((&context["RetryCount"], &context["MaxRetryCount"]), (&json!(count), &json!(-1)));
        assert_eq!(context["Exception"].is_null(), count == 0);
        assert_eq!(store.lease(LEASE), None);
        if count < 2 { call.fail() } else { call.answer(json!({})) }
    }
    let call = test.handler.call().await;
    assert_eq!(call.documents(), json!([{"id": "c"}]));
    assert_eq!(store.lease(LEASE).as_deref(), Some("2"));
    call.answer(json!({}));
    store.lease_at(LEASE, "3").await;
}

#[tokio::test]
async fn failed_changes_are_lost_without_a_retry_policy_as_in_azure() {
    let store = TestStore::default();
    store.write(&["a", "b", "c"]);
    let mut test = TestHost::with_store(&[("Tell", teller(&Value::Null))], &store).await;
    let call = test.handler.call().await;
    assert!(call.json()["Metadata"].get("RetryContext").is_none());
    call.fail();
    let call = test.handler.call().await;
    assert_eq!((call.documents(), store.lease(LEASE).as_deref()), (json!([{"id": "c"}]), Some("2")));
    call.answer(json!({}));
    store.lease_at(LEASE, "3").await;
}

#[tokio::test]
async fn restarted_host_goes_on_at_the_lease() {
    let store = TestStore::default();
    store.write(&["a", "b", "c"]);
    let functions = [("Tell", teller(&at_once_without_end()))];
    let mut first = TestHost::with_store(&functions, &store).await;
    first.handler.call().await.answer(json!({}));
    // It is stopped while the function works on these, so that nobody knows what became of them.
    let interrupted = first.handler.call().await;
    assert_eq!(interrupted.documents(), json!([{"id": "c"}]));
    first.host.stop().await;
    let mut second = TestHost::with_store(&functions, &store).await;
    let call = second.handler.call().await;
    assert_eq!(call.documents(), json!([{"id": "c"}]));
    call.answer(json!({}));
    store.lease_at(LEASE, "3").await;
    store.write(&["d"]);
    assert_eq!(second.handler.call().await.documents(), json!([{"id": "d"}]));
}

#[tokio::test]
async fn changes_that_nobody_can_read_skip_their_function_and_say_why() {
    let folder = application();
    let without = start(options(&folder)).await.unwrap();
    assert!(!without.warnings().iter().any(|warning| warning.contains("`Tell`")));
    without.stop().await;
    let cases = [
        ("leaseContainerName", "marks", "leases are kept in container `leases`, not in `marks`"),
        ("containerName", "other", "no container `other`; known are: orders"),
        ("databaseName", "other", "no database `other`, only `shop`"),
    ];
    for (field, value, reason) in cases {
        let mut function = teller(&Value::Null);
        function["bindings"][0][field] = json!(value);
        folder.add_function("Tell", &function);
        let mut options = options(&folder);
        options.changes = Some(TestStore::default().source());
        let host = start(options).await.unwrap();
        let said = host.warnings().join("\n");
        assert!(said.contains("function `Tell` is skipped: ") && said.contains(reason), "{said}");
        host.stop().await;
    }
}

#[tokio::test]
async fn events_are_delivered_to_every_function_and_a_poison_one_stops_nobody() {
    let store = TestStore::default();
    store.write(&["a"]);
    let functions = [("Hear", listener()), ("Refuse", listener()), ("Tell", teller(&at_once_without_end()))];
    let mut test = TestHost::with_store(&functions, &store).await;
    let told = json!({"Outputs": {"events": [cloud_event("1").to_string(), cloud_event("2").to_string()]}});
    test.handler.call().await.answer(told);
    let mut heard = Vec::new();
    let (mut refused, mut delays) = (0, RETRY_DELAYS.iter());
    // Two events for each of two functions, and then what comes again of the one that is refused.
    while heard.len() < 3 || refused < RETRY_DELAYS.len() + 1 {
        let call = test.handler.call().await;
        let (function, event) = (call.uri.path().to_owned(), call.json()["Data"]["event"].clone());
        assert_eq!(call.json()["Metadata"]["data"], json!({"n": 1}));
        if function == "/Refuse" && event["id"] == "1" {
            call.fail();
            refused += 1;
            if let Some(delay) = delays.next() {
                test.topic(|topic| is_waiting_again(topic, refused)).await;
                test.clock.advance(delay.to_std().unwrap());
            }
        } else {
            heard.push(format!("{function} {}", event["id"].as_str().unwrap()));
            call.answer(json!({}));
        }
    }
    heard.sort();
    assert_eq!(heard, ["/Hear 1", "/Hear 2", "/Refuse 2"]);
    test.topic(|topic| !topic.dead_letters().is_empty()).await;
    let dead = test.send("GET", "/local/events/dead-letters", Body::empty()).await.json();
    assert_eq!((&dead[0]["function"], &dead[0]["event"]["id"]), (&json!("Refuse"), &json!("1")));
    assert_eq!(dead[0]["attempts"], RETRY_DELAYS.len() + 1);
    let listed = test.send("GET", "/local/events", Body::empty()).await.json();
    let states =
        |index: usize| ["Hear", "Refuse"].map(|name| listed[index]["deliveries"][name]["state"].clone());
    assert_eq!(states(0), ["delivered", "delivered"]);
    assert_eq!(states(1), ["delivered", "deadLettered"]);
}

fn is_waiting_again(topic: &Topic, refused: usize) -> bool {
    let first = topic.newest(2).pop().unwrap();
    let delivery = &first.deliveries["Refuse"];
    (delivery.state, delivery.attempts) == (State::Waiting, refused)
}

#[tokio::test]
async fn output_that_is_no_event_fails_the_invocation() {
    let store = TestStore::default();
    store.write(&["a"]);
    let mut test = TestHost::with_store(&[("Tell", teller(&at_once_without_end()))], &store).await;
    test.handler.call().await.answer(json!({"Outputs": {"events": ["{\"id\": \"1\"}"]}}));
    let again = test.handler.call().await;
    let exception = again.json()["Metadata"]["RetryContext"]["Exception"].clone();
    assert!(exception.as_str().unwrap().contains("output `events`: `specversion`"), "{exception}");
    assert_eq!(store.lease(LEASE), None);
    assert_eq!(test.send("GET", "/local/events", Body::empty()).await.json(), json!([]));
}

#[tokio::test]
async fn event_from_elsewhere_is_delivered_or_refused_with_its_mistake() {
    let mut test = TestHost::start(&[("Hear", listener())]).await;
    let published = test.send("POST", "/local/events", cloud_event("7").to_string()).await;
    assert_eq!((published.status, published.json()), (202, json!({"id": "7"})));
    let call = test.handler.call().await;
    assert_eq!(call.json()["Data"]["event"], cloud_event("7"));
    call.answer(json!({}));
    let mut wrong = cloud_event("8");
    wrong.as_object_mut().unwrap().remove("source");
    let refused = test.send("POST", "/local/events", wrong.to_string()).await;
    assert_eq!(refused.status, 400);
    assert_eq!(refused.json()["detail"], "`source` of the event must be a text that is not empty");
    wrong["data"] = json!("x".repeat(1024 * 1024));
    assert_eq!(test.send("POST", "/local/events", wrong.to_string()).await.status, 413);
}

#[tokio::test]
async fn admin_runs_functions_of_changes_and_events_with_what_they_take() {
    let store = TestStore::default();
    let functions = [("Hear", listener()), ("Tell", teller(&Value::Null))];
    let mut test = TestHost::with_store(&functions, &store).await;
    let run = |test: &TestHost, name: &str, input: &Value| {
        let target = format!("/admin/functions/{name}");
        test.send("POST", &target, json!({ "input": input.to_string() }).to_string())
    };
    assert_eq!(run(&test, "Tell", &json!({"id": "a"})).await.status, 202);
    let call = test.handler.call().await;
    assert_eq!(call.documents(), json!([{"id": "a"}]));
    call.answer(json!({}));
    assert_eq!(run(&test, "Hear", &cloud_event("1")).await.status, 202);
    let call = test.handler.call().await;
    assert_eq!(call.json()["Data"]["event"]["id"], "1");
    call.answer(json!({}));
    for (name, detail) in [("Tell", "array of documents"), ("Hear", "JSON object")] {
        let refused = run(&test, name, &json!(7)).await;
        assert!(refused.status == 400 && refused.text().contains(detail), "{}", refused.text());
    }
}

#[tokio::test]
async fn folder_shows_its_files_and_nothing_else() {
    let place = temporary_folder();
    let path = place.path().join("mail");
    let folder = super::Folder { name: "mail".to_owned(), path: path.clone() };
    let test = TestHost::with_folder(folder).await;
    assert_eq!(test.send("GET", "/local/folders/mail", Body::empty()).await.json(), json!([]));
    std::fs::create_dir_all(path.join("inner")).unwrap();
    std::fs::write(place.path().join("secret.eml"), "not to be seen").unwrap();
    std::fs::write(path.join("a <b>.eml"), "Subject: <hello>").unwrap();
    std::fs::write(path.join("raw"), [0xff]).unwrap();
    std::os::unix::fs::symlink(place.path().join("secret.eml"), path.join("link")).unwrap();
    let files = test.send("GET", "/local/folders/mail", Body::empty()).await.json();
    let mut names =
        files.as_array().unwrap().iter().map(|file| file["name"].as_str().unwrap()).collect::<Vec<_>>();
    names.sort_unstable();
    assert_eq!(names, ["a <b>.eml", "raw"]);
    let browser = [("accept", "text/html,*/*")];
    let page = test.send_with("GET", "/local/folders/mail", &browser, Body::empty()).await;
    let link = "/local/folders/mail/a%20%3Cb%3E.eml";
    assert!(
        page.text().contains(&format!("href=\"{link}\"")) && !page.text().contains("<b>"),
        "{}",
        page.text()
    );
    let mail = test.send("GET", link, Body::empty()).await;
    assert_eq!((mail.status, mail.text()), (200, "Subject: <hello>"));
    assert_eq!(mail.headers[CONTENT_TYPE], "text/plain; charset=utf-8");
    assert_eq!(mail.headers["x-content-type-options"], "nosniff");
    let raw = test.send("GET", "/local/folders/mail/raw", Body::empty()).await;
    assert_eq!(raw.headers[CONTENT_TYPE], "application/octet-stream");
    for other in ["..%2Fsecret.eml", "%2E%2E", "inner", "link", "inner%2F..%2Fraw", "none", "%00"] {
        let refused = test.send("GET", &format!("/local/folders/mail/{other}"), Body::empty()).await;
        assert_eq!(refused.status, 404, "{other}");
    }
    assert_eq!(test.send("GET", "/local/folders/other", Body::empty()).await.status, 404);
    let home = test.send_with("GET", "/", &browser, Body::empty()).await;
    assert!(home.text().contains("<a href=\"/local/folders/mail\">"), "{}", home.text());
}

/// Not a test of its own: the handler that the tests below start as a child process.
#[test]
#[allow(clippy::disallowed_methods, reason = "a handler is told its port by its environment")]
fn handler_process() {
    let Some(port) = std::env::var_os("FUNCTIONS_CUSTOMHANDLER_PORT") else {
        return;
    };
    let port: u16 = port.to_str().unwrap().parse().unwrap();
    let router = Router::new()
        .route("/api/pid", get(async || std::process::id().to_string()))
        .route("/api/exit/{code}", get(exit))
        .route("/api/hang", get(std::future::pending::<()>))
        .route("/Tell", post(tell))
        .route("/Work", post(work));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async move {
        let listener = TcpListener::bind(("127.0.0.1", port)).await.unwrap();
        axum::serve(listener, router).await.unwrap();
    });
}

async fn exit(Path(code): Path<i32>) {
    std::process::exit(code);
}

/// Dies of the first delivery and reports the second.
async fn work(axum::Json(envelope): axum::Json<Value>) -> axum::Json<Value> {
    let count = envelope["Metadata"]["DequeueCount"].as_str().unwrap();
    if count == "1" {
        std::process::exit(3);
    }
    axum::Json(json!({"Outputs": {"done": [count]}}))
}

/// Dies of changes at first, and publishes an event of the second run.
async fn tell(axum::Json(envelope): axum::Json<Value>) -> axum::Json<Value> {
    let count = envelope["Metadata"]["RetryContext"]["RetryCount"].as_u64().unwrap();
    if count == 0 {
        std::process::exit(3);
    }
    axum::Json(json!({"Outputs": {"events": [cloud_event(&count.to_string())]}}))
}

fn application() -> Folder {
    let folder = temporary_folder();
    let host = json!({
        "version": "2.0",
        "customHandler": {
            "description": {"defaultExecutablePath": "not-there"},
            "enableProxyingHttpRequest": true,
            "initializationTimeout": "00:00:20",
        },
    });
    std::fs::write(folder.path().join("host.json"), host.to_string()).unwrap();
    folder.add_function("Pid", &json!({"bindings": proxied("pid", &[])}));
    folder.add_function("Exit", &json!({"bindings": proxied("exit/{code}", &[])}));
    folder.add_function("Hang", &json!({"bindings": proxied("hang", &[])}));
    folder.add_function("Off", &json!({"disabled": true, "bindings": proxied("off", &[])}));
    folder.add_function("Wrong", &json!({"bindings": []}));
    let work = json!({"bindings": [
        {"type": "queueTrigger", "name": "job", "queueName": "jobs"},
        {"type": "queue", "direction": "out", "name": "done", "queueName": "done"},
    ]});
    folder.add_function("Work", &work);
    folder
}

fn options(folder: &Folder) -> Options {
    let module = module_path!().split_once("::").unwrap().1;
    let test = format!("{module}::handler_process");
    Options {
        root: folder.path().to_owned(),
        port: 0,
        enable_auth: false,
        cors: None,
        cors_credentials: false,
        handler: Handler {
            program: Some(std::env::current_exe().unwrap()),
            arguments: [&test, "--exact", "--nocapture", "--quiet"].map(str::to_owned).into(),
            environment: Vec::new(),
        },
        settings: std::collections::BTreeMap::new(),
        changes: None,
        folders: Vec::new(),
        clock: Clock::system(),
        ids: Ids::random(),
    }
}

async fn get_text(address: SocketAddr, target: &str) -> (u16, String) {
    let reply = send(address, "GET", target, &[], Body::empty()).await;
    (reply.status, reply.text().to_owned())
}

async fn pid(host: &LocalHost) -> u32 {
    pid_if_any(host).await.expect("the handler answers")
}

async fn pid_if_any(host: &LocalHost) -> Option<u32> {
    let (status, text) = get_text(host.address(), "/api/pid").await;
    (status == 200).then(|| text.parse().unwrap())
}

#[tokio::test]
async fn crashed_handler_is_started_again_and_requests_wait_for_it() {
    let folder = application();
    let host = start(options(&folder)).await.unwrap();
    let first = pid(&host).await;
    assert_eq!(host.handler_id(), Some(first));
    assert_eq!(host.warnings().len(), 1);
    assert_eq!(get_text(host.address(), "/api/off").await.0, 404);
    assert_eq!(get_text(host.address(), "/api/exit/200").await.0, 500);
    let second = pid(&host).await;
    assert_ne!(first, second);
    let handler = get_text(host.address(), "/local/handler").await.1;
    let handler: Value = serde_json::from_str(&handler).unwrap();
    assert_eq!(handler["pid"], second);
    assert_eq!(handler["restarts"], 1);
    assert_eq!(handler["state"], "ready");
    let address = host.address();
    host.stop().await;
    assert!(TcpListener::bind(address).await.is_ok(), "the port is free again");
}

#[tokio::test]
async fn handler_is_replaced_when_a_function_overruns() {
    let folder = application();
    let mut options = options(&folder);
    let limit = ("AzureFunctionsJobHost__functionTimeout", "00:00:00.5");
    options.settings.insert(limit.0.to_owned(), limit.1.to_owned());
    let host = start(options).await.unwrap();
    let first = pid(&host).await;
    assert_eq!(get_text(host.address(), "/api/hang").await.0, 500);
    // The old handler may still answer until its supervisor has heard of it.
    let mut second = first;
    while second == first {
        second = pid_if_any(&host).await.unwrap_or(first);
    }
    assert_eq!(host.handler_id(), Some(second));
    host.stop().await;
}

#[tokio::test]
async fn message_that_kills_the_handler_comes_back() {
    let folder = application();
    let host = start(options(&folder)).await.unwrap();
    send(host.address(), "POST", "/local/queues/jobs/messages", &[], Body::from("x")).await;
    let done = messages(&host, "done", |messages| !messages.is_empty()).await;
    assert_eq!(done[0].text(), "2");
    messages(&host, "jobs", <[_]>::is_empty).await;
    host.stop().await;
}

#[tokio::test]
async fn changes_that_kill_the_handler_come_back() {
    let folder = application();
    let retry = json!({"strategy": "fixedDelay", "maxRetryCount": 1, "delayInterval": "00:00:00"});
    folder.add_function("Tell", &teller(&retry));
    let store = TestStore::default();
    store.write(&["a"]);
    let mut options = options(&folder);
    options.changes = Some(store.source());
    let host = start(options).await.unwrap();
    store.lease_at(LEASE, "1").await;
    let events = host.site.topic.newest(2);
    assert_eq!((events.len(), events[0].event.id()), (1, "1"));
    host.stop().await;
}

#[tokio::test]
async fn handler_that_exits_with_zero_stays_down() {
    let folder = application();
    let host = start(options(&folder)).await.unwrap();
    assert_eq!(get_text(host.address(), "/api/exit/0").await.0, 500);
    assert_eq!(get_text(host.address(), "/api/pid").await.0, 500);
    assert_eq!(host.handler_id(), None);
    host.stop().await;
}

#[tokio::test]
async fn start_says_why_there_is_no_handler() {
    let folder = application();
    let mut missing = options(&folder);
    missing.handler = Handler::default();
    let error = start(missing).await.unwrap_err().to_string();
    assert!(error.starts_with("the handler not-there cannot be started: "), "{error}");
    let mut early = options(&folder);
    early.handler.arguments = vec!["--list".to_owned()];
    let error = start(early).await.unwrap_err().to_string();
    assert!(error.starts_with("the handler ended with exit"), "{error}");
    let mut nowhere = options(&folder);
    nowhere.root = PathBuf::from("not-a-folder");
    assert!(matches!(start(nowhere).await, Err(Error::Config(_))));
}

#[tokio::test]
async fn taken_port_names_the_option() {
    let folder = application();
    let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut options = options(&folder);
    options.port = taken.local_addr().unwrap().port();
    let error = start(options).await.unwrap_err();
    assert!(matches!(error, Error::PortTaken(_)));
    assert!(error.to_string().contains("--port"));
}

#[tokio::test]
async fn functions_are_described() {
    let folder = application();
    let host = start(options(&folder)).await.unwrap();
    let functions = host.functions();
    let work = functions.iter().find(|function| function.name == "Work").unwrap();
    assert_eq!((work.trigger, work.target.as_str()), (TriggerKind::Queue, "jobs"));
    let stopping = timeout(PATIENCE, host.stop());
    stopping.await.unwrap();
}
