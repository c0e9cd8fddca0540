//! A crawler as `GetCrawler` shows it.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Crawl, Crawler, CrawlerSettings, CrawlerState};
use crate::{clock::Time, glue::Region};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct CrawlerView<'a> {
    #[serde(flatten)]
    settings: &'a CrawlerSettings,
    state: CrawlerState,
    /// In milliseconds.
    crawl_elapsed_time: u128,
    creation_time: Time,
    last_updated: Time,
    version: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    schedule: Option<Value>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last_crawl: Option<LastCrawlInfo<'a>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct LastCrawlInfo<'a> {
    status: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    log_group: &'static str,
    log_stream: &'a str,
    message_prefix: &'a str,
    start_time: Time,
}

impl Crawler {
    /// The crawler as it is now, or as it was at `as_of`.
    pub(super) fn view(&self, now: Time, as_of: Option<Time>) -> CrawlerView<'_> {
        let now = as_of.unwrap_or(now);
        let running =
            self.crawls.last().filter(|crawl| crawl.started <= now && crawl.ended.is_none_or(|end| end > now));
        let state = match running {
            None => CrawlerState::Ready,
            Some(_) if as_of.is_some() => CrawlerState::Running,
            Some(_) => self.state,
        };
        let has_ended = |crawl: &&Crawl| crawl.ended.is_some_and(|ended| ended <= now);
        CrawlerView {
            settings: &self.settings,
            state,
            crawl_elapsed_time: running.map_or(0, |crawl| (now.since(crawl.started) + crawl.plan.elapsed).as_millis()),
            creation_time: self.created_on,
            last_updated: self.modified_on,
            version: self.version,
            schedule: self.schedule.as_ref().map(|schedule| {
                let state = if self.scheduled { "SCHEDULED" } else { "NOT_SCHEDULED" };
                json!({ "ScheduleExpression": schedule.expression(), "State": state })
            }),
            last_crawl: self.crawls.iter().rev().find(has_ended).map(|crawl| LastCrawlInfo {
                status: crawl.state.as_last_crawl(),
                error_message: crawl.error.as_deref(),
                log_group: "/aws-glue/crawlers",
                log_stream: &self.settings.name,
                message_prefix: &crawl.id,
                start_time: crawl.started,
            }),
        }
    }
}

/// Glue's `Crawl`: a crawl in the graph of a workflow run.
#[derive(Clone, Copy, Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(in crate::glue) struct CrawlOfChain<'a> {
    pub state: &'static str,
    started_on: Time,
    #[serde(skip_serializing_if = "Option::is_none")]
    completed_on: Option<Time>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error_message: Option<&'a str>,
    log_group: &'static str,
    log_stream: &'a str,
}

impl Region {
    /// A crawl as the graph of a workflow run shows it.
    pub(in crate::glue) fn crawl_of_chain(&self, crawler: &str, id: &str) -> Option<CrawlOfChain<'_>> {
        let crawler = self.crawler(crawler).ok()?;
        let crawl = crawler.crawls.iter().rev().find(|crawl| crawl.id == id)?;
        let is_last = crawler.crawls.last().is_some_and(|last| last.id == id);
        let is_stopping = is_last && crawl.ended.is_none() && crawler.state == CrawlerState::Stopping;
        Some(CrawlOfChain {
            state: if is_stopping { "CANCELLING" } else { crawl.state.as_last_crawl() },
            started_on: crawl.started,
            completed_on: crawl.ended,
            error_message: crawl.error.as_deref(),
            log_group: "/aws-glue/crawlers",
            log_stream: &crawler.settings.name,
        })
    }

    /// Whether a crawl has not ended.
    pub(in crate::glue) fn is_live_crawl(&self, crawler: &str, id: &str) -> bool {
        let crawls = self.crawler(crawler).map(|crawler| crawler.crawls.as_slice()).unwrap_or_default();
        crawls.iter().rev().find(|crawl| crawl.id == id).is_some_and(|crawl| crawl.ended.is_none())
    }
}
