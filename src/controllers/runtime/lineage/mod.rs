//! Lineage: the events of the runs that objects show, sent to an OpenLineage receiver in the background.
//!
//! | module | what it does |
//! |---|---|
//! | [`stages`] | how far each run had come when it was reported last; pure |
//! | [`origin`] | what an object says of the origin of its runs; pure |
//! | [`pending`] | the reports that wait until their job was read; pure |
//! | `facts` | reads a job, crawler or connection in Glue |
//! | `outbox` | sends the events, in front of it [`crate::lineage::queue`] |
//!
//! After each status that a pass writes or leaves as it is, [`Pass::report_runs`] compares the runs that the pass observed
//! with what this process reported before. So a start is sent again after a restart of the controller while the run goes
//! on, with the same id, type and time, and the end of a run is sent by the process that writes it in the status.
//! No pass waits for any of this. What is in the queue when the process is killed is lost.

mod facts;
pub mod origin;
mod outbox;
pub mod pending;
pub mod stages;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use kube::ResourceExt;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use tracing::{info, warn};

use self::facts::Read;
use self::outbox::Outbox;
use self::pending::{Added, Key, Pending};
use self::stages::Stages;
use super::kind::Kind;
use super::lifecycle::Lifecycle;
use super::pass::Pass;
use super::settings::OpenLineage;
use super::time;
use crate::glue::Glue;
use crate::glue::aws::CaBundleError;
use crate::lineage::openlineage::EventType;
use crate::lineage::queue::Dropped;
use crate::lineage::run::{self, JobKind, RunSight};
use crate::metrics::Metrics;

/// The most reports that wait for the task that reads jobs.
const MAX_REPORTS: usize = 10_000;
/// The label of events that are not sent since AWS did not say in which account their job is.
const NO_ACCOUNT: &str = "no_account";

/// Sends the events of runs. Cheap to clone.
#[derive(Clone)]
pub struct Lineage {
    /// `None` where the operator named no receiver.
    shared: Option<Arc<Shared>>,
}

struct Shared {
    reports: Sender<Report>,
    stages: Mutex<Stages>,
    outbox: Arc<Outbox>,
    /// How many reports are not in the outbox yet.
    open: AtomicUsize,
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

impl Lineage {
    /// Sends events in the background to the receiver of the settings; nothing, where there is none.
    pub fn new(settings: Option<&OpenLineage>, metrics: &Metrics) -> Result<Self, CaBundleError> {
        let Some(settings) = settings else { return Ok(Self { shared: None }) };
        let outbox = Arc::new(Outbox::new(settings, metrics.clone())?);
        info!("lineage is sent to {}", settings.url);
        let (reports, received) = channel(MAX_REPORTS);
        let open = AtomicUsize::new(0);
        let shared = Arc::new(Shared { reports, stages: Mutex::default(), outbox: Arc::clone(&outbox), open });
        tokio::spawn(outbox::send_all(outbox));
        tokio::spawn(read_jobs(Arc::clone(&shared), received, settings.clone()));
        Ok(Self { shared: Some(shared) })
    }

    /// Whether there is a receiver.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.shared.is_some()
    }

    /// Sends what is new of these runs. `had_ended` says of Glue's id of a run whether a status has its end already.
    fn report(&self, client: &Glue, namespace: &str, runs: Vec<RunSight>, had_ended: impl Fn(&str) -> bool) {
        let Some(shared) = &self.shared else { return };
        for mut run in runs {
            let id = run::run_id(&run.id);
            let events = shared.stages().advance(namespace, id, run.stage, || had_ended(&run.id));
            if events.is_empty() {
                continue;
            }
            // Glue may show no time of a run that it has just accepted.
            if run.time_of(EventType::Other).is_none() {
                run.requested = Some(time::now());
            }
            let made_tables = run.target.kind == JobKind::Crawler && events.iter().any(|event| event.is_end());
            let read_after = made_tables.then(Instant::now);
            let count = events.len();
            shared.open.fetch_add(1, Ordering::AcqRel);
            let report = Report { client: client.clone(), run, events, read_after };
            if shared.reports.try_send(report).is_err() {
                shared.drop_report(Dropped::QueueFull.as_str(), count);
            }
        }
    }

    /// Waits until all events have been sent, for this time at the most.
    pub async fn drain(&self, most: Duration) {
        let Some(shared) = &self.shared else { return };
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
    fn stages(&self) -> MutexGuard<'_, Stages> {
        self.stages.lock().unwrap_or_else(PoisonError::into_inner)
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
                self.outbox.push(&event);
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
}

/// Reads the job of each report, and puts its events into the outbox. Never ends.
async fn read_jobs(shared: Arc<Shared>, mut reports: Receiver<Report>, settings: OpenLineage) {
    let mut pending = Pending::<Report, Arc<Read>>::default();
    let mut reading = JoinSet::new();
    let from_scripts = settings.from_scripts;
    loop {
        while let Some((key, report)) = pending.next(Instant::now()) {
            let (client, target) = (report.client.clone(), report.run.target.clone());
            reading.spawn(async move {
                // Whatever happens there, the reports are sent.
                let read = tokio::spawn(facts::read(client, target, from_scripts)).await;
                (key, Arc::new(read.unwrap_or_default()))
            });
        }
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
        };
        for (report, read) in ready {
            shared.finish(&report, read, settings.namespace.as_deref()).await;
        }
    }
}

impl<K: Kind> Pass<'_, K> {
    /// Reports the runs that the pass has observed. `before` is the status that the object had before it got the one that
    /// shows them.
    pub(super) fn report_runs(&self, before: Option<&K::Status>) {
        let Some(client) = self.client() else { return };
        let runs = K::Lifecycle::runs(self);
        if runs.is_empty() {
            return;
        }
        let had_ended = |id: &str| before.is_some_and(|before| K::Lifecycle::has_ended(before, id));
        let namespace = self.object.namespace().unwrap_or_default();
        self.context.shared.lineage.report(client, &namespace, runs, had_ended);
    }
}
