//! What differs between the kinds that are simulated: what the poller polls, how a run is looked for, and what Glue calls its
//! operations. All objects of a world are of one kind, since kinds share the rate limit only.
//!
//! The model of Glue is one for both: a *target*, a job or a workflow, has places, and runs that carry a key.

mod job_runs;
mod workflow_runs;

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

pub use self::job_runs::JobRuns;
pub use self::workflow_runs::WorkflowRuns;
use super::cluster::Object;
use super::glue::ClientId;
use super::glue::episode::Operation;
use super::mailbox::Mailbox;
use super::mutations::Mutation;
use super::polls::Reads;
use super::process::Process;
use crate::api::run::RunStatus;
use crate::controllers::run::RunKind;
use crate::controllers::run::calls::RunQuery;
use crate::controllers::run::facts::ObservedRun;
use crate::controllers::runtime::shared_runs::Need;
use crate::glue::Error;
use crate::glue::poller::Source;

/// `--run-key-argument`.
const KEY_ARGUMENT: &str = "--kube-glue-run";

/// A kind of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
pub enum Kind {
    JobRun,
    WorkflowRun,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::JobRun, Self::WorkflowRun];
}

/// A search under way.
pub type Searching<F> = Pin<Box<dyn Future<Output = Result<F, Error>>>>;

/// A search for a run that is to begin.
pub struct Wanted<'a> {
    pub client: ClientId,
    pub object: &'a Object,
    pub query: &'a RunQuery,
    /// Whether the object is being deleted.
    pub is_urgent: bool,
    pub mutation: Option<Mutation>,
}

/// A kind, as the world needs it.
pub trait Simulated: Sized + 'static {
    /// The objects of the kind.
    type Object: RunKind;
    /// What the poller polls.
    type Source: Source<Item = Self::Item>;
    /// A run as the poller observes it.
    type Item: Clone + PartialEq + Send + Sync + 'static;
    /// What a search finds.
    type Found: Default;

    /// How long a search takes at most.
    const LONGEST_SEARCH: Duration;
    /// How many more calls a poll may take for a run that has changed.
    const CALLS_FOR_CHANGE: usize;

    /// As AWS names the operation.
    fn operation(operation: Operation) -> &'static str;

    /// All runs of a target, for the client of `reads`.
    fn source(reads: Reads, target: String) -> Self::Source;

    /// What `source` reads, and the target.
    fn parts(source: &Self::Source) -> (&Reads, &str);

    /// What the object needs of runs.
    fn need(object: &Object, status: &RunStatus) -> Need;

    /// The run in an item.
    fn observed(item: &Self::Item) -> Option<ObservedRun>;

    /// The search of the kind, whose calls go to the mailbox.
    fn search(process: &mut Process<Self>, mailbox: Mailbox, wanted: &Wanted<'_>) -> Searching<Self::Found>;

    /// The run of `query` among what was found. `is_recorded` says whether an attempt has it already.
    fn pick(found: Self::Found, number: Option<u32>, is_recorded: impl Fn(&str) -> bool) -> Option<ObservedRun>;
}
