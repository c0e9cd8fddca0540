//! The lifecycle of a run, as the [`reconciler`](crate::controllers::runtime::reconciler) uses it: gathers the facts, and
//! makes the calls that the plan asks for.

use std::time::Duration;

use jiff::Timestamp;
use kube::runtime::reflector::ObjectRef;
use tokio::time::Instant;
use tracing::info;

use super::calls::{self, Call};
use super::concurrency::is_waiting;
use super::conditions::ready_reason;
use super::facts::{CrawlerActivity, Facts, Observation, ObservedRun, PassState, RunPass, shared_key};
use super::kind::{Identification, RunKind};
use super::local_state::RunLocalState;
use super::waiting::waits_for;
use super::{cleanup, events, lineage, plan, reads, resume, sharing, status, waiting};
use crate::api::run::{Attempt, Phase, RunStatus};
use crate::controllers::runtime::context::{Context, QueueKey, created, name_of};
use crate::controllers::runtime::events::of_reason;
use crate::controllers::runtime::kind::Item;
use crate::controllers::runtime::lifecycle::{Earlier, Lifecycle};
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::{Cause, Turn};
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Intent, IntentId, StartOutcome, StartState, records_intent};
use crate::controllers::runtime::step::Plan;
use crate::controllers::runtime::time;
use crate::glue::poller::{self, Report};
use crate::lineage::run::RunSight;

/// The longest pause before a stop that AWS refused is sent again: somebody waits for it.
pub const STOP_REFUSED: Duration = Duration::from_secs(15);

/// The lifecycle of a run.
pub struct RunLifecycle;

impl<K: RunKind> Lifecycle<K> for RunLifecycle {
    type Call = Call;

    fn on_applied(context: &Context<K>, object: &K, listed: bool) {
        // Every object of a list comes here: its status is not copied.
        let unobserved = RunStatus::unobserved();
        let status = object.status().map_or(&unobserved, K::run_status);
        let reference = ObjectRef::from_obj(object);
        let name = name_of(&reference);
        context.with_shared_runs(|runs| runs.set(&name, sharing::need(object, status)));
        if is_over(object) {
            context.with_queues(|queues| queues.remove(&name));
            return;
        }
        context.with_queues(|queues| {
            let woken = queues.register(created(object), &name);
            if listed && waits_for(status).is_some() {
                queues.expect(object.target(), &name);
            }
            woken
        });
        let is_open = status.attempt().is_some_and(Attempt::is_open);
        if let Some(key) = shared_key(object.meta(), object.policy()).filter(|_| listed && is_open) {
            let _ = context.acquire_key(&key, created(object), &reference);
        }
    }

    fn begin_pass(object: &K, local: &mut RunLocalState, earlier: Earlier<'_>) -> RunPass<K> {
        let now = Instant::now();
        local.observe(&run_status(object), now);
        let (had_earlier_attempt, lost_for) = (earlier.trace || local.had_attempt(), local.lost_for(now));
        let start = StartState::resume(earlier.outcome);
        let observed = PassState { had_earlier_attempt, lost_for, start, ..PassState::default() };
        RunPass { observed, item: None }
    }

    fn is_finished(object: &K) -> bool {
        is_over(object)
    }

    fn is_done(object: &K) -> bool {
        Self::is_finished(object) && cleanup::is_clean(object.meta(), object.policy(), observed_generation(object))
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
            Call::LookUp(query) => reads::look_up(pass, &query).await,
            Call::ReadBaseline { recorded } => reads::read_baseline(pass, recorded.as_ref()).await,
            Call::ReadResumable { run } => reads::read_resumable(pass, &run).await,
            Call::CheckPlace => reads::check_place(pass).await,
            Call::Start => start(pass).await,
            Call::Stop(id) => stop(pass, &id).await,
        }
    }

    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let before = before.map(K::run_status).cloned().unwrap_or_default();
        let after = run_status(&pass.object);
        let is_intent = records_intent(intent(&before).as_ref(), intent(&after).as_ref());
        pass.state.observed.on_status_written(&before, &after, is_intent);
        let name = name_of(&pass.reference);
        pass.context.with_shared_runs(|runs| runs.set(&name, sharing::need(&pass.object, &after)));
        let live = |status: &RunStatus| status.attempt().filter(|last| last.ended_at.is_none())?.id.clone();
        if live(&before).is_some()
            && live(&after).is_none()
            && let Some(key) = queue_key(pass)
        {
            pass.context.with_queues(|queues| queues.freed(&key, Instant::now()));
        }
        if let Some((reason, note)) = events::begins(&before, &after).then(|| pass.object.warning()).flatten() {
            pass.publish(of_reason(reason, note, reason.as_str()));
        }
        publish(pass, &before, &after);
        request_log(pass, &before, &after);
    }

    fn report(object: &K, problem: &Problem) -> Option<K::Status> {
        let run = status::report(object.meta(), object.policy(), &run_status(object), problem, time::now())?;
        Some(object.render(None, run, None))
    }

    fn runs(pass: &Pass<'_, K>) -> Vec<RunSight> {
        lineage::runs(&pass.object, pass.state.item.as_ref())
    }

    fn has_ended(status: &K::Status, run: &str) -> bool {
        lineage::has_ended(K::run_status(status), run) || K::has_ended(status, run)
    }

    fn on_idle(pass: &Pass<'_, K>) {
        if is_over(&pass.object) {
            pass.context.release(&pass.object);
        } else if phase(&pass.object) == Some(Phase::Suspended) {
            pass.context.poller.forget(&pass.reference);
        }
    }

    fn on_pass_end(pass: &Pass<'_, K>, succeeded: bool) {
        let status = run_status(&pass.object);
        // An object that the API server refuses to write does not keep the others waiting.
        let place = waiting::place(&status, turn(pass, &status));
        let waits = place.filter(|_| succeeded && pass.object.meta().deletion_timestamp.is_none());
        let (key, name) = (queue_key(pass), name_of(&pass.reference));
        pass.context.with_queues(|queues| queues.settle(&name, key.as_ref().zip(waits), Instant::now()));
        let waits_for_key = ready_reason(&status) == Some(Reason::KeyInUse);
        if !waits_for_key && !status.attempt().is_some_and(Attempt::is_open) {
            pass.context.leave_key(&pass.reference);
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
pub(super) fn run_status<K: RunKind>(object: &K) -> RunStatus {
    object.status().map_or_else(RunStatus::unobserved, |status| K::run_status(status).clone())
}

fn observed_generation<K: RunKind>(object: &K) -> Option<i64> {
    object.status().map(|status| K::run_status(status).observed_generation)
}

fn phase<K: RunKind>(object: &K) -> Option<Phase> {
    object.status().and_then(|status| K::run_status(status).phase)
}

/// Whether the run has ended, and the spec asks for nothing more.
fn is_over<K: RunKind>(object: &K) -> bool {
    phase(object).is_some_and(Phase::is_final) && !asks_to_resume(object)
}

/// Whether the spec asks to resume the run that has ended.
pub(crate) fn asks_to_resume<K: RunKind>(object: &K) -> bool {
    object.status().is_some_and(|status| resume::is_requested(K::run_status(status), object.resume()))
}

pub(super) fn queue_key<K: RunKind>(pass: &Pass<'_, K>) -> Option<QueueKey> {
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
    let is_foreign = is_foreign(pass, &status);
    let turn = turn(pass, &status);
    let live_id = status.attempt().and_then(|attempt| attempt.id.clone()).unwrap_or_default();
    let (id_age, stop_sent) = pass.with_local(|local| {
        local.kind_state.observe(&status, Instant::now());
        (local.kind_state.id_age(), local.kind_state.stop_sent(&live_id))
    });
    plan::plan(&Facts {
        common: pass.common_facts(report.error.as_deref()),
        policy: pass.object.policy(),
        noun: K::NOUN,
        target: K::TARGET,
        concurrency: K::Identification::concurrency(&pass.object),
        follow: pass.object.follow(),
        resume: pass.object.resume(),
        status: &status,
        state: &pass.state.observed,
        activity,
        carries_key: pass.client().is_some_and(K::carries_key),
        turn,
        refusal: refusal(pass, turn),
        shared: pass.context.with_shared_runs(|runs| runs.is_needed_by_others(&live_id, &name_of(&pass.reference))),
        is_foreign,
        id_age,
        observation,
        stop_sent,
    })
}

/// Whether the live run belongs to another namespace.
fn is_foreign<K: RunKind>(pass: &Pass<'_, K>, status: &RunStatus) -> bool {
    let Some(id) = status.attempt().and_then(|attempt| attempt.id.as_deref()) else { return false };
    let namespace = name_of(&pass.reference).0;
    let started_for = pass.state.item.as_ref().and_then(K::started_for);
    started_for.is_some_and(|started_for| started_for != namespace)
        || pass.context.with_shared_runs(|runs| runs.has_owner(id, |(owner, _)| *owner != namespace))
}

/// Whether the object may try to start now.
fn turn<K: RunKind>(pass: &Pass<'_, K>, status: &RunStatus) -> Turn {
    let (recorded, name, now) = (waits_for(status), name_of(&pass.reference), Instant::now());
    let turn = |key: QueueKey| pass.context.queues(|queues| queues.turn(&key, &name, recorded, now));
    queue_key(pass).map_or(Turn::Now, turn)
}

/// What AWS answered to the start of another object that waits for the same cause.
fn refusal<K: RunKind>(pass: &Pass<'_, K>, turn: Turn) -> Option<Problem> {
    let (Turn::Behind(cause) | Turn::After(cause, _)) = turn else { return None };
    let key = queue_key(pass)?;
    pass.context.queues(|queues| queues.refusal(&key, cause).map(|error| pass.explain(error)))
}

/// Keeps a run as Glue shows it, without the secret values that it may show.
pub(super) fn observe<K: RunKind>(pass: &mut Pass<'_, K>, mut item: Item<K>) -> Option<ObservedRun> {
    let redactor = pass.redactor(pass.object.given(&item));
    for words in K::words(&mut item) {
        *words = redactor.redact(words);
    }
    K::clear_names(&mut item, |name| redactor.redact(name) == name);
    let observed = pass.object.observe(&item)?;
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
    if let Some(phase) = after.phase.filter(|_| over && !before.phase.is_some_and(Phase::is_final)) {
        metrics.run_ended(K::KIND, phase.as_str(), reason.as_str());
    }
    if let Some(ended_on) = pass.state.item.as_ref().filter(|_| over).and_then(K::ended_on) {
        metrics.status_caught_up(K::KIND, time::since(Timestamp::now(), ended_on));
    }
    pass.publish(event);
    metrics.live_runs(K::KIND, pass.context.poller.live());
}

/// Has the log read of a run that has just failed.
fn request_log<K: RunKind>(pass: &Pass<'_, K>, before: &RunStatus, after: &RunStatus) {
    let failed = |status: &RunStatus| status.phase.is_some_and(Phase::is_failure);
    if failed(before) || !failed(after) {
        return;
    }
    let (Some(client), Some(item)) = (pass.client(), pass.state.item.as_ref()) else { return };
    // A deadline may end an object without a run, or after one that somebody stopped.
    let is_own = |run: &ObservedRun| after.attempt().is_some_and(|last| last.id.as_ref() == Some(&run.id));
    if !pass.object.observe(item).is_some_and(|run| run.phase.is_failure() && is_own(&run)) {
        return;
    }
    let Some(source) = K::failure_source(item) else { return };
    let redactor = pass.redactor(pass.object.given(item));
    pass.request_failure_log(client.clone(), source, redactor);
}

async fn start<K: RunKind>(pass: &mut Pass<'_, K>) {
    let status = run_status(&pass.object);
    let (Some(client), Some(inputs), Some(attempt)) = (pass.client().cloned(), pass.inputs(), status.attempt()) else {
        return;
    };
    let answer = pass.object.start(&client, attempt, inputs).await;
    // Other objects that wait for the same cause show the error as well.
    let answer = answer.map_err(|error| error.redacted(&pass.redactor(Ok(Vec::new()))));
    let error = answer.as_ref().err().cloned();
    let outcome = StartOutcome::of(answer, |error| pass.explain(error));
    pass.record_outcome(&outcome);
    let cause = match &outcome {
        StartOutcome::Rejected(problem) => problem.kind.and_then(Cause::of),
        StartOutcome::Started(_) | StartOutcome::Accepted | StartOutcome::Unconfirmed(_) => None,
    };
    pass.with_local(|local| match &outcome {
        StartOutcome::Started(_) | StartOutcome::Accepted => local.backoff.reset(),
        // The queue has the pause.
        StartOutcome::Rejected(_) if cause.is_some() => {}
        StartOutcome::Rejected(_) => local.backoff.delay(Duration::MAX),
        StartOutcome::Unconfirmed(_) => {}
    });
    if let Some(key) = queue_key(pass) {
        let (name, now) = (name_of(&pass.reference), Instant::now());
        // The poller requeues an object that waits for a crawler when the crawler is idle.
        let is_notified = K::Identification::concurrency(&pass.object).is_some();
        pass.context.with_queues(|queues| match (&outcome, cause) {
            (StartOutcome::Started(_) | StartOutcome::Accepted, _) => queues.succeeded(&key, &name, now),
            (StartOutcome::Rejected(_), Some(cause)) => {
                let woken = queues.refused(&key, cause, &name, is_notified && cause == Cause::ConcurrentRuns, now);
                if let Some(error) = error {
                    queues.record_refusal(&key, cause, error);
                }
                woken
            }
            (StartOutcome::Rejected(_) | StartOutcome::Unconfirmed(_), _) => Vec::new(),
        });
    }
    pass.state.observed.start.on_sent(outcome);
    pass.state.observed.snapshot = None;
}

async fn stop<K: RunKind>(pass: &mut Pass<'_, K>, id: &str) {
    let Some(client) = pass.client().cloned() else { return };
    match pass.object.stop(&client, id).await {
        Ok(()) => pass.with_local(|local| {
            local.backoff.reset();
            local.kind_state.stop_accepted(id);
        }),
        Err(error) => {
            pass.with_local(|local| local.backoff.delay(STOP_REFUSED));
            pass.state.observed.stop_problem = Some(pass.explain(&error));
        }
    }
}
