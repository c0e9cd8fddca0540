//! Stops of several runs of one job that come together go as one `BatchStopJobRun`.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::oneshot;

use super::Glue;
use crate::glue::job_runs::{STOP_BATCH, StopAnswer};
use crate::glue::{Class, Error};

/// How long the first stop of a job waits for others: nobody notices, and a namespace that is deleted
/// sends all of its own within it.
const GATHER: Duration = Duration::from_millis(50);

type Waiting = Vec<(String, oneshot::Sender<Result<StopAnswer, Error>>)>;

/// The stops that wait to be sent, by job.
#[derive(Default)]
pub(super) struct Stops {
    waiting: Mutex<HashMap<String, Waiting>>,
}

impl Stops {
    fn waiting(&self) -> MutexGuard<'_, HashMap<String, Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Glue {
    /// Stops a run of a job, together with others that are stopped at the same time.
    pub async fn stop_job_run(&self, job: &str, id: &str) -> Result<StopAnswer, Error> {
        let (answer, answered) = oneshot::channel();
        let is_first = {
            let mut waiting = self.inner.stops.waiting();
            let waiting = waiting.entry(job.to_owned()).or_default();
            waiting.push((id.to_owned(), answer));
            waiting.len() == 1
        };
        if is_first {
            tokio::spawn(self.clone().send_stops(job.to_owned()));
        }
        answered.await.unwrap_or_else(|_| {
            Err(Error {
                operation: "BatchStopJobRun",
                object: format!("job {job} run {id}"),
                class: Class::Transient,
                code: "NotSent".to_owned(),
                message: "the controller is ending".to_owned(),
            })
        })
    }

    async fn send_stops(self, job: String) {
        tokio::time::sleep(GATHER).await;
        let mut waiting = self.inner.stops.waiting().remove(&job).unwrap_or_default();
        while !waiting.is_empty() {
            let rest = waiting.split_off(waiting.len().min(STOP_BATCH));
            let ids: Vec<_> = waiting.iter().map(|(id, _)| id.clone()).collect();
            let answers = self.stop_job_runs(&job, &ids).await;
            for (id, asker) in std::mem::replace(&mut waiting, rest) {
                let answer = answers.as_ref().map(|answers| answers.get(&id).cloned().unwrap_or(StopAnswer::Accepted));
                // Who has stopped waiting needs no answer.
                let _ = asker.send(answer.map_err(Clone::clone));
            }
        }
    }
}
