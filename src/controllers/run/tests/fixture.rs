//! The fixture for the run plan: one object and its facts.

use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::core::ObjectMeta;

use crate::api::FINALIZER;
use crate::api::run::{Attempt, Phase, RunPolicy, RunStatus};
use crate::controllers::run::calls::{Call, Plan, Step};
use crate::controllers::run::facts::{ConcurrencyPolicy, CrawlerActivity, Facts, Observation, ObservedRun, PassState};
use crate::controllers::run::plan::plan;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::queue::{Cause, Turn};
use crate::controllers::runtime::start_once::Lookup;
use crate::glue::ErrorKind;

const CREATED: i64 = 1_000_000;

pub(crate) fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(CREATED + seconds).expect("a time")
}

/// Older objects wait for the same target.
pub(crate) const BEHIND: Turn = Turn::Behind(Cause::ConcurrentRuns);

/// One object and its facts.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "facts that do not depend on each other")]
pub(crate) struct Fixture {
    pub(crate) now: i64,
    pub(crate) meta: ObjectMeta,
    pub(crate) policy: RunPolicy,
    pub(crate) concurrency: Option<ConcurrencyPolicy>,
    pub(crate) follow: Option<String>,
    pub(crate) resume: Option<String>,
    pub(crate) status: RunStatus,
    pub(crate) leading: bool,
    pub(crate) credentials_problem: Option<Problem>,
    pub(crate) state: PassState,
    pub(crate) fresh_intent: bool,
    pub(crate) intent_age: i64,
    pub(crate) backoff: Option<Duration>,
    pub(crate) activity: CrawlerActivity,
    pub(crate) shared: bool,
    pub(crate) is_foreign: bool,
    pub(crate) observation: Option<Observation>,
    pub(crate) poll_problem: Option<Problem>,
    pub(crate) id_age: Duration,
    pub(crate) stop_sent: Option<Duration>,
    pub(crate) turn: Turn,
    pub(crate) refusal: Option<Problem>,
    pub(crate) carries_key: bool,
}

impl Fixture {
    pub(crate) fn new() -> Self {
        let meta = ObjectMeta {
            uid: Some("uid".to_owned()),
            namespace: Some("sales".to_owned()),
            generation: Some(1),
            creation_timestamp: Some(Time(at(0))),
            ..ObjectMeta::default()
        };
        Self {
            now: 10,
            meta,
            policy: RunPolicy::default(),
            concurrency: None,
            follow: None,
            resume: None,
            status: RunStatus::unobserved(),
            leading: true,
            credentials_problem: None,
            state: PassState::default(),
            fresh_intent: false,
            intent_age: 0,
            backoff: None,
            activity: CrawlerActivity::Unchanged,
            shared: false,
            is_foreign: false,
            observation: None,
            poll_problem: None,
            id_age: Duration::from_mins(5),
            stop_sent: None,
            turn: Turn::Now,
            refusal: None,
            carries_key: true,
        }
    }

    pub(crate) fn with_finalizer(mut self) -> Self {
        self.meta.finalizers = Some(vec![FINALIZER.to_owned()]);
        self
    }

    pub(crate) fn deleted(mut self) -> Self {
        self.meta.deletion_timestamp = Some(Time(at(5)));
        self
    }

    /// Sets the phase and makes `attempt` the only attempt.
    pub(crate) fn with(mut self, phase: Phase, attempt: Attempt) -> Self {
        self.status.phase = Some(phase);
        self.status.attempts = vec![attempt];
        self
    }

    /// Sets `observedGeneration`; the object itself has generation 1.
    pub(crate) fn observed_generation(mut self, generation: i64) -> Self {
        self.status.observed_generation = generation;
        self
    }

    /// Sets the observation to the run `jr_1` in this phase.
    pub(crate) fn observing(mut self, phase: Phase) -> Self {
        self.observation = Some(Observation::Present(observed(phase)));
        self
    }

    pub(crate) fn plan(&self) -> Plan {
        plan(&Facts {
            common: CommonFacts {
                now: at(self.now),
                meta: &self.meta,
                leading: self.leading,
                credentials_problem: self.credentials_problem.clone(),
                inputs_problem: None,
                poll_problem: self.poll_problem.clone(),
                fresh_intent: self.fresh_intent,
                intent_age: Duration::from_secs(self.intent_age.unsigned_abs()),
                backoff: self.backoff,
                settle: Duration::from_mins(1),
                deletion_timeout: Duration::from_mins(10),
            },
            policy: &self.policy,
            noun: if self.concurrency.is_some() { "crawl" } else { "run" },
            target: if self.concurrency.is_some() { "crawler" } else { "job" },
            concurrency: self.concurrency,
            follow: self.follow.as_deref(),
            resume: self.resume.as_deref(),
            status: &self.status,
            state: &self.state,
            activity: self.activity,
            shared: self.shared,
            is_foreign: self.is_foreign,
            observation: self.observation.clone(),
            id_age: self.id_age,
            stop_sent: self.stop_sent,
            turn: self.turn,
            refusal: self.refusal.clone(),
            carries_key: self.carries_key,
        })
    }
}

pub(crate) fn observed(phase: Phase) -> ObservedRun {
    let state = format!("{phase:?}").to_uppercase();
    ObservedRun {
        id: "jr_1".to_owned(),
        state,
        phase,
        attempt: None,
        retry_expected: false,
        message: None,
        reason: None,
    }
}

pub(crate) fn intent() -> Attempt {
    Attempt::intended(0, "sales/uid/0".to_owned(), Time(at(1)))
}

/// An attempt whose start Glue rejected.
pub(crate) fn rejected() -> Attempt {
    Attempt { rejected_reason: Some("Throttled".to_owned()), ..intent() }
}

pub(crate) fn live() -> Attempt {
    Attempt { id: Some("jr_1".to_owned()), ..intent() }
}

pub(crate) fn problem(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: "message".to_owned(), kind: Some(kind) }
}

pub(crate) fn not_found(intent_age: u64) -> Lookup<ObservedRun> {
    Lookup::NotFound { intent_age: Duration::from_secs(intent_age) }
}

/// The name of the plan's step, without its arguments.
pub(crate) fn step_name(plan: &Plan) -> &'static str {
    match &plan.step {
        Step::AddFinalizer => "add finalizer",
        Step::RemoveFinalizer { left_behind: None } => "remove finalizer",
        Step::RemoveFinalizer { left_behind: Some(_) } => "leave behind",
        Step::Call(Call::LookUp(_)) => "look up",
        Step::Call(Call::ReadBaseline { .. }) => "read baseline",
        Step::Call(Call::ReadResumable { .. }) => "read resumable",
        Step::Call(Call::CheckPlace) => "check place",
        Step::Call(Call::Start) => "start",
        Step::Call(Call::Stop(_)) => "stop",
        Step::Delete => "delete",
        Step::Backoff => "backoff",
        Step::AwaitChange => "await change",
        Step::Annotate(_) => "annotate",
        Step::RequeueAfter(_) => "requeue",
    }
}
