//! All crawls and crawlers of one client as a source of the poller: one `BatchGetCrawlers` for a hundred of
//! them, and `ListCrawls` only for a crawl that is new to us or may be over.

use std::collections::{BTreeSet, HashMap};

use super::{CRAWLER_BATCH, Crawl, Crawler, CrawlerState};
use crate::glue::poller::{Observation, Observed, Source, Wanted};
use crate::glue::{Error, ErrorKind, Glue};

/// The crawlers that one client sees.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct CrawlSource {
    /// Who asks.
    pub client: Glue,
}

/// What somebody waits for, and how it looks.
#[derive(Clone, Debug, PartialEq)]
pub enum CrawlItem {
    /// A crawl, with its details.
    Crawl {
        /// The crawl.
        crawl: Box<Crawl>,
        /// [`Crawler::last_began`] when they were read: while it stays, and the crawler is not READY, no crawl
        /// has ended since.
        last_began: Option<jiff::Timestamp>,
    },
    /// A crawler, for those who wait until it is free.
    Crawler(Crawler),
}

/// The id by which the poller is asked for a crawl of a crawler, or without one for the crawler itself. The
/// ids of crawls have no slash.
#[must_use]
pub fn poll_id(crawler: &str, crawl: Option<&str>) -> String {
    format!("{}/{crawler}", crawl.unwrap_or_default())
}

/// The crawler, and the crawl, behind such an id.
fn parts(id: &str) -> (&str, Option<&str>) {
    let (crawl, crawler) = id.split_once('/').unwrap_or(("", id));
    (crawler, Some(crawl).filter(|crawl| !crawl.is_empty()))
}

impl Source for CrawlSource {
    type Item = CrawlItem;
    type Client = Glue;

    fn client(&self) -> &Glue {
        &self.client
    }

    fn is_finished(item: &CrawlItem) -> bool {
        match item {
            CrawlItem::Crawl { crawl, .. } => crawl.state.is_final(),
            // Whoever waits for a crawler goes on waiting until it is its turn.
            CrawlItem::Crawler(_) => false,
        }
    }

    async fn ask(&self, wanted: Vec<Wanted<CrawlItem>>) -> Result<Vec<Observed<CrawlItem>>, Error> {
        let names: BTreeSet<_> = wanted.iter().map(|one| parts(&one.id).0.to_owned()).collect();
        let names: Vec<_> = names.into_iter().collect();
        let mut crawlers = HashMap::with_capacity(names.len());
        for batch in names.chunks(CRAWLER_BATCH) {
            let found = self.client.crawlers(batch).await?;
            crawlers.extend(found.into_iter().map(|crawler| (crawler.name.clone(), crawler)));
        }
        let mut seen = Vec::new();
        for one in wanted {
            let (name, crawl) = parts(&one.id);
            let observation = match (crawlers.get(name), crawl) {
                (None, _) => Observation::NotFound,
                (Some(crawler), None) => Observation::Present(CrawlItem::Crawler(crawler.clone())),
                (Some(crawler), Some(_)) if is_still_running(one.last.as_ref(), crawler) => continue,
                (Some(crawler), Some(crawl)) => self.details(crawler, crawl).await?,
            };
            seen.push(Observed { id: one.id, observation, page: None });
        }
        Ok(seen)
    }
}

impl CrawlSource {
    async fn details(&self, crawler: &Crawler, crawl: &str) -> Result<Observation<CrawlItem>, Error> {
        match self.client.crawl(&crawler.name, crawl).await {
            Ok(Some(crawl)) => {
                Ok(Observation::Present(CrawlItem::Crawl { crawl: Box::new(crawl), last_began: crawler.last_began }))
            }
            Ok(None) => Ok(Observation::NotFound),
            Err(error) if error.kind == ErrorKind::NotFound => Ok(Observation::NotFound),
            Err(error) => Err(error),
        }
    }
}

/// Whether the crawl that was seen so cannot have ended: the crawler is at a crawl, and has finished none since.
fn is_still_running(last: Option<&Observation<CrawlItem>>, crawler: &Crawler) -> bool {
    match last {
        Some(Observation::Present(CrawlItem::Crawl { crawl, last_began })) => {
            !crawl.state.is_final() && crawler.state != CrawlerState::Ready && *last_began == crawler.last_began
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

    fn crawler(state: CrawlerState, last_began: i64) -> Crawler {
        Crawler { name: "raw".to_owned(), state, last_began: Timestamp::from_second(last_began).ok() }
    }

    fn observation(state: CrawlState, last_began: i64) -> Observation<CrawlItem> {
        let crawl = Crawl {
            id: "c".to_owned(),
            state,
            started_on: None,
            ended_on: None,
            dpu_hours: 0.0,
            summary: None,
            error_message: None,
            log_group: None,
            log_stream: None,
            message_prefix: None,
        };
        Observation::Present(CrawlItem::Crawl {
            crawl: Box::new(crawl),
            last_began: Timestamp::from_second(last_began).ok(),
        })
    }

    #[test]
    fn details_are_asked_for_only_when_the_crawl_may_be_over() {
        let running = observation(CrawlState::Running, 1);
        for (last, crawler, quiet) in [
            (None, crawler(CrawlerState::Running, 1), false),
            (Some(Observation::NotFound), crawler(CrawlerState::Running, 1), false),
            (Some(running.clone()), crawler(CrawlerState::Running, 1), true),
            (Some(running.clone()), crawler(CrawlerState::Stopping, 1), true),
            (Some(running.clone()), crawler(CrawlerState::Ready, 1), false),
            // It ended, and another began before we asked again.
            (Some(running), crawler(CrawlerState::Running, 2), false),
        ] {
            assert_eq!(is_still_running(last.as_ref(), &crawler), quiet, "{last:?} {crawler:?}");
        }
    }

    #[test]
    fn names_may_have_slashes() {
        assert_eq!(parts(&poll_id("a/b", Some("1-2"))), ("a/b", Some("1-2")));
        assert_eq!(parts(&poll_id("a/b", None)), ("a/b", None));
    }
}
