//! How a run lives, as the [`shell`](crate::controllers::runtime::reconciler) asks for it: facts in, steps out.

use std::time::Duration;

use jiff::Timestamp;
use tracing::info;

use super::facts::{
    BaselineRead, CrawlerActivity, Facts, Lookup, Observation, ObservedRun, PassState, RunPass, StartOutcome,
};
use super::kind::{BaselineReading, RunKind};
use super::local_state::RunLocalState;
use super::plan::plan;
use super::step::{Call, RunQuery};
use super::{concurrency, events, step};
use crate::api::run::{Baseline, Phase, RunStatus};
use crate::controllers::runtime::context::{QueueKey, name_of};
use crate::controllers::runtime::kind::Item;
use crate::controllers::runtime::lifecycle::Lifecycle;
use crate::controllers::runtime::pass::Pass;
use crate::controllers::runtime::patch;
use crate::controllers::runtime::step::Plan;
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;
use crate::glue::poller::{self, Report};

/// The longest pause of the one that is first in line for a place. Glue frees a place some seconds after a
/// run's end and tells nobody.
const ASK_FOR_A_PLACE: Duration = Duration::from_secs(15);

/// The life of a run.
pub struct RunLifecycle;

impl<K: RunKind> Lifecycle<K> for RunLifecycle {
    type Call = Call;

    fn begin(object: &K, memory: &mut RunLocalState) -> RunPass<K> {
        // Takes note of the intent first: an outcome belongs to one intent only.
        memory.open_for(&run_status(object));
        let had_earlier_attempt = patch::has_finalizer(object.meta()) || memory.attempted();
        RunPass {
            state: PassState { had_earlier_attempt, outcome: memory.outcome(), ..PassState::default() },
            item: None,
        }
    }

    fn is_finished(object: &K) -> bool {
        phase(object).is_some_and(Phase::is_final)
    }

    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Call> {
        let step::Plan { status, step } = decide(pass);
        Plan { status: pass.object.render(pass.client(), status, pass.state.item.as_ref()), step }
    }

    fn records_intent(before: Option<&K::Status>, after: &K::Status) -> bool {
        let before = before.map(K::run_status).cloned().unwrap_or_default();
        PassState::records_intent(&before, K::run_status(after))
    }

    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>) {
        let before = before.map(K::run_status).cloned().unwrap_or_default();
        let after = run_status(&pass.object);
        pass.state.state.on_status_written(&before, &after);
        let is_known = |status: &RunStatus| status.attempt().is_some_and(|attempt| attempt.id.is_some());
        if is_known(&after) && !is_known(&before) {
            pass.context.leave_queue(&pass.reference);
        }
        tell(pass, &before, &after);
    }

    fn is_non_idempotent(act: &Call) -> bool {
        *act == Call::Start
    }

    async fn act(pass: &mut Pass<'_, K>, act: Call) {
        match act {
            Call::LookUp(query) => look_up(pass, &query).await,
            Call::ReadBaseline { baseline } => read_baseline(pass, baseline.as_ref()).await,
            Call::Start => start(pass).await,
            Call::Stop(id) => stop(pass, &id).await,
        }
    }

    fn on_idle(pass: &Pass<'_, K>) {
        let phase = phase(&pass.object).unwrap_or_default();
        if phase.is_final() {
            pass.context.let_go(&pass.object);
        } else if phase == Phase::Suspended {
            pass.context.leave_queue(&pass.reference);
            pass.context.poller.forget(&pass.reference);
        }
    }

    fn left_behind(run: &str) -> String {
        format!("{} {run} could not be stopped in Glue: stop it by hand", K::NOUN)
    }
}

/// The shared part of the status as the object has it by now.
fn run_status<K: RunKind>(object: &K) -> RunStatus {
    let unobserved = || RunStatus { observed_generation: -1, ..RunStatus::default() };
    object.status().map_or_else(unobserved, |status| K::run_status(status).clone())
}

fn phase<K: RunKind>(object: &K) -> Option<Phase> {
    object.status().and_then(|status| K::run_status(status).phase)
}

fn place<K: RunKind>(pass: &Pass<'_, K>) -> Option<QueueKey> {
    pass.place(pass.object.target())
}

/// Gathers the facts and decides.
fn decide<K: RunKind>(pass: &mut Pass<'_, K>) -> step::Plan {
    let status = run_status(&pass.object);
    let report = report(pass, &status);
    let waiting = status.attempt().filter(|attempt| concurrency::is_waiting(attempt));
    let activity = waiting.map_or(CrawlerActivity::Unchanged, |waiting| match &report.observation {
        None => CrawlerActivity::Unchanged,
        Some(poller::Observation::Present(item)) => K::activity(item, &waiting.baseline.clone().unwrap_or_default()),
        Some(poller::Observation::NotFound) => CrawlerActivity::Idle,
    });
    let observation = report.observation.and_then(|observation| match observation {
        poller::Observation::Present(item) => sees(pass, item).map(Observation::Present),
        poller::Observation::NotFound => Some(Observation::NotFound),
    });
    let live_id = status.attempt().and_then(|attempt| attempt.id.clone()).unwrap_or_default();
    let shared = pass.context.poller.other_subscribers(&pass.reference) > 0;
    let (open_for, rest, stop_sent) = pass.with_local(|local| {
        (local.kind_state.open_for(&status), local.backoff.remaining(), local.kind_state.stop_sent(&live_id))
    });
    let (created, name) = (pass.created(), name_of(&pass.reference));
    let behind = place(pass).is_some_and(|place| {
        if waiting.is_some() {
            // A restart has forgotten the lines; the objects have not.
            pass.context.queues.join(&place, created, &name);
        }
        pass.context.queues.is_behind(&place, created, &name)
    });
    let settings = &pass.context.shared.settings;
    plan(&Facts {
        now: time::now(),
        meta: pass.object.meta(),
        policy: pass.object.policy(),
        noun: K::NOUN,
        concurrency: pass.object.concurrency(),
        follow: pass.object.follow(),
        status: &status,
        leading: pass.context.shared.leadership.holds(),
        blocked: pass.blocked().cloned(),
        unprepared: pass.unprepared().cloned(),
        state: &pass.state.state,
        fresh_intent: pass.fresh_intent,
        open_for,
        settle: settings.start_settle,
        rest,
        behind,
        activity,
        shared,
        observation,
        poll_problem: report.error.as_deref().map(|error| pass.explain(error)),
        stop_sent,
        deletion_timeout: settings.deletion_timeout,
    })
}

/// Takes in a run as Glue shows it, without the secrets that it may show.
fn sees<K: RunKind>(pass: &mut Pass<'_, K>, item: Item<K>) -> Option<ObservedRun> {
    let item = pass.object.redact(item, pass.inputs());
    let observed = K::observe(&item)?;
    pass.state.item = Some(item);
    Some(observed)
}

/// What the poller knows of the live run, or of what is waited for; asking makes the poller watch it.
fn report<K: RunKind>(pass: &Pass<'_, K>, status: &RunStatus) -> Report<Item<K>> {
    let nothing = Report { observation: None, error: None };
    let over = status.phase.is_some_and(Phase::is_final);
    let Some(attempt) = status.attempt().filter(|attempt| !over && attempt.ended_at.is_none()) else {
        return nothing;
    };
    match (pass.client(), pass.object.poll_id(attempt)) {
        (Some(client), Some(id)) => pass.context.poller.watch(&pass.object.source(client), &id, &pass.reference),
        _ => nothing,
    }
}

/// Events, logs and metrics of a transition: all in one place, around the decision.
fn tell<K: RunKind>(pass: &Pass<'_, K>, before: &RunStatus, after: &RunStatus) {
    let Some(event) = events::of_transition(before, after) else {
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
    match event.reason.as_str() {
        "Started" => {
            metrics.run_started(K::KIND, time::since(Timestamp::now(), pass.created()));
        }
        "Adopted" => metrics.run_adopted(K::KIND),
        _ => {}
    }
    let over = after.phase.is_some_and(Phase::is_final);
    if let Some(ended_on) = pass.state.item.as_ref().filter(|_| over).and_then(K::ended_on) {
        metrics.status_caught_up(K::KIND, time::since(Timestamp::now(), ended_on));
    }
    pass.tell(event);
    metrics.live_runs(K::KIND, pass.context.poller.live());
}

/// Sees what is there before a start; who asks stands in line from then on.
async fn read_baseline<K: RunKind>(pass: &mut Pass<'_, K>, baseline: Option<&Baseline>) {
    let Some(client) = pass.client().cloned() else { return };
    if let Some(place) = place(pass) {
        pass.context.join_queue(&place, pass.created(), &pass.reference);
    }
    pass.state.state.read_baseline = Some(match pass.object.read_baseline(&client, baseline).await {
        Ok(BaselineReading { busy, newest, live, next }) => {
            let live = live.and_then(|item| sees(pass, item));
            let next = next.and_then(|item| sees(pass, item));
            BaselineRead::Read { busy, newest, live, next }
        }
        Err(error) => BaselineRead::Failed(pass.explain(&error)),
    });
}

async fn look_up<K: RunKind>(pass: &mut Pass<'_, K>, query: &RunQuery) {
    let Some(client) = pass.client().cloned() else { return };
    let status = run_status(&pass.object);
    let known_for = pass.with_local(|local| local.kind_state.open_for(&status));
    pass.state.state.lookup = Some(match pass.object.look_up(&client, query, pass.inputs()).await {
        Ok(found) => found.and_then(|item| sees(pass, item)).map_or(Lookup::NotFound { known_for }, Lookup::Found),
        Err(error) => Lookup::Failed(pass.explain(&error)),
    });
}

async fn start<K: RunKind>(pass: &mut Pass<'_, K>) {
    let status = run_status(&pass.object);
    let (Some(client), Some(inputs), Some(attempt)) = (pass.client().cloned(), pass.inputs(), status.attempt()) else {
        return;
    };
    let outcome = match pass.object.start(&client, &attempt.key, inputs).await {
        Ok(Some(id)) => StartOutcome::Started(id),
        Ok(None) => StartOutcome::Accepted,
        Err(error) if error.kind.is_definite_failure() => StartOutcome::Refused(pass.explain(&error)),
        Err(error) => StartOutcome::Unclear(pass.explain(&error)),
    };
    pass.fresh_intent = false;
    let takes_turns = pass.object.concurrency().is_some();
    pass.with_local(|local| {
        local.kind_state.answered(&outcome);
        match &outcome {
            StartOutcome::Started(_) | StartOutcome::Accepted => local.backoff.reset(),
            // Who takes concurrency is woken when it is free.
            StartOutcome::Refused(problem) if problem.kind == Some(ErrorKind::Busy) && takes_turns => {}
            StartOutcome::Refused(problem) if problem.kind == Some(ErrorKind::Busy) => {
                local.backoff.delay(ASK_FOR_A_PLACE);
            }
            StartOutcome::Refused(_) => local.backoff.delay(Duration::MAX),
            StartOutcome::Unclear(_) => {}
        }
    });
    match &outcome {
        StartOutcome::Refused(problem) if problem.kind == Some(ErrorKind::Busy) => {
            if let Some(place) = place(pass) {
                pass.context.join_queue(&place, pass.created(), &pass.reference);
            }
        }
        StartOutcome::Started(_) => pass.context.leave_queue(&pass.reference),
        StartOutcome::Refused(_) | StartOutcome::Unclear(_) | StartOutcome::Accepted => {}
    }
    pass.state.state.answered(outcome);
}

async fn stop<K: RunKind>(pass: &mut Pass<'_, K>, id: &str) {
    let Some(client) = pass.client().cloned() else { return };
    match pass.object.stop(&client, id).await {
        Ok(()) => pass.with_local(|local| local.kind_state.stop_accepted(id)),
        Err(error) => pass.state.state.stop_problem = Some(pass.explain(&error)),
    }
}
