//! What the callers were told, and what they tried: the shop has to keep the one, and may not go beyond the other.
#![cfg(test)]

use std::collections::{BTreeMap, BTreeSet};

use axum::http::StatusCode;

use super::job::Job;
use crate::shop::Answer;

#[derive(Debug, Default)]
pub(super) struct Promises {
    /// Orders that must exist: answered with 202, or handed over as a checkout.
    pub(super) orders: BTreeSet<String>,
    /// Orders that may exist: tried under a key.
    pub(super) tried: BTreeSet<String>,
    /// Under which id the order of each customer's key was answered.
    keys: BTreeMap<(&'static str, String), BTreeSet<String>>,
    /// Orders without a key that were tried and whose id nobody learned.
    pub(super) unknown_orders: usize,
    pub(super) cancelled: BTreeSet<String>,
    pub(super) shipped: BTreeSet<String>,
    /// Changes of stock by their reason: how many were promised, and how many tried.
    pub(super) adjustments: BTreeMap<String, Tally>,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) promised: usize,
    pub(super) tried: usize,
    pub(super) keyed: bool,
}

impl Promises {
    /// A job begins.
    pub(super) fn tried(&mut self, job: &Job) {
        match job {
            Job::Place(wish) => match wish.derived_id() {
                Some(id) => drop(self.tried.insert(id)),
                None => self.unknown_orders += 1,
            },
            Job::Adjust { name, keyed, .. } => {
                let tally = self.adjustments.entry(name.clone()).or_default();
                (tally.tried, tally.keyed) = (tally.tried + 1, *keyed);
            }
            Job::Count { .. } => self.adjustments.entry("counted".to_owned()).or_default().tried += 1,
            Job::Cancel(_) | Job::Ship(_) | Job::Message(_) | Job::Recover => {}
        }
    }

    /// A job was answered.
    pub(super) fn answered(&mut self, job: &Job, answer: &Answer) {
        if !matches!(answer.status, StatusCode::OK | StatusCode::CREATED | StatusCode::ACCEPTED) {
            return;
        }
        match job {
            Job::Place(wish) => {
                if wish.key.is_none() {
                    self.unknown_orders -= 1;
                }
                let id = answer.body["id"].as_str().unwrap().to_owned();
                if let Some(key) = &wish.key {
                    self.keys.entry((wish.customer, key.clone())).or_default().insert(id.clone());
                }
                self.orders.insert(id);
            }
            Job::Cancel(id) => drop(self.cancelled.insert(id.clone())),
            Job::Ship(id) => drop(self.shipped.insert(id.clone())),
            Job::Adjust { name, keyed, .. } => {
                let tally = self.adjustments.entry(name.clone()).or_default();
                tally.promised = if *keyed { 1 } else { tally.promised + 1 };
            }
            Job::Count { .. } => self.adjustments.entry("counted".to_owned()).or_default().promised += 1,
            Job::Message(_) | Job::Recover => {}
        }
    }

    /// Keys that were answered with several orders.
    pub(super) fn doubled(&self) -> impl Iterator<Item = String> {
        let doubled = self.keys.iter().filter(|(_, ids)| ids.len() > 1);
        doubled.map(|((customer, key), ids)| format!("TWICE {key} of {customer}: {ids:?}"))
    }

    /// Whether an order under this id was promised or tried.
    pub(super) fn explains(&self, id: &str) -> bool {
        self.orders.contains(id) || self.tried.contains(id)
    }
}
