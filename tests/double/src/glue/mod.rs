//! The resources in each account and region, and the operations on them.
//!
//! [`Glue`] finds the [`Region`] of a request. Under the region's lock, the events that are due are handled first
//! ([`Region::catch_up`]), then the operation runs. Each type of resource has its own module with a table of its
//! operations; [`operation()`] finds an operation in all of them.

pub mod catalog;
pub mod connections;
pub mod crawlers;
mod dataflow;
#[cfg(test)]
pub(crate) mod fixture;
pub mod jobs;
pub mod model;
pub mod operation;
pub mod page;
mod plans;
pub mod region;
pub mod runs;
pub mod schedule;
pub mod tags;
pub mod triggers;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock},
    time::Duration,
};

use parking_lot::{Mutex, RwLock};
pub use region::Region;
use serde_json::Value;

use self::operation::{Input, Operation};
use crate::{clock::Clock, error::AwsError};

/// All operations by name.
static OPERATIONS: LazyLock<HashMap<&'static str, &'static Operation>> = LazyLock::new(|| {
    let flat = [catalog::OPERATIONS, dataflow::OPERATIONS, jobs::OPERATIONS, runs::OPERATIONS, tags::OPERATIONS];
    let nested = crawlers::OPERATIONS.iter().chain(connections::OPERATIONS).chain(triggers::OPERATIONS).copied();
    flat.into_iter().chain(nested).flatten().map(|operation| (operation.name, operation)).collect()
});

/// An operation by its name in `X-Amz-Target`.
#[must_use]
pub fn operation(name: &str) -> Option<&'static Operation> {
    OPERATIONS.get(name).copied()
}

/// A call of an operation.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Call<'a> {
    /// The request body.
    pub body: &'a Value,
    /// For a stale read: the age of the state that the answer shows.
    pub stale_by: Option<Duration>,
    /// The caller's ARN.
    pub caller: &'a str,
}

type Regions = HashMap<(Arc<str>, Arc<str>), Arc<Mutex<Region>>>;

/// A handle on all regions of one double.
#[derive(Clone, Debug)]
pub struct Glue {
    clock: Clock,
    regions: Arc<RwLock<Regions>>,
    default_script: Arc<RwLock<runs::RunScript>>,
    default_crawl_script: Arc<RwLock<crawlers::CrawlScript>>,
}

impl Glue {
    pub(crate) fn new(clock: Clock) -> Self {
        Self { clock, regions: Arc::default(), default_script: Arc::default(), default_crawl_script: Arc::default() }
    }

    /// Sets the script of jobs that are created by `CreateJob` from now on.
    pub fn set_default_script(&self, script: runs::RunScript) {
        *self.default_script.write() = script;
    }

    /// Sets the script of crawlers that are created by `CreateCrawler` from now on.
    pub fn set_default_crawl_script(&self, script: crawlers::CrawlScript) {
        *self.default_crawl_script.write() = script;
    }

    /// Reads or changes a region, after the events that are due in it are handled.
    pub fn with_region<T>(&self, account: &str, region: &str, f: impl FnOnce(&mut Region) -> T) -> T {
        let key: (Arc<str>, Arc<str>) = (account.into(), region.into());
        let found = self.regions.read().get(&key).cloned();
        let region = found.unwrap_or_else(|| {
            let new = || {
                let region = Region::new(key.0.clone(), key.1.clone(), self.clock.now());
                Arc::new(Mutex::new(region))
            };
            self.regions.write().entry(key.clone()).or_insert_with(new).clone()
        });
        let mut region = region.lock();
        // Read under the lock, so that a region's time never runs backwards.
        region.catch_up(self.clock.now());
        f(&mut region)
    }

    /// Runs an operation.
    pub(crate) fn run(
        &self,
        operation: &Operation,
        account: &str,
        region: &str,
        call: Call<'_>,
    ) -> Result<Vec<u8>, AwsError> {
        let Call { body, stale_by, caller } = call;
        model::validate(operation.name, body)?;
        self.with_region(account, region, |region| {
            region.default_script = self.default_script.read().clone();
            region.default_crawl_script = self.default_crawl_script.read().clone();
            let as_of = stale_by.map(|age| region.now() - age);
            (operation.run)(region, &Input { body, as_of, caller })
        })
    }
}
