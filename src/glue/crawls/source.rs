//! The crawls and crawlers of one client as a source of the poller: one `BatchGetCrawlers` for a hundred crawlers,
//! and `ListCrawls` only for a crawl without an observation, or one that may have ended. `GetCrawlerMetrics` is asked about
//! crawls that run for long, and rarely.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use super::{CRAWLER_BATCH_SIZE, Crawl, Crawler, CrawlerState, Estimate};
use crate::glue::error::if_found;
use crate::glue::poller::calls::Calls;
use crate::glue::poller::{Extras, Observation, PollRequest, PollResult, Polled, Source};
use crate::glue::rate_limiter::{ClientId, RateLimiter};
use crate::glue::{Error, Glue};

/// All crawlers and crawls of one client.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CrawlSource {
    pub client: Glue,
}

/// A crawl, or a crawler.
#[derive(Clone, Debug, PartialEq)]
pub enum CrawlItem {
    Crawl {
        crawl: Box<Crawl>,
        /// [`Crawler::last_crawl_started_on`] at the time of the observation. While it does not change, and the
        /// crawler is not READY, no crawl has ended since.
        last_crawl_started_on: Option<jiff::Timestamp>,
        /// What Glue expected of it when it was asked last.
        estimate: Estimate,
    },
    /// For objects that wait until the crawler is READY.
    Crawler(Crawler),
}

/// The id of an item: of a crawl, or without one of the crawler itself. The ids of crawls have no slash.
#[must_use]
pub fn poll_id(crawler: &str, crawl: Option<&str>) -> String {
    format!("{}/{crawler}", crawl.unwrap_or_default())
}

/// The crawler and the crawl of a [`poll_id`].
fn parse_poll_id(id: &str) -> (&str, Option<&str>) {
    let (crawl, crawler) = id.split_once('/').unwrap_or(("", id));
    (crawler, Some(crawl).filter(|crawl| !crawl.is_empty()))
}

impl Source for CrawlSource {
    type Item = CrawlItem;

    fn limiter(&self) -> Arc<RateLimiter> {
        self.client.rate_limiter()
    }

    fn client_id(&self) -> ClientId {
        self.client.client_id()
    }

    fn is_finished(item: &CrawlItem) -> bool {
        match item {
            CrawlItem::Crawl { crawl, .. } => crawl.state.is_final(),
            CrawlItem::Crawler(_) => false,
        }
    }

    async fn poll(&self, requests: Vec<PollRequest<CrawlItem>>, _: Extras) -> Polled<CrawlItem> {
        let mut calls = Calls::default();
        // A crawler whose crawls were read in vain is read apart from the others.
        let mut fails = BTreeMap::new();
        for request in &requests {
            *fails.entry(parse_poll_id(&request.id).0.to_owned()).or_insert(true) &= request.failures > 0;
        }
        let crawlers = calls.in_batches(fails, CRAWLER_BATCH_SIZE, async |batch: Vec<String>| {
            let found = self.client.crawlers(&batch).await?;
            Ok(found.into_iter().map(|crawler| (crawler.name.clone(), crawler)).collect())
        });
        let crawlers = crawlers.await;
        let (mut results, mut due) = (Vec::new(), Vec::new());
        for request in requests {
            let (name, crawl) = parse_poll_id(&request.id);
            let answer = match (crawlers.get(name), crawl) {
                (None | Some(Ok(None)), _) => Ok(Observation::NotFound),
                (Some(Err(error)), _) => Err(Arc::clone(error)),
                (Some(Ok(Some(crawler))), None) => {
                    // It is nothing to objects that wait for the crawler.
                    let crawler = Crawler { estimates_due: 0, ..crawler.clone() };
                    Ok(Observation::Present(CrawlItem::Crawler(crawler)))
                }
                (Some(Ok(Some(crawler))), Some(_)) if is_still_running(request.last.as_ref(), crawler) => {
                    if estimate_of(request.last.as_ref()).number < crawler.estimates_due {
                        due.push((crawler.clone(), request));
                        continue;
                    }
                    // An error that subscribers know of is over.
                    if request.failures == 0 {
                        continue;
                    }
                    request.last.map_or(Ok(Observation::NotFound), Ok)
                }
                (Some(Ok(Some(crawler))), Some(crawl)) => {
                    let estimate = estimate_of(request.last.as_ref());
                    calls.make(self.crawl(crawler, crawl, estimate)).await
                }
            };
            results.push(PollResult { id: request.id, answer, page: None });
        }
        // Last, since nothing depends on it: an error ends the calls of the poll.
        results.extend(self.estimates(due, &mut calls).await);
        Polled { results, calls: calls.made(), usual: None, seen: HashMap::new() }
    }
}

impl CrawlSource {
    /// Asks what Glue expects of crawls that are running. A refusal, such as for want of the permission, leaves the
    /// earlier answer.
    async fn estimates(
        &self,
        due: Vec<(Crawler, PollRequest<CrawlItem>)>,
        calls: &mut Calls,
    ) -> Vec<PollResult<CrawlItem>> {
        let names: BTreeSet<_> = due.iter().map(|(crawler, _)| crawler.name.clone()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let mut found = HashMap::new();
        for batch in names.chunks(CRAWLER_BATCH_SIZE) {
            found.extend(calls.make(self.client.crawl_estimates(batch)).await.unwrap_or_default());
        }
        let results = due.into_iter().map(|(crawler, request)| {
            let answer = found.get(&crawler.name).copied();
            let observation = with_estimate(request.last, crawler.estimates_due, answer);
            PollResult { id: request.id, answer: Ok(observation), page: None }
        });
        results.collect()
    }

    async fn crawl(&self, crawler: &Crawler, crawl: &str, estimate: Estimate) -> Result<Observation<CrawlItem>, Error> {
        let crawl = if_found(self.client.crawl(&crawler.name, crawl).await)?.flatten();
        let last_crawl_started_on = crawler.last_crawl_started_on;
        Ok(crawl.map(|crawl| CrawlItem::Crawl { crawl: Box::new(crawl), last_crawl_started_on, estimate }).into())
    }
}

/// What Glue expected of the observed crawl when it was asked last.
fn estimate_of(last: Option<&Observation<CrawlItem>>) -> Estimate {
    match last {
        Some(Observation::Present(CrawlItem::Crawl { estimate, .. })) => *estimate,
        _ => Estimate::default(),
    }
}

/// The observation with Glue's answer to question `number`; without an answer, with the earlier one.
fn with_estimate(
    last: Option<Observation<CrawlItem>>,
    number: u32,
    answer: Option<Estimate>,
) -> Observation<CrawlItem> {
    match last {
        Some(Observation::Present(CrawlItem::Crawl { crawl, last_crawl_started_on, estimate })) => {
            let estimate = Estimate { number, ..answer.unwrap_or(estimate) };
            Observation::Present(CrawlItem::Crawl { crawl, last_crawl_started_on, estimate })
        }
        last => last.unwrap_or(Observation::NotFound),
    }
}

/// Whether the observed crawl certainly has not ended: the crawler is not READY, and no crawl has ended since.
fn is_still_running(last: Option<&Observation<CrawlItem>>, crawler: &Crawler) -> bool {
    match last {
        Some(Observation::Present(CrawlItem::Crawl { crawl, last_crawl_started_on, .. })) => {
            !crawl.state.is_final()
                && crawler.state != CrawlerState::Ready
                && *last_crawl_started_on == crawler.last_crawl_started_on
        }
        _ => false,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use jiff::Timestamp;

    use super::*;
    use crate::glue::crawls::CrawlState;

    fn crawler(state: CrawlerState, last_crawl_started_on: i64) -> Crawler {
        let last_crawl_started_on = Timestamp::from_second(last_crawl_started_on).ok();
        Crawler { name: "raw".to_owned(), state, last_crawl_started_on, estimates_due: 0 }
    }

    fn observation(state: CrawlState, last_crawl_started_on: i64) -> Observation<CrawlItem> {
        let crawl = Crawl::fixture("c", state);
        Observation::Present(CrawlItem::Crawl {
            crawl: Box::new(crawl),
            last_crawl_started_on: Timestamp::from_second(last_crawl_started_on).ok(),
            estimate: Estimate::default(),
        })
    }

    #[test]
    fn a_crawl_is_read_only_when_it_may_have_ended() {
        let running = observation(CrawlState::Running, 1);
        for (last, crawler, still_running) in [
            (None, crawler(CrawlerState::Running, 1), false),
            (Some(Observation::NotFound), crawler(CrawlerState::Running, 1), false),
            (Some(running.clone()), crawler(CrawlerState::Running, 1), true),
            (Some(running.clone()), crawler(CrawlerState::Stopping, 1), true),
            (Some(running.clone()), crawler(CrawlerState::Ready, 1), false),
            // It ended, and another crawl started before this poll.
            (Some(running), crawler(CrawlerState::Running, 2), false),
        ] {
            assert_eq!(is_still_running(last.as_ref(), &crawler), still_running, "{last:?} {crawler:?}");
        }
    }

    #[test]
    fn an_answer_of_glue_stays_until_the_next_one() {
        let answer = Estimate { seconds_left: Some(60), median_seconds: Some(300), ..Estimate::default() };
        let first = with_estimate(Some(observation(CrawlState::Running, 1)), 1, Some(answer));
        assert_eq!(estimate_of(Some(&first)), Estimate { number: 1, ..answer });
        // Glue refused the second question, which is not asked again before the third is due.
        let second = with_estimate(Some(first), 2, None);
        assert_eq!(estimate_of(Some(&second)), Estimate { number: 2, ..answer });
    }

    #[test]
    fn a_crawler_name_may_contain_slashes() {
        assert_eq!(parse_poll_id(&poll_id("a/b", Some("1-2"))), ("a/b", Some("1-2")));
        assert_eq!(parse_poll_id(&poll_id("a/b", None)), ("a/b", None));
    }
}
