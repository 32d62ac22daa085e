//! What befalls the account: a region that lags behind, a partition that splits, a write region that moves.
//!
//! Does not know when, or why.

use std::sync::atomic::{AtomicU64, Ordering};

use axum::body::Bytes;
use axum::http::header::HOST;
use axum::http::request::Parts;
use azure_core::http::headers::{HeaderName, HeaderValue};
use azure_core::http::{Method, RawResponse, Request, Url};
use azure_data_cosmos_driver::in_memory_emulator::{ManualControlPlaneOperation, VirtualRegion};

use super::{BoxError, DOCUMENTS, Emulator};

const PARTITION_KEY: HeaderName = HeaderName::from_static("x-ms-documentdb-partitionkey");
const PARTITION: HeaderName = HeaderName::from_static("x-ms-documentdb-partitionkeyrangeid");
const SUBSTATUS: HeaderName = HeaderName::from_static("x-ms-substatus");
/// Substatus of the 404 that means: this region has not yet seen what the caller has seen.
const SESSION_NOT_AVAILABLE: &str = "1002";
/// Marks a POST that only reads.
const IS_QUERY: &str = "x-ms-documentdb-isquery";

/// One copy of the account.
#[derive(Debug)]
pub(super) struct Region {
    pub(super) name: String,
    url: Url,
}

impl Region {
    pub(super) fn parse((name, address): &(&str, &str)) -> Result<Self, BoxError> {
        Ok(Self { name: (*name).to_owned(), url: address.parse()? })
    }

    pub(super) fn to_virtual(&self) -> VirtualRegion {
        VirtualRegion::new(&self.name, self.url.clone())
    }
}

/// Reads that met a region behind the others.
#[derive(Debug, Default)]
pub(super) struct Sights {
    stale: AtomicU64,
    refused: AtomicU64,
}

/// How far a planned failover has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failover {
    /// Both regions are said to take writes; the old one still does.
    Announced,
    /// The new region has everything that was ever acknowledged and takes the writes; the old one refuses them, though
    /// it still is said to take them.
    Moved,
    /// The new region alone is said to take writes.
    Done,
}

/// A partition that is being split: until it is done, whoever asks for its documents is answered with 410.
pub struct Split(ManualControlPlaneOperation);

impl std::fmt::Debug for Split {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Split")
    }
}

impl Split {
    /// Puts two partitions in the place of the one.
    ///
    /// # Errors
    /// When the partition is gone; a retry does not help.
    pub async fn finish(self) -> Result<(), BoxError> {
        Ok(self.0.complete().await.map(drop)?)
    }
}

impl Emulator {
    /// The region that takes the writes now.
    pub fn write_region(&self) -> String {
        self.client.store().config().write_region_name()
    }

    /// From now on this region learns nothing of what is written elsewhere.
    pub fn pause_replication(&self, region: &str) {
        self.client.store().pause_replication(region);
    }

    /// This region learns at once what it has missed, and follows again.
    pub fn resume_replication(&self, region: &str) {
        self.client.store().resume_replication(region);
    }

    /// Reads over HTTP for which a region found something else than the write region held at that moment.
    pub fn stale_reads(&self) -> u64 {
        self.sights.stale.load(Ordering::Relaxed)
    }

    /// Reads over HTTP that a region refused because the caller had seen more than the region.
    pub fn refused_reads(&self) -> u64 {
        self.sights.refused.load(Ordering::Relaxed)
    }

    /// Begins to split the partition that holds this key. All regions catch up first and follow again: the emulator
    /// counts on with the place in the log that any one of them has reached.
    ///
    /// # Errors
    /// When a partition of the container is being split already, or there is no such container.
    pub async fn begin_split(&self, database: &str, container: &str, key: &str) -> Result<Split, BoxError> {
        self.catch_up();
        let store = self.client.store();
        let path = format!("/dbs/{database}/colls/{container}{DOCUMENTS}/none");
        let writes = self.write_region();
        let mut request = Request::new(self.region_named(&writes).url.join(&path)?, Method::Get);
        request.headers_mut().insert(PARTITION_KEY, HeaderValue::from(format!("[\"{key}\"]")));
        let answer = self.client.execute_request(&request).await?;
        let partition = answer.headers().get_str(&PARTITION)?.parse()?;
        let middle = store.midpoint_split_epk(database, container, partition)?;
        Ok(Split(store.begin_manual_split_partition(database, container, partition, middle)?))
    }

    /// Takes the next step of a planned failover to this region, which loses no write.
    ///
    /// # Errors
    /// When there is no such region; a retry does not help.
    pub fn fail_over(&self, region: &str, step: Failover) -> Result<(), BoxError> {
        let store = self.client.store();
        match step {
            Failover::Announced => store.announce_failover(region)?,
            Failover::Moved => {
                self.catch_up();
                store.begin_failover(region)?;
            }
            Failover::Done => store.complete_failover(),
        }
        Ok(())
    }

    fn catch_up(&self) {
        self.regions.iter().for_each(|region| self.resume_replication(&region.name));
    }

    fn region_named(&self, name: &str) -> &Region {
        self.regions.iter().find(|region| region.name == name).unwrap_or(&self.regions[0])
    }

    /// The region to whose address a request was sent.
    pub(super) fn region_of(&self, head: &Parts) -> &Region {
        // HTTP/2 says it in the address, HTTP/1.1 in a header.
        let header = || head.headers.get(HOST).and_then(|host| host.to_str().ok());
        let host = head.uri.authority().map(|authority| authority.as_str()).or_else(header);
        let is_meant = |region: &&Region| host == Some(region.url.authority());
        self.regions.iter().find(is_meant).unwrap_or(&self.regions[0])
    }

    /// What this region answers to a request that came over HTTP.
    pub(super) async fn ask(
        &self,
        region: &Region,
        head: &Parts,
        body: &Bytes,
    ) -> Result<RawResponse, BoxError> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let mut request = Request::new(region.url.join(path)?, head.method.as_str().parse::<Method>()?);
        for (name, value) in &head.headers {
            let (name, value) = (name.as_str().to_owned(), value.to_str()?.to_owned());
            request.headers_mut().insert(HeaderName::from(name), HeaderValue::from(value));
        }
        request.set_body(body.to_vec());
        Ok(self.client.execute_request(&request).await?.try_into_raw_response().await?)
    }

    /// Compares what a region has answered with what the write region says at this moment.
    pub(super) async fn compare(
        &self,
        region: &Region,
        (head, body): (&Parts, &Bytes),
        answer: &RawResponse,
    ) -> Result<(), BoxError> {
        let reads = head.method.as_str() == "GET" || head.headers.contains_key(IS_QUERY);
        let writes = self.write_region();
        if region.name == writes || !reads || !head.uri.path().contains(DOCUMENTS) {
            return Ok(());
        }
        if answer.headers().get_optional_str(&SUBSTATUS) == Some(SESSION_NOT_AVAILABLE) {
            self.sights.refused.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        let truth = self.ask(self.region_named(&writes), head, body).await?;
        if truth.status() != answer.status() || truth.body() != answer.body() {
            self.sights.stale.fetch_add(1, Ordering::Relaxed);
        }
        Ok(())
    }
}
