//! Reads of whole accounts by the poller, in paused time. A fake stands for Glue.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::hash::Hash;
use std::sync::atomic::{AtomicUsize, Ordering};

use futures::StreamExt;
use futures::channel::mpsc::{UnboundedReceiver, unbounded};
use serde_json::{Value, json};

use super::*;
use crate::glue::ErrorKind;
use crate::glue::crawls::CrawlState;
use crate::glue::job_runs::JobRunState;
use crate::glue::poller::{Poller, Report};
use crate::glue::triggers::{TriggerState, TriggerType};

/// The size of a page of any list.
const PAGE: usize = 25;

/// An account, and what was called.
#[derive(Debug, Default)]
struct Account {
    jobs: BTreeMap<String, Vec<JobRun>>,
    crawlers: BTreeMap<String, Crawler>,
    triggers: BTreeMap<String, Trigger>,
    workflows: BTreeMap<String, Workflow>,
    refused: HashMap<&'static str, ErrorKind>,
    calls: BTreeMap<&'static str, usize>,
}

#[derive(Clone, Debug)]
struct FakeGlue {
    account: Arc<Mutex<Account>>,
    progress: Arc<Progress>,
    limiter: Arc<RateLimiter>,
    client: ClientId,
    /// Of all calls, for what must not take too many.
    calls: Arc<AtomicUsize>,
}

impl PartialEq for FakeGlue {
    fn eq(&self, other: &Self) -> bool {
        self.client == other.client
    }
}

impl Eq for FakeGlue {}

impl Hash for FakeGlue {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.client.hash(state);
    }
}

impl FakeGlue {
    /// An account with so many jobs, crawlers, triggers and workflows; each job and crawler has run twice.
    fn new([jobs, crawlers, triggers, workflows]: [usize; 4]) -> Self {
        let names = |what: &'static str, count: usize| (0..count).map(move |n| format!("{what}{n:04}"));
        let run = |id: String| JobRun::fixture(&id, JobRunState::Succeeded);
        let crawl = |id: &str| Crawl::fixture(id, CrawlState::Completed);
        let crawler = || Crawler {
            state: "READY".to_owned(),
            last_crawl: Some((None, "SUCCEEDED".to_owned())),
            crawls: vec![crawl("c2"), crawl("c1")],
            ..Crawler::default()
        };
        let account = Account {
            jobs: names("job", jobs)
                .map(|name| (name.clone(), vec![run(format!("{name}-2")), run(format!("{name}-1"))]))
                .collect(),
            crawlers: names("crawler", crawlers).map(|name| (name, crawler())).collect(),
            triggers: names("trigger", triggers).map(|name| (name.clone(), trigger(&name))).collect(),
            workflows: names("workflow", workflows)
                .map(|name| (name, Workflow { is_read: true, ..Workflow::default() }))
                .collect(),
            ..Account::default()
        };
        Self {
            account: Arc::new(Mutex::new(account)),
            progress: Arc::default(),
            limiter: Arc::new(RateLimiter::new(None)),
            client: ClientId::next(),
            calls: Arc::default(),
        }
    }

    fn source(&self) -> InventorySource<Self> {
        InventorySource { client: self.clone() }
    }

    fn change(&self, change: impl FnOnce(&mut Account)) {
        change(&mut self.account.lock().unwrap());
    }

    /// The calls by operation since the last time.
    fn take_calls(&self) -> BTreeMap<&'static str, usize> {
        std::mem::take(&mut self.account.lock().unwrap().calls)
    }

    fn call<T>(&self, operation: &'static str, answer: impl FnOnce(&Account) -> T) -> Result<T, Error> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let mut account = self.account.lock().unwrap();
        *account.calls.entry(operation).or_default() += 1;
        match account.refused.get(operation) {
            Some(kind) => Err(error(operation, *kind)),
            None => Ok(answer(&account)),
        }
    }

    fn page<T: Clone>(
        &self,
        operation: &'static str,
        token: Option<String>,
        items: impl FnOnce(&Account) -> Vec<T>,
    ) -> Result<Page<T>, Error> {
        let items = self.call(operation, items)?;
        let from: usize = token.map_or(0, |token| token.parse().unwrap());
        let until = (from + PAGE).min(items.len());
        Ok(Page { items: items[from..until].to_vec(), next: (until < items.len()).then(|| until.to_string()) })
    }
}

fn error(operation: &'static str, kind: ErrorKind) -> Error {
    let (code, message) = (format!("{kind:?}"), String::new());
    Error { operation, object: "account".to_owned(), kind, code, message }
}

fn trigger(name: &str) -> Trigger {
    Trigger {
        name: name.to_owned(),
        type_: TriggerType::OnDemand,
        state: TriggerState::Created,
        description: None,
        workflow: None,
        schedule: None,
        predicate: None,
        actions: Vec::new(),
        event_batching: None,
    }
}

fn not_found(operation: &'static str) -> Error {
    error(operation, ErrorKind::NotFound)
}

impl PollClient for FakeGlue {
    fn limiter(&self) -> Arc<RateLimiter> {
        Arc::clone(&self.limiter)
    }

    fn client_id(&self) -> ClientId {
        self.client
    }

    fn is_of_same_account(&self, _: &Self) -> bool {
        false
    }
}

impl InventoryReader for FakeGlue {
    fn progress(&self) -> &Progress {
        &self.progress
    }

    async fn jobs_page(&self, token: Option<String>) -> Result<Page<(String, Job)>, Error> {
        let jobs = |account: &Account| account.jobs.keys().map(|name| (name.clone(), Job::default())).collect();
        self.page("GetJobs", token, jobs)
    }

    async fn newest_job_runs(&self, job: &str, count: usize) -> Result<Vec<JobRun>, Error> {
        let runs = self.call("GetJobRuns", |account| account.jobs.get(job).cloned())?;
        runs.map(|runs| runs.into_iter().take(count).collect()).ok_or_else(|| not_found("GetJobRuns"))
    }

    async fn crawlers_page(&self, token: Option<String>) -> Result<Page<(String, Crawler)>, Error> {
        let shown = |crawler: &Crawler| Crawler { crawls: Vec::new(), asked: 0, ..crawler.clone() };
        let crawlers =
            |account: &Account| account.crawlers.iter().map(|(name, of)| (name.clone(), shown(of))).collect();
        self.page("GetCrawlers", token, crawlers)
    }

    async fn newest_crawls_of(&self, crawler: &str, count: usize) -> Result<Vec<Crawl>, Error> {
        let crawls = self.call("ListCrawls", |account| account.crawlers[crawler].crawls.clone())?;
        Ok(crawls.into_iter().take(count).collect())
    }

    async fn triggers_page(&self, token: Option<String>) -> Result<Page<Trigger>, Error> {
        self.page("GetTriggers", token, |account| account.triggers.values().cloned().collect())
    }

    async fn workflow_names_page(&self, token: Option<String>) -> Result<Page<String>, Error> {
        self.page("ListWorkflows", token, |account| account.workflows.keys().cloned().collect())
    }

    async fn workflows(&self, names: &[String]) -> Result<Vec<(String, Workflow)>, Error> {
        assert!(names.len() <= 25);
        let of = |account: &Account| {
            names.iter().filter_map(|name| Some((name.clone(), account.workflows.get(name)?.clone()))).collect()
        };
        self.call("BatchGetWorkflows", of)
    }

    async fn workflow(&self, name: &str) -> Result<Workflow, Error> {
        self.call("GetWorkflow", |account| account.workflows.get(name).cloned())?
            .ok_or_else(|| not_found("GetWorkflow"))
    }

    async fn tags(&self, type_: ItemType, name: &str) -> Result<Tags, Error> {
        self.call("GetTags", |_| [("of".to_owned(), format!("{} {name}", type_.noun()))].into())
    }
}

/// A poller, and whom it requeued.
struct Watch {
    poller: Poller<InventorySource<FakeGlue>, &'static str>,
    requeued: UnboundedReceiver<&'static str>,
}

impl Watch {
    fn new() -> Self {
        let (sender, requeued) = unbounded();
        let requeue = move |subscriber| drop(sender.unbounded_send(subscriber));
        let poller = Poller::new(Duration::from_secs(5), requeue, |_| {});
        Self { poller, requeued }
    }

    fn see(&self, glue: &FakeGlue, who: &'static str, spec: Value) -> Report<Arc<Picture>> {
        self.see_anew(glue, who, spec, None)
    }

    fn see_anew(&self, glue: &FakeGlue, who: &'static str, spec: Value, refresh: Option<&str>) -> Report<Arc<Picture>> {
        let spec = serde_json::from_value(spec).unwrap();
        self.poller.watch(&glue.source(), &Demand::of(&spec, refresh).id(), &who)
    }

    /// Waits until the picture of this subscriber is there.
    async fn picture(&mut self, glue: &FakeGlue, who: &'static str, spec: Value) -> Arc<Picture> {
        loop {
            if let Some(Observation::Present(picture)) = self.see(glue, who, spec.clone()).observation {
                return picture;
            }
            tokio::time::timeout(Duration::from_hours(2), self.requeued.next()).await.expect("a picture");
        }
    }

    fn was_requeued(&mut self) -> bool {
        self.requeued.try_recv().is_ok()
    }
}

async fn pass(minutes: u64) {
    tokio::time::sleep(Duration::from_mins(minutes)).await;
}

#[tokio::test(start_paused = true)]
async fn all_pages_are_read_and_an_unchanged_hour_is_no_news() {
    let glue = FakeGlue::new([60, 30, 55, 27]);
    let mut watch = Watch::new();
    let picture = watch.picture(&glue, "a", json!({})).await;
    let counts = (picture.jobs.items.len(), picture.crawlers.items.len(), picture.triggers.items.len());
    assert_eq!((counts, picture.workflows.items.len()), ((60, 30, 55), 27));
    assert!(picture.jobs.is_whole && picture.workflows.is_whole && picture.refused.is_empty());
    assert!(picture.workflows.items.values().all(|workflow| workflow.is_read));
    assert_eq!(picture.jobs.items["job0059"].runs.as_ref().unwrap()[0].id, "job0059-2");
    let first = glue.take_calls();
    let of = |calls: &BTreeMap<_, _>, operation| calls.get(operation).copied().unwrap_or(0);
    for (operation, expected) in [
        ("GetJobs", 3),
        ("GetJobRuns", 60),
        ("GetCrawlers", 2),
        ("ListCrawls", 30),
        ("GetTriggers", 3),
        ("ListWorkflows", 2),
        ("BatchGetWorkflows", 2),
        ("GetTags", 0),
    ] {
        assert_eq!(of(&first, operation), expected, "{operation}");
    }
    assert_eq!(picture.calls, first.values().sum::<usize>());
    while watch.was_requeued() {}
    pass(61).await;
    assert!(!watch.was_requeued(), "nothing changed");
    let hour = glue.take_calls();
    assert_eq!((of(&hour, "GetJobs"), of(&hour, "ListCrawls")), (12, 0), "four reads, and no crawl has changed");
    glue.change(|account| account.jobs.get_mut("job0007").unwrap()[0].state = JobRunState::Failed);
    pass(17).await;
    assert!(watch.was_requeued());
    let picture = watch.picture(&glue, "a", json!({})).await;
    assert_eq!(picture.jobs.items["job0007"].runs.as_ref().unwrap()[0].state, JobRunState::Failed);
}

#[tokio::test(start_paused = true)]
async fn inventories_of_one_client_share_their_reads() {
    let glue = FakeGlue::new([20, 5, 5, 5]);
    let mut watch = Watch::new();
    let (all, some) = (json!({}), json!({"jobs": {"includes": ["job0001"]}, "runsPerJob": 2}));
    watch.see(&glue, "b", all.clone());
    watch.see(&glue, "c", some.clone());
    let picture = watch.picture(&glue, "a", all.clone()).await;
    let first = glue.take_calls();
    assert_eq!((first["GetJobs"], first["GetJobRuns"]), (1, 20));
    // The picture has what all of them want.
    assert_eq!(picture.jobs.items["job0001"].runs.as_ref().unwrap().len(), 2);
    assert_eq!(picture.jobs.items["job0002"].runs.as_ref().unwrap().len(), 1);
    for (who, spec) in [("b", all.clone()), ("c", some.clone())] {
        assert!(Arc::ptr_eq(&watch.picture(&glue, who, spec).await, &picture));
    }
    // Another pace needs no read of its own, and neither does one who comes later.
    let often = json!({"everyMinutes": 5});
    assert!(Arc::ptr_eq(&watch.picture(&glue, "d", often.clone()).await, &picture));
    assert!(glue.take_calls().is_empty());
    pass(11).await;
    assert_eq!(glue.take_calls()["GetJobs"], 2, "the account is read at the pace of the most frequent one");
    // Other contents do.
    watch.picture(&glue, "e", json!({"runsPerJob": 7})).await;
    assert_eq!(glue.take_calls()["GetJobs"], 1);
}

#[tokio::test(start_paused = true)]
async fn a_refresh_reads_at_once() {
    let glue = FakeGlue::new([3, 0, 0, 0]);
    let mut watch = Watch::new();
    watch.picture(&glue, "a", json!({})).await;
    glue.take_calls();
    for refresh in ["1", "2"] {
        while watch.was_requeued() {}
        assert_eq!(watch.see_anew(&glue, "a", json!({}), Some(refresh)).observation, None);
        tokio::time::timeout(Duration::from_secs(30), watch.requeued.next()).await.unwrap();
        assert!(watch.see_anew(&glue, "a", json!({}), Some(refresh)).observation.is_some());
        assert_eq!(glue.take_calls()["GetJobs"], 1);
    }
}

#[tokio::test(start_paused = true)]
async fn what_glue_refuses_hides_nothing_else() {
    let glue = FakeGlue::new([30, 3, 3, 30]);
    glue.change(|account| {
        account.refused = [
            ("GetCrawlers", ErrorKind::Denied),
            ("BatchGetWorkflows", ErrorKind::Denied),
            ("GetJobRuns", ErrorKind::Denied),
        ]
        .into();
    });
    let mut watch = Watch::new();
    let picture = watch.picture(&glue, "a", json!({})).await;
    let refused: Vec<_> = picture.refused.iter().map(|error| error.operation).collect();
    assert_eq!(refused, ["GetCrawlers", "GetJobRuns"]);
    assert_eq!((picture.jobs.items.len(), picture.triggers.items.len()), (30, 3));
    assert!(picture.jobs.is_whole && !picture.crawlers.is_whole);
    assert!(picture.jobs.items.values().all(|job| job.runs.is_none()));
    // Those who have the rights to read workflows one by one see them.
    assert!(picture.workflows.items.len() == 30 && picture.workflows.items.values().all(|of| of.is_read));
    let calls = glue.take_calls();
    assert_eq!((calls["GetJobRuns"], calls["GetWorkflow"], calls["BatchGetWorkflows"]), (5, 30, 1));
}

#[tokio::test(start_paused = true)]
async fn a_passing_error_delays_a_read_and_begins_nothing_anew() {
    let glue = FakeGlue::new([60, 0, 0, 0]);
    let mut watch = Watch::new();
    watch.see(&glue, "a", json!({}));
    glue.change(|account| account.refused = [("GetJobRuns", ErrorKind::Throttled)].into());
    pass(2).await;
    let report = watch.see(&glue, "a", json!({}));
    assert!(report.observation.is_none() && report.error.unwrap().kind == ErrorKind::Throttled);
    glue.change(|account| account.refused.clear());
    let picture = watch.picture(&glue, "a", json!({})).await;
    assert_eq!(picture.jobs.items.len(), 60);
    assert_eq!(glue.take_calls()["GetJobs"], 3);
    assert_eq!(watch.see(&glue, "a", json!({})).error, None);
}

#[tokio::test(start_paused = true)]
async fn what_is_deleted_during_a_read_is_not_there() {
    let glue = FakeGlue::new([30, 0, 0, 30]);
    let mut watch = Watch::new();
    watch.see(&glue, "a", json!({}));
    while glue.account.lock().unwrap().calls.get("ListWorkflows") != Some(&2) {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    glue.change(|account| {
        account.jobs.remove("job0029");
        account.workflows.remove("workflow0029");
    });
    let picture = watch.picture(&glue, "a", json!({})).await;
    assert_eq!((picture.jobs.items.len(), picture.workflows.items.len()), (29, 29));
    assert!(picture.refused.is_empty());
}

#[tokio::test(start_paused = true)]
async fn tags_are_read_of_what_somebody_wants_them_of_and_rarely() {
    let glue = FakeGlue::new([3, 2, 2, 2]);
    let mut watch = Watch::new();
    watch.see(&glue, "b", json!({}));
    let spec = json!({"includeTags": true, "jobs": {"excludes": ["job0002"]}});
    let picture = watch.picture(&glue, "a", spec).await;
    assert_eq!(picture.tags.len(), 8);
    assert_eq!(picture.tags[&(ItemType::Workflow, "workflow0001".to_owned())]["of"], "workflow workflow0001");
    assert_eq!(glue.take_calls()["GetTags"], 8);
    pass(5 * 60).await;
    assert_eq!(glue.take_calls().get("GetTags"), None);
    pass(2 * 60).await;
    assert_eq!(glue.take_calls()["GetTags"], 8);
}

/// The size of the account in the contract.
#[tokio::test(start_paused = true)]
async fn a_large_account_is_read_within_the_usual_calls_of_a_minute() {
    let glue = FakeGlue::new([2000, 200, 500, 300]);
    let mut watch = Watch::new();
    let began = Instant::now();
    let picture = watch.picture(&glue, "a", json!({})).await;
    assert_eq!(picture.jobs.items.len(), 2000);
    // 80 pages of jobs, 2,000 of runs, 8 of crawlers, 200 of crawls, 20 of triggers, and 12 of names and of workflows each.
    assert_eq!(picture.calls, 2332);
    let minutes = began.elapsed().as_secs_f64() / 60.0;
    assert!((20.0..30.0).contains(&minutes), "{minutes}");
    assert!(glue.calls.load(Ordering::SeqCst) <= 2332 + 5);
}
