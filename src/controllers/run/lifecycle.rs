//! The lifecycle of a run, as the [`reconciler`](crate::controllers::runtime::reconciler) uses it: gathers the facts, and
//! makes the calls that the plan asks for.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::calls::{self, Call, RunQuery};
use super::concurrency::is_waiting;
use super::events;
use super::facts::{CrawlerActivity, CrawlerSnapshot, Facts, Observation, ObservedRun, PassState, RunPass};
use super::kind::{Identification, RunKind};
use super::local_state::RunLocalState;
use super::plan;
use crate::api::run::{Attempt, Baseline, Phase, RunStatus};
use crate::controllers::runtime::context::{QueueKey, name_of};
use crate::controllers::runtime::kind::Item;
use crate::controllers::runtime::lifecycle::Lifecycle;
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Intent, IntentId, Lookup, StartOutcome, StartState, records_intent};
use crate::controllers::runtime::step::Plan;
use crate::controllers::runtime::{patch, time};
use crate::glue::ErrorKind;
use crate::glue::poller::{self, Report};

/// The longest pause before the first object of a queue tries again. Glue frees a run's place some seconds after the
/// run's end and notifies nobody.
const TRY_AGAIN: Duration = Duration::from_secs(15);

/// The lifecycle of a run.
pub struct RunLifecycle;

impl<K: RunKind> Lifecycle<K> for RunLifecycle {
    type Call = Call;

    fn begin_pass(object: &K, local: &mut RunLocalState, outcome: Option<&StartOutcome>) -> RunPass<K> {
        local.observe(&run_status(object));
        let had_earlier_attempt = patch::has_finalizer(object.meta()) || local.had_attempt();
        let observed = PassState { had_earlier_attempt, start: StartState::resume(outcome), ..PassState::default() };
        RunPass { observed, item: None }
    }

    fn is_finished(object: &K) -> bool {
        phase(object).is_some_and(Phase::is_final)
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Call> {
        let Plan { status, step } = decide(pass);
        Plan { status: pass.object.render(pass.client(), status, pass.state.item.as_ref()), step }
    }

    fn intent(status: &K::Status) -> Option<Intent> {
        intent(K::run_status(status))
    }

    fn is_non_idempotent(call: &Call) -> bool {
        *call == Call::Start
    }

    async fn call(pass: &mut Pass<'_, K>, call: Call) {
        match call {
            Call::LookUp(query) => look_up(pass, &query).await,
            Call::ReadBaseline { recorded } => read_baseline(pass, recorded.as_ref()).await,
            Call::Start => start(pass).await,
            Call::Stop(id) => stop(pass, &id).await,
        }
    }

    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let before = before.map(K::run_status).cloned().unwrap_or_default();
        let after = run_status(&pass.object);
        let is_intent = records_intent(intent(&before).as_ref(), intent(&after).as_ref());
        pass.state.observed.on_status_written(&before, &after, is_intent);
        let has_run = |status: &RunStatus| status.attempt().is_some_and(|attempt| attempt.id.is_some());
        if has_run(&after) && !has_run(&before) {
            pass.context.leave_queue(&pass.reference);
        }
        publish(pass, &before, &after);
    }

    fn on_idle(pass: &Pass<'_, K>) {
        let phase = phase(&pass.object).unwrap_or_default();
        if phase.is_final() {
            pass.context.release(&pass.object);
        } else if phase == Phase::Suspended {
            pass.context.leave_queue(&pass.reference);
            pass.context.poller.forget(&pass.reference);
        }
    }

    fn describe_left_behind(run: &str) -> String {
        format!("{} {run} could not be stopped in Glue: stop it by hand", K::NOUN)
    }
}

/// The intent of a status: that of the current attempt, while its outcome is not recorded.
pub(crate) fn intent(status: &RunStatus) -> Option<Intent> {
    let open = status.attempt().filter(|attempt| attempt.is_open())?;
    Some(Intent { id: IntentId::new(open.number, &open.key, &open.intended_at), open: true })
}

/// The shared part of the status as the object has it.
fn run_status<K: RunKind>(object: &K) -> RunStatus {
    object.status().map_or_else(RunStatus::unobserved, |status| K::run_status(status).clone())
}

fn phase<K: RunKind>(object: &K) -> Option<Phase> {
    object.status().and_then(|status| K::run_status(status).phase)
}

fn queue_key<K: RunKind>(pass: &Pass<'_, K>) -> Option<QueueKey> {
    pass.queue_key(pass.object.target())
}

/// Gathers the facts and decides.
fn decide<K: RunKind>(pass: &mut Pass<'_, K>) -> calls::Plan {
    let status = run_status(&pass.object);
    let report = report(pass, &status);
    let waiting = status.attempt().filter(|attempt| is_waiting(attempt));
    let activity = waiting.map_or(CrawlerActivity::Unchanged, |waiting| match &report.observation {
        None => CrawlerActivity::Unchanged,
        Some(poller::Observation::Present(item)) => {
            K::Identification::activity(item, &waiting.baseline.clone().unwrap_or_default())
        }
        Some(poller::Observation::NotFound) => CrawlerActivity::Idle,
    });
    let observation = report.observation.and_then(|observation| match observation {
        poller::Observation::Present(item) => observe(pass, item).map(Observation::Present),
        poller::Observation::NotFound => Some(Observation::NotFound),
    });
    let behind = is_behind(pass, waiting);
    let live_id = status.attempt().and_then(|attempt| attempt.id.clone()).unwrap_or_default();
    let stop_sent = pass.with_local(|local| {
        local.kind_state.observe(&status);
        local.kind_state.stop_sent(&live_id)
    });
    plan::plan(&Facts {
        common: pass.common_facts(report.error.as_deref(), behind),
        policy: pass.object.policy(),
        noun: K::NOUN,
        concurrency: K::Identification::concurrency(&pass.object),
        follow: pass.object.follow(),
        status: &status,
        state: &pass.state.observed,
        activity,
        shared: pass.context.poller.other_subscribers(&pass.reference) > 0,
        observation,
        stop_sent,
    })
}

/// Whether older objects wait for the same target. An object whose status records a wait is in the queue, also after a
/// restart.
fn is_behind<K: RunKind>(pass: &Pass<'_, K>, waiting: Option<&Attempt>) -> bool {
    let (created, name) = (pass.created(), name_of(&pass.reference));
    queue_key(pass).is_some_and(|key| {
        if waiting.is_some() {
            pass.context.queues.join(&key, created, &name);
        }
        pass.context.queues.is_behind(&key, created, &name)
    })
}

/// Keeps a run as Glue shows it, without the secret values that it may show.
fn observe<K: RunKind>(pass: &mut Pass<'_, K>, item: Item<K>) -> Option<ObservedRun> {
    let item = pass.object.redact(item, pass.inputs());
    let observed = K::observe(&item)?;
    pass.state.item = Some(item);
    Some(observed)
}

/// What the poller knows of the live run, or of the crawler that the object waits for. Asking subscribes the object.
fn report<K: RunKind>(pass: &Pass<'_, K>, status: &RunStatus) -> Report<Item<K>> {
    let over = status.phase.is_some_and(Phase::is_final);
    let Some(attempt) = status.attempt().filter(|attempt| !over && attempt.ended_at.is_none()) else {
        return Report::default();
    };
    match (pass.client(), pass.object.poll_id(attempt)) {
        (Some(client), Some(id)) => pass.context.poller.watch(&pass.object.source(client), &id, &pass.reference),
        _ => Report::default(),
    }
}

/// The Event, log line and metrics of a transition.
fn publish<K: RunKind>(pass: &Pass<'_, K>, before: &RunStatus, after: &RunStatus) {
    let Some((reason, event)) = events::of_transition(before, after) else {
        return;
    };
    info!(
        kind = K::KIND,
        namespace = pass.reference.namespace,
        name = pass.reference.name,
        phase = ?after.phase.unwrap_or_default(),
        reason = event.reason,
        run = after.attempt().and_then(|attempt| attempt.id.as_deref()),
        "{}",
        event.note.as_deref().unwrap_or_default()
    );
    let metrics = &pass.context.shared.metrics;
    match reason {
        Reason::Started => metrics.run_started(K::KIND, time::since(Timestamp::now(), pass.created())),
        Reason::Adopted => metrics.run_adopted(K::KIND),
        _ => {}
    }
    let over = after.phase.is_some_and(Phase::is_final);
    if let Some(ended_on) = pass.state.item.as_ref().filter(|_| over).and_then(K::ended_on) {
        metrics.status_caught_up(K::KIND, time::since(Timestamp::now(), ended_on));
    }
    pass.publish(event);
    metrics.live_runs(K::KIND, pass.context.poller.live());
}

/// Reads what exists before a start that carries no key. The object joins the queue.
async fn read_baseline<K: RunKind>(pass: &mut Pass<'_, K>, recorded: Option<&Baseline>) {
    let Some(client) = pass.client().cloned() else { return };
    join_queue(pass);
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

async fn look_up<K: RunKind>(pass: &mut Pass<'_, K>, query: &RunQuery) {
    let Some(client) = pass.client().cloned() else { return };
    let intent_age = pass.intent_age();
    let lookup = match pass.object.look_up(&client, query, pass.inputs()).await {
        Ok(found) => found.and_then(|item| observe(pass, item)).map_or(Lookup::NotFound { intent_age }, Lookup::Found),
        Err(error) => Lookup::Failed(pass.explain(&error)),
    };
    pass.state.observed.start.lookup = Some(lookup);
}

async fn start<K: RunKind>(pass: &mut Pass<'_, K>) {
    let status = run_status(&pass.object);
    let (Some(client), Some(inputs), Some(attempt)) = (pass.client().cloned(), pass.inputs(), status.attempt()) else {
        return;
    };
    let answer = pass.object.start(&client, &attempt.key, inputs).await;
    let outcome = StartOutcome::of(answer, |error| pass.explain(error));
    pass.record_outcome(&outcome);
    let is_keyless = K::Identification::concurrency(&pass.object).is_some();
    pass.with_local(|local| match &outcome {
        StartOutcome::Started(_) | StartOutcome::Accepted => local.backoff.reset(),
        // The poller requeues an object that waits for a crawler when the crawler is idle.
        StartOutcome::Rejected(problem) if problem.kind == Some(ErrorKind::Busy) && is_keyless => {}
        StartOutcome::Rejected(problem) if problem.kind == Some(ErrorKind::Busy) => local.backoff.delay(TRY_AGAIN),
        StartOutcome::Rejected(_) => local.backoff.delay(Duration::MAX),
        StartOutcome::Unconfirmed(_) => {}
    });
    match &outcome {
        StartOutcome::Rejected(problem) if problem.kind == Some(ErrorKind::Busy) => join_queue(pass),
        StartOutcome::Started(_) => pass.context.leave_queue(&pass.reference),
        StartOutcome::Rejected(_) | StartOutcome::Unconfirmed(_) | StartOutcome::Accepted => {}
    }
    pass.state.observed.start.on_sent(outcome);
    pass.state.observed.snapshot = None;
}

fn join_queue<K: RunKind>(pass: &Pass<'_, K>) {
    if let Some(key) = queue_key(pass) {
        pass.context.join_queue(&key, pass.created(), &pass.reference);
    }
}

async fn stop<K: RunKind>(pass: &mut Pass<'_, K>, id: &str) {
    let Some(client) = pass.client().cloned() else { return };
    match pass.object.stop(&client, id).await {
        Ok(()) => pass.with_local(|local| local.kind_state.stop_accepted(id)),
        Err(error) => pass.state.observed.stop_problem = Some(pass.explain(&error)),
    }
}
