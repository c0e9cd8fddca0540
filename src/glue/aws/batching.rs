//! Combines calls about single items into batch calls: stops of the runs of one job, deletions of the connections of
//! one catalog.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Glue;
use crate::glue::{Error, ErrorKind};

/// How long the first item of a batch waits for others. It is too short to notice, but the deletion of a namespace
/// brings all its items within it.
const BATCH_WINDOW: Duration = Duration::from_millis(50);

type PendingItems<O> = Vec<(String, oneshot::Sender<Result<O, Error>>)>;

/// The items that wait for a batch, by group; `O` is the outcome of one item.
pub(super) struct PendingBatches<O> {
    by_group: Mutex<HashMap<String, PendingItems<O>>>,
}

impl<O> Default for PendingBatches<O> {
    fn default() -> Self {
        Self { by_group: Mutex::default() }
    }
}

impl<O> PendingBatches<O> {
    fn lock(&self) -> MutexGuard<'_, HashMap<String, PendingItems<O>>> {
        self.by_group.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A batch operation on the items of one group.
pub(super) trait BatchOperation: Send + Sync + 'static {
    /// The operation, as AWS names it.
    const OPERATION: &'static str;
    /// The most items of one call.
    const MAX_ITEMS: usize;
    /// The outcome of one item.
    type Outcome: Clone + Send + Sync + 'static;

    fn pending(glue: &Glue) -> &PendingBatches<Self::Outcome>;
    /// An item as [`Error::object`].
    fn object(group: &str, id: &str) -> String;
    /// Sends one call. Items without an outcome have succeeded.
    fn send(
        glue: &Glue,
        group: &str,
        ids: &[String],
    ) -> impl Future<Output = Result<HashMap<String, Self::Outcome>, Error>> + Send;
    /// The outcome of an item that has succeeded.
    fn success() -> Self::Outcome;
}

impl Glue {
    /// Sends `id` in a batch with other items of its group.
    pub(super) async fn send_batched<B: BatchOperation>(&self, group: &str, id: &str) -> Result<B::Outcome, Error> {
        let (sender, receiver) = oneshot::channel();
        let is_first = {
            let mut pending = B::pending(self).lock();
            let items = pending.entry(group.to_owned()).or_default();
            items.push((id.to_owned(), sender));
            items.len() == 1
        };
        if is_first {
            tokio::spawn(self.clone().send_group::<B>(group.to_owned()));
        }
        receiver.await.unwrap_or_else(|_| {
            Err(Error {
                operation: B::OPERATION,
                object: B::object(group, id),
                kind: ErrorKind::Transient,
                code: "NotSent".to_owned(),
                message: "the controller is shutting down".to_owned(),
            })
        })
    }

    async fn send_group<B: BatchOperation>(self, group: String) {
        tokio::time::sleep(BATCH_WINDOW).await;
        let mut items = B::pending(&self).lock().remove(&group).unwrap_or_default();
        while !items.is_empty() {
            let rest = items.split_off(items.len().min(B::MAX_ITEMS));
            let ids: Vec<_> = items.iter().map(|(id, _)| id.clone()).collect();
            let outcomes = B::send(&self, &group, &ids).await;
            for (id, sender) in std::mem::replace(&mut items, rest) {
                let outcome = outcomes.as_ref().map(|outcomes| outcomes.get(&id).cloned().unwrap_or_else(B::success));
                // The receiver may have been dropped.
                let _ = sender.send(outcome.map_err(Clone::clone));
            }
        }
    }
}
