//! `GlueCrawlerRun` as a run: how its crawl is found, started, stopped and shown.

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::Client;
use serde_json::Value;

use crate::api::crawler_run::{CatalogChanges, ChangeCounts};
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::run::{Attempt, Baseline, Phase, RunPolicy, RunStatus};
use crate::api::{GlueCrawlerRun, GlueCrawlerRunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::concurrency;
use crate::controllers::run::facts::{ConcurrencyPolicy, CrawlerActivity, ObservedRun, RunPass};
use crate::controllers::run::kind::BaselineReading;
use crate::controllers::run::lifecycle::RunLifecycle;
use crate::controllers::run::links;
use crate::controllers::run::local_state::RunLocalState;
use crate::controllers::run::step::RunQuery;
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::conditions::bounded;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::problem::Problem;
use crate::glue::crawls::source::{self, CrawlItem, CrawlSource};
use crate::glue::crawls::{Crawl, CrawlState, CrawlerState};
use crate::glue::{Error, Glue};

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

    fn input_secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    async fn inputs(&self, _: &Client, _: &Settings) -> Result<(), Problem> {
        Ok(())
    }
}

impl RunKind for GlueCrawlerRun {
    const NOUN: &'static str = "crawl";

    fn policy(&self) -> &RunPolicy {
        &self.spec.policy
    }

    fn follow(&self) -> Option<&str> {
        self.spec.crawl_id.as_deref()
    }

    fn concurrency(&self) -> Option<ConcurrencyPolicy> {
        Some(ConcurrencyPolicy {
            on_already_running: self.spec.on_already_running.unwrap_or_default(),
            coalesce: self.spec.coalesce.unwrap_or(true),
        })
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

    /// The crawl, once it is known; the crawler, for who waits until it is free.
    fn poll_id(&self, attempt: &Attempt) -> Option<String> {
        (attempt.id.is_some() || concurrency::is_waiting(attempt))
            .then(|| source::poll_id(self.target(), attempt.id.as_deref()))
    }

    fn observe(item: &CrawlItem) -> Option<ObservedRun> {
        let CrawlItem::Crawl { crawl, .. } = item else { return None };
        Some(ObservedRun {
            id: crawl.id.clone(),
            state: crawl.state.as_str().to_owned(),
            phase: phase(&crawl.state),
            retry_expected: false,
            message: crawl.error_message.as_deref().map(bounded),
        })
    }

    fn activity(item: &CrawlItem, baseline: &Baseline) -> CrawlerActivity {
        let CrawlItem::Crawler(crawler) = item else { return CrawlerActivity::Unchanged };
        let began = baseline.started_at.as_ref().map(|started| started.0);
        // Both times are Glue's.
        if crawler.state == CrawlerState::Ready {
            CrawlerActivity::Idle
        } else if began.is_some_and(|began| crawler.last_began < Some(began)) {
            CrawlerActivity::Unchanged
        } else {
            CrawlerActivity::NewCrawl
        }
    }

    fn ended_on(item: &CrawlItem) -> Option<Timestamp> {
        match item {
            CrawlItem::Crawl { crawl, .. } => crawl.ended_on,
            CrawlItem::Crawler(_) => None,
        }
    }

    fn render(&self, client: Option<&Glue>, run: RunStatus, item: Option<&CrawlItem>) -> GlueCrawlerRunStatus {
        let id = run.attempt().and_then(|attempt| attempt.id.clone());
        let before = self.status.clone().unwrap_or_default();
        match item {
            Some(CrawlItem::Crawl { crawl, .. }) if Some(&crawl.id) == id.as_ref() => {
                let region = client.map(|client| client.identity().region.as_str());
                let links = region.map(|region| links::crawl(region, self.target(), crawl));
                GlueCrawlerRunStatus { links: links.or(before.links), ..shown(run, crawl) }
            }
            // Nothing newer is known: what is shown of this crawl stays.
            _ if before.crawl_id == id => GlueCrawlerRunStatus { run, ..before },
            _ => GlueCrawlerRunStatus { run, crawl_id: id, ..GlueCrawlerRunStatus::default() },
        }
    }

    fn redact(&self, item: CrawlItem, _: Option<&()>) -> CrawlItem {
        item
    }

    /// The crawler's own state is asked for first: what it was at is then sure to be in its history, or to have
    /// begun since.
    async fn read_baseline(
        &self,
        client: &Glue,
        baseline: Option<&Baseline>,
    ) -> Result<BaselineReading<CrawlItem>, Error> {
        let crawler = client.crawler(self.target()).await?;
        let (newest, next) = self.history(client, baseline).await?;
        let busy = crawler.state != CrawlerState::Ready;
        Ok(BaselineReading {
            busy,
            newest: newest_of(newest.as_ref(), crawler.last_began),
            live: newest.filter(|newest| busy && !newest.state.is_final()).map(observation),
            next: next.map(observation),
        })
    }

    async fn look_up(&self, client: &Glue, query: &RunQuery, _: Option<&()>) -> Result<Option<CrawlItem>, Error> {
        let (_, next) = self.history(client, Some(&query.baseline.clone().unwrap_or_default())).await?;
        Ok(next.map(observation))
    }

    async fn start(&self, client: &Glue, _: &str, (): &()) -> Result<Option<String>, Error> {
        client.start_crawler(self.target()).await.map(|()| None)
    }

    /// What is stopped is a crawler, whatever it crawls: it is left alone when the crawl is over by now.
    async fn stop(&self, client: &Glue, id: &str) -> Result<(), Error> {
        match client.crawl(self.target(), id).await? {
            Some(crawl) if !crawl.state.is_final() => client.stop_crawler(self.target()).await,
            _ => Ok(()),
        }
    }
}

impl GlueCrawlerRun {
    /// The crawler's newest crawl, and the oldest of those that are newer than `baseline`, attempts that are known
    /// already left out.
    async fn history(
        &self,
        client: &Glue,
        baseline: Option<&Baseline>,
    ) -> Result<(Option<Crawl>, Option<Crawl>), Error> {
        let mut newest = None;
        let mut newer: Vec<Crawl> = Vec::new();
        let mut token = None;
        loop {
            let page = client.newest_crawls(self.target(), token).await?;
            if newest.is_none() {
                newest = page.crawls.first().cloned();
            }
            let Some(baseline) = baseline else { return Ok((newest, None)) };
            let old = page.crawls.iter().position(|crawl| !is_newer(crawl, baseline));
            newer.extend(page.crawls.iter().take(old.unwrap_or(page.crawls.len())).cloned());
            token = page.next;
            if old.is_some() || token.is_none() {
                // Within one second the order of the list decides, and only a list that shows what was there.
                let shown = page.crawls.iter().any(|crawl| Some(&crawl.id) == baseline.id.as_ref());
                let began = baseline.started_at.as_ref().map(|started| started.0);
                let next = newer
                    .into_iter()
                    .rev()
                    .find(|crawl| (shown || began.is_none() || crawl.started_on > began) && !self.has_crawl(&crawl.id));
                return Ok((newest, next));
            }
        }
    }

    fn has_crawl(&self, id: &str) -> bool {
        let attempts = self.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default();
        attempts.iter().any(|attempt| attempt.id.as_deref() == Some(id))
    }
}

/// Whether a crawl may have begun baseline `baseline`, by Glue's clock.
fn is_newer(crawl: &Crawl, baseline: &Baseline) -> bool {
    let began = baseline.started_at.as_ref().map(|started| started.0);
    match &baseline.id {
        Some(id) => crawl.id != *id && crawl.started_on >= began,
        None => crawl.started_on > began,
    }
}

/// What there is before a start: the newest crawl that is listed, or one that the crawler knows to be over when the
/// list does not show it yet.
fn newest_of(listed: Option<&Crawl>, last_began: Option<Timestamp>) -> Baseline {
    let started_on = listed.and_then(|crawl| crawl.started_on);
    if last_began > started_on {
        return Baseline { id: None, started_at: last_began.map(Time) };
    }
    Baseline { id: listed.map(|crawl| crawl.id.clone()), started_at: started_on.map(Time) }
}

fn observation(crawl: Crawl) -> CrawlItem {
    CrawlItem::Crawl { crawl: Box::new(crawl), last_began: None }
}

fn phase(state: &CrawlState) -> Phase {
    match state {
        CrawlState::Running => Phase::Running,
        CrawlState::Completed => Phase::Succeeded,
        CrawlState::Failed => Phase::Failed,
        CrawlState::Stopped => Phase::Stopped,
        CrawlState::Unknown(_) => Phase::Unknown,
    }
}

/// The status of a crawl as Glue shows it.
fn shown(run: RunStatus, crawl: &Crawl) -> GlueCrawlerRunStatus {
    let over = crawl.state.is_final();
    let summary = crawl.summary.as_deref().filter(|_| over);
    let changes = summary.and_then(changes);
    GlueCrawlerRunStatus {
        run,
        crawl_id: Some(crawl.id.clone()),
        started_at: crawl.started_on.map(Time),
        completed_at: crawl.ended_on.filter(|_| over).map(Time),
        duration: crawl.started_on.zip(crawl.ended_on).filter(|_| over).map(|(from, to)| links::duration(from, to)),
        dpu_hours: over.then_some(crawl.dpu_hours),
        summary: summary.filter(|_| changes.is_none()).map(bounded),
        changes,
        log_group: crawl.log_group.clone(),
        log_stream: crawl.log_stream.clone(),
        links: None,
        error_message: crawl.error_message.as_deref().map(bounded),
    }
}

/// What a crawl changed, from its summary: an object by kind of thing, of objects by kind of change, each written
/// as JSON within a text. AWS's documentation does not say its form; it is read as far as it is known, and
/// anything else in it makes it none.
fn changes(summary: &str) -> Option<CatalogChanges> {
    let summary: Value = serde_json::from_str(summary).ok()?;
    let mut changes = CatalogChanges::default();
    for (thing, value) in summary.as_object()? {
        let counts = match thing.as_str() {
            "TABLE" => &mut changes.tables,
            "PARTITION" => &mut changes.partitions,
            _ => return None,
        };
        *counts = match value {
            Value::String(text) => self::counts(&serde_json::from_str(text).ok()?)?,
            value => self::counts(value)?,
        };
    }
    Some(changes)
}

fn counts(changes: &Value) -> Option<ChangeCounts> {
    let mut counts = ChangeCounts::default();
    for (change, value) in changes.as_object()? {
        let count = match change.as_str() {
            "ADD" => &mut counts.added,
            "UPDATE" => &mut counts.updated,
            "DELETE" => &mut counts.deleted,
            _ => return None,
        };
        *count = value.get("Count")?.as_i64()?;
    }
    Some(counts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_summary_is_read_whole_or_not_at_all() {
        let tables = |added, updated, deleted| CatalogChanges {
            tables: ChangeCounts { added, updated, deleted },
            ..CatalogChanges::default()
        };
        for (summary, read) in [
            (r#"{"TABLE":"{\"ADD\":{\"Details\":{\"names\":[\"a\",\"b\"]},\"Count\":2}}"}"#, Some(tables(2, 0, 0))),
            (r#"{"TABLE":{"UPDATE":{"Count":1},"DELETE":{"Count":3}}}"#, Some(tables(0, 1, 3))),
            (
                r#"{"PARTITION":"{\"ADD\":{\"Count\":7}}"}"#,
                Some(CatalogChanges {
                    partitions: ChangeCounts { added: 7, ..ChangeCounts::default() },
                    ..CatalogChanges::default()
                }),
            ),
            ("{}", Some(CatalogChanges::default())),
            (r#"{"VIEW":"{}"}"#, None),
            (r#"{"TABLE":"{\"MERGE\":{\"Count\":2}}"}"#, None),
            (r#"{"TABLE":"{\"ADD\":{}}"}"#, None),
            (r#"{"TABLE":"many"}"#, None),
            ("[]", None),
            ("2 tables added", None),
        ] {
            assert_eq!(changes(summary), read, "{summary}");
        }
    }

    #[test]
    fn what_is_newer_is_told_by_glues_clock_and_by_the_id() {
        let crawl = |id: &str, second| Crawl {
            id: id.to_owned(),
            state: CrawlState::Running,
            started_on: Timestamp::from_second(second).ok(),
            ended_on: None,
            dpu_hours: 0.0,
            summary: None,
            error_message: None,
            log_group: None,
            log_stream: None,
            message_prefix: None,
        };
        let listed = crawl("a", 10);
        let baseline = newest_of(Some(&listed), Timestamp::from_second(5).ok());
        assert!(is_newer(&crawl("b", 11), &baseline));
        assert!(is_newer(&crawl("b", 10), &baseline), "the order of the list decides");
        assert!(!is_newer(&crawl("a", 10), &baseline));
        assert!(!is_newer(&crawl("b", 9), &baseline));
        assert!(is_newer(&crawl("b", 9), &Baseline::default()), "there was none");
        let unlisted = newest_of(Some(&listed), Timestamp::from_second(20).ok());
        assert!(!is_newer(&crawl("b", 20), &unlisted), "it was over already, and shows late");
        assert!(is_newer(&crawl("c", 21), &unlisted));
    }
}
