//! What is read of Glue, as the plan asks for it: the run of an attempt, and what exists before a start.

use std::time::Duration;

use tokio::time::Instant;

use super::calls::RunQuery;
use super::facts::{CrawlerSnapshot, ObservedRun, Resumable, shared_key};
use super::kind::{Identification, RunKind};
use super::lifecycle::{observe, queue_key, run_status};
use super::sharing;
use crate::api::run::Baseline;
use crate::controllers::runtime::context::name_of;
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::Cause;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};

/// Looks for the run of an attempt.
pub(super) async fn look_up<K: RunKind>(pass: &mut Pass<'_, K>, query: &RunQuery) {
    let Some(client) = pass.client().cloned() else { return };
    let shared_key = shared_key(pass.object.meta(), pass.object.policy());
    if let Some(key) = &shared_key
        && !pass.context.acquire_key(key, pass.created(), &pass.reference)
    {
        let message = "another object with the same idempotencyKey is starting its run; this one follows it then";
        pass.state.observed.start.lookup = Some(Lookup::Failed(Problem::new(Reason::KeyInUse, message)));
        return;
    }
    let intent_age = pass.intent_age();
    let name = name_of(&pass.reference);
    let is_taken = |id: &str| pass.context.with_shared_runs(|runs| runs.is_needed_by_others(id, &name));
    let lookup = match pass.object.look_up(&client, query, is_taken).await {
        Ok(found) => {
            let found = found.and_then(|item| observe(pass, item));
            let newest = sharing::newest(found, of_other_object(pass, query, shared_key.as_deref()));
            newest.map_or(Lookup::NotFound { intent_age }, Lookup::Found)
        }
        Err(error) => {
            // A start that was refused waits in its queue. Otherwise the status reports the error, which requeues the object.
            let is_refused = matches!(pass.state.observed.start.outcome, Some(StartOutcome::Rejected(_)));
            if !is_refused && pass.object.meta().deletion_timestamp.is_none() {
                pass.with_local(|local| local.backoff.delay(Duration::MAX));
            }
            Lookup::Failed(pass.explain(&error))
        }
    };
    pass.state.observed.start.lookup = Some(lookup);
}

/// The run that another object has recorded for the same key. Glue may not list it yet.
fn of_other_object<K: RunKind>(pass: &Pass<'_, K>, query: &RunQuery, key: Option<&str>) -> Option<ObservedRun> {
    let name = name_of(&pass.reference);
    let attempt = pass.context.with_shared_runs(|runs| runs.attempt_of_others(key?, &name))?;
    let is_known = run_status(&pass.object).attempts.iter().any(|own| own.id.as_deref() == Some(&attempt.1));
    (query.attempt.is_none() && !is_known).then(|| sharing::run_of_other(attempt))
}

/// Sees whether the target may have a free place. If not, the next look is after a pause.
pub(super) async fn check_place<K: RunKind>(pass: &mut Pass<'_, K>) {
    let (Some(client), Some(key)) = (pass.client().cloned(), queue_key(pass)) else { return };
    // When Glue does not answer, the object tries to start.
    let has_place = pass.object.has_place(&client).await.unwrap_or(true);
    if !has_place {
        let (name, now) = (name_of(&pass.reference), Instant::now());
        pass.context.with_queues(|queues| queues.refused(&key, Cause::ConcurrentRuns, &name, false, now));
    }
    pass.state.observed.has_place = Some(has_place);
}

/// Reads what exists before a start that carries no key. The object is in the queue from now on.
pub(super) async fn read_baseline<K: RunKind>(pass: &mut Pass<'_, K>, recorded: Option<&Baseline>) {
    let Some(client) = pass.client().cloned() else { return };
    if let Some(key) = queue_key(pass) {
        let place = Some((&key, Cause::ConcurrentRuns));
        pass.context.with_queues(|queues| queues.settle(&name_of(&pass.reference), place, Instant::now()));
    }
    let snapshot = match K::Identification::snapshot(&pass.object, &client, recorded).await {
        Ok(CrawlerSnapshot { busy, newest, live, next }) => {
            let live = live.and_then(|item| observe(pass, item));
            let next = next.and_then(|item| observe(pass, item));
            Ok(CrawlerSnapshot { busy, newest, live, next })
        }
        Err(error) => Err(pass.explain(&error)),
    };
    pass.state.observed.snapshot = Some(snapshot);
}

/// Reads what there is to resume of a run that has ended.
pub(super) async fn read_resumable<K: RunKind>(pass: &mut Pass<'_, K>, run: &str) {
    let Some(client) = pass.client().cloned() else { return };
    let resumable = match pass.object.resumable(&client, run).await {
        Ok(Resumable { resumed_by, nodes, obstacle }) => {
            let resumed_by = resumed_by.and_then(|item| observe(pass, item));
            Ok(Resumable { resumed_by, nodes, obstacle })
        }
        Err(error) => {
            pass.with_local(|local| local.backoff.delay(Duration::MAX));
            Err(pass.explain(&error))
        }
    };
    pass.state.observed.resumable = Some(resumable);
}
