//! A crawler as `GetCrawler` shows it.

use serde::Serialize;
use serde_json::{Value, json};

use super::{Crawl, Crawler, CrawlerSettings, CrawlerState};
use crate::clock::Time;

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
