//! What an account has in Glue, read whole: the model, and how it is read.
//!
//! | module | what it does |
//! |---|---|
//! | [`demand`] | what several inventories want to see, together; pure |
//! | [`reading`] | which call comes next, and what its answer means; pure |
//! | [`source`] | makes the calls, a few at each turn of the poller |
//!
//! All inventories of one client share one [`source::InventorySource`], and so its reads: see [`demand::Demand`].

pub mod demand;
pub mod reading;
pub(crate) mod source;

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;

use crate::api::inventory::ItemType;
use crate::glue::Error;
use crate::glue::crawls::Crawl;
use crate::glue::job_runs::JobRun;
use crate::glue::triggers::Trigger;
use crate::glue::workflow_runs::{NodeKind, WorkflowRunItem};

/// Tags by key.
pub type Tags = BTreeMap<String, String>;

/// What an account has, as one read showed it.
#[derive(Clone, Debug, Default)]
pub struct Picture {
    /// The jobs.
    pub jobs: Section<Job>,
    /// The crawlers.
    pub crawlers: Section<Crawler>,
    /// The triggers.
    pub triggers: Section<Trigger>,
    /// The workflows.
    pub workflows: Section<Workflow>,
    /// The tags of those items of which somebody wants to see them.
    pub tags: BTreeMap<(ItemType, String), Tags>,
    /// What Glue refused to show of single items or of all, once for each operation.
    pub refused: Vec<Arc<Error>>,
    /// When the read began, by the controller's clock. What ended before that is in the picture as ended.
    pub began_at: Timestamp,
    /// When the read ended, by the controller's clock.
    pub read_at: Timestamp,
    /// How many calls it took.
    pub calls: usize,
}

/// Two pictures are equal when they show the same. The first one of a day (UTC) is always another one, so that an
/// inventory says once a day at least that it is up to date.
impl PartialEq for Picture {
    fn eq(&self, other: &Self) -> bool {
        let shown = |picture: &Self| picture.read_at.as_second().div_euclid(24 * 60 * 60);
        shown(self) == shown(other)
            && self.jobs == other.jobs
            && self.crawlers == other.crawlers
            && self.triggers == other.triggers
            && self.workflows == other.workflows
            && self.tags == other.tags
            && self.refused == other.refused
    }
}

/// The items of one type.
#[derive(Clone, Debug, PartialEq)]
pub struct Section<T> {
    /// By name.
    pub items: BTreeMap<String, T>,
    /// Whether the list was read to its end, so that what it does not have does not exist.
    pub is_whole: bool,
}

impl<T> Default for Section<T> {
    fn default() -> Self {
        Self { items: BTreeMap::new(), is_whole: false }
    }
}

/// A job.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Job {
    /// Such as `glueetl`.
    pub command: Option<String>,
    /// The newest runs, newest first; `None` where Glue refused to show them.
    pub runs: Option<Vec<JobRun>>,
}

/// A crawler.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Crawler {
    /// Its own state as Glue spells it: READY, RUNNING or STOPPING.
    pub state: String,
    /// Glue's cron expression.
    pub schedule: Option<String>,
    /// Whether the schedule is active.
    pub is_scheduled: bool,
    /// When the last crawl that has ended was started, and its state.
    pub last_crawl: Option<(Option<Timestamp>, String)>,
    /// The newest crawls, newest first, at most [`Crawler::asked`].
    pub crawls: Vec<Crawl>,
    /// How many crawls were asked for, when Glue showed them.
    pub asked: usize,
}

/// A workflow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Workflow {
    /// Whether Glue showed it; otherwise only its name is known.
    pub is_read: bool,
    /// The jobs and crawlers of its graph.
    pub members: Vec<(NodeKind, String)>,
    /// The newest run. The adapter leaves out what may be of other namespaces: properties, and messages of nodes.
    pub last_run: Option<WorkflowRunItem>,
}
