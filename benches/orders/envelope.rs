//! What the handler's contract costs: a message that no store is asked about, beside a bare axum handler.
//!
//! The message is no order, so the shop reads the envelope, rejects the message, and answers with one for
//! `orders-rejected`.

use axum::Router;
use axum::body::Bytes;
use axum::http::header;
use axum::routing::post;
use tokio::task::JoinSet;
use widgetco::app::App;
use widgetco::functions::routes;
use widgetco::sources::{Clock, Ids};
use widgetco::store::Store;

use crate::Failure;
use crate::driver::Driver;
use crate::figures::{count, median};
use crate::shop::{config, serve, shell};

const NO_ORDER: &str = "what is this?";

/// Microseconds a call, one at a time; medians of the rounds.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Envelope {
    pub(crate) bare_us: f64,
    pub(crate) shop_us: f64,
}

/// Calls both in turn.
///
/// # Errors
/// When one does not answer.
pub(crate) async fn measure(rounds: u32, calls: u32) -> Result<Envelope, Failure> {
    let mut servers = JoinSet::new();
    let answer = || async { ([(header::CONTENT_TYPE, "application/json")], "{\"Outputs\":{}}") };
    let bare = Router::new().route("/ProcessOrder", post(move |_: Bytes| answer()));
    // Nobody listens there, and nobody asks.
    let store = Store::connect(&config("http://127.0.0.1:9/"));
    let shop = shell(routes(App::new(store, Clock::system(), Ids::random())));
    let bare = Driver::new(vec![serve(&mut servers, bare).await?]);
    let shop = Driver::new(vec![serve(&mut servers, shop).await?]);
    let texts = vec![NO_ORDER.to_owned(); usize::try_from(calls)?];
    let (mut bare_us, mut shop_us) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        for (driver, results) in [(&bare, &mut bare_us), (&shop, &mut shop_us)] {
            let delivered = driver.deliver(&texts, 1).await?;
            results.push(delivered.took.as_secs_f64() * 1e6 / count(texts.len()));
        }
    }
    Ok(Envelope { bare_us: median(bare_us), shop_us: median(shop_us) })
}
