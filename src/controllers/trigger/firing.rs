//! A trigger of type ON_DEMAND: fired once for each new value of `spec.fire`, in order.
//!
//! The intent of a firing records as its *baseline* the newest run of everything that the trigger starts; what is newer
//! belongs to the firing. Whether it is sent is decided by [`start_once`](crate::controllers::runtime::start_once). The
//! next value waits until the runs of the last firing are known, or were looked for long enough: so each run belongs to
//! one firing.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::calls::Call;
use super::facts::{TriggerFacts, TriggerPlan, state_reason};
use super::local_state::{FIRED_ANNOTATION, FoundRuns};
use super::render::{expected, started_run, targets};
use crate::api::trigger::{
    Activation, Baseline, Firing, GlueTriggerStatus, MAX_EARLIER_FIRINGS, Started, Target, TargetKind,
};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::declared::status::{blocked, keep, report, reports_refusal, unchanged};
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{AnswerRules, Decision, Lookup, OpenIntent, decide};
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time;
use crate::glue::poller::Observation;
use crate::glue::triggers::{RunSummary, Trigger, join_items};

/// How often the runs of a firing are looked up.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);

/// Decides about a trigger of type ON_DEMAND.
pub(super) fn plan(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    if facts.common.has_finalizer() {
        return unchanged(facts, Step::RemoveFinalizer { left_behind: None });
    }
    let status = follow_runs(facts, status);
    if facts.object.spec.state == Some(Activation::Deactivated) {
        let message = format!(
            "trigger {} is of type ON_DEMAND, which is neither activated nor deactivated: remove spec.state",
            facts.object.spec.trigger_name
        );
        let status = report(facts, status, SyncState::Stalled, Reason::StateNotApplicable, &message);
        return Plan { status, step: Step::AwaitChange };
    }
    match status.last_firing.clone() {
        Some(firing) if firing.is_open() => open_intent(facts, status, trigger, firing),
        Some(firing) if firing.rejected_reason.is_some() => next_firing(facts, status, trigger, &firing.value),
        Some(firing) if !firing.runs_resolved => resolve_runs(facts, status, trigger, firing),
        _ => match status.pending_fires.first().cloned() {
            Some(value) => next_firing(facts, status, trigger, &value),
            None => idle(facts, status, trigger),
        },
    }
}

/// The status records an intent and no outcome.
fn open_intent(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger, firing: Firing) -> TriggerPlan {
    let lookup = facts.state.start.lookup.as_ref().map(|lookup| new_runs(&status, lookup));
    let intent = OpenIntent {
        fresh: facts.common.fresh_intent,
        outcome: facts.state.start.outcome.as_ref(),
        lookup: lookup.as_ref(),
        accepted: false,
        // The runs of an accepted firing are resolved afterwards.
        answers: AnswerRules::default(),
        age: facts.common.intent_age,
        settle: facts.common.settle,
    };
    match decide(&intent) {
        Decision::Send => unchanged(facts, Step::Call(Call::Fire)),
        Decision::Started(_) | Decision::Accepted => fired(facts, status, firing, Vec::new()),
        Decision::Found(started) => fired(facts, status, firing, started.clone()),
        Decision::LookUp => unchanged(facts, Step::Call(Call::LookUp(firing.baseline))),
        Decision::LookupFailed(problem) => blocked(facts, status, problem, Step::Backoff),
        Decision::Rejected(problem) => {
            let rejected = Firing { rejected_reason: Some(problem.reason.as_str().to_owned()), ..firing };
            let status = GlueTriggerStatus { last_firing: Some(rejected), ..status };
            blocked(facts, status, problem, Step::Backoff)
        }
        Decision::StartAgain => next_firing(facts, status, trigger, &firing.value),
        Decision::Settling(left) => {
            let message = format!(
                "Glue's answer to the firing for {} was lost; looking for the runs that it started before it is fired again",
                firing.value
            );
            let status = report(facts, status, SyncState::Progressing, Reason::AnswerUnclear, &message);
            Plan { status, step: Step::RequeueAfter(left.min(LOOK_UP_AGAIN)) }
        }
    }
}

/// The next intent for `value`, unless something prevents it.
fn next_firing(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger, value: &str) -> TriggerPlan {
    let name = &facts.object.spec.trigger_name;
    // The pause that follows a failed reading hides it from no one.
    if let Some(Err(problem)) = &facts.state.baseline {
        return blocked(facts, status, problem, Step::Backoff);
    }
    // A pass sends one firing at most.
    let next_pass = facts.state.sent.then_some(Duration::ZERO);
    if let Some(pause) = facts.common.backoff.or(next_pass) {
        return Plan { status: report_firing(facts, status, value), step: Step::RequeueAfter(pause) };
    }
    if trigger.state.is_transitional() {
        let state = trigger.state.as_str();
        let message = format!("trigger {name} is {state} in Glue; it is fired for {value} afterwards");
        let status = report(facts, status, SyncState::Progressing, state_reason(&trigger.state), &message);
        return Plan { status, step: Step::AwaitChange };
    }
    let Some(Ok(reading)) = &facts.state.baseline else {
        let history = status.requires_history_check;
        return unchanged(facts, Step::Call(Call::ReadBaseline { targets: targets(trigger), history }));
    };
    if status.requires_history_check && reading.has_started {
        return not_fired(facts, status, value);
    }
    let status = record_intent(status, value, reading.baseline.clone(), facts.common.now);
    Plan { status: report_firing(facts, status, value), step: Step::Call(Call::Fire) }
}

/// The status with a new intent for `value`: the first of the pending values, or the one whose last intent had no
/// effect.
pub(super) fn record_intent(
    mut status: GlueTriggerStatus,
    value: &str,
    baseline: Vec<Baseline>,
    now: Timestamp,
) -> GlueTriggerStatus {
    let last = status.last_firing.take();
    let is_next = last.as_ref().is_none_or(|last| last.fired_at.is_some());
    if is_next {
        status.pending_fires.remove(0);
    }
    status.requires_history_check = false;
    status.last_firing = Some(Firing {
        number: last.as_ref().map_or(0, |last| last.number + 1),
        value: value.to_owned(),
        intended_at: Time(now),
        baseline,
        rejected_reason: None,
        fired_at: None,
        started: Vec::new(),
        runs_resolved: false,
        ended_at: None,
    });
    if let Some(last) = last.filter(|_| is_next) {
        status.earlier_firings.push(last);
        let surplus = status.earlier_firings.len().saturating_sub(MAX_EARLIER_FIRINGS);
        status.earlier_firings.drain(..surplus);
        drop_earlier_messages(&mut status);
    }
    status
}

fn report_firing(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, value: &str) -> GlueTriggerStatus {
    if reports_refusal(facts) {
        return keep(facts, status);
    }
    let message = format!("trigger {} is being fired for {value}", facts.object.spec.trigger_name);
    report(facts, status, SyncState::Progressing, Reason::Firing, &message)
}

/// The object may have fired for `value` before its status was lost: the value counts as handled.
fn not_fired(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus, value: &str) -> TriggerPlan {
    status.requires_history_check = false;
    status.pending_fires.remove(0);
    let message = format!(
        "the object may have existed before, and its trigger has started runs already: the value {value} counts as handled; set another one to fire it"
    );
    let status = report(facts, status, SyncState::Synced, Reason::NotFired, &message);
    Plan { status, step: Step::AwaitChange }
}

/// Records that the trigger was fired, with the runs that are known so far.
fn fired(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, firing: Firing, started: Vec<Started>) -> TriggerPlan {
    let firing = Firing { fired_at: Some(Time(facts.common.now)), rejected_reason: None, started, ..firing };
    report_fired(facts, status, firing, Step::AwaitChange)
}

fn report_fired(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, firing: Firing, step: Step<Call>) -> TriggerPlan {
    let message = describe(facts, &firing.value, &firing.started);
    // The object is not in sync while other values are pending.
    let sync = if status.pending_fires.is_empty() { SyncState::Synced } else { SyncState::Progressing };
    let status = GlueTriggerStatus { last_firing: Some(firing), ..status };
    Plan { status: report(facts, status, sync, Reason::Fired, &message), step }
}

/// The trigger was fired: look up the runs that are not known yet.
fn resolve_runs(
    facts: &TriggerFacts<'_>,
    status: GlueTriggerStatus,
    trigger: &Trigger,
    mut firing: Firing,
) -> TriggerPlan {
    let settled = |age: Duration| age >= facts.common.settle;
    let age = match &facts.state.start.lookup {
        None => return unchanged(facts, Step::Call(Call::LookUp(firing.baseline))),
        Some(Lookup::Failed(_)) => facts.common.intent_age,
        Some(Lookup::NotFound { intent_age }) => *intent_age,
        Some(lookup @ Lookup::Found(found)) => {
            if let Lookup::Found(new) = new_runs(&status, lookup) {
                firing.started.extend(new);
            }
            found.intent_age
        }
    };
    let was_looked_up = !matches!(facts.state.start.lookup, Some(Lookup::Failed(_)));
    let resolved = settled(age) || was_looked_up && has_all_runs(trigger, &firing.started);
    if resolved {
        firing.runs_resolved = true;
        firing.baseline.clear();
    }
    report_fired(facts, status, firing, Step::RequeueAfter(LOOK_UP_AGAIN))
}

/// No value is pending.
fn idle(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    let (reason, message) = idle_message(facts, &status);
    let ready = status.declared.condition("Ready");
    let was_settled =
        ready.is_some_and(|ready| ready.status == "True" || reason_of(ready) == Some(Reason::CompletedWithFailures));
    let annotations = facts.object.metadata.annotations.as_ref();
    let is_annotated = annotations.is_some_and(|annotations| annotations.contains_key(FIRED_ANNOTATION));
    let fires_on_creation = facts.object.spec.fire_on_creation == Some(true);
    let annotate = fires_on_creation && status.last_handled_fire.is_some() && !is_annotated;
    let status = if let Some(run) = run_in_unknown_state(facts) {
        let (id, state) = (&run.id, &run.state);
        let message = format!("{message}; run {id} is {state} in Glue, a state which this version does not know");
        report(facts, status, SyncState::Progressing, Reason::StateUnknown, &message)
    } else if !trigger.state.is_transitional() {
        // Runs that failed need a person: to tools that wait or show health, the object has failed until the next value.
        let has_failed = reason == Reason::CompletedWithFailures;
        let sync = if has_failed { SyncState::Stalled } else { SyncState::Synced };
        report(facts, status, sync, reason, &message)
    } else if was_settled {
        // A change of the trigger's definition does not concern the object.
        keep(facts, status)
    } else {
        let name = &facts.object.spec.trigger_name;
        let message = format!("trigger {name} is {} in Glue", trigger.state.as_str());
        report(facts, status, SyncState::Progressing, state_reason(&trigger.state), &message)
    };
    let step = if annotate { Step::Annotate(FIRED_ANNOTATION) } else { Step::AwaitChange };
    Plan { status, step }
}

/// A run that a firing started, and whose state this version does not know.
fn run_in_unknown_state(facts: &TriggerFacts<'_>) -> Option<RunSummary> {
    facts.related.iter().find_map(|(_, observation)| match observation {
        Observation::Present(item) => item.run().filter(|run| !run.is_known),
        Observation::NotFound => None,
    })
}

fn idle_message(facts: &TriggerFacts<'_>, status: &GlueTriggerStatus) -> (Reason, String) {
    let Some(firing) = &status.last_firing else {
        let ready = status.declared.condition("Ready");
        if let Some(ready) = ready.filter(|ready| reason_of(ready) == Some(Reason::NotFired)) {
            return (Reason::NotFired, ready.message.clone());
        }
        let name = &facts.object.spec.trigger_name;
        let message = format!("trigger {name} is of type ON_DEMAND, and is fired for each new value of spec.fire");
        return (Reason::OnDemand, message);
    };
    let good = !firing.started.iter().any(|run| run.failed);
    let reason = match firing.ended_at {
        None => Reason::Fired,
        Some(_) if good => Reason::Completed,
        Some(_) => Reason::CompletedWithFailures,
    };
    (reason, describe(facts, &firing.value, &firing.started))
}

/// The status with what the poller has observed of the runs that firings started.
fn follow_runs(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus) -> GlueTriggerStatus {
    for firing in status.earlier_firings.iter_mut().chain(&mut status.last_firing) {
        let Some(fired_at) = firing.fired_at.as_ref().map(|time| time.0) else { continue };
        for run in firing.started.iter_mut().filter(|run| !run.ended) {
            match facts.related.iter().find(|(id, _)| *id == run.id).map(|(_, observation)| observation) {
                Some(Observation::Present(item)) => {
                    if let Some(observed) = item.run() {
                        *run = started_run(&run.target, observed);
                    }
                }
                // Glue may list a run late; after the settle time it does not know the run any more.
                Some(Observation::NotFound) if time::since(facts.common.now, fired_at) >= facts.common.settle => {
                    (run.ended, run.failed) = (true, true);
                    run.message = Some("Glue does not know the run any more".to_owned());
                }
                Some(Observation::NotFound) | None => {}
            }
        }
        let over = firing.runs_resolved && !firing.started.is_empty() && firing.started.iter().all(|run| run.ended);
        if over && firing.ended_at.is_none() {
            firing.ended_at = Some(Time(facts.common.now));
        }
    }
    drop_earlier_messages(&mut status);
    status
}

/// The status has the messages of the last firing only, so that it stays small. The states of all runs stay.
fn drop_earlier_messages(status: &mut GlueTriggerStatus) {
    for run in status.earlier_firings.iter_mut().flat_map(|firing| &mut firing.started) {
        run.message = None;
    }
}

/// The lookup, reduced to the runs that no firing has yet.
fn new_runs(status: &GlueTriggerStatus, lookup: &Lookup<FoundRuns>) -> Lookup<Vec<Started>> {
    let known = |run: &Started| {
        let mut firings = status.earlier_firings.iter().chain(&status.last_firing);
        firings.any(|firing| firing.started.iter().any(|known| known.target == run.target && known.id == run.id))
    };
    match lookup {
        Lookup::Found(found) => {
            let new: Vec<_> = found.started.iter().filter(|run| !known(run)).cloned().collect();
            if new.is_empty() { Lookup::NotFound { intent_age: found.intent_age } } else { Lookup::Found(new) }
        }
        Lookup::NotFound { intent_age } => Lookup::NotFound { intent_age: *intent_age },
        Lookup::Failed(problem) => Lookup::Failed(problem.clone()),
    }
}

/// Whether every target of the trigger has its runs.
fn has_all_runs(trigger: &Trigger, started: &[Started]) -> bool {
    let count = |target: &Target| started.iter().filter(|run| run.target == *target).count();
    targets(trigger).iter().all(|target| count(target) >= expected(trigger, target))
}

/// What a firing started, as a sentence.
fn describe(facts: &TriggerFacts<'_>, value: &str, started: &[Started]) -> String {
    let run = |run: &Started| {
        let (what, one) = match run.target.kind {
            TargetKind::Job => ("job", "run"),
            TargetKind::Crawler => ("crawler", "crawl"),
            TargetKind::Workflow => ("workflow", "run"),
        };
        let message = run.message.as_ref().map(|message| format!(": {message}")).unwrap_or_default();
        let state = run.state.as_ref().filter(|_| run.ended);
        let state = state.map(|state| format!(" ({state}{message})")).unwrap_or_default();
        format!("{what} {} {one} {}{state}", run.target.name, run.id)
    };
    let runs: Vec<_> = started.iter().map(run).collect();
    let name = &facts.object.spec.trigger_name;
    match runs.as_slice() {
        [] => format!("trigger {name} was fired for {value}"),
        runs => format!("trigger {name} was fired for {value} and started {}", join_items(runs)),
    }
}
