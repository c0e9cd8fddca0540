//! The kind `GlueCrawlerRun`: how its crawl is found, started, stopped and shown.
//!
//! | module | what it does |
//! |---|---|
//! | `history` | which crawls are newer than a baseline |
//! | `render` | the crawl as Glue shows it, in the status |

mod history;
mod render;

use jiff::Timestamp;

use self::history::newest_of;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::run::{Attempt, Baseline, RunPolicy, RunStatus};
use crate::api::{GlueCrawlerRun, GlueCrawlerRunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::calls::RunQuery;
use crate::controllers::run::concurrency::is_waiting;
use crate::controllers::run::facts::{ConcurrencyPolicy, CrawlerActivity, CrawlerSnapshot, ObservedRun, RunPass};
use crate::controllers::run::kind::{Identification, strip_finished};
use crate::controllers::run::lifecycle::RunLifecycle;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lineage::sights;
use crate::controllers::runtime::text::truncated;
use crate::glue::crawls::source::{self, CrawlItem, CrawlSource};
use crate::glue::crawls::{Crawl, CrawlerState, Estimate};
use crate::glue::logs::failure::FailureSource;
use crate::glue::{Error, Glue};
use crate::lineage::run::{JobKind, RunSight};

impl Kind for GlueCrawlerRun {
    const KIND: &'static str = "GlueCrawlerRun";
    type Source = CrawlSource;
    type Inputs = ();
    type PassState = RunPass<Self>;
    type LocalState = RunLocalState;
    type Lifecycle = RunLifecycle;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueCrawlerRunStatus) -> &mut Option<AwsIdentity> {
        &mut status.run.identity
    }

    fn strip(&mut self) {
        let Some(status) = self.status.as_mut() else { return };
        if strip_finished(&mut status.run) {
            let (run, crawl_id) = (std::mem::take(&mut status.run), status.crawl_id.take());
            *status = GlueCrawlerRunStatus { run, crawl_id, ..GlueCrawlerRunStatus::default() };
        }
    }

    fn strip_to_head(&mut self) {
        self.spec.aws = Aws::default();
    }
}

impl RunKind for GlueCrawlerRun {
    const NOUN: &'static str = "crawl";
    const TARGET: &'static str = "crawler";
    const JOB_KIND: JobKind = JobKind::Crawler;
    type Identification = ByBaseline;

    fn policy(&self) -> &RunPolicy {
        &self.spec.policy
    }

    fn follow(&self) -> Option<&str> {
        self.spec.crawl_id.as_deref()
    }

    fn target(&self) -> &str {
        &self.spec.crawler_name
    }

    fn run_status(status: &GlueCrawlerRunStatus) -> &RunStatus {
        &status.run
    }

    fn source(&self, client: &Glue) -> CrawlSource {
        CrawlSource { client: client.clone() }
    }

    /// The crawl, once it is known; the crawler, while the object waits for it.
    fn poll_id(&self, attempt: &Attempt) -> Option<String> {
        (attempt.id.is_some() || is_waiting(attempt)).then(|| source::poll_id(self.target(), attempt.id.as_deref()))
    }

    fn observe(&self, item: &CrawlItem) -> Option<ObservedRun> {
        let crawl = crawl_of(item)?;
        Some(ObservedRun {
            id: crawl.id.clone(),
            state: crawl.state.as_str().to_owned(),
            phase: render::phase(&crawl.state),
            attempt: None,
            retry_expected: false,
            message: crawl.error_message.as_deref().map(truncated),
            reason: None,
        })
    }

    fn ended_on(item: &CrawlItem) -> Option<Timestamp> {
        crawl_of(item).and_then(|crawl| crawl.ended_on)
    }

    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&CrawlItem>) -> GlueCrawlerRunStatus {
        let region = client.map(|client| client.identity().region.as_str());
        let observed = item.and_then(|item| match item {
            CrawlItem::Crawl { crawl, estimate, .. } => Some((&**crawl, *estimate)),
            CrawlItem::Crawler(_) => None,
        });
        render::status(self, region, run, observed)
    }

    fn runs(&self, item: &CrawlItem) -> Vec<RunSight> {
        crawl_of(item).map(|crawl| sights::of_crawl(self.target(), crawl)).into_iter().collect()
    }

    fn failure_source(item: &CrawlItem) -> Option<FailureSource> {
        let crawl = crawl_of(item)?;
        let marker = crawl.message_prefix.as_deref().unwrap_or(&crawl.id);
        Some(FailureSource::of_crawl(crawl.log_group.as_deref()?, crawl.log_stream.as_deref()?, marker))
    }

    async fn look_up(
        &self,
        client: &Glue,
        query: &RunQuery,
        _: impl Fn(&str) -> bool + Send + Sync,
    ) -> Result<Option<CrawlItem>, Error> {
        let (_, next) = self.history(client, Some(&query.baseline.clone().unwrap_or_default())).await?;
        Ok(next.map(item))
    }

    async fn start(&self, client: &Glue, _: &Attempt, (): &()) -> Result<Option<String>, Error> {
        client.start_crawler(self.target()).await.map(|()| None)
    }

    /// StopCrawler stops whatever the crawler runs: it is not sent when the crawl has ended by now.
    async fn stop(&self, client: &Glue, id: &str) -> Result<(), Error> {
        match client.crawl(self.target(), id).await? {
            Some(crawl) if !crawl.state.is_final() => client.stop_crawler(self.target()).await,
            _ => Ok(()),
        }
    }
}

/// A crawl is identified by what existed before its start: StartCrawler takes no key and answers with no id.
pub struct ByBaseline;

impl Identification<GlueCrawlerRun> for ByBaseline {
    fn concurrency(object: &GlueCrawlerRun) -> Option<ConcurrencyPolicy> {
        Some(ConcurrencyPolicy {
            on_already_running: object.spec.on_already_running.unwrap_or_default(),
            coalesce: object.spec.coalesce.unwrap_or(true),
        })
    }

    fn activity(item: &CrawlItem, baseline: &Baseline) -> CrawlerActivity {
        let CrawlItem::Crawler(crawler) = item else { return CrawlerActivity::Unchanged };
        let began = baseline.started_at.as_ref().map(|started| started.0);
        // Both times are Glue's.
        if crawler.state == CrawlerState::Ready {
            CrawlerActivity::Idle
        } else if began.is_some_and(|began| crawler.last_crawl_started_on < Some(began)) {
            CrawlerActivity::Unchanged
        } else {
            CrawlerActivity::NewCrawl
        }
    }

    /// The crawler is read before its history: a crawl that it was running then is in the history, or began since.
    async fn snapshot(
        object: &GlueCrawlerRun,
        client: &Glue,
        recorded: Option<&Baseline>,
    ) -> Result<CrawlerSnapshot<CrawlItem>, Error> {
        let crawler = client.crawler(object.target()).await?;
        let (newest, next) = object.history(client, recorded).await?;
        let busy = crawler.state != CrawlerState::Ready;
        Ok(CrawlerSnapshot {
            busy,
            newest: newest_of(newest.as_ref(), crawler.last_crawl_started_on),
            live: newest.filter(|newest| busy && !newest.state.is_final()).map(item),
            next: next.map(item),
        })
    }
}

fn item(crawl: Crawl) -> CrawlItem {
    CrawlItem::Crawl { crawl: Box::new(crawl), last_crawl_started_on: None, estimate: Estimate::default() }
}

fn crawl_of(item: &CrawlItem) -> Option<&Crawl> {
    match item {
        CrawlItem::Crawl { crawl, .. } => Some(crawl),
        CrawlItem::Crawler(_) => None,
    }
}
