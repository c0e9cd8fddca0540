//! Glue's side of the model: what a trigger started, what Glue shows of it, and what it answers.

use super::super::plan::{job, problem};
use super::Model;
use crate::api::trigger::{Baseline, Started};
use crate::controllers::runtime::tests::model_checker::Model as _;
use crate::controllers::trigger::local_state::{BaselineReading, FoundRuns, PassState, StartOutcome};
use crate::glue::ErrorKind;

/// What a firing started; Glue does not say for which value.
#[derive(Clone, Debug, Hash)]
pub(super) struct Run {
    pub(super) value: String,
    /// Whether GetJobRuns is sure to show it.
    pub(super) settled: bool,
}

impl Model {
    /// What is shown of the runs: all of them, or those that are sure to be seen.
    fn shown(&self, late: bool) -> Vec<(usize, &Run)> {
        self.runs.iter().enumerate().filter(|(_, run)| run.settled || !late).collect()
    }

    fn has_late(&self) -> bool {
        self.runs.iter().any(|run| !run.settled)
    }

    pub(super) fn surveys(&self, who: usize) -> Vec<Self> {
        let baseline = |late: bool| {
            let id = self.shown(late).last().map(|(place, _)| format!("jr_{place}"));
            Some(Ok(BaselineReading { newest: vec![Baseline { target: job(), id }], ever: false }))
        };
        let mut next = vec![self.with(format!("{who} surveys"), |next| {
            let baseline = baseline(false);
            next.learn(who, None, |state| state.baseline = baseline);
        })];
        next.extend(self.fault(format!("{who} cannot baseline"), |next| {
            let failed = Some(Err(problem(ErrorKind::Ambiguous)));
            next.learn(who, Some(ErrorKind::Ambiguous), |state| state.baseline = failed);
        }));
        if self.has_late() {
            next.extend(self.fault(format!("{who} surveys too early"), |next| {
                let baseline = baseline(true);
                next.learn(who, None, |state| state.baseline = baseline);
            }));
        }
        next
    }

    pub(super) fn looks(&self, who: usize, before: &[Baseline]) -> Vec<Self> {
        let number = self.number(who);
        let last = before.first().and_then(|newest| newest.id.as_ref()).and_then(|id| id[3..].parse::<usize>().ok());
        let found = |late: bool| {
            let newer = self.shown(late).into_iter().filter(|(place, _)| last.is_none_or(|last| *place > last));
            let started = newer.map(|(place, _)| Started {
                target: job(),
                id: format!("jr_{place}"),
                state: Some("RUNNING".to_owned()),
                ended: false,
            });
            started.collect::<Vec<_>>()
        };
        let look = |started: Vec<Started>| {
            move |state: &mut PassState| {
                let known_for = state.known_for(number);
                state.found = Some((number, Ok(FoundRuns { started, known_for })));
            }
        };
        let mut next = vec![self.with(format!("{who} looks"), |next| next.learn(who, None, look(found(false))))];
        next.extend(self.fault(format!("{who} cannot look"), |next| {
            let failed = Some((number, Err(problem(ErrorKind::Ambiguous))));
            next.learn(who, Some(ErrorKind::Ambiguous), |state| state.found = failed);
        }));
        if self.has_late() {
            next.extend(self.fault(format!("{who} looks too early"), |next| next.learn(who, None, look(found(true)))));
        }
        next
    }

    pub(super) fn fires(&self, who: usize) -> Vec<Self> {
        let pass = self.controllers[who].pass.as_ref().expect("a pass");
        assert!(pass.fresh, "a firing without an intent of this pass: {}", self.course.tell());
        let number = self.number(who);
        let value = pass.object.status().last_firing.as_ref().expect("an intent").value.clone();
        let answered = |next: &mut Self, outcome: StartOutcome, kind: Option<ErrorKind>| {
            next.controllers[who].outcome = (outcome != StartOutcome::Unclear).then(|| (number, outcome.clone()));
            next.learn(who, kind, |state| {
                state.sent = true;
                state.baseline = None;
                state.found = None;
                state.outcome = Some((number, outcome));
            });
        };
        let run = || Run { value: value.clone(), settled: false };
        let mut next = vec![self.with(format!("{who} fires for {value}"), |next| {
            next.runs.push(run());
            answered(next, StartOutcome::Accepted, None);
        })];
        next.extend(self.fault(format!("{who} fires for {value}, the outcome is lost"), |next| {
            next.runs.push(run());
            answered(next, StartOutcome::Unclear, Some(ErrorKind::Ambiguous));
        }));
        next.extend(self.fault(format!("{who} sends a firing for {value} that hangs"), |next| {
            next.in_flight.push(value.clone());
            answered(next, StartOutcome::Unclear, Some(ErrorKind::Ambiguous));
        }));
        next.extend(self.fault(format!("{who} is throttled"), |next| {
            answered(next, StartOutcome::Refused(problem(ErrorKind::Throttled)), Some(ErrorKind::Throttled));
        }));
        next
    }
}
