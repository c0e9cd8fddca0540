//! Runs the passes over the objects of one kind, as the [`workqueue`](super::workqueue) orders them.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::Arc;

use futures::channel::mpsc::UnboundedReceiver;
use futures::{Stream, StreamExt};
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument, info_span};

use super::context::{Context, Name, created};
use super::kind::Kind;
use super::panics;
use super::reconciler::{self, Action};
use super::watch::{Cache, Change};
use super::workqueue::{Rank, Workqueue};

/// Runs until `stop`, and then until the passes under way have ended. `changes` are those of the watches that fill
/// `cache`.
pub async fn run<K: Kind>(
    context: Arc<Context<K>>,
    cache: Cache<K>,
    changes: impl Stream<Item = Change> + Send,
    mut requeued: UnboundedReceiver<Name>,
    stop: CancellationToken,
) {
    let mut changes = pin!(changes);
    let mut passes =
        Passes { context, cache, queue: Workqueue::default(), tasks: JoinSet::new(), names: HashMap::new() };
    loop {
        passes.start();
        let delay = passes.queue.next_delay_ends();
        tokio::select! {
            () = stop.cancelled() => break,
            change = changes.next() => match change {
                Some(Change::Applied(names)) => names.iter().for_each(|name| passes.add(name)),
                Some(Change::Deleted(name)) => passes.queue.remove(&name),
                None => break,
            },
            Some(name) = requeued.next() => passes.add(&name),
            Some(ended) = passes.tasks.join_next_with_id() => passes.end(ended),
            () = until(delay) => passes.add_due(),
        }
    }
    while passes.tasks.join_next().await.is_some() {}
}

/// Waits until this time; forever when there is none.
async fn until(time: Option<Instant>) {
    match time {
        Some(time) => sleep_until(time).await,
        None => std::future::pending().await,
    }
}

/// The passes under way, and the objects that wait for one. Dropping it aborts them.
struct Passes<K: Kind> {
    context: Arc<Context<K>>,
    cache: Cache<K>,
    queue: Workqueue,
    tasks: JoinSet<Action>,
    names: HashMap<Id, Name>,
}

impl<K: Kind> Passes<K> {
    /// Starts the passes that may run now.
    fn start(&mut self) {
        while let Some(name) = self.queue.pop() {
            let Some(object) = self.cache.get(&name) else {
                self.queue.done(&name);
                continue;
            };
            let span = info_span!("reconcile", kind = K::KIND, namespace = name.0, name = name.1);
            let pass = panics::contained(object, Arc::clone(&self.context), reconciler::reconcile).instrument(span);
            let task = self.tasks.spawn(pass);
            self.names.insert(task.id(), name);
        }
        self.context.shared.metrics.workqueue(K::KIND, self.queue.depth(), self.queue.active());
    }

    /// Adds the object, unless it is gone.
    fn add(&mut self, name: &Name) {
        if let Some(object) = self.cache.get(name) {
            let rank = Rank::new(object.meta().deletion_timestamp.is_some(), created(&*object));
            self.queue.add(name, rank);
        }
    }

    fn add_due(&mut self) {
        while let Some(name) = self.queue.pop_due(Instant::now()) {
            self.add(&name);
        }
    }

    fn end(&mut self, ended: Result<(Id, Action), JoinError>) {
        let id = ended.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let Some(name) = self.names.remove(&id) else { return };
        self.queue.done(&name);
        // Panics are contained; only an abort ends a task otherwise.
        let action = ended.map_or(Action::RequeueAfter(panics::PAUSE), |(_, action)| action);
        let again = match action {
            Action::AwaitChange => None,
            // A time that no clock can show does not come.
            Action::RequeueAfter(pause) => Instant::now().checked_add(pause),
        };
        if let Some(at) = again {
            self.queue.add_at(&name, at);
        }
    }
}
