//! `GetCrawlerMetrics`: what Glue expects of the running crawl of a crawler, and the run times of its crawls.
//!
//! Source: "GetCrawlerMetrics" and "CrawlerMetrics", AWS Glue API reference. That documentation alone says what the members
//! mean. Not documented, and assumed here: a name without a crawler is left out; `StillEstimating` is true until a crawl of
//! the crawler has ended, since Glue has nothing to estimate from.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{Crawl, CrawlOutcome, Crawler};
use crate::{
    clock::Time,
    glue::{
        Region,
        operation::{Input, Operation, Reply, operations},
        page::Paging,
    },
};

const DEFAULT_PAGE: usize = 100;

pub(super) const OPERATIONS: &[Operation] = operations! { "crawler":
    GetCrawlerMetrics("") => get,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct CrawlerMetrics<'a> {
    crawler_name: &'a str,
    time_left_seconds: f64,
    still_estimating: bool,
    last_runtime_seconds: f64,
    median_runtime_seconds: f64,
    tables_created: usize,
    tables_updated: usize,
    tables_deleted: usize,
}

impl Crawler {
    fn metrics(&self, now: Time) -> CrawlerMetrics<'_> {
        let ended = |crawl: &Crawl| crawl.ended.filter(|end| *end <= now);
        let mut durations: Vec<Duration> =
            self.crawls.iter().filter_map(|crawl| Some(ended(crawl)?.since(crawl.started))).collect();
        let last = durations.last().copied().unwrap_or_default();
        durations.sort_unstable();
        let median = durations.get(durations.len() / 2).copied().unwrap_or_default();
        let running = self.crawls.last().filter(|crawl| crawl.started <= now && ended(crawl).is_none());
        let left = |crawl: &Crawl| match crawl.plan.outcome {
            CrawlOutcome::Never => Duration::ZERO,
            _ => (crawl.started + crawl.plan.running + crawl.plan.stopping).since(now),
        };
        let changes = self.crawls.iter().rev().find(|crawl| ended(crawl).is_some()).map(|crawl| &crawl.plan.changes);
        CrawlerMetrics {
            crawler_name: &self.settings.name,
            time_left_seconds: running.map_or(0.0, |crawl| left(crawl).as_secs_f64()),
            still_estimating: running.is_some() && durations.is_empty(),
            last_runtime_seconds: last.as_secs_f64(),
            median_runtime_seconds: median.as_secs_f64(),
            tables_created: changes.map_or(0, |changes| changes.tables_added.len()),
            tables_updated: changes.map_or(0, |changes| changes.tables_updated.len()),
            tables_deleted: changes.map_or(0, |changes| changes.tables_deleted.len()),
        }
    }
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        crawler_name_list: Option<Vec<String>>,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { crawler_name_list, paging } = input.read()?;
    let now = input.as_of.unwrap_or(region.now());
    let is_asked_for = |name: &str| crawler_name_list.as_ref().is_none_or(|names| names.iter().any(|one| one == name));
    let crawlers = region.crawlers.by_name.iter().filter(|(name, _)| is_asked_for(name));
    let metrics = crawlers.map(|(name, crawler)| (&**name, crawler.metrics(now)));
    paging.by_name("GetCrawlerMetrics", metrics, DEFAULT_PAGE)?.reply("CrawlerMetricsList")
}
