//! What the controller keeps while it runs. A restart loses all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use tokio::time::Instant;

use super::Name;
use super::cluster::Object;
use super::glue::ClientId;
use super::polls::{Group, Source};
use super::shell::Pass;
use super::time::Ms;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::runtime::exclusive::Exclusive;
use crate::controllers::runtime::local_state::LocalStates;
use crate::controllers::runtime::queue::{self, Queues};
use crate::controllers::runtime::shared_runs::SharedRuns;
use crate::glue::poller::State;
use crate::glue::rate_limiter::{Bucket, Priority};

/// The job or crawler that objects of one client wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub client: ClientId,
    pub name: String,
}

impl queue::Target for Target {
    fn name(&self) -> &str {
        &self.name
    }
}

/// One process.
pub struct Process {
    /// Its number: what belongs to an earlier one is dropped.
    pub number: u32,
    /// The objects as the watch has shown them.
    pub cache: BTreeMap<Name, Arc<Object>>,
    pub slots: BTreeMap<Name, Slot>,
    pub passes: BTreeMap<Name, Pass>,
    pub local: LocalStates<RunLocalState>,
    pub queues: Queues<Target, Name>,
    pub keys: Exclusive<String, Name>,
    pub shared_runs: SharedRuns<Name>,
    pub poller: State<Source, Name>,
    /// The polls under way.
    pub groups: BTreeMap<Source, Group>,
    buckets: BTreeMap<usize, Bucket>,
    /// The clients that have been built.
    pub clients: BTreeSet<ClientId>,
}

/// When an object is reconciled.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    pub next: Option<Ms>,
    pub is_running: bool,
}

impl Process {
    pub fn new(number: u32) -> Self {
        Self {
            number,
            cache: BTreeMap::new(),
            slots: BTreeMap::new(),
            passes: BTreeMap::new(),
            local: LocalStates::default(),
            queues: Queues::default(),
            keys: Exclusive::default(),
            shared_runs: SharedRuns::default(),
            poller: State::default(),
            groups: BTreeMap::new(),
            buckets: BTreeMap::new(),
            clients: BTreeSet::new(),
        }
    }

    /// When a call to this account may be sent.
    pub fn reserve(&mut self, account: usize, priority: Priority) -> Instant {
        self.bucket(account).reserve(priority, Instant::now())
    }

    /// Records what Glue answered.
    pub fn record(&mut self, account: usize, throttled: bool) {
        let bucket = self.bucket(account);
        if throttled {
            bucket.record_throttle(Instant::now());
        } else {
            bucket.record_response(Instant::now());
        }
    }

    fn bucket(&mut self, account: usize) -> &mut Bucket {
        self.buckets.entry(account).or_insert_with(|| Bucket::new(Instant::now()))
    }
}
