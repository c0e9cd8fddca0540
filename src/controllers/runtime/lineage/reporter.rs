//! What stands between those who see runs and the receiver's outbox: reads the job of each run, and makes the events.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::task::AbortOnDropHandle;
use tracing::warn;

use super::facts::{self, Read};
use super::outbox::Outbox;
use super::pace::Pace;
use super::pending::{Added, Key, Pending};
use super::stages::Stages;
use crate::controllers::runtime::time;
use crate::glue::Glue;
use crate::lineage::openlineage::EventType;
use crate::lineage::queue::Dropped;
use crate::lineage::run::{self, JobKind, RunSight};

/// The most reports that wait for the task that reads jobs.
const MAX_REPORTS: usize = 10_000;
/// The most events of an inventory that wait in an outbox, also in that of the controller, which others fill as well.
const MOST_OF_INVENTORY: usize = 500;
/// The label of events that are not sent since AWS did not say in which account their job is.
const NO_ACCOUNT: &str = "no_account";

/// How a reporter makes events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReporterConfig {
    /// The namespace of all jobs; `None` for that of their account and region.
    pub namespace: Option<String>,
    /// Whether the scripts of jobs are read.
    pub from_scripts: bool,
    /// Whether they are those of an inventory, of which there may be many at once.
    pub is_of_inventory: bool,
}

impl ReporterConfig {
    /// How many events the outbox may have when one more is put into it. The rest wait as reports, which are small.
    fn most_waiting(&self) -> usize {
        if self.is_of_inventory { MOST_OF_INVENTORY } else { usize::MAX }
    }

    fn pace(&self) -> Pace {
        if self.is_of_inventory { Pace::of_inventory(Instant::now()) } else { Pace::unbounded() }
    }
}

/// Makes the events of runs, for one receiver. What it has not made when it is dropped is not sent.
pub struct Reporter {
    shared: Arc<Shared>,
    /// The stages that the controller has sent to the same receiver.
    sent: Option<Arc<Mutex<Stages>>>,
    /// The tasks that end with it.
    #[allow(dead_code, reason = "dropping it is its use")]
    tasks: Vec<AbortOnDropHandle<()>>,
}

struct Shared {
    reports: Sender<Report>,
    outbox: Arc<Outbox>,
    /// How many reports are not in the outbox yet.
    open: AtomicUsize,
    /// The number of the last event in the outbox, and 0 before the first.
    last: AtomicU64,
}

/// What is to be said of a run.
struct Report {
    /// By whose credentials its job is read.
    client: Glue,
    run: RunSight,
    events: Vec<EventType>,
    /// The job must be read after this time, since the run may have changed what it shows.
    read_after: Option<Instant>,
}

impl Reporter {
    /// Puts events into an outbox. `sent` are the stages that others have sent to its receiver.
    pub(super) fn new(outbox: Arc<Outbox>, config: ReporterConfig, sent: Option<Arc<Mutex<Stages>>>) -> Self {
        let (reports, received) = channel(MAX_REPORTS);
        let shared = Arc::new(Shared { reports, outbox, open: AtomicUsize::new(0), last: AtomicU64::new(0) });
        let reading = tokio::spawn(read_jobs(Arc::clone(&shared), received, config));
        Self { shared, sent, tasks: vec![AbortOnDropHandle::new(reading)] }
    }

    /// The same, with a task that ends with it: the one that empties its outbox.
    pub(super) fn owning(mut self, task: AbortOnDropHandle<()>) -> Self {
        self.tasks.push(task);
        self
    }

    /// Sends what is new of these runs. `had_ended` says of Glue's id of a run whether a status has its end already.
    pub(super) fn report(&self, client: &Glue, namespace: &str, runs: Vec<RunSight>, had_ended: impl Fn(&str) -> bool) {
        for run in runs {
            let events = self.advance(namespace, &run, || had_ended(&run.id)).unwrap_or_default();
            self.send(client, run, events);
        }
    }

    /// Sends these events of runs, but for those that an object of `namespace` has sent to the same receiver.
    pub fn report_seen(&self, client: &Glue, namespace: &str, runs: Vec<(RunSight, Vec<EventType>)>) {
        for (run, mut events) in runs {
            if let Some(new) = self.advance(namespace, &run, || false) {
                events.retain(|event| new.contains(event));
            }
            self.send(client, run, events);
        }
    }

    /// What nobody of `namespace` has sent of this run to the same receiver; `None` where nobody else sends there.
    fn advance(&self, namespace: &str, run: &RunSight, had_ended: impl FnOnce() -> bool) -> Option<Vec<EventType>> {
        let mut stages = self.sent.as_ref()?.lock().unwrap_or_else(PoisonError::into_inner);
        Some(stages.advance(namespace, run::run_id(&run.id), run.stage, had_ended))
    }

    /// Whether the receiver has all that was reported, as far as it was not dropped.
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.shared.is_delivered()
    }

    /// Why the receiver has taken no events for a while; `None` while it takes them.
    #[must_use]
    pub fn trouble(&self) -> Option<String> {
        self.shared.outbox.trouble()
    }

    /// Calls `wake` when the receiver has all that was reported, or when its trouble begins or ends. Dropping what comes back
    /// forgets it.
    pub fn on_progress(&self, wake: impl FnOnce() + Send + 'static) -> AbortOnDropHandle<()> {
        let (shared, was_in_trouble) = (Arc::clone(&self.shared), self.trouble().is_some());
        AbortOnDropHandle::new(tokio::spawn(async move {
            loop {
                let changed = shared.outbox.changed();
                if shared.is_delivered() || shared.outbox.trouble().is_some() != was_in_trouble {
                    return wake();
                }
                changed.await;
            }
        }))
    }

    fn send(&self, client: &Glue, mut run: RunSight, events: Vec<EventType>) {
        if events.is_empty() {
            return;
        }
        // Glue may show no time of a run that it has just accepted.
        if run.time_of(EventType::Other).is_none() {
            run.requested = Some(time::now());
        }
        let made_tables = run.target.kind == JobKind::Crawler && events.iter().any(|event| event.is_end());
        let read_after = made_tables.then(Instant::now);
        let count = events.len();
        self.shared.open.fetch_add(1, Ordering::AcqRel);
        let report = Report { client: client.clone(), run, events, read_after };
        if self.shared.reports.try_send(report).is_err() {
            self.shared.drop_report(Dropped::QueueFull.as_str(), count);
        }
    }

    /// Waits until all events have been sent, for this time at the most.
    pub(super) async fn drain(&self, most: Duration) {
        let shared = &self.shared;
        let sent = async {
            loop {
                let changed = shared.outbox.changed();
                if shared.open.load(Ordering::Acquire) == 0 && shared.outbox.depth() == 0 {
                    return;
                }
                changed.await;
            }
        };
        if timeout(most, sent).await.is_err() {
            let lost = shared.outbox.depth();
            warn!(lost, "the OpenLineage receiver did not take all events before the shutdown");
        }
    }
}

impl Shared {
    fn is_delivered(&self) -> bool {
        let last = self.last.load(Ordering::Acquire);
        self.open.load(Ordering::Acquire) == 0 && self.outbox.is_beyond(last)
    }

    /// The events of this report are in the outbox.
    async fn finish(&self, report: &Report, read: Arc<Read>, namespace: Option<&str>) {
        let Some(job_namespace) = read.job_namespace(namespace) else {
            return self.drop_report(NO_ACCOUNT, report.events.len());
        };
        // The first event of a run has no datasets.
        let has_datasets = report.events.iter().any(|kind| *kind != EventType::Other);
        let facts = if has_datasets { read.facts_of(&report.run).await } else { read.facts.clone() };
        for kind in &report.events {
            if let Some(event) = run::event(*kind, &report.run, &facts, &job_namespace) {
                let last = self.outbox.push(&event);
                self.last.fetch_max(last, Ordering::AcqRel);
            }
        }
        self.close_report();
    }

    fn drop_report(&self, why: &'static str, events: usize) {
        self.outbox.not_sent(why, events);
        self.close_report();
    }

    fn close_report(&self) {
        self.open.fetch_sub(1, Ordering::AcqRel);
        self.outbox.notify();
    }

    /// Waits until the outbox has fewer than `most` events.
    async fn wait_for_room(&self, most: usize) {
        loop {
            let changed = self.outbox.changed();
            if self.outbox.depth() < most {
                return;
            }
            changed.await;
        }
    }
}

/// Reads the job of each report, and puts its events into the outbox. Ends when nobody reports any more.
async fn read_jobs(shared: Arc<Shared>, mut reports: Receiver<Report>, config: ReporterConfig) {
    let mut pending = Pending::<Report, Arc<Read>>::default();
    let mut reading = JoinSet::new();
    let from_scripts = config.from_scripts;
    let mut pace = config.pace();
    loop {
        let mut now = Instant::now();
        while pace.next_at(now) <= now
            && let Some((key, report)) = pending.next(now)
        {
            pace.take(now);
            let (client, target) = (report.client.clone(), report.run.target.clone());
            reading.spawn(async move {
                // Whatever happens there, the reports are sent.
                let read = tokio::spawn(facts::read(client, target, from_scripts)).await;
                (key, Arc::new(read.unwrap_or_default()))
            });
            now = Instant::now();
        }
        let may_read_at = pace.next_at(now);
        let ready = tokio::select! {
            report = reports.recv() => {
                let Some(report) = report else { return };
                let key = Key { client: report.client.client_id(), target: report.run.target.clone() };
                let read_after = report.read_after;
                match pending.add(key, report, read_after, Instant::now()) {
                    Added::Ready(report, read) => vec![(report, read)],
                    Added::Waits => Vec::new(),
                    Added::Full(report) => {
                        shared.drop_report(Dropped::QueueFull.as_str(), report.events.len());
                        Vec::new()
                    }
                }
            }
            Some(Ok((key, read))) = reading.join_next() => pending.answered(&key, read),
            () = sleep_until(may_read_at), if may_read_at > now => Vec::new(),
        };
        for (report, read) in ready {
            shared.wait_for_room(config.most_waiting()).await;
            shared.finish(&report, read, config.namespace.as_deref()).await;
        }
    }
}
