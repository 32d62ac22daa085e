//! What befalls the account: a region that lags behind, partitions that split, a write region that moves. Each in steps,
//! so that the shop's requests come in between.
//!
//! Does not know what the shop does meanwhile.
#![cfg(test)]

use std::sync::Arc;

use widgetco::domain::id::{CustomerId, Partition};
use widgetco::store::emulator::{Emulator, Failover, Split};

use super::chance::Chance;
use crate::shop::DATABASE;

/// The first takes the writes until that moves.
pub(super) const REGIONS: [&str; 2] = ["East US", "West US"];

/// How much of it a seed has in store.
#[derive(Debug, Clone, Copy)]
pub(super) struct Upheavals {
    /// Whether the region that takes no writes lags behind, time and again.
    lags: bool,
    splits: u32,
    /// At most one: a client that was told so by a refused write asks again for the account's regions, but not within 5 s
    /// by the machine's clock, and no run lasts that long.
    failovers: u32,
}

impl Upheavals {
    pub(super) fn draw(chance: &mut Chance) -> Self {
        Self {
            lags: chance.happens(700),
            splits: chance.pick(&[0, 0, 1, 2]),
            failovers: chance.pick(&[0, 0, 1]),
        }
    }
}

/// A step of one of them.
#[derive(Debug, Clone, Copy)]
pub(super) enum Upheaval {
    Lag,
    CatchUp,
    /// Catches up, and lags again at once.
    Glimpse,
    BeginSplit,
    EndSplit,
    FailOver(Failover),
}

pub(super) struct Account {
    pub(super) emulator: Arc<Emulator>,
    ahead: Upheavals,
    /// Containers and keys whose partitions may split: those where the shop works.
    keys: Vec<(&'static str, String)>,
    is_lagging: bool,
    split: Option<Split>,
    failover: Option<(&'static str, Failover)>,
    pub(super) splits: u64,
    pub(super) failovers: u64,
}

impl Account {
    pub(super) fn of(emulator: Arc<Emulator>, ahead: Upheavals, products: &[&str]) -> Self {
        let customers = ["ada", "bob"].map(|id| Partition::of(&CustomerId::parse(id).unwrap()));
        let orders = customers.iter().map(|partition| ("orders", partition.as_str().to_owned()));
        let keys = products.iter().map(|product| ("stock", (*product).to_owned())).chain(orders).collect();
        let (split, failover) = (None, None);
        Self { emulator, ahead, keys, is_lagging: false, split, failover, splits: 0, failovers: 0 }
    }

    /// A partition that splits answers nobody.
    pub(super) fn is_splitting(&self) -> bool {
        self.split.is_some()
    }

    /// What may happen next, and how often it does.
    pub(super) fn next(&self) -> Vec<(u32, Upheaval)> {
        let mut next = match self.is_lagging {
            true => vec![(2, Upheaval::CatchUp), (4, Upheaval::Glimpse)],
            false => vec![(if self.ahead.lags { 12 } else { 0 }, Upheaval::Lag)],
        };
        next.push(match self.split {
            Some(_) => (12, Upheaval::EndSplit),
            None => (2 * self.ahead.splits.min(1), Upheaval::BeginSplit),
        });
        next.push(match self.failover {
            Some((_, Failover::Announced)) => (12, Upheaval::FailOver(Failover::Moved)),
            Some((_, Failover::Moved | Failover::Done)) => (12, Upheaval::FailOver(Failover::Done)),
            None => (2 * self.ahead.failovers.min(1), Upheaval::FailOver(Failover::Announced)),
        });
        next
    }

    /// Lets it happen, and says what happened.
    pub(super) async fn meet(&mut self, upheaval: Upheaval, chance: &mut Chance) -> String {
        let behind = self.behind();
        match upheaval {
            Upheaval::Lag => self.lag(true),
            Upheaval::CatchUp => self.lag(false),
            Upheaval::Glimpse => {
                self.lag(false);
                self.lag(true);
            }
            Upheaval::BeginSplit => {
                let (container, key) = chance.pick(&self.keys);
                let split = self.emulator.begin_split(DATABASE, container, &key).await.unwrap();
                (self.split, self.is_lagging) = (Some(split), false);
                self.ahead.splits -= 1;
                return format!("the partition of {key} in {container} begins to split");
            }
            Upheaval::EndSplit => {
                self.split.take().unwrap().finish().await.unwrap();
                self.splits += 1;
            }
            Upheaval::FailOver(step) => {
                let region = self.failover.map_or(behind, |(region, _)| region);
                self.emulator.fail_over(region, step).unwrap();
                self.is_lagging &= step != Failover::Moved;
                self.failover = Some((region, step)).filter(|_| step != Failover::Done);
                self.ahead.failovers -= u32::from(step == Failover::Announced);
                self.failovers += u64::from(step == Failover::Done);
                return format!("failover to {region}: {step:?}");
            }
        }
        format!("{upheaval:?}, {behind}")
    }

    /// Ends what has begun, and begins nothing more.
    pub(super) async fn calm(&mut self, chance: &mut Chance) {
        self.ahead = Upheavals { lags: false, splits: 0, failovers: 0 };
        while let Some((_, next)) = self.next().into_iter().find(|(weight, _)| *weight > 0) {
            self.meet(next, chance).await;
        }
    }

    fn lag(&mut self, is_lagging: bool) {
        match is_lagging {
            true => self.emulator.pause_replication(self.behind()),
            false => self.emulator.resume_replication(self.behind()),
        }
        self.is_lagging = is_lagging;
    }

    /// The region that takes no writes.
    fn behind(&self) -> &'static str {
        let writes = self.emulator.write_region();
        REGIONS.into_iter().find(|region| *region != writes).unwrap()
    }
}
