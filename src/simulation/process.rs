//! What the controller keeps while it runs. A restart loses all of it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::Name;
use super::cluster::Object;
use super::glue::ClientId;
use super::kind::Simulated;
use super::polls::{Group, POLL_INTERVAL, Source};
use super::searches::Search;
use super::shell::Pass;
use super::time::Ms;
use super::tokens::Tokens;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::runtime::exclusive::Exclusive;
use crate::controllers::runtime::local_state::LocalStates;
use crate::controllers::runtime::queue::{self, Queues};
use crate::controllers::runtime::shared_runs::SharedRuns;
use crate::glue::job_runs::search::Histories;
use crate::glue::poller::State;
use crate::glue::rate_limiter::budget::Ticket;

/// The job or workflow that objects of one client wait for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target {
    pub client: ClientId,
    pub name: String,
    /// Whether it is known that other clients wait for the same.
    pub has_others: bool,
}

impl queue::Target for Target {
    fn name(&self) -> &str {
        &self.name
    }

    /// No two accounts have jobs of the same name.
    fn has_same_places(&self, other: &Self) -> bool {
        self.has_others && self.name == other.name
    }
}

/// One process.
pub struct Process<K: Simulated> {
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
    pub poller: State<K::Source, Name>,
    /// The polls under way.
    pub groups: BTreeMap<Source, Group<K::Item>>,
    /// What searches have listed.
    pub histories: BTreeMap<ClientId, Arc<Histories>>,
    /// The searches under way.
    pub searches: BTreeMap<Name, Search<K::Found>>,
    /// The tokens of each account.
    pub tokens: BTreeMap<usize, Tokens>,
    /// The places of objects that wait to start something, by uid.
    pub places: BTreeMap<String, (ClientId, Ticket)>,
    /// The clients that have been built.
    pub clients: BTreeSet<ClientId>,
}

/// When an object is reconciled.
#[derive(Clone, Debug, Default)]
pub struct Slot {
    pub next: Option<Ms>,
    pub is_running: bool,
}

impl<K: Simulated> Process<K> {
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
            poller: State::new(POLL_INTERVAL),
            groups: BTreeMap::new(),
            histories: BTreeMap::new(),
            searches: BTreeMap::new(),
            tokens: BTreeMap::new(),
            places: BTreeMap::new(),
            clients: BTreeSet::new(),
        }
    }
}
