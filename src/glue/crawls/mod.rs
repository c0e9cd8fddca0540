//! Glue's crawlers and their crawls in our own words.
//!
//! A crawler's own state is not the outcome of a crawl: at the end of each crawl, stopped or not, the crawler
//! is STOPPING for a while, and READY again when the crawl is over. How it ended stands in the history.

pub mod source;

use jiff::Timestamp;

/// All that `CrawlerState` can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrawlerState {
    /// It can be started.
    Ready,
    /// It crawls.
    Running,
    /// Its crawl comes to an end, by itself or by a stop.
    Stopping,
    /// A state newer than this program, in Glue's own word.
    Unknown(String),
}

/// A crawler as `BatchGetCrawlers` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Crawler {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: CrawlerState,
    /// When the last of its crawls that is over began (`LastCrawl`), by Glue's clock.
    pub last_began: Option<Timestamp>,
}

/// All that `CrawlerHistoryState` can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CrawlState {
    /// Under way.
    Running,
    /// Ended well.
    Completed,
    /// Ended badly.
    Failed,
    /// Stopped.
    Stopped,
    /// A state newer than this program, in Glue's own word.
    Unknown(String),
}

impl CrawlState {
    /// Glue's word for it.
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

    /// Whether the crawl is over. A state that we do not know is taken for a live one and watched on.
    #[must_use]
    pub fn is_final(&self) -> bool {
        match self {
            Self::Completed | Self::Failed | Self::Stopped => true,
            Self::Running | Self::Unknown(_) => false,
        }
    }
}

/// A crawl as its crawler's history shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Crawl {
    /// Glue's id.
    pub id: String,
    /// Its state.
    pub state: CrawlState,
    /// By Glue's clock.
    pub started_on: Option<Timestamp>,
    /// By Glue's clock.
    pub ended_on: Option<Timestamp>,
    /// What it took.
    pub dpu_hours: f64,
    /// What it changed, as JSON within JSON.
    pub summary: Option<String>,
    /// Glue's words.
    pub error_message: Option<String>,
    /// The CloudWatch log group.
    pub log_group: Option<String>,
    /// The stream in it.
    pub log_stream: Option<String>,
    /// What the crawl's messages begin with.
    pub message_prefix: Option<String>,
}

/// A page of crawls, newest first.
#[derive(Clone, Debug)]
pub struct CrawlPage {
    /// The crawls.
    pub crawls: Vec<Crawl>,
    /// Asks for the next page.
    pub next: Option<String>,
}

/// The most crawlers that one `BatchGetCrawlers` shows (Glue API reference, `BatchGetCrawlers`: 0 to 100).
pub const CRAWLER_BATCH: usize = 100;

/// The crawls on one page of `ListCrawls`. What is looked for is nearly always among the first; the most that
/// Glue admits is 100.
pub const CRAWL_PAGE: i32 = 20;
