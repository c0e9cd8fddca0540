//! The model of crawlers and their crawls.
//!
//! The state of a crawler is not the outcome of a crawl. At the end of each crawl, stopped or not, the crawler is
//! STOPPING for a while, and then READY. The history has the outcome.

pub(crate) mod source;

use std::time::Duration;

use jiff::Timestamp;

/// Glue's `CrawlerState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrawlerState {
    /// The crawler can be started.
    Ready,
    /// A crawl is running.
    Running,
    /// The crawl is ending, with or without a stop.
    Stopping,
    /// A state that this program does not know.
    Unknown(String),
}

/// A crawler as `BatchGetCrawlers` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crawler {
    pub name: String,
    pub state: CrawlerState,
    /// When the last crawl that has ended was started (`LastCrawl`), by Glue's clock.
    pub last_crawl_started_on: Option<Timestamp>,
    /// How often Glue should have been asked by now what it expects of the running crawl.
    pub estimates_due: u32,
}

/// How often Glue should have been asked what it expects of a crawl that has run for `elapsed`: once after two minutes,
/// and once an hour after that. Most crawls are over before, and each answer is a write to an object.
#[must_use]
pub(crate) fn estimates_due(elapsed: Duration) -> u32 {
    let minutes = elapsed.as_secs() / 60;
    if minutes < 2 { 0 } else { u32::try_from(1 + minutes / 60).unwrap_or(u32::MAX) }
}

/// What Glue expected of a crawl when it was asked (`GetCrawlerMetrics`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Estimate {
    /// [`Crawler::estimates_due`] when Glue was asked.
    pub number: u32,
    /// When Glue was asked, by the controller's clock; `None` when it did not answer.
    pub at: Option<Timestamp>,
    /// The seconds until the end of the crawl; `None` while Glue is estimating.
    pub seconds_left: Option<u32>,
    /// The median of the crawler's run times, in seconds.
    pub median_seconds: Option<u32>,
}

/// Glue's `CrawlerHistoryState`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrawlState {
    Running,
    Completed,
    Failed,
    Stopped,
    /// A state that this program does not know.
    Unknown(String),
}

impl CrawlState {
    /// The state as Glue spells it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Running => "RUNNING",
            Self::Completed => "COMPLETED",
            Self::Failed => "FAILED",
            Self::Stopped => "STOPPED",
            Self::Unknown(state) => state,
        }
    }

    /// Whether the crawl has ended. An unknown state counts as not ended.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Stopped => true,
            Self::Running | Self::Unknown(_) => false,
        }
    }
}

/// A crawl as `ListCrawls` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crawl {
    pub id: String,
    pub state: CrawlState,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub ended_on: Option<Timestamp>,
    pub dpu_hours: f64,
    /// The changes of the catalog, as JSON within JSON.
    pub summary: Option<String>,
    pub error_message: Option<String>,
    /// The CloudWatch log group.
    pub log_group: Option<String>,
    /// The CloudWatch log stream.
    pub log_stream: Option<String>,
    /// The prefix of the crawl's log messages.
    pub message_prefix: Option<String>,
}

#[cfg(test)]
impl Crawl {
    /// A crawl of which only the ID and the state are known.
    pub(crate) fn fixture(id: &str, state: CrawlState) -> Self {
        Self {
            id: id.to_owned(),
            state,
            started_on: None,
            ended_on: None,
            dpu_hours: 0.0,
            summary: None,
            error_message: None,
            log_group: None,
            log_stream: None,
            message_prefix: None,
        }
    }
}

/// The most crawlers that one `BatchGetCrawlers` shows (Glue API reference, `BatchGetCrawlers`: 0 to 100).
pub(crate) const CRAWLER_BATCH_SIZE: usize = 100;

/// The size of a page of `ListCrawls`. Glue allows 100, but nearly every lookup ends among the first crawls.
pub(crate) const CRAWL_PAGE_SIZE: i32 = 20;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn glue_is_asked_for_an_estimate_of_long_crawls_and_rarely() {
        for (minutes, due) in [(0, 0), (1, 0), (2, 1), (59, 1), (60, 2), (119, 2), (120, 3)] {
            assert_eq!(estimates_due(Duration::from_mins(minutes)), due, "{minutes} min");
        }
    }
}
