//! Watches all GlueJobRuns, and keeps when each got its run and its end.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Instant,
};

use futures::StreamExt as _;
use kube::{
    Api, Client, ResourceExt as _,
    runtime::{
        WatchStreamExt as _,
        watcher::{self, Event, watcher},
    },
};
use tokio::task::JoinSet;

use super::run::Run;

/// What was seen of an object.
#[derive(Debug, Clone, Default)]
pub(crate) struct Seen {
    /// Whether its run is known to run.
    pub(crate) is_running: bool,
    /// The id of its run in Glue.
    pub(crate) run_id: Option<String>,
    /// Its final phase, and when it was first seen.
    pub(crate) end: Option<(String, Instant)>,
    /// Whether the controller has let go of it.
    pub(crate) is_finished: bool,
}

/// The objects by `namespace/name`.
type Objects = HashMap<String, Seen>;

/// A watch that runs until it is dropped.
#[derive(Debug)]
pub(crate) struct Tracker {
    objects: Arc<Mutex<Objects>>,
    /// Dropping it aborts the task.
    _task: JoinSet<()>,
}

impl Tracker {
    pub(crate) fn start(client: Client) -> Self {
        let objects = Arc::<Mutex<Objects>>::default();
        let mut task = JoinSet::new();
        task.spawn(watch(client, Arc::clone(&objects)));
        Self { objects, _task: task }
    }

    /// What was seen of one object.
    pub(crate) fn get(&self, namespace: &str, name: &str) -> Option<Seen> {
        lock(&self.objects).get(&format!("{namespace}/{name}")).cloned()
    }

    /// How many objects match.
    pub(crate) fn count(&self, matches: impl Fn(&Seen) -> bool) -> usize {
        lock(&self.objects).values().filter(|seen| matches(seen)).count()
    }
}

fn lock(objects: &Mutex<Objects>) -> MutexGuard<'_, Objects> {
    objects.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs until it is aborted.
async fn watch(client: Client, objects: Arc<Mutex<Objects>>) {
    let mut events = watcher(Api::<Run>::all(client), watcher::Config::default()).default_backoff().boxed();
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(run) | Event::InitApply(run)) => {
                let mut objects = lock(&objects);
                let seen = objects.entry(key(&run)).or_default();
                if seen.run_id.is_none() {
                    seen.run_id = run.run_id().map(str::to_owned);
                }
                if seen.end.is_none() {
                    seen.end = run.final_phase().map(|phase| (phase.to_owned(), Instant::now()));
                }
                seen.is_running = run.phase() == Some("Running");
                seen.is_finished = run.is_finished();
            }
            Ok(Event::Delete(run)) => {
                lock(&objects).remove(&key(&run));
            }
            // A list that begins or ends; an error is tried again.
            Ok(Event::Init | Event::InitDone) | Err(_) => {}
        }
    }
}

fn key(run: &Run) -> String {
    format!("{}/{}", run.namespace().unwrap_or_default(), run.name_any())
}
