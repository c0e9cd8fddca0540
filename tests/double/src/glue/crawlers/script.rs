//! Scripts that define how the crawls of a crawler run and end.

use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::{clock::FOREVER, glue::plans::Plans};

/// How a crawl ends unless it is stopped.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "state", content = "message")]
pub enum CrawlOutcome {
    /// COMPLETED.
    #[default]
    Completed,
    /// FAILED with this message.
    Failed(String),
    /// The crawl runs until it is stopped.
    Never,
}

/// The changes of a crawl in the Data Catalog, by name.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct Changes {
    /// Tables added.
    pub tables_added: Vec<String>,
    /// Tables updated.
    pub tables_updated: Vec<String>,
    /// Tables deleted.
    pub tables_deleted: Vec<String>,
    /// Partitions added.
    pub partitions_added: Vec<String>,
    /// Partitions updated.
    pub partitions_updated: Vec<String>,
    /// Partitions deleted.
    pub partitions_deleted: Vec<String>,
}

impl Changes {
    /// The `Summary` of `ListCrawls`: a JSON object by type (`TABLE`, `PARTITION`). Each value is a string with a JSON
    /// object by change (`ADD`, `UPDATE`, `DELETE`).
    #[must_use]
    pub fn summary(&self) -> Option<String> {
        let kind = |added: &[String], updated: &[String], deleted: &[String]| {
            let changes: serde_json::Map<_, _> = [("ADD", added), ("UPDATE", updated), ("DELETE", deleted)]
                .into_iter()
                .filter(|(_, names)| !names.is_empty())
                .map(|(change, names)| {
                    (change.to_owned(), json!({ "Details": { "names": names }, "Count": names.len() }))
                })
                .collect();
            (!changes.is_empty()).then(|| serde_json::Value::Object(changes).to_string())
        };
        let tables = kind(&self.tables_added, &self.tables_updated, &self.tables_deleted);
        let partitions = kind(&self.partitions_added, &self.partitions_updated, &self.partitions_deleted);
        let kinds: serde_json::Map<_, _> = [("TABLE", tables), ("PARTITION", partitions)]
            .into_iter()
            .filter_map(|(name, changes)| Some((name.to_owned(), changes?.into())))
            .collect();
        (!kinds.is_empty()).then(|| serde_json::Value::Object(kinds).to_string())
    }
}

/// How one crawl runs and ends. All times are on the double's clock; in JSON, seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default, deny_unknown_fields)]
pub struct CrawlPlan {
    /// The time in RUNNING.
    #[serde(with = "crate::seconds")]
    pub running: Duration,
    /// The time in STOPPING afterwards.
    #[serde(with = "crate::seconds")]
    pub stopping: Duration,
    /// How much more `CrawlElapsedTime` shows than the time since the start.
    #[serde(with = "crate::seconds")]
    pub elapsed: Duration,
    /// The time after the start during which `ListCrawls` does not show the crawl.
    #[serde(with = "crate::seconds")]
    pub hidden: Duration,
    /// The outcome.
    pub outcome: CrawlOutcome,
    /// The changes in the Data Catalog.
    pub changes: Changes,
    /// The text of the summary; none takes that of `changes`.
    pub summary: Option<String>,
    /// The DPU hours used.
    pub dpu_hours: f64,
}

impl Default for CrawlPlan {
    fn default() -> Self {
        Self {
            running: Duration::from_mins(1),
            stopping: Duration::from_secs(10),
            elapsed: Duration::ZERO,
            hidden: Duration::ZERO,
            outcome: CrawlOutcome::Completed,
            changes: Changes::default(),
            summary: None,
            dpu_hours: 0.05,
        }
    }
}

/// The plans of a crawler's crawls, in order; the last plan repeats.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CrawlScript(Plans<CrawlPlan>);

impl CrawlScript {
    /// Takes these plans in order.
    #[must_use]
    pub fn sequence(plans: impl IntoIterator<Item = CrawlPlan>) -> Self {
        Self(Plans::new(plans))
    }

    /// All crawls have this outcome.
    #[must_use]
    pub fn ends(outcome: CrawlOutcome) -> Self {
        Self::sequence([CrawlPlan { outcome, ..CrawlPlan::default() }])
    }

    /// All crawls stay in STOPPING at their end.
    #[must_use]
    pub fn never_stops(self) -> Self {
        self.stopping(FOREVER)
    }

    /// Sets the time during which new crawls are not listed.
    #[must_use]
    pub fn hidden(self, time: Duration) -> Self {
        self.each(|plan| plan.hidden = time)
    }

    /// Sets the time in RUNNING of all plans.
    #[must_use]
    pub fn running(self, time: Duration) -> Self {
        self.each(|plan| plan.running = time)
    }

    /// Sets the time in STOPPING of all plans.
    #[must_use]
    pub fn stopping(self, time: Duration) -> Self {
        self.each(|plan| plan.stopping = time)
    }

    /// Sets the changes of all plans.
    #[must_use]
    pub fn changes(self, changes: &Changes) -> Self {
        self.each(|plan| plan.changes = changes.clone())
    }

    fn each(mut self, change: impl FnMut(&mut CrawlPlan)) -> Self {
        self.0.each(change);
        self
    }

    pub(super) fn next(&self, used: &mut usize) -> CrawlPlan {
        self.0.next(used)
    }
}
