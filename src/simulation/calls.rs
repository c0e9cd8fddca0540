//! The calls to Glue, on their way and back, and what a pass makes of the answers.

use std::time::Duration;

use super::Name;
use super::glue::episode::Operation;
use super::glue::job::Listed;
use super::glue::network::{Response, way};
use super::glue::{Caller, ClientId};
use super::mutations::Mutation;
use super::polls::Source;
use super::shell::{Pass, Waits};
use super::world::{Event, World};
use crate::api::GlueJobRun;
use crate::api::run::{Phase, RunStatus};
use crate::controllers::run::RunKind;
use crate::controllers::run::calls::RunQuery;
use crate::controllers::run::facts::ObservedRun;
use crate::controllers::run::lifecycle::STOP_REFUSED;
use crate::controllers::run::sharing;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::Cause;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};
use crate::glue::job_runs::source::JobRunItem;
use crate::glue::job_runs::{JobRun, JobRunState, RunMatch, parse_attempt_key};
use crate::glue::rate_limiter::Priority;
use crate::glue::{Error, ErrorKind};

/// A call of the controller.
#[derive(Clone, Debug)]
pub struct GlueCall {
    pub client: ClientId,
    /// The object that it is for; `None` for a poll.
    pub plan: Option<usize>,
    /// The job or crawler.
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
    GetJob,
}

/// Who reads the answer.
#[derive(Clone, Debug)]
pub enum Reader {
    Pass(Name, u64),
    Poll(Source),
}

/// Glue's answer.
#[derive(Clone, Debug)]
pub enum Answer {
    Started(String),
    Stopped,
    Page(Vec<Listed>, bool),
    Places(usize),
    Run(Box<JobRun>),
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

/// A lookup of a run among those of its job, page by page.
#[derive(Clone, Debug)]
pub struct Search {
    query: RunQuery,
    found: Vec<JobRun>,
    /// For how long the process had known of the intent when the lookup began.
    intent_age: Duration,
}

impl Search {
    pub fn new(query: RunQuery, intent_age: Duration) -> Self {
        Self { query, found: Vec::new(), intent_age }
    }
}

impl CallTo {
    fn operation(&self) -> Operation {
        match self {
            Self::Start { .. } => Operation::StartJobRun,
            Self::Stop { .. } => Operation::StopJobRun,
            Self::List { .. } => Operation::GetJobRuns,
            Self::Get { .. } => Operation::GetJobRun,
            Self::GetJob => Operation::GetJob,
        }
    }
}

impl GlueCall {
    /// The error of this call.
    pub fn error(&self, kind: ErrorKind) -> Error {
        let operation = self.call.operation().name();
        Error { operation, object: self.target.clone(), kind, code: format!("{kind:?}"), message: String::new() }
    }
}

impl World {
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
        self.checks.called(now, &flight.call, &self.glue);
        let answer = match call {
            CallTo::Start { key } => self.glue.start_job_run(now, &who, target, key).map(Answer::Started),
            CallTo::Stop { id } => self.glue.stop_job_run(now, &who, target, id).map(|_| Answer::Stopped),
            CallTo::List { page } => {
                self.glue.job_runs(now, &who, target, *page).map(|(runs, more)| Answer::Page(runs, more))
            }
            CallTo::GetJob => self.glue.job(now, &who, target).map(Answer::Places),
            CallTo::Get { id } => self.glue.job_run(now, &who, target, id).map(|run| Answer::Run(Box::new(run))),
        };
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
            (Response::Received, Some(answer)) => answer.clone().map_err(|kind| call.error(kind)),
            (Response::Received | Response::Lost, _) => Err(call.error(ErrorKind::Ambiguous)),
            (Response::NotSent, _) => Err(call.error(ErrorKind::Transient)),
        };
        let (process, reader) = (flight.process, flight.reader.clone());
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
            Reader::Poll(source) => self.poll_answered(&source, result),
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
                CallTo::GetJob => match result {
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
                CallTo::List { .. } if pass.places.is_some() => self.places_answered(&mut pass, result),
                CallTo::List { page } => self.page_answered(&mut pass, *page, call, result),
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
        self.start_is_known(pass, &outcome, cause);
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

    /// A page of a lookup has arrived.
    fn page_answered(&mut self, pass: &mut Pass, page: usize, call: &GlueCall, result: Result<Answer, Error>) {
        let Some(mut search) = pass.search.take() else { return };
        let intent_age = search.intent_age;
        let (runs, more) = match result {
            Ok(Answer::Page(runs, more)) => (runs, more),
            Ok(_) => (Vec::new(), false),
            Err(_) if self.is(Mutation::FailedLookupsFindNothing) => (Vec::new(), false),
            Err(error) => {
                self.log(Some(&pass.object.name), || format!("the lookup failed: {error}"));
                pass.state.start.lookup = Some(Lookup::Failed(Problem::of(&error, None)));
                return;
            }
        };
        let oldest = search.query.since.and_then(|since| since.checked_sub(jiff::SignedDuration::from_hours(1)).ok());
        let is_since = |run: &JobRun| run.started_on.zip(oldest).is_none_or(|(started, oldest)| started >= oldest);
        let is_past = runs.last().is_some_and(|(run, _)| !is_since(run));
        let matching = runs.into_iter().filter_map(|(run, key)| {
            let (base, number) = parse_attempt_key(&key)?;
            let matched = (base == search.query.base_key).then_some(RunMatch::Attempt(number));
            Some(JobRun { matched, ..run }).filter(|run| run.matched.is_some() && is_since(run))
        });
        search.found.extend(matching);
        if more && !is_past {
            pass.search = Some(search);
            let call = GlueCall { call: CallTo::List { page: page + 1 }, ..call.clone() };
            return self.ask(pass, call, Priority::Search);
        }
        search.found.sort_by_key(|run| run.state.is_final());
        let of_other = search.query.attempt.is_none().then(|| self.run_of_other(pass)).flatten();
        let found = sharing::newest(self.newest(&search, &pass.object.status), of_other);
        self.log(Some(&pass.object.name), || {
            let found = found.as_ref().map_or("nothing", |run| &run.id);
            format!("looks for {}: {found}", search.query.base_key)
        });
        pass.state.start.lookup = Some(found.map_or(Lookup::NotFound { intent_age }, Lookup::Found));
    }

    /// As `look_up` of the kind.
    fn newest(&self, search: &Search, status: &RunStatus) -> Option<ObservedRun> {
        let number = |run: &JobRun| match run.matched {
            Some(RunMatch::Attempt(number)) => Some(number),
            Some(RunMatch::Arguments) | None => None,
        };
        let only_first = self.is(Mutation::OnlyTheFirstAttemptIsFound).then_some(0);
        let wanted = search.query.attempt.or(only_first);
        let is_asked_for = |run: &&JobRun| wanted.is_none_or(|attempt| number(run) == Some(attempt));
        let is_known = |run: &&JobRun| status.attempts.iter().any(|attempt| attempt.id.as_deref() == Some(&run.id));
        let ours = search.found.iter().filter(|run| is_asked_for(run) && !is_known(run));
        let newest = ours.fold(None, |newest: Option<&JobRun>, run| match newest {
            Some(newest) if number(newest) >= number(run) => Some(newest),
            _ => Some(run),
        });
        let mut run = GlueJobRun::observe(&JobRunItem { run: newest?.clone(), retry_expected: false })?;
        if self.is(Mutation::StoppedRunsAreAdopted) && matches!(run.phase, Phase::Stopping | Phase::Stopped) {
            run.phase = Phase::Starting;
        }
        Some(run)
    }
}
