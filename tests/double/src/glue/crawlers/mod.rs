//! Crawlers and their crawls.
//!
//! A crawler is READY, RUNNING or STOPPING. This state is not the outcome of a crawl: at the end of each crawl,
//! stopped or not, the crawler is STOPPING for some time. The outcome is in the history (`ListCrawls`) and, for the
//! last crawl that ended, in `LastCrawl`.

mod definition;
mod history;
mod lifecycle;
mod metrics;
mod operations;
mod script;
#[cfg(test)]
mod tests;
mod view;

use std::{collections::BTreeMap, sync::Arc};

pub use definition::CrawlerSettings;
pub(super) use lifecycle::CrawlEvent;
pub use script::{Changes, CrawlOutcome, CrawlPlan, CrawlScript};
use serde::Serialize;

use super::{Region, operation::Operation, schedule::Schedule, triggers::Origin};
use crate::{clock::Time, error::AwsError};

/// The operations on crawlers and crawls.
pub const OPERATIONS: &[&[Operation]] = &[operations::OPERATIONS, history::OPERATIONS, metrics::OPERATIONS];

/// A crawler's own state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum CrawlerState {
    Ready,
    Running,
    Stopping,
}

/// The state of a crawl in the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "UPPERCASE")]
#[expect(missing_docs, reason = "the names are Glue's")]
pub enum CrawlState {
    Running,
    Completed,
    Failed,
    Stopped,
}

impl CrawlState {
    /// The state's name in `ListCrawls`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Stopped => "STOPPED",
        }
    }

    /// The state's name in `LastCrawl` and in the conditions of triggers.
    #[must_use]
    pub fn as_last_crawl(self) -> &'static str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "SUCCEEDED",
            Self::Failed => "FAILED",
            Self::Stopped => "CANCELLED",
        }
    }
}

/// One crawl.
#[derive(Debug)]
pub(super) struct Crawl {
    pub id: String,
    pub plan: CrawlPlan,
    pub started: Time,
    pub ended: Option<Time>,
    pub state: CrawlState,
    pub error: Option<String>,
    /// The trigger firing that the crawl descends from, if any.
    pub origin: Option<Origin>,
}

/// A crawler.
#[derive(Debug)]
pub struct Crawler {
    /// The definition.
    pub settings: CrawlerSettings,
    /// How its crawls run and end.
    pub script: CrawlScript,
    plans_used: usize,
    /// The schedule, and whether it is active.
    schedule: Option<Schedule>,
    scheduled: bool,
    /// Incremented when the schedule changes. Ticks of an earlier version are ignored.
    schedule_version: u64,
    state: CrawlerState,
    created_on: Time,
    modified_on: Time,
    version: u64,
    /// Oldest first.
    crawls: Vec<Crawl>,
    /// Incremented when the state changes. Events of an earlier generation are ignored.
    generation: u64,
    uid: u64,
}

/// The crawlers of a region by name.
#[derive(Debug, Default)]
pub struct Crawlers {
    by_name: BTreeMap<Arc<str>, Crawler>,
    last_uid: u64,
}

fn not_found(name: &str) -> AwsError {
    AwsError::not_found(format!("Crawler with name {name} does not exist"))
}

impl Region {
    fn crawler(&self, name: &str) -> Result<&Crawler, AwsError> {
        self.crawlers.by_name.get(name).ok_or_else(|| not_found(name))
    }

    fn crawler_mut(&mut self, name: &str) -> Result<&mut Crawler, AwsError> {
        self.crawlers.by_name.get_mut(name).ok_or_else(|| not_found(name))
    }

    /// Creates a crawler, or replaces the definition and script of the crawler with this name. Its crawls stay.
    pub fn define_crawler(&mut self, settings: CrawlerSettings, script: CrawlScript) -> Result<(), AwsError> {
        let schedule = settings.schedule.as_deref().map(Schedule::parse).transpose()?;
        let (now, name) = (self.now(), settings.name.clone());
        if let Some(crawler) = self.crawlers.by_name.get_mut(name.as_str()) {
            crawler.settings = settings;
            crawler.script = script;
            crawler.plans_used = 0;
            crawler.modified_on = now;
        } else {
            self.crawlers.last_uid += 1;
            self.start_tags("crawler", &name, settings.tags.clone());
            let crawler = Crawler {
                settings,
                script,
                plans_used: 0,
                schedule: None,
                scheduled: false,
                schedule_version: 0,
                state: CrawlerState::Ready,
                created_on: now,
                modified_on: now,
                version: 1,
                crawls: Vec::new(),
                generation: 0,
                uid: self.crawlers.last_uid,
            };
            self.crawlers.by_name.insert(name.as_str().into(), crawler);
        }
        self.set_crawler_schedule(&name, schedule);
        Ok(())
    }

    /// Replaces the script of a crawler, if the crawler exists.
    pub fn script_crawler(&mut self, name: &str, script: CrawlScript) {
        if let Some(crawler) = self.crawlers.by_name.get_mut(name) {
            crawler.script = script;
            crawler.plans_used = 0;
        }
    }
}
