//! What one reader sees of the account.

use std::collections::{BTreeMap, BTreeSet};

use crate::lineage::Edge;

/// What one reader sees of the account, or what there is.
#[derive(Debug, Default)]
pub(crate) struct View {
    /// The names of the items.
    pub(crate) workflows: BTreeSet<String>,
    pub(crate) jobs: BTreeSet<String>,
    pub(crate) crawlers: BTreeSet<String>,
    pub(crate) triggers: BTreeSet<String>,
    /// How many tags the items have.
    pub(crate) tags: usize,
    /// The state of the newest run of each job, in the reader's words.
    pub(crate) newest: BTreeMap<String, String>,
    /// How many job runs it shows one by one.
    pub(crate) runs_shown: usize,
    /// How many job runs its success rates are made of.
    pub(crate) runs_rated: usize,
    /// The crawlers and workflows with the state of their last crawl or run.
    pub(crate) crawls: usize,
    pub(crate) workflow_runs: usize,
    /// The edges between datasets.
    pub(crate) edges: BTreeSet<Edge>,
    /// How many requests it sent, without those for lineage.
    pub(crate) requests: u64,
}
