//! The calls about crawlers and their crawls.

use std::collections::HashMap;
use std::time::Duration;

use aws_sdk_glue::types::{
    CrawlerHistory, CrawlerHistoryState, CrawlerMetrics, CrawlerState as SdkState, CrawlsFilter, FieldName,
    FilterOperator,
};
use jiff::Timestamp;

use super::{Glue, newest_first, non_empty, timestamp};
use crate::glue::crawls::{CRAWL_PAGE_SIZE, Crawl, CrawlState, Crawler, CrawlerState, Estimate, estimates_due};
use crate::glue::poller::listing::Page;
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};

impl Glue {
    /// `StartCrawler`, sent once. Its response has no crawl id. The caller has acquired a token with [`Glue::queue_for_start`].
    pub async fn start_crawler(&self, name: &str) -> Result<(), Error> {
        let request = self.inner.sdk.start_crawler().name(name).send();
        self.send("StartCrawler", crawler(name), request).await.map(drop)
    }

    /// `StopCrawler`. It succeeds as well where the crawler is stopping or not running.
    pub async fn stop_crawler(&self, name: &str) -> Result<(), Error> {
        let request = self.inner.sdk.stop_crawler().name(name).send();
        match self.call("StopCrawler", crawler(name), Priority::Stop, request).await {
            Err(error) if matches!(error.code.as_str(), "CrawlerStoppingException" | "CrawlerNotRunningException") => {
                Ok(())
            }
            response => response.map(drop),
        }
    }

    /// `BatchGetCrawlers` of up to [`crate::glue::crawls::CRAWLER_BATCH_SIZE`] names, at poll priority; returns those that
    /// exist.
    pub async fn crawlers(&self, names: &[String]) -> Result<Vec<Crawler>, Error> {
        let object = if let [name] = names { crawler(name) } else { "crawlers".to_owned() };
        self.get_crawlers(names, object, Priority::Poll).await
    }

    /// One crawler, at the priority of a start.
    pub async fn crawler(&self, name: &str) -> Result<Crawler, Error> {
        let found = self.get_crawlers(&[name.to_owned()], crawler(name), Priority::Start).await?;
        found.into_iter().next().ok_or_else(|| Error {
            operation: "BatchGetCrawlers",
            object: crawler(name),
            kind: ErrorKind::NotFound,
            code: "CrawlersNotFound".to_owned(),
            message: String::new(),
        })
    }

    async fn get_crawlers(&self, names: &[String], object: String, priority: Priority) -> Result<Vec<Crawler>, Error> {
        let request = self.inner.sdk.batch_get_crawlers().set_crawler_names(Some(names.to_vec())).send();
        let response = self.call("BatchGetCrawlers", object, priority, request).await?;
        let crawlers = response.crawlers.unwrap_or_default().into_iter().filter_map(|crawler| {
            let last = crawler.last_crawl.and_then(|last| last.start_time);
            Some(Crawler {
                name: crawler.name?,
                state: crawler_state(crawler.state),
                last_crawl_started_on: last.and_then(timestamp),
                estimates_due: estimates_due(Duration::from_millis(
                    u64::try_from(crawler.crawl_elapsed_time).unwrap_or_default(),
                )),
            })
        });
        Ok(crawlers.collect())
    }

    /// What Glue expects of the running crawls of up to [`crate::glue::crawls::CRAWLER_BATCH_SIZE`] crawlers
    /// (`GetCrawlerMetrics`), by crawler.
    pub async fn crawl_estimates(&self, names: &[String]) -> Result<HashMap<String, Estimate>, Error> {
        let object = if let [name] = names { crawler(name) } else { "crawlers".to_owned() };
        let size = i32::try_from(names.len()).ok();
        let request = self.inner.sdk.get_crawler_metrics();
        let request = request.set_crawler_name_list(Some(names.to_vec())).set_max_results(size).send();
        let response = self.call("GetCrawlerMetrics", object, Priority::Poll, request).await?;
        let metrics = response.crawler_metrics_list.unwrap_or_default().into_iter();
        Ok(metrics.filter_map(|metrics| Some((metrics.crawler_name.clone()?, estimate(&metrics)))).collect())
    }

    /// One page of a crawler's crawls (`ListCrawls`), newest first, at the priority of a start.
    pub async fn newest_crawls(&self, name: &str, token: Option<String>) -> Result<Page<Crawl>, Error> {
        let request =
            self.inner.sdk.list_crawls().crawler_name(name).max_results(CRAWL_PAGE_SIZE).set_next_token(token).send();
        let response = self.call("ListCrawls", crawler(name), Priority::Start, request).await?;
        Ok(Page {
            items: newest_first(response.crawls, |crawl| crawl.start_time)
                .filter_map(|crawl| self.crawl_of(crawl))
                .collect(),
            next: non_empty(response.next_token),
        })
    }

    /// One crawl (`ListCrawls` by its id); `None` where the history does not have it.
    pub async fn crawl(&self, name: &str, id: &str) -> Result<Option<Crawl>, Error> {
        let by_id = CrawlsFilter::builder()
            .field_name(FieldName::CrawlId)
            .filter_operator(FilterOperator::Eq)
            .field_value(id)
            .build();
        let request = self.inner.sdk.list_crawls().crawler_name(name).filters(by_id).send();
        let response = self.call("ListCrawls", format!("crawler {name} crawl {id}"), Priority::Poll, request).await?;
        Ok(response
            .crawls
            .unwrap_or_default()
            .into_iter()
            .filter_map(|crawl| self.crawl_of(crawl))
            .find(|crawl| crawl.id == id))
    }

    pub(super) fn crawl_of(&self, crawl: CrawlerHistory) -> Option<Crawl> {
        Some(Crawl {
            id: crawl.crawl_id?,
            state: crawl_state(crawl.state),
            started_on: crawl.start_time.and_then(timestamp),
            ended_on: crawl.end_time.and_then(timestamp),
            dpu_hours: crawl.dpu_hour,
            summary: self.redact(crawl.summary),
            error_message: self.redact(crawl.error_message),
            log_group: non_empty(crawl.log_group),
            log_stream: non_empty(crawl.log_stream),
            message_prefix: non_empty(crawl.message_prefix),
        })
    }
}

fn crawler(name: &str) -> String {
    format!("crawler {name}")
}

fn estimate(metrics: &CrawlerMetrics) -> Estimate {
    let seconds_left = seconds(metrics.time_left_seconds).filter(|_| !metrics.still_estimating);
    let median_seconds = seconds(metrics.median_runtime_seconds).filter(|seconds| *seconds > 0);
    Estimate { number: 0, at: Some(Timestamp::now()), seconds_left, median_seconds }
}

/// Whole seconds; `None` for what is no time.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is within the range")]
fn seconds(seconds: f64) -> Option<u32> {
    (0.0..=f64::from(u32::MAX)).contains(&seconds).then(|| seconds.round() as u32)
}

fn crawler_state(state: Option<SdkState>) -> CrawlerState {
    match state {
        Some(SdkState::Ready) => CrawlerState::Ready,
        Some(SdkState::Running) => CrawlerState::Running,
        Some(SdkState::Stopping) => CrawlerState::Stopping,
        Some(unknown) => CrawlerState::Unknown(unknown.as_str().to_owned()),
        None => CrawlerState::Unknown("none".to_owned()),
    }
}

fn crawl_state(state: Option<CrawlerHistoryState>) -> CrawlState {
    match state {
        Some(CrawlerHistoryState::Running) => CrawlState::Running,
        Some(CrawlerHistoryState::Completed) => CrawlState::Completed,
        Some(CrawlerHistoryState::Failed) => CrawlState::Failed,
        Some(CrawlerHistoryState::Stopped) => CrawlState::Stopped,
        Some(unknown) => CrawlState::Unknown(unknown.as_str().to_owned()),
        None => CrawlState::Unknown("none".to_owned()),
    }
}
