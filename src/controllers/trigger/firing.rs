//! A trigger of type ON_DEMAND: fired once for each new value of fire, in order.
//!
//! **What keeps a value from being fired twice**
//!
//! 1. Before the intent is written, the newest run of everything that the trigger starts is seen, and goes into
//!    the intent. [`Call::Fire`] comes only right after this very pass has written it, on the resource version that
//!    it was decided on.
//! 2. An intent whose outcome is not known leads to looking for runs that are newer than those and carry the
//!    trigger's name. FoundRuns: it was fired. Not to be asked: nothing happens. Nothing found: a *new* intent, once
//!    this process has known of the old one for longer than a sent call can take.
//! 3. A clear no is written down, and the value is tried again after a pause.
//! 4. The next value waits until what this one started is known, or was looked for long enough: so what is
//!    newer than an intent belongs to it.

use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::intent::next_intent;
use super::local_state::{Call, FIRED_ANNOTATION, FoundRuns, StartOutcome};
use super::render::{expected, targets};
use super::status::{TriggerFacts, TriggerPlan, blocked, draft, is_blocked, keep, reason_of, rest_for, step};
use crate::api::trigger::{Activation, Firing, GlueTriggerStatus, Started, Target, TargetKind};
use crate::controllers::declared::conditions::SyncState;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time;
use crate::glue::poller::Observation;
use crate::glue::triggers::{Trigger, listed};

/// How often what a firing started is looked for.
const LOOK_UP_AGAIN: Duration = Duration::from_secs(5);

/// Decides about a trigger of type ON_DEMAND.
pub(super) fn plan(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    let name = &facts.object.spec.trigger_name;
    if facts.has_finalizer() {
        return step(facts, Step::RemoveFinalizer { left_behind: None });
    }
    let status = follow(facts, status);
    if facts.object.spec.state == Some(Activation::Deactivated) {
        let message = format!(
            "trigger {name} is of type ON_DEMAND, which is neither activated nor deactivated: remove spec.state"
        );
        return Plan {
            status: draft(facts, status, SyncState::Stalled, "HasNoState", &message),
            step: Step::AwaitChange,
        };
    }
    match status.last_firing.clone() {
        Some(firing) if firing.is_open() => open(facts, status, trigger, firing),
        Some(firing) if firing.rejected_reason.is_some() => intend(facts, status, trigger, &firing.value),
        Some(firing) if !firing.runs_resolved => trace(facts, status, trigger, firing),
        _ => match status.pending_fires.first().cloned() {
            Some(value) => intend(facts, status, trigger, &value),
            None => at_rest(facts, status, trigger),
        },
    }
}

/// An intent stands, and no outcome with it.
fn open(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger, firing: Firing) -> TriggerPlan {
    match facts.state.outcome.as_ref().filter(|(number, _)| *number == firing.number) {
        Some((_, StartOutcome::Accepted)) => return fired(facts, status, firing, Vec::new()),
        Some((_, StartOutcome::Refused(problem))) => {
            let problem = explained(facts, problem);
            let refused = Firing { rejected_reason: Some(problem.reason.clone()), ..firing };
            let status = GlueTriggerStatus { last_firing: Some(refused), ..status };
            return blocked(facts, status, problem, Step::Backoff);
        }
        None if facts.fresh_intent => return step(facts, Step::Call(Call::Fire)),
        Some((_, StartOutcome::Unclear)) | None => {}
    }
    match found(facts, &firing) {
        None => step(facts, Step::Call(Call::LookUp(firing.baseline))),
        Some(Err(problem)) => blocked(facts, status, explained(facts, problem), Step::Backoff),
        Some(Ok(found)) => {
            let started = new_runs(&status, &found.started);
            if !started.is_empty() {
                return fired(facts, status, firing, started);
            }
            if found.known_for >= facts.settle {
                return intend(facts, status, trigger, &firing.value);
            }
            let message = format!(
                "Glue's outcome to the firing for {} was lost; looking for what it started before it is fired again",
                firing.value
            );
            let left = facts.settle.saturating_sub(found.known_for).min(LOOK_UP_AGAIN);
            Plan {
                status: draft(facts, status, SyncState::Progressing, "AnswerUnclear", &message),
                step: rest_for(left),
            }
        }
    }
}

/// The next intent for `value`, unless something speaks against it.
fn intend(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger, value: &str) -> TriggerPlan {
    let name = &facts.object.spec.trigger_name;
    // One pass sends one firing: the next value is of the next pass.
    let next_pass = facts.state.sent.then_some(Duration::ZERO);
    if let Some(pause) = facts.rest.or(next_pass) {
        return Plan { status: firing_soon(facts, status, value), step: rest_for(pause) };
    }
    if trigger.state.is_transitional() {
        let message =
            format!("trigger {name} is {} in Glue; it is fired for {value} after that", trigger.state.as_str());
        let status = draft(facts, status, SyncState::Progressing, reason_of(&trigger.state), &message);
        return Plan { status, step: Step::AwaitChange };
    }
    let baseline = match &facts.state.baseline {
        None => {
            return step(
                facts,
                Step::Call(Call::ReadBaseline { targets: targets(trigger), history: status.requires_history_check }),
            );
        }
        Some(Err(problem)) => return blocked(facts, status, explained(facts, problem), Step::Backoff),
        Some(Ok(baseline)) => baseline,
    };
    if status.requires_history_check && baseline.ever {
        return not_fired(facts, status, value);
    }
    let status = next_intent(status, value, baseline.newest.clone(), facts.now);
    Plan { status: firing_soon(facts, status, value), step: Step::Call(Call::Fire) }
}

fn firing_soon(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, value: &str) -> GlueTriggerStatus {
    if is_blocked(facts) {
        // What stood in the way is not known to be gone.
        return keep(facts, status);
    }
    let message = format!("trigger {} is being fired for {value}", facts.object.spec.trigger_name);
    draft(facts, status, SyncState::Progressing, "Firing", &message)
}

/// The object may have fired for `value` in an earlier life, and nothing tells: it counts as done.
fn not_fired(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus, value: &str) -> TriggerPlan {
    status.requires_history_check = false;
    status.pending_fires.remove(0);
    let message = format!(
        "the object may have lived before, and its trigger has started something since ever: the value {value} counts as done; set another one to fire it"
    );
    Plan { status: draft(facts, status, SyncState::Synced, "NotFired", &message), step: Step::AwaitChange }
}

/// It was fired; so much is known of what it started.
fn fired(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, firing: Firing, started: Vec<Started>) -> TriggerPlan {
    let message = words(facts, &firing.value, &started);
    let firing = Firing { fired_at: Some(Time(facts.now)), rejected_reason: None, started, ..firing };
    let status = GlueTriggerStatus { last_firing: Some(firing), ..status };
    Plan { status: draft(facts, status.clone(), stand(&status), "Fired", &message), step: Step::AwaitChange }
}

/// In line, unless other values wait.
fn stand(status: &GlueTriggerStatus) -> SyncState {
    if status.pending_fires.is_empty() { SyncState::Synced } else { SyncState::Progressing }
}

/// It was fired, and not all that it started is known.
fn trace(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger, mut firing: Firing) -> TriggerPlan {
    let looked = match found(facts, &firing) {
        None => return step(facts, Step::Call(Call::LookUp(firing.baseline))),
        Some(Ok(found)) => {
            firing.started.extend(new_runs(&status, &found.started));
            complete(trigger, &firing.started) || found.known_for >= facts.settle
        }
        Some(Err(_)) => facts.state.known_for(firing.number) >= facts.settle,
    };
    if looked {
        firing.runs_resolved = true;
        // It has served its purpose.
        firing.baseline.clear();
    }
    let message = words(facts, &firing.value, &firing.started);
    let status = GlueTriggerStatus { last_firing: Some(firing), ..status };
    Plan { status: draft(facts, status.clone(), stand(&status), "Fired", &message), step: rest_for(LOOK_UP_AGAIN) }
}

/// Nothing waits to be fired.
fn at_rest(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, trigger: &Trigger) -> TriggerPlan {
    let name = &facts.object.spec.trigger_name;
    let marked = facts
        .object
        .metadata
        .annotations
        .as_ref()
        .is_some_and(|annotations| annotations.contains_key(FIRED_ANNOTATION));
    let wants_mark = facts.object.spec.fire_on_creation == Some(true) && status.last_handled_fire.is_some() && !marked;
    let (reason, message) = match &status.last_firing {
        None => match status.declared.condition("Ready").filter(|ready| ready.reason == "NotFired") {
            Some(ready) => ("NotFired", ready.message.clone()),
            None => (
                "OnDemand",
                format!("trigger {name} is of type ON_DEMAND, and is fired for each new value of spec.fire"),
            ),
        },
        Some(firing) => {
            let good = firing.started.iter().all(|run| run.state.as_deref().is_none_or(is_good));
            let reason = match firing.ended_at {
                None => "Fired",
                Some(_) if good => "Completed",
                Some(_) => "CompletedWithFailures",
            };
            (reason, words(facts, &firing.value, &firing.started))
        }
    };
    let was_in_line = status.declared.condition("Ready").is_some_and(|ready| ready.status == "True");
    let status = if !trigger.state.is_transitional() {
        draft(facts, status, SyncState::Synced, reason, &message)
    } else if was_in_line {
        // Its definition is being changed, which concerns nobody.
        keep(facts, status)
    } else {
        let message = format!("trigger {name} is {} in Glue", trigger.state.as_str());
        draft(facts, status, SyncState::Progressing, reason_of(&trigger.state), &message)
    };
    let step = if wants_mark { Step::Annotate(FIRED_ANNOTATION) } else { Step::AwaitChange };
    Plan { status, step }
}

/// The states in which a run, a crawl or a run of a workflow ends well.
fn is_good(state: &str) -> bool {
    matches!(state, "SUCCEEDED" | "COMPLETED")
}

/// The status with what the poller has seen of the runs that firings started.
fn follow(facts: &TriggerFacts<'_>, mut status: GlueTriggerStatus) -> GlueTriggerStatus {
    for firing in status.earlier_firings.iter_mut().chain(&mut status.last_firing) {
        let Some(fired_at) = firing.fired_at.as_ref().map(|time| time.0) else { continue };
        for run in firing.started.iter_mut().filter(|run| !run.ended) {
            match facts.related.iter().find(|(id, _)| *id == run.id).map(|(_, observation)| observation) {
                Some(Observation::Present(item)) => {
                    if let Some(seen) = item.run() {
                        run.state = Some(seen.state);
                        run.ended = seen.ended;
                    }
                }
                // Glue may be slow to show it; later it is gone for good.
                Some(Observation::NotFound) if time::since(facts.now, fired_at) >= facts.settle => run.ended = true,
                Some(Observation::NotFound) | None => {}
            }
        }
        let over = firing.runs_resolved && !firing.started.is_empty() && firing.started.iter().all(|run| run.ended);
        if over && firing.ended_at.is_none() {
            firing.ended_at = Some(Time(facts.now));
        }
    }
    status
}

/// What came of looking for what `firing` started.
fn found<'a>(facts: &'a TriggerFacts<'_>, firing: &Firing) -> Option<Result<&'a FoundRuns, &'a Problem>> {
    let (_, found) = facts.state.found.as_ref().filter(|(number, _)| *number == firing.number)?;
    Some(found.as_ref())
}

/// The problem in the words of this pass, which knows whose credentials these are; of an earlier one, as it was kept.
fn explained<'a>(facts: &'a TriggerFacts<'_>, kept: &'a Problem) -> &'a Problem {
    facts.problem.as_ref().unwrap_or(kept)
}

/// Those of `started` that no firing has yet.
fn new_runs(status: &GlueTriggerStatus, started: &[Started]) -> Vec<Started> {
    let known = |run: &Started| {
        let mut firings = status.earlier_firings.iter().chain(&status.last_firing);
        firings.any(|firing| firing.started.iter().any(|known| known.target == run.target && known.id == run.id))
    };
    started.iter().filter(|run| !known(run)).cloned().collect()
}

/// Whether everything that the trigger starts has been started.
fn complete(trigger: &Trigger, started: &[Started]) -> bool {
    let count = |target: &Target| started.iter().filter(|run| run.target == *target).count();
    targets(trigger).iter().all(|target| count(target) >= expected(trigger, target))
}

/// What a firing started, in words.
fn words(facts: &TriggerFacts<'_>, value: &str, started: &[Started]) -> String {
    let run = |run: &Started| {
        let (what, one) = match run.target.kind {
            TargetKind::Job => ("job", "run"),
            TargetKind::Crawler => ("crawler", "crawl"),
            TargetKind::Workflow => ("workflow", "run"),
        };
        let state = run.state.as_ref().filter(|_| run.ended).map(|state| format!(" ({state})")).unwrap_or_default();
        format!("{what} {} {one} {}{state}", run.target.name, run.id)
    };
    let runs: Vec<_> = started.iter().map(run).collect();
    let name = &facts.object.spec.trigger_name;
    match runs.as_slice() {
        [] => format!("trigger {name} was fired for {value}"),
        runs => format!("trigger {name} was fired for {value} and started {}", listed(runs)),
    }
}
