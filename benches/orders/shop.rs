//! A shop for one measurement: an emulator behind the meter, stock, orders that wait, handlers that decide them, and at
//! the end the books.
//!
//! Filling and checking go past the meter. Does not know who measures what.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::middleware::from_fn_with_state;
use futures::{StreamExt, TryStreamExt, stream};
use serde_json::Value;
use tokio::task::JoinSet;
use widgetco::app::App;
use widgetco::config::{CosmosConfig, Endpoint, Identity};
use widgetco::domain::draft::{Demand, OrderRequest};
use widgetco::domain::id::{CustomerId, Fingerprint, OrderId, ProductId, Sku};
use widgetco::domain::message::OrderMessage;
use widgetco::domain::money::{Currency, Money};
use widgetco::domain::order::Order;
use widgetco::domain::product::{Details, Product};
use widgetco::domain::stock::Adjustment;
use widgetco::functions::routes;
use widgetco::host;
use widgetco::sources::{Clock, Ids};
use widgetco::store::containers::Container;
use widgetco::store::cosmos::Cosmos;
use widgetco::store::emulator::Emulator;
use widgetco::store::{Store, Written};

use crate::Failure;
use crate::cases::Decider;
use crate::meter::{self, Meter};
use crate::plain::{self, Plain};

pub(crate) const DATABASE: &str = "bench";
/// Requests at once while the shop is filled.
const FILLERS: usize = 8;

/// Ends with everything that serves it.
pub(crate) struct Shop {
    pub(crate) meter: Arc<Meter>,
    emulator: Arc<Emulator>,
    store: Store,
    endpoint: String,
    servers: JoinSet<io::Result<()>>,
}

impl Shop {
    /// An empty one, whose store takes so long for a request.
    pub(crate) async fn open(latency: Duration) -> Result<Self, Failure> {
        let listener = host::bind(0).await?;
        let endpoint = format!("http://{}/", listener.local_addr()?);
        let emulator = Arc::new(Emulator::new(&endpoint)?);
        let meter = Meter::new(latency);
        let gate = from_fn_with_state(Arc::clone(&meter), meter::pass);
        let mut servers = JoinSet::new();
        servers.spawn(host::serve(
            listener,
            Arc::clone(&emulator).bridge().layer(gate),
            std::future::pending(),
        ));
        let store = Store::embedded(Arc::clone(&emulator), DATABASE);
        store.create_containers().await?;
        Ok(Self { meter, emulator, store, endpoint, servers })
    }

    /// Where the store is for programs outside.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Starts handlers that decide orders in this way, each with a connection of its own to the store.
    pub(crate) async fn start(&mut self, decider: Decider) -> Result<Vec<SocketAddr>, Failure> {
        let mut addresses = Vec::new();
        for _ in 0..decider.instances() {
            let config = config(&self.endpoint);
            let routes = match decider {
                Decider::Plain => plain::routes(Plain::new(&config)),
                Decider::Single => {
                    let mut store = Store::connect(&config);
                    store.stock = store.stock.with_group_max(1);
                    routes(App::new(store, Clock::system(), Ids::random()))
                }
                Decider::Grouped | Decider::Spread => {
                    routes(App::new(Store::connect(&config), Clock::system(), Ids::random()))
                }
            };
            addresses.push(serve(&mut self.servers, shell(routes)).await?);
        }
        Ok(addresses)
    }

    /// Puts so many pieces of each product into stock.
    pub(crate) async fn stock(&self, pieces: &BTreeMap<ProductId, u32>) -> Result<(), Failure> {
        let count = pieces.iter().map(|(product_id, on_hand)| async move {
            let now = Clock::system().now();
            let delivery = Adjustment {
                id: Adjustment::id_from_chance(Ids::random().bytes16()),
                product_id: product_id.clone(),
                delta: 0,
                reason: "first delivery".to_owned(),
                on_hand_after: *on_hand,
                created_at: now,
                fingerprint: Fingerprint::of([product_id.as_str()]),
            };
            self.store.stock.count(|counts| counts.is_none(), delivery, (*on_hand, None), now).await
        });
        stream::iter(count).buffer_unordered(FILLERS).try_for_each(|_| async { Ok(()) }).await?;
        Ok(())
    }

    /// Places an order of one piece for each of these, each by another customer, and gives the bells that ring for them.
    pub(crate) async fn place(&self, products: &[ProductId]) -> Result<Vec<String>, Failure> {
        let place = products.iter().enumerate().map(|(number, product_id)| async move {
            let customer_id = CustomerId::parse(&format!("customer-{number}"))?;
            let id = OrderId::from_chance(&customer_id, Ids::random().bytes16());
            let lines = vec![Demand { product_id: product_id.clone(), quantity: 1 }];
            let price = Money { amount_minor: 1999, currency: Currency::parse("EUR")? };
            let name = format!("The widget called {product_id}");
            let sku = Sku::parse(&product_id.as_str().to_ascii_uppercase())?;
            let product = Product::new(sku, Details::on_sale(name, price), Clock::system().now());
            let request = OrderRequest { customer_id, lines, shipping_address: None };
            let placed = Order::place(id, &request, &[product], Clock::system().now());
            let placed = placed.map_err(|invalid| format!("an order cannot be placed: {invalid:?}"))?;
            match self.store.orders.place(&placed, None).await? {
                Written::Done(order) => Ok::<_, Failure>(OrderMessage::doorbell_with_sight(
                    &order.value,
                    order.etag.as_str(),
                    None,
                )),
                Written::Overtaken => Err("an order is there already".into()),
            }
        });
        stream::iter(place).buffered(FILLERS).try_collect().await
    }

    /// Compares the books with what they must be when every piece was ordered and every order decided: all confirmed,
    /// none refused, all pieces held, and the reservations explain them.
    ///
    /// # Errors
    /// When they are not.
    pub(crate) async fn check(&self, pieces: &BTreeMap<ProductId, u32>) -> Result<(), Failure> {
        let cosmos = Cosmos::embedded(Arc::clone(&self.emulator), DATABASE);
        let everything = ("SELECT * FROM c", [].as_slice());
        let documents: Vec<Value> = cosmos.query(Container::Stock, None, everything, usize::MAX).await?;
        let (mut held, mut reserved) = (BTreeMap::new(), BTreeMap::new());
        for document in &documents {
            let product = document["productId"].as_str().unwrap_or_default();
            match (document["type"].as_str(), document["state"].as_str()) {
                (Some("stock"), _) => {
                    held.insert(product, document["held"].as_u64().unwrap_or_default());
                }
                (Some("reservation"), Some("held")) => {
                    *reserved.entry(product).or_insert(0) +=
                        document["quantity"].as_u64().unwrap_or_default();
                }
                _ => {}
            }
        }
        for (product_id, on_hand) in pieces {
            let held = held.get(product_id.as_str()).copied();
            let reserved = reserved.get(product_id.as_str()).copied().unwrap_or_default();
            if held != Some(u64::from(*on_hand)) || held != Some(reserved) {
                let counts = format!("{held:?} held, {reserved} reserved");
                return Err(format!("{on_hand} pieces of {product_id} were ordered, but {counts}").into());
            }
        }
        let documents: Vec<Value> = cosmos.query(Container::Orders, None, everything, usize::MAX).await?;
        let confirmed = documents.iter().filter(|document| document["status"] == "confirmed").count();
        let orders = documents.iter().filter(|document| document["type"] == "order").count();
        let ordered: u32 = pieces.values().sum();
        if confirmed != orders || usize::try_from(ordered) != Ok(orders) {
            return Err(format!("{ordered} orders were placed, {orders} found, {confirmed} confirmed").into());
        }
        Ok(())
    }
}

/// How a handler is told where the store is.
pub(crate) fn config(endpoint: &str) -> CosmosConfig {
    CosmosConfig {
        endpoint: Endpoint::Loopback(endpoint.to_owned()),
        database: DATABASE.to_owned(),
        region: None,
        identity: Identity::Developer,
    }
}

/// The shell that the program puts around its routes.
pub(crate) fn shell(routes: Router) -> Router {
    let ids = Ids::random();
    host::shell(routes, Arc::new(move || ids.hex32()))
}

/// Opens a port as the program does.
pub(crate) async fn serve(
    servers: &mut JoinSet<io::Result<()>>,
    router: Router,
) -> Result<SocketAddr, Failure> {
    let listener = host::bind(0).await?;
    let address = listener.local_addr()?;
    servers.spawn(host::serve(listener, router, std::future::pending()));
    Ok(address)
}
