//! Holds for one product that wait in one process: they ride in one batch, and whoever is called off takes nobody along.
//!
//! Over HTTP, because only there a request takes long enough for others to come meanwhile.
#![cfg(test)]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::http::StatusCode;
use futures::FutureExt;
use futures::future::join_all;
use tokio::net::TcpListener;
use tokio::sync::Notify;
use widgetco::config::{CosmosConfig, Endpoint, Identity};
use widgetco::store::Store;
use widgetco::store::emulator::{Emulator, Fate, Gate};

use crate::shop::{DATABASE, TestShop};

/// Turns after which a worker that can go on has gone on.
const TURNS: u32 = 2_000;

/// A shop whose handler reaches its store through this gate, and has made its connections.
async fn open(gate: Gate, stock: &[(&str, u32)]) -> TestShop {
    let (shop, _) = behind(gate, stock).await;
    shop.place("ada", &[("w", 1)]).await;
    shop.work().await;
    shop
}

/// A shop whose handler reaches its store through this gate, and the way there.
pub(crate) async fn behind(gate: Gate, stock: &[(&str, u32)]) -> (TestShop, CosmosConfig) {
    let (mut shop, config) = beside(gate, stock).await;
    shop.restart(Store::connect(&config));
    (shop, config)
}

/// A shop whose handler reaches its store past this gate, and the way there through it, for others.
pub(crate) async fn beside(gate: Gate, stock: &[(&str, u32)]) -> (TestShop, CosmosConfig) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}/", listener.local_addr().unwrap());
    let emulator = Arc::new(Emulator::new(&endpoint).unwrap().with_gate(gate));
    tokio::spawn(Arc::clone(&emulator).serve(listener, std::future::pending()));
    let shop = TestShop::open_in(emulator, stock).await;
    let config = CosmosConfig {
        endpoint: Endpoint::Loopback(endpoint),
        database: DATABASE.into(),
        region: None,
        identity: Identity::Developer,
    };
    (shop, config)
}

#[tokio::test]
async fn holds_that_wait_together_ride_together() {
    const ORDERS: u64 = 48;
    let shop = open(Arc::new(|_| std::future::ready(Fate::Pass).boxed()), &[("w", 1000)]).await;
    for _ in 0..ORDERS {
        shop.place("ada", &[("w", 1)]).await;
    }
    let bells = shop.drain("orders");
    let before = shop.requests();
    let deliveries = join_all(bells.iter().map(|bell| shop.deliver("ProcessOrder", bell, 1))).await;
    assert!(deliveries.iter().all(|answer| answer.status == StatusCode::OK));
    // Each order is confirmed by a request of its own.
    let for_holds = shop.requests() - before - ORDERS;
    assert!(for_holds * 3 <= ORDERS, "{for_holds} requests for {ORDERS} holds");
    assert_eq!(shop.counts("w").await, (1000, 49, 951));
    shop.audit("w").await;
}

#[tokio::test]
async fn caller_who_is_called_off_does_not_take_the_others_along() {
    // Once it is armed, the next batch of the stock waits at the gate, and whoever sent it is in the middle of its work.
    let (armed, arrived, go) =
        (Arc::new(AtomicBool::new(false)), Arc::new(Notify::new()), Arc::new(Notify::new()));
    let gate: Gate = {
        let (armed, arrived, go) = (Arc::clone(&armed), Arc::clone(&arrived), Arc::clone(&go));
        Arc::new(move |arrival| {
            let is_hold = arrival.method == "POST" && arrival.path.contains("/colls/stock/");
            let stops = is_hold && armed.swap(!is_hold, Ordering::SeqCst);
            let (arrived, go) = (Arc::clone(&arrived), Arc::clone(&go));
            async move {
                if stops {
                    arrived.notify_one();
                    go.notified().await;
                }
                Fate::Pass
            }
            .boxed()
        })
    };
    let shop = open(gate, &[("w", 10)]).await;
    let (first, second) = (shop.place("ada", &[("w", 1)]).await, shop.place("ada", &[("w", 1)]).await);
    let bells = shop.drain("orders");
    armed.store(true, Ordering::SeqCst);
    let mut doomed = Box::pin(shop.deliver("ProcessOrder", &bells[0], 1));
    tokio::select! {
        _ = &mut doomed => panic!("its batch waits at the gate"),
        () = arrived.notified() => {}
    }
    let mut survivor = Box::pin(shop.deliver("ProcessOrder", &bells[1], 1));
    for _ in 0..TURNS {
        assert!(futures::poll!(&mut survivor).is_pending(), "it waits for the one who works");
        tokio::task::yield_now().await;
    }
    drop(doomed);
    go.notify_one();
    assert_eq!(survivor.await.status, StatusCode::OK);
    assert_eq!(shop.status(&second).await, "confirmed");
    assert_eq!(shop.deliver("ProcessOrder", &bells[0], 2).await.status, StatusCode::OK);
    assert_eq!(shop.status(&first).await, "confirmed");
    assert_eq!(shop.counts("w").await, (10, 3, 7));
    shop.audit("w").await;
}
