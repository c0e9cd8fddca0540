//! The search for a run among the runs of a workflow: by the key in its properties, or by the run that it resumes.
//!
//! AWS documents neither whether a resumed run has the properties of the run before it, nor whether only a resumed run has a
//! `PreviousRunId` ("The ID of the previous workflow run"). So a run counts as an attempt by its key alone. A run with the
//! key of the run before it resumes that run, and is the attempt after it.

use std::collections::HashMap;
use std::future::Future;

use jiff::Timestamp;

use super::{PAGE_SIZE, WorkflowRun, WorkflowRunItem};
use crate::glue::job_runs::parse_attempt_key;
use crate::glue::poller::listing::{Page, read_until};
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, Glue};

/// The operation that lists runs.
const OPERATION: &str = "GetWorkflowRuns";

/// The run of an attempt, or of the newest attempt.
#[derive(Clone, Copy, Debug)]
pub struct OfAttempt<'a> {
    /// The run property that carries keys.
    pub property: &'a str,
    /// What the keys of all attempts begin with.
    pub base: &'a str,
    /// The number of the attempt; `None` for the newest.
    pub number: Option<u32>,
}

impl OfAttempt<'_> {
    /// The number of the attempt that the key of a run names.
    fn key_number(self, run: &WorkflowRun) -> Option<u32> {
        let (base, number) = parse_attempt_key(run.properties.get(self.property)?)?;
        (base == self.base).then_some(number)
    }
}

/// The run of `workflow` that is `wanted`, without those that `is_recorded` accepts, among those that Glue shows as started
/// at `since` or later. `urgency` is the priority of the calls.
///
/// # Errors
///
/// Glue refuses or does not answer, or more runs were started since `since` than a search reads, and `wanted` is not among
/// them. Then nothing is known.
pub async fn find(
    client: &Glue,
    workflow: &str,
    wanted: OfAttempt<'_>,
    since: Option<Timestamp>,
    urgency: Priority,
    is_recorded: impl Fn(&str) -> bool,
) -> Result<Option<WorkflowRunItem>, Error> {
    let read = async |token| client.workflow_runs(workflow, PAGE_SIZE, token, urgency).await;
    find_in(read, workflow, wanted, since, is_recorded).await
}

/// The runs of `workflow` whose `PreviousRunId` is `before`, newest first.
///
/// # Errors
///
/// Glue refuses or does not answer, or more runs were started after `before` than a search reads. Then nothing is known.
pub async fn followers(
    client: &Glue,
    workflow: &str,
    before: &str,
    urgency: Priority,
) -> Result<Vec<WorkflowRun>, Error> {
    let mut found = Vec::new();
    let read = async |token| client.workflow_runs(workflow, PAGE_SIZE, token, urgency).await;
    let object = object(workflow);
    let is_complete = read_until(OPERATION, &object, read, |runs| {
        let is_there = runs.iter().any(|run| run.id == before);
        found.extend(runs.into_iter().filter(|run| run.previous.as_deref() == Some(before)));
        is_there
    });
    if is_complete.await? {
        return Ok(found);
    }
    Err(Error::too_many_newer_runs(OPERATION, object))
}

/// See [`find`]. `read` reads a page.
pub(crate) async fn find_in<F>(
    read: impl Fn(Option<String>) -> F,
    workflow: &str,
    wanted: OfAttempt<'_>,
    since: Option<Timestamp>,
    is_recorded: impl Fn(&str) -> bool,
) -> Result<Option<WorkflowRunItem>, Error>
where
    F: Future<Output = Result<Page<WorkflowRun>, Error>>,
{
    let mut own: Vec<WorkflowRun> = Vec::new();
    // The run before the oldest own one: it may be of the same attempt.
    let mut awaited: Option<String> = None;
    let object = object(workflow);
    let is_complete = read_until(OPERATION, &object, read, |runs| {
        for run in runs {
            if since.is_some_and(|since| run.started_on.is_some_and(|at| at < since)) {
                return true;
            }
            let number = wanted.key_number(&run);
            if number.is_none() {
                if awaited.as_ref() == Some(&run.id) {
                    return true;
                }
                continue;
            }
            let is_wanted = wanted.number.is_none_or(|wanted| number <= Some(wanted));
            if is_wanted && run.previous.is_none() {
                own.push(run);
                return true;
            }
            awaited = run.previous.clone().filter(|_| is_wanted);
            own.push(run);
        }
        false
    });
    let is_complete = is_complete.await?;
    let found = pick(own, wanted, is_recorded);
    if found.is_none() && since.is_some() && !is_complete {
        return Err(Error::too_many_newer_runs(OPERATION, object));
    }
    Ok(found)
}

fn object(workflow: &str) -> String {
    format!("workflow {workflow}")
}

/// The wanted run among `own`, which are newest first.
fn pick(own: Vec<WorkflowRun>, wanted: OfAttempt<'_>, is_recorded: impl Fn(&str) -> bool) -> Option<WorkflowRunItem> {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    for run in own.iter().rev() {
        let after = run.previous.as_ref().and_then(|previous| numbers.get(previous)).map(|number| number + 1);
        if let Some(number) = wanted.key_number(run).max(after) {
            numbers.insert(run.id.clone(), number);
        }
    }
    let others = own.into_iter().filter(|run| !is_recorded(&run.id)).map(|run| {
        let attempt = numbers.get(&run.id).copied();
        WorkflowRunItem { attempt, ..WorkflowRunItem::without_nodes(run) }
    });
    let mut others = others.filter(|item| wanted.number.is_none() || item.attempt == wanted.number);
    let newest = others.next()?;
    Some(others.fold(newest, |newest, item| if item.attempt > newest.attempt { item } else { newest }))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use super::*;
    use crate::glue::workflow_runs::WorkflowRunState;

    const PROPERTY: &str = "kube-glue-run";

    /// A run that started at this second, with this key, and resumes that run.
    fn run(second: i64, key: Option<&str>, previous: Option<i64>) -> WorkflowRun {
        WorkflowRun {
            previous: previous.map(|previous| format!("wr_{previous}")),
            properties: key.map(|key| (PROPERTY.to_owned(), key.to_owned())).into_iter().collect::<BTreeMap<_, _>>(),
            started_on: Timestamp::from_second(second).ok(),
            ..WorkflowRun::fixture(&format!("wr_{second}"), WorkflowRunState::Running)
        }
    }

    /// The id and the attempt of what a search among `runs`, newest first, finds in pages of two, and how many it reads.
    async fn search(
        runs: &[WorkflowRun],
        number: Option<u32>,
        since: Option<i64>,
        recorded: &str,
    ) -> (Option<(String, u32)>, usize) {
        let pages = Mutex::new(0);
        let read = async |token: Option<String>| {
            let first: usize = token.map_or(0, |token| token.parse().expect("a number"));
            *pages.lock().expect("no panic") += 1;
            let end = (first + 2).min(runs.len());
            Ok(Page { items: runs[first..end].to_vec(), next: (end < runs.len()).then(|| end.to_string()) })
        };
        let since = since.and_then(|since| Timestamp::from_second(since).ok());
        let wanted = OfAttempt { property: PROPERTY, base: "uid", number };
        let found = find_in(read, "daily", wanted, since, |id| id == recorded).await.expect("an answer");
        (found.and_then(|item| Some((item.run.id, item.attempt?))), pages.into_inner().expect("no panic"))
    }

    #[tokio::test]
    async fn a_run_is_found_by_its_key_and_one_that_resumes_it_counts_as_the_next_attempt() {
        let found = |id: &str, attempt| Some((id.to_owned(), attempt));
        // Attempt 0, resumed, then started as a whole; with runs of others between, whose previous run is any.
        let all = [
            run(9, Some("other/7"), Some(8)),
            run(8, None, Some(7)),
            run(7, Some("uid/2"), Some(6)),
            run(6, None, Some(5)),
            run(5, Some("uid/0"), Some(3)),
            run(3, Some("uid/0"), None),
            run(1, Some("other/1"), None),
        ];
        assert_eq!(search(&all, None, None, "").await, (found("wr_7", 2), 2));
        assert_eq!(search(&all[3..], None, None, "").await, (found("wr_5", 1), 2));
        assert_eq!(search(&all[3..], None, None, "wr_5").await.0, found("wr_3", 0));
        assert_eq!(search(&all, Some(0), None, "").await.0, found("wr_3", 0));
        assert_eq!(search(&all, Some(1), None, "").await.0, found("wr_5", 1));
        assert_eq!(search(&all, Some(4), Some(2), "").await.0, None);
        assert_eq!(search(&all[..2], None, None, "").await, (None, 1));
        assert_eq!(search(&[], None, None, "").await, (None, 1));
    }
}
