//! Glue's side of the model: what a trigger started, what Glue shows of it, and what it answers.

use super::super::memory::{Answer, Found, Learnt, Survey};
use super::super::plan_tests::{job, problem};
use super::Model;
use crate::api::trigger::{Newest, Started};
use crate::controllers::walk::Model as _;
use crate::glue::Class;

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
        let survey = |late: bool| {
            let id = self.shown(late).last().map(|(place, _)| format!("jr_{place}"));
            Some(Ok(Survey { newest: vec![Newest { target: job(), id }], ever: false }))
        };
        let mut next = vec![self.with(format!("{who} surveys"), |next| {
            let survey = survey(false);
            next.learn(who, None, |learnt| learnt.survey = survey);
        })];
        next.extend(self.fault(format!("{who} cannot survey"), |next| {
            let failed = Some(Err(problem(Class::Ambiguous)));
            next.learn(who, Some(Class::Ambiguous), |learnt| learnt.survey = failed);
        }));
        if self.has_late() {
            next.extend(self.fault(format!("{who} surveys too early"), |next| {
                let survey = survey(true);
                next.learn(who, None, |learnt| learnt.survey = survey);
            }));
        }
        next
    }

    pub(super) fn looks(&self, who: usize, before: &[Newest]) -> Vec<Self> {
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
            move |learnt: &mut Learnt| {
                let known_for = learnt.known_for(number);
                learnt.found = Some((number, Ok(Found { started, known_for })));
            }
        };
        let mut next = vec![self.with(format!("{who} looks"), |next| next.learn(who, None, look(found(false))))];
        next.extend(self.fault(format!("{who} cannot look"), |next| {
            let failed = Some((number, Err(problem(Class::Ambiguous))));
            next.learn(who, Some(Class::Ambiguous), |learnt| learnt.found = failed);
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
        let answered = |next: &mut Self, answer: Answer, class: Option<Class>| {
            next.controllers[who].answer = (answer != Answer::Unclear).then(|| (number, answer.clone()));
            next.learn(who, class, |learnt| {
                learnt.sent = true;
                learnt.survey = None;
                learnt.found = None;
                learnt.answer = Some((number, answer));
            });
        };
        let run = || Run { value: value.clone(), settled: false };
        let mut next = vec![self.with(format!("{who} fires for {value}"), |next| {
            next.runs.push(run());
            answered(next, Answer::Fired, None);
        })];
        next.extend(self.fault(format!("{who} fires for {value}, the answer is lost"), |next| {
            next.runs.push(run());
            answered(next, Answer::Unclear, Some(Class::Ambiguous));
        }));
        next.extend(self.fault(format!("{who} sends a firing for {value} that hangs"), |next| {
            next.in_flight.push(value.clone());
            answered(next, Answer::Unclear, Some(Class::Ambiguous));
        }));
        next.extend(self.fault(format!("{who} is throttled"), |next| {
            answered(next, Answer::Refused(problem(Class::Throttled)), Some(Class::Throttled));
        }));
        next
    }
}
