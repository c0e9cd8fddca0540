//! What is read of Glue before a start, as the plan asks for it.

use std::time::Duration;

use tokio::time::Instant;

use super::facts::{CrawlerSnapshot, Resumable};
use super::kind::{Identification, RunKind};
use super::lifecycle::{observe, queue_key};
use crate::api::run::Baseline;
use crate::controllers::runtime::context::name_of;
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::queue::Cause;

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
