//! One measurement: a fresh shop, orders that wait in it, a handler that is warm, and the clock.

use std::collections::BTreeMap;

use widgetco::domain::id::ProductId;

use crate::Failure;
use crate::cases::Case;
use crate::driver::{Delivered, Driver};
use crate::meter::Tally;
use crate::shop::Shop;

/// Orders for each worker that are decided before the clock starts, so that connections are open.
const WARMING_PER_WORKER: u32 = 2;

/// What came of it.
#[derive(Debug)]
pub(crate) struct Measurement {
    pub(crate) case: Case,
    pub(crate) delivered: Delivered,
    pub(crate) tally: Tally,
}

/// Decides so many orders. There is exactly one piece for each of them.
///
/// # Errors
/// When the shop does not work, or its books are wrong at the end.
pub(crate) async fn measure(case: &Case, orders: u32) -> Result<Measurement, Failure> {
    let warming = case.concurrency * WARMING_PER_WORKER;
    let (pieces, ordered) = orders_for(case.demand.products(), warming + orders)?;
    let mut shop = Shop::open(case.latency).await?;
    shop.stock(&pieces).await?;
    let bells = shop.place(&ordered).await?;
    let (warming, measured) = bells.split_at(usize::try_from(warming)?);
    let driver = Driver::new(shop.start(case.decider).await?);
    driver.deliver(warming, case.concurrency).await?;
    shop.meter.tally()?;
    let delivered = driver.deliver(measured, case.concurrency).await?;
    let tally = shop.meter.tally()?;
    shop.check(&pieces).await?;
    Ok(Measurement { case: *case, delivered, tally })
}

/// The products of so many orders, in turn, and how many pieces are ordered of each.
pub(crate) fn orders_for(
    products: u32,
    orders: u32,
) -> Result<(BTreeMap<ProductId, u32>, Vec<ProductId>), Failure> {
    let products = (0..products).map(|number| ProductId::parse(&format!("widget-{number:04}")));
    let products = products.collect::<Result<Vec<_>, _>>()?;
    let mut pieces: BTreeMap<_, _> = products.iter().map(|product_id| (product_id.clone(), 0)).collect();
    let ordered: Vec<_> = products.iter().cycle().take(usize::try_from(orders)?).cloned().collect();
    for product_id in &ordered {
        *pieces.entry(product_id.clone()).or_default() += 1;
    }
    Ok((pieces, ordered))
}
