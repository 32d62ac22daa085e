//! A partner's pull of very many customers: a handler in a process of its own takes little memory for it.
//!
//! The emulator copies everything it has for each page, so `cargo test` pulls [`CUSTOMERS`], and takes a share of what a hundred
//! thousand may take. It reads what Linux says of the handler. All of them, in an optimized build:
//!
//! ```text
//! PULL_CUSTOMERS=100000 cargo test --profile simulation --test it pull_memory -- --nocapture
//! ```
#![cfg(test)]

use std::sync::Arc;

use chrono::TimeDelta;
use futures::{StreamExt, TryStreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use widgetco::auth::development::{Bearer, token};
use widgetco::domain::id::PartnerId;
use widgetco::sources::Clock;
use widgetco::store::emulator::Emulator;

use crate::partners::PULL;
use crate::program::Program;
use crate::shop::TestShop;

/// How many customers have agreed, unless `PULL_CUSTOMERS` says so.
const CUSTOMERS: usize = 4_000;
/// From so many on the handler may take all of [`EXTRA_KIB_MAX`].
const MANY: usize = 100_000;
/// Most that the handler may take for a pull of very many, in KiB.
const EXTRA_KIB_MAX: u64 = 64 * 1024;
/// And of fewer.
const EXTRA_KIB_OF_FEW_MAX: u64 = 16 * 1024;
/// What is kept of a stream to read its last line.
const LAST_BYTES_MAX: usize = 1000;
/// Customers who are added side by side.
const AT_ONCE: usize = 32;

#[allow(
    clippy::disallowed_methods,
    reason = "how much is tried is said from outside, as with the simulation's seeds"
)]
fn customers() -> usize {
    std::env::var("PULL_CUSTOMERS").map_or(CUSTOMERS, |count| count.parse().unwrap())
}

/// A customer as the store keeps them.
fn document(number: usize) -> Value {
    let (id, at) = (format!("customer-{number}"), "2026-03-02T09:15:00.000Z");
    let consent = json!({"partnerId": "willy", "granted": true, "at": at, "source": "account page"});
    let address = json!({
        "lines": ["Unter den Linden 1", "Hinterhaus"], "postalCode": "10117", "city": "Berlin", "country": "DE",
    });
    json!({
        "id": id, "type": "customer", "schemaVersion": 1, "email": format!("{id}@example.com"),
        "name": format!("Customer number {number}"), "phone": "+4930123456", "addresses": [address.clone(), address],
        "consents": {"sharing": [consent]}, "createdAt": at, "updatedAt": at,
    })
}

#[allow(clippy::print_stdout, reason = "the figures are what an optimized run is for")]
#[tokio::test(flavor = "multi_thread")]
async fn pull_of_very_many_customers_takes_little_memory() {
    let customers = customers();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://127.0.0.1:{}/", listener.local_addr().unwrap().port());
    let emulator = Arc::new(Emulator::new(&endpoint).unwrap());
    tokio::spawn(Arc::clone(&emulator).serve(listener, std::future::pending()));
    let shop = TestShop::open_in(emulator, &[]).await;
    let fields = ["/name", "/email", "/addresses/*/lines/*", "/addresses/*/city"];
    let contract = json!({"purpose": "flyers", "fields": fields, "validUntil": "2100-01-01T00:00:00Z"});
    let agreed = shop.put("/api/partners/willy", &[("If-None-Match", "*")], contract).await;
    assert!(agreed.status.is_success(), "{:?}", agreed.body);
    let container = &shop.container("customers").await;
    let add = |number| async move {
        let document = document(number);
        let id = document["id"].as_str().unwrap().to_owned();
        container.create_item(id.clone(), &id, &document, None).await.map(drop)
    };
    stream::iter((0..customers).map(add)).buffer_unordered(AT_ONCE).try_collect::<()>().await.unwrap();

    let program = Program::serve_in(&endpoint, crate::shop::DATABASE).await;
    // The handler has the machine's clock.
    let willy = Bearer::Partner(PartnerId::parse("willy").unwrap());
    let willy = token(&willy, Clock::system().now(), TimeDelta::hours(1)).unwrap();
    let ask = |path: &str, accept: &str| {
        let request = Client::new().get(format!("{}{path}", program.address));
        request.bearer_auth(&willy).header("Accept", accept).send()
    };
    // What a pull needs anyhow, such as connections, is not what this is about.
    assert!(ask(&format!("{PULL}?limit=1"), "application/json").await.unwrap().status().is_success());
    let before_kib = program.memory_kib("VmRSS:");
    let (mut lines, mut bytes, mut path) = (0, 0, PULL.to_owned());
    let ended = loop {
        let mut pieces = ask(&path, "application/x-ndjson").await.unwrap().bytes_stream();
        let mut last = Vec::new();
        while let Some(piece) = pieces.try_next().await.unwrap() {
            lines += piece.iter().filter(|byte| **byte == b'\n').count();
            bytes += piece.len();
            last.extend_from_slice(&piece);
            last.drain(..last.len().saturating_sub(LAST_BYTES_MAX));
        }
        lines -= 1;
        let last = String::from_utf8(last).unwrap();
        let last: Value = serde_json::from_str(last.lines().last().unwrap()).unwrap();
        // It ends before Azure would cut it off.
        match last["change"].as_str().unwrap() {
            "more" => path = format!("{PULL}?cursor={}", last["cursor"].as_str().unwrap()),
            change => break change.to_owned(),
        }
    };
    let peak_kib = program.memory_kib("VmHWM:");
    assert_eq!((ended.as_str(), lines), ("cursor", customers));
    let extra_kib = peak_kib.saturating_sub(before_kib);
    println!("{customers} customers, {bytes} bytes: {before_kib} KiB and {extra_kib} KiB more");
    let most_kib = if customers < MANY { EXTRA_KIB_OF_FEW_MAX } else { EXTRA_KIB_MAX };
    assert!(extra_kib < most_kib, "{before_kib} KiB became {peak_kib} KiB");
}
