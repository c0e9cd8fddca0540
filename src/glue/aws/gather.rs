//! Calls about several things of one group that come together go as one: stops of the runs of a job,
//! deletions of the connections of a catalog.

use std::collections::HashMap;
use std::future::Future;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Glue;
use crate::glue::{Error, ErrorKind};

/// How long the first of a group waits for others: nobody notices, and a namespace that is deleted sends
/// all of its own within it.
const GATHER: Duration = Duration::from_millis(50);

type Waiting<A> = Vec<(String, oneshot::Sender<Result<A, Error>>)>;

/// What waits to be sent, by group; `A` answers one thing.
pub(super) struct Gathered<A> {
    waiting: Mutex<HashMap<String, Waiting<A>>>,
}

impl<A> Default for Gathered<A> {
    fn default() -> Self {
        Self { waiting: Mutex::default() }
    }
}

impl<A> Gathered<A> {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Waiting<A>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How one kind of call is gathered.
pub(super) trait Batch: Send + Sync + 'static {
    /// The operation, as AWS names it.
    const OPERATION: &'static str;
    /// How many things one call takes.
    const MOST: usize;
    /// What is answered about one thing.
    type Answer: Clone + Send + Sync + 'static;

    /// Where the things wait.
    fn gathered(glue: &Glue) -> &Gathered<Self::Answer>;
    /// One thing of a group in words.
    fn object(group: &str, id: &str) -> String;
    /// Sends one call. What the answer does not name went well.
    fn send(
        glue: &Glue,
        group: &str,
        ids: &[String],
    ) -> impl Future<Output = Result<HashMap<String, Self::Answer>, Error>> + Send;
    /// What is answered about a thing that went well.
    fn well() -> Self::Answer;
}

impl Glue {
    /// Has `id` go with others of its group that come at the same time.
    pub(super) async fn together<B: Batch>(&self, group: &str, id: &str) -> Result<B::Answer, Error> {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = B::gathered(self).waiting();
            let waiting = waiting.entry(group.to_owned()).or_default();
            waiting.push((id.to_owned(), answer));
            waiting.len() == 1
        };
        if is_first {
            tokio::spawn(self.clone().send_gathered::<B>(group.to_owned()));
        }
        answered.await.unwrap_or_else(|_| {
            Err(Error {
                operation: B::OPERATION,
                object: B::object(group, id),
                kind: ErrorKind::Transient,
                code: "NotSent".to_owned(),
                message: "the controller is ending".to_owned(),
            })
        })
    }

    async fn send_gathered<B: Batch>(self, group: String) {
        tokio::time::sleep(GATHER).await;
        let mut waiting = B::gathered(&self).waiting().remove(&group).unwrap_or_default();
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(B::MOST));
            let ids: Vec<_> = waiting.iter().map(|(id, _)| id.clone()).collect();
            let answers = B::send(&self, &group, &ids).await;
            for (id, asker) in std::mem::replace(&mut waiting, rest) {
                let answer = answers.as_ref().map(|answers| answers.get(&id).cloned().unwrap_or_else(B::well));
                // Who has stopped waiting needs no answer.
                let _ = asker.send(answer.map_err(Clone::clone));
            }
        }
    }
}
