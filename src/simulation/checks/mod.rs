//! What must hold in every world, while everything goes wrong and after it has stopped.
//!
//! | module | what it checks |
//! |---|---|
//! | [`runs`] | what Glue starts and stops |
//! | [`costs`] | writes and calls |
//! | [`inspection`] | what an inspection of the whole world shows: work goes on, deletions end, everybody settles |
//! | [`bounds`] | the bounds, and what they follow from |

mod bounds;
mod costs;
mod inspection;
mod runs;

use std::collections::{BTreeMap, BTreeSet};

use super::Name;
use super::glue::ClientId;
use super::scenario::{Action, Scenario};
use super::time::Ms;

/// A property.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, clap::ValueEnum)]
pub enum Property {
    /// No attempt has two runs, and no key has two at a time.
    StartedOnce,
    /// Everybody comes to an end within a bound once users and faults have stopped.
    Settles,
    /// While a place is free and an object is ready, a start is tried within seconds.
    WorkGoesOn,
    /// No tenant is passed by while others start.
    FairShares,
    /// Of the objects of one client that wait for a job, the oldest starts first.
    OldestFirst,
    /// An obstacle costs an object few writes, however long it lasts.
    FewWrites,
    /// One object asks whether an obstacle is gone, not each, and a search that failed is repeated after pauses that grow.
    FewTries,
    /// A poll makes the calls that the pages need.
    FewPolls,
    /// A deleted object is gone after the deletion timeout.
    DeletionsEnd,
    /// What nobody stopped does not end as stopped.
    WorkIsDone,
    /// A deletion stops no run that another object wants.
    OthersRunsGoOn,
    /// No run goes on when the last object that wanted it is gone.
    NothingIsForgotten,
    /// The end of a run is seen, also of one that Glue does not know any more.
    EndsAreSeen,
    /// When everybody has settled, nothing is written or called.
    Quiet,
    /// A pass has few steps.
    PassesEnd,
}

impl Property {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::StartedOnce,
        Self::Settles,
        Self::WorkGoesOn,
        Self::FairShares,
        Self::OldestFirst,
        Self::FewWrites,
        Self::FewTries,
        Self::FewPolls,
        Self::DeletionsEnd,
        Self::WorkIsDone,
        Self::OthersRunsGoOn,
        Self::NothingIsForgotten,
        Self::EndsAreSeen,
        Self::Quiet,
        Self::PassesEnd,
    ];
}

/// A property that does not hold.
#[derive(Clone, Debug)]
pub struct Violation {
    pub property: Property,
    pub at: Ms,
    /// The objects that the story is about, the first one first.
    pub about: Vec<Name>,
    pub what: String,
}

/// What the checks know of a world.
#[derive(Debug)]
pub struct Checks {
    /// The properties that are checked.
    pub on: BTreeSet<Property>,
    /// The first violation of each property.
    violations: BTreeMap<Property, Violation>,
    settled: Option<Ms>,
    bound: Ms,
    now: Ms,
    names: Vec<Name>,
    downs: Vec<(Ms, Ms)>,
    /// Writes and what pays for them, by uid.
    accounts: BTreeMap<String, costs::Account>,
    /// When users did something, by the plan of the object.
    acts: BTreeMap<usize, u64>,
    secrets: Vec<(Ms, Name)>,
    left_behind: BTreeSet<String>,
    /// The stops that Glue has accepted, by run.
    stops: BTreeMap<String, Vec<runs::Stop>>,
    /// When an object first had a run, by uid and run.
    adopted: BTreeMap<(String, String), Ms>,
    /// Tries during an episode, by its number, client and target.
    tries: BTreeMap<(usize, ClientId, String), costs::Tries>,
    dear_polls: BTreeMap<super::polls::Source, u32>,
    /// The groups whose poll has lost a call.
    losing_polls: BTreeSet<super::polls::Source>,
    /// When the last poll of a run failed that had lost a call, unless one has shown the run since, by group and run.
    lost_polls: BTreeMap<(super::polls::Source, String), Ms>,
    /// Since when a ready object waits beside a free place, by client and job.
    idle: BTreeMap<(ClientId, String), (Ms, Name)>,
    /// How many starts of others a client with a ready object has seen, by client and job.
    passed: BTreeMap<(ClientId, String), (u64, Name)>,
    /// The worst of each, for the figures.
    pub worst_idle: Ms,
    pub worst_lag: Ms,
    pub worst_passed: u64,
    pub worst_writes: u64,
    pub settled_after: Ms,
}

impl Checks {
    pub fn new(scenario: &Scenario) -> Self {
        Self {
            on: Property::ALL.into_iter().collect(),
            violations: BTreeMap::new(),
            settled: None,
            bound: bounds::settles_by(scenario),
            now: 0,
            names: scenario.plans.iter().map(|plan| plan.name.clone()).collect(),
            downs: Vec::new(),
            accounts: BTreeMap::new(),
            acts: BTreeMap::new(),
            secrets: Vec::new(),
            left_behind: BTreeSet::new(),
            stops: BTreeMap::new(),
            adopted: BTreeMap::new(),
            tries: BTreeMap::new(),
            dear_polls: BTreeMap::new(),
            losing_polls: BTreeSet::new(),
            lost_polls: BTreeMap::new(),
            idle: BTreeMap::new(),
            passed: BTreeMap::new(),
            worst_idle: 0,
            worst_lag: 0,
            worst_passed: 0,
            worst_writes: 0,
            settled_after: 0,
        }
    }

    pub fn violations(&self) -> &BTreeMap<Property, Violation> {
        &self.violations
    }

    /// A property does not hold. The first time counts.
    pub fn flag(&mut self, property: Property, about: &[Name], what: impl Into<String>) {
        if self.on.contains(&property) && !self.violations.contains_key(&property) {
            let violation = Violation { property, at: self.now, about: about.to_vec(), what: what.into() };
            self.violations.insert(property, violation);
        }
    }

    /// The finalizer is removed although this run goes on.
    pub fn left_behind(&mut self, run: &str) {
        self.left_behind.insert(run.to_owned());
    }

    /// The process is down from then to then.
    pub fn down(&mut self, from: Ms, until: Ms) {
        self.downs.push((from, until));
    }

    /// A user did something.
    pub fn acted(&mut self, now: Ms, action: &Action) {
        self.now = now;
        if let Some(plan) = action.plan() {
            *self.acts.entry(plan).or_default() += 1;
        }
        if let Action::Secret(secret, _) = action {
            self.secrets.push((now, secret.clone()));
        }
    }
}
