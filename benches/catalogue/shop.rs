//! A shop to look at: an emulator behind the meter, products in it, and two handlers, one of which remembers nothing.
//!
//! Filling goes past the meter. Does not know what is asked.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use chrono::TimeDelta;
use tokio::task::JoinSet;
use widgetco::app::App;
use widgetco::config::{CosmosConfig, Endpoint, Identity, LogConfig, LogFormat};
use widgetco::domain::id::{CollectionId, Fingerprint, ImageId, Sku};
use widgetco::domain::image::{Image, ImageFormat, RENDITION_WIDTHS_PX, Rendition};
use widgetco::domain::money::{Currency, Money};
use widgetco::domain::product::{Attribute, AttributeValue, Details, Product};
use widgetco::domain::stock::Adjustment;
use widgetco::functions::routes;
use widgetco::host;
use widgetco::sources::{Clock, Ids};
use widgetco::store::Store;
use widgetco::store::emulator::Emulator;

use crate::Failure;
use crate::cases::{ON_HAND, PRODUCTS, sku};
use crate::meter::{self, Meter};

const DATABASE: &str = "bench";
/// What the program logs when nothing else is set.
const LOG_FILTER: &str = "info,azure_data_cosmos_driver=warn";
const DESCRIPTION: &str = "The widget that every other one is measured against: turned from one piece, tuned by ear, and \
    shipped with a cloth, a drop of oil and a booklet that tells more about widgets than most people want to know.";

/// Ends with everything that serves it.
pub(crate) struct Shop {
    pub(crate) meter: Arc<Meter>,
    /// A handler as it ships.
    pub(crate) cached: SocketAddr,
    /// One to which everything that it has read is too old at once.
    pub(crate) uncached: SocketAddr,
    servers: JoinSet<io::Result<()>>,
}

impl Shop {
    /// One with its products, whose store takes so long for a request.
    pub(crate) async fn open(latency: Duration) -> Result<Self, Failure> {
        // As the program does: who listens costs time, also when nothing is said.
        widgetco::telemetry::start(
            &LogConfig { filter: LOG_FILTER.to_owned(), format: LogFormat::Json },
            None,
        );
        let listener = host::bind(0).await?;
        let endpoint = format!("http://{}/", listener.local_addr()?);
        let emulator = Arc::new(Emulator::new(&endpoint)?);
        let meter = Meter::new(latency);
        let gate = from_fn_with_state(Arc::clone(&meter), meter::pass);
        let mut servers = JoinSet::new();
        let bridge = Arc::clone(&emulator).bridge().layer(gate);
        servers.spawn(host::serve(listener, bridge, std::future::pending()));
        fill(&Store::embedded(emulator, DATABASE)).await?;
        let (cached, mut forgetful) =
            (Store::connect(&config(&endpoint)), Store::connect(&config(&endpoint)));
        forgetful.products = forgetful.products.with_recent_lifetime(TimeDelta::zero());
        forgetful.stock = forgetful.stock.with_recent_lifetime(TimeDelta::zero());
        let cached = serve(&mut servers, handler(cached)).await?;
        let uncached = serve(&mut servers, handler(forgetful)).await?;
        Ok(Self { meter, cached, uncached, servers })
    }

    /// Serves something else beside it, in the same way.
    pub(crate) async fn serve(&mut self, router: Router) -> Result<SocketAddr, Failure> {
        serve(&mut self.servers, router).await
    }
}

async fn fill(store: &Store) -> Result<(), Failure> {
    store.create_containers().await?;
    let now = Clock::system().now();
    for number in 0..PRODUCTS {
        let sku = Sku::parse(&sku(number))?;
        let product = Product { images: images()?, ..Product::new(sku, details(number)?, now) };
        store.products.create(&product).await?;
        let delivery = Adjustment {
            id: Adjustment::id_from_chance(Ids::random().bytes16()),
            product_id: product.id.clone(),
            delta: 0,
            reason: "first delivery".to_owned(),
            on_hand_after: ON_HAND,
            created_at: now,
            fingerprint: Fingerprint::of([product.id.as_str()]),
        };
        store.stock.count(|counts| counts.is_none(), delivery, (ON_HAND, None), now).await?;
    }
    Ok(())
}

/// What a shop would say of it.
fn details(number: usize) -> Result<Details, Failure> {
    let fact = |name: &str, value, unit: Option<&str>| Attribute {
        name: name.to_owned(),
        value,
        unit: unit.map(str::to_owned),
    };
    let price = Money { amount_minor: 1999, currency: Currency::parse("EUR")? };
    Ok(Details {
        description: DESCRIPTION.to_owned(),
        category_ids: vec![CollectionId::parse("widgets")?],
        collection_ids: vec![CollectionId::parse("summer")?],
        attributes: vec![
            fact("weight", AttributeValue::Number(480.into()), Some("g")),
            fact("material", AttributeValue::Text("oak".to_owned()), None),
            fact("foldable", AttributeValue::Boolean(true), None),
        ],
        ..Details::on_sale(format!("Widget no. {number:04}"), price)
    })
}

/// Two pictures with their copies.
fn images() -> Result<Vec<Image>, Failure> {
    let image = |alt: &str| Image {
        id: ImageId::from_chance(Ids::random().bytes16()),
        alt: alt.to_owned(),
        format: ImageFormat::Jpeg,
        width_px: 2400,
        height_px: 1600,
        size_bytes: 1_234_567,
        renditions: RENDITION_WIDTHS_PX
            .map(|width_px| Rendition { width_px, height_px: width_px * 2 / 3, size_bytes: 45_678 })
            .to_vec(),
        source: Fingerprint::of([alt]),
        created_at: Clock::system().now(),
    };
    Ok(vec![image("The widget on a table"), image("The widget from above")])
}

/// How a handler is told where the store is.
fn config(endpoint: &str) -> CosmosConfig {
    CosmosConfig {
        endpoint: Endpoint::Loopback(endpoint.to_owned()),
        database: DATABASE.to_owned(),
        region: None,
        identity: Identity::Developer,
    }
}

/// All routes in the shell that the program puts around them.
fn handler(store: Store) -> Router {
    let ids = Ids::random();
    host::shell(routes(App::new(store, Clock::system(), ids.clone())), Arc::new(move || ids.hex32()))
}

/// Opens a port as the program does.
async fn serve(servers: &mut JoinSet<io::Result<()>>, router: Router) -> Result<SocketAddr, Failure> {
    let listener = host::bind(0).await?;
    let address = listener.local_addr()?;
    servers.spawn(host::serve(listener, router, std::future::pending()));
    Ok(address)
}
