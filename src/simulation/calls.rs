//! The calls to Glue, on their way and back, and what a pass makes of the answers.

use std::time::Duration;

use super::Name;
use super::glue::episode::Operation;
use super::glue::job::Listed;
use super::glue::network::{Response, way};
use super::glue::{Caller, ClientId};
use super::kind::Simulated;
use super::mutations::Mutation;
use super::polls::Source;
use super::shell::{Pass, Waits};
use super::world::{Event, World};
use crate::controllers::run::lifecycle::STOP_REFUSED;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::Cause;
use crate::controllers::runtime::start_once::StartOutcome;
use crate::glue::job_runs::{JobRun, JobRunState};
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};

/// A call of the controller.
#[derive(Clone, Debug)]
pub struct GlueCall {
    pub client: ClientId,
    /// The object that it is for; `None` for a poll.
    pub plan: Option<usize>,
    /// The job or workflow.
    pub target: String,
    pub call: CallTo,
}

/// What is called.
#[derive(Clone, Debug)]
pub enum CallTo {
    Start { key: String },
    Stop { id: String },
    List { page: usize },
    Get { id: String },
    GetTarget,
}

/// Who reads the answer.
#[derive(Clone, Debug)]
pub enum Reader {
    Pass(Name, u64),
    Search(Name, u64),
    Poll(Source),
}

/// Glue's answer.
#[derive(Clone, Debug)]
pub enum Answer {
    Started(String),
    Stopped,
    Page(Vec<Listed>, bool),
    Places(usize),
    Run(Box<Listed>),
}

/// A call that is under way.
#[derive(Debug)]
pub struct Flight {
    process: u32,
    call: GlueCall,
    reader: Reader,
    response: Response,
    answer: Option<Result<Answer, ErrorKind>>,
    is_answered: bool,
    arrives: bool,
}

impl CallTo {
    fn operation(&self) -> Operation {
        match self {
            Self::Start { .. } => Operation::Start,
            Self::Stop { .. } => Operation::Stop,
            Self::List { .. } => Operation::List,
            Self::Get { .. } => Operation::Get,
            Self::GetTarget => Operation::GetTarget,
        }
    }
}

impl GlueCall {
    /// The error of this call.
    fn error<K: Simulated>(&self, kind: ErrorKind) -> Error {
        let operation = K::operation(self.call.operation());
        Error { operation, object: self.target.clone(), kind, code: format!("{kind:?}"), message: String::new() }
    }
}

impl<K: Simulated> World<K> {
    /// Sends a call.
    pub fn send(&mut self, call: &GlueCall, reader: Reader) {
        let faults = self.faults();
        let way = way(&mut self.network, faults);
        if let Some(object) = call.plan.and_then(|plan| self.cluster.get(&self.scenario.plans[plan].name)) {
            if way.response != Response::Received {
                self.checks.lost(self.now, object.uid());
            }
            if matches!(call.call, CallTo::Start { .. }) {
                self.checks.tried(object.uid());
            }
        }
        self.numbers += 1;
        let number = self.numbers;
        if let Some(arrives) = way.arrives {
            self.at(self.now + arrives, Event::Arrive(number));
        }
        self.at(self.now + way.answered, Event::Answered(number));
        let flight = Flight {
            process: self.process.number,
            call: call.clone(),
            reader,
            response: way.response,
            answer: None,
            is_answered: false,
            arrives: way.arrives.is_some(),
        };
        self.flights.insert(number, flight);
    }

    /// A call reaches Glue.
    pub fn arrive(&mut self, number: u64) {
        let Some(mut flight) = self.flights.remove(&number) else { return };
        let GlueCall { client, plan, target, call } = &flight.call;
        let (now, who) = (self.now, Caller { client: *client, plan: *plan });
        let answer = match call {
            CallTo::Start { key } => self.glue.start_job_run(now, &who, target, key).map(Answer::Started),
            CallTo::Stop { id } => self.glue.stop_job_run(now, &who, target, id).map(|_| Answer::Stopped),
            CallTo::List { page } => {
                self.glue.job_runs(now, &who, target, *page).map(|(runs, more)| Answer::Page(runs, more))
            }
            CallTo::GetTarget => self.glue.job(now, &who, target).map(Answer::Places),
            CallTo::Get { id } => self.glue.job_run(now, &who, target, id).map(|run| Answer::Run(Box::new(run))),
        };
        self.checks.called(now, &flight.call, &answer, &self.glue);
        if let (Some(plan), true) = (plan, matches!(call, CallTo::Start { .. } | CallTo::Stop { .. })) {
            let name = self.scenario.plans[*plan].name.clone();
            let outcome = match &answer {
                Ok(Answer::Started(id)) => format!("Glue starts {id}"),
                Ok(_) => "Glue accepts the stop".to_owned(),
                Err(kind) => format!("Glue refuses: {kind:?}"),
            };
            self.log(Some(&name), || format!("{call:?} reaches Glue; {outcome}"));
        }
        match (call, &answer) {
            (CallTo::Start { .. }, Ok(Answer::Started(id))) => {
                self.figures.starts += 1;
                self.checks.started(now, &self.glue, &self.cluster, &self.scenario, id);
            }
            (CallTo::Stop { id }, Ok(_)) => self.checks.stopped(now, &self.glue, &self.cluster, id, *plan),
            _ => {}
        }
        flight.answer = Some(answer);
        if !flight.is_answered {
            self.flights.insert(number, flight);
        }
    }

    /// The caller gets its answer, or gives up.
    pub fn answered(&mut self, number: u64) {
        let Some(mut flight) = self.flights.remove(&number) else { return };
        let call = flight.call.clone();
        let result = match (flight.response, &flight.answer) {
            (Response::Received, Some(answer)) => answer.clone().map_err(|kind| call.error::<K>(kind)),
            (Response::Received | Response::Lost, _) => Err(call.error::<K>(ErrorKind::Ambiguous)),
            (Response::NotSent, _) => Err(call.error::<K>(ErrorKind::Transient)),
        };
        let (process, reader, response) = (flight.process, flight.reader.clone(), flight.response);
        if flight.arrives && flight.answer.is_none() {
            flight.is_answered = true;
            self.flights.insert(number, flight);
        }
        if process != self.process.number {
            return;
        }
        let throttled = result.as_ref().is_err_and(|error| error.kind == ErrorKind::Throttled);
        self.record(call.client, throttled);
        match reader {
            Reader::Poll(source) => {
                if response != Response::Received {
                    self.checks.poll_lost(&source);
                    self.log(None, || {
                        format!("a call of a poll of {} for client {} is lost", source.target, source.client)
                    });
                }
                self.poll_answered(&source, result);
            }
            Reader::Search(name, search) => self.search_answered(&name, search, result),
            Reader::Pass(name, pass) => self.pass_answered(&name, pass, &call, result),
        }
    }

    fn pass_answered(&mut self, name: &Name, number: u64, call: &GlueCall, result: Result<Answer, Error>) {
        let Some(mut pass) = self.process.passes.remove(name) else { return };
        if pass.number == number && matches!(pass.waits, Waits::Answer) {
            pass.waits = Waits::Nothing;
            match &call.call {
                CallTo::Start { .. } => self.start_answered(&mut pass, result),
                CallTo::Stop { id } => match result {
                    Err(error) if !matches!(error.kind, ErrorKind::NotFound | ErrorKind::Invalid) => {
                        self.process.local.with(pass.object.uid(), |local| local.backoff.delay(STOP_REFUSED));
                        pass.state.stop_problem = Some(Problem::of(&error, None));
                    }
                    Ok(_) | Err(_) => self.process.local.with(pass.object.uid(), |local| {
                        local.backoff.reset();
                        local.kind_state.stop_accepted(id);
                    }),
                },
                CallTo::GetTarget => match result {
                    Ok(Answer::Places(places)) => {
                        pass.places = Some(places);
                        self.ask(
                            &mut pass,
                            GlueCall { call: CallTo::List { page: 0 }, ..call.clone() },
                            Priority::Poll,
                        );
                    }
                    _ => pass.state.has_place = Some(true),
                },
                CallTo::List { .. } => self.places_answered(&mut pass, result),
                CallTo::Get { .. } => {}
            }
        }
        let goes_on = matches!(pass.waits, Waits::Nothing);
        self.process.passes.insert(name.clone(), pass);
        if goes_on {
            self.go_on(name);
        }
    }

    /// As `start` of the lifecycle.
    fn start_answered(&mut self, pass: &mut Pass, result: Result<Answer, Error>) {
        let error = result.as_ref().err().cloned();
        let answer = result.map(|answer| match answer {
            Answer::Started(id) => Some(id),
            _ => None,
        });
        let outcome = StartOutcome::of(answer, |error| Problem::of(error, None));
        let cause = match &outcome {
            StartOutcome::Rejected(problem) => problem.kind.and_then(Cause::of),
            StartOutcome::Started(_) | StartOutcome::Accepted | StartOutcome::Unconfirmed(_) => None,
        };
        let by_itself = self.is(Mutation::EachObjectTriesByItself) && cause != Some(Cause::ConcurrentRuns);
        self.process.local.with(pass.object.uid(), |local| {
            local.intent.record(&outcome);
            match &outcome {
                StartOutcome::Started(_) | StartOutcome::Accepted => local.backoff.reset(),
                StartOutcome::Rejected(_) if cause.is_some() && !by_itself => {}
                StartOutcome::Rejected(_) => local.backoff.delay(Duration::MAX),
                StartOutcome::Unconfirmed(_) => {}
            }
        });
        self.start_is_known(pass, &outcome, cause, error);
        pass.state.start.on_sent(outcome);
        pass.state.snapshot = None;
    }

    /// As `has_free_place`, and what the lifecycle makes of it. When Glue does not answer, the object tries to start.
    fn places_answered(&mut self, pass: &mut Pass, result: Result<Answer, Error>) {
        let places = pass.places.take().unwrap_or_default();
        let takes_place = |run: &JobRun| !run.state.is_final() && run.state != JobRunState::Waiting;
        let has_place = match result {
            Ok(Answer::Page(runs, _)) => runs.iter().filter(|(run, _)| takes_place(run)).count() < places,
            _ => true,
        };
        if !has_place {
            self.is_refused(pass, Cause::ConcurrentRuns);
        }
        pass.state.has_place = Some(has_place);
    }
}
