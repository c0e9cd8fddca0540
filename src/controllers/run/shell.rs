//! The thin shell around [`plan`]: gathers facts, writes what the plan says, takes its step, plans again.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::controller::Action;
use kube::runtime::reflector::ObjectRef;
use kube::{Api, ResourceExt};
use tracing::{debug, info, warn};

use super::context::{Context, name_of};
use super::facts::{Answer, Facts, Learnt, Look, Observed, Problem, Sight};
use super::kind::{Place, RunKind};
use super::plan::plan;
use super::step::{Plan, Step};
use crate::api::FINALIZER;
use crate::api::credentials::AwsIdentity;
use crate::api::run::{Phase, RunStatus};
use crate::controllers::events;
use crate::controllers::writes::{self, WriteError};
use crate::glue::aws::Caller;
use crate::glue::poller::{self, Report, Source};
use crate::glue::{Class, Glue};

/// How many steps one pass may take: far more than any life needs, so that a mistake cannot spin.
const MAX_STEPS: usize = 32;
/// The pause after a write that the API server did not take.
const WRITE_AGAIN: Duration = Duration::from_secs(2);

/// The longest pause while an object is being deleted: somebody waits for it.
const DELETING_AGAIN: Duration = Duration::from_secs(15);

type Item<K> = <<K as RunKind>::Source as Source>::Item;

/// One pass over one object.
pub async fn reconcile<K: RunKind>(object: Arc<K>, context: Arc<Context<K>>) -> Result<Action, WriteError> {
    let started = Instant::now();
    let result = Pass::<K>::new(&object, &context).run().await;
    let outcome = match &result {
        Ok((_, writes)) if *writes > 0 => "changed",
        Ok(_) => "unchanged",
        Err(_) => "error",
    };
    context.shared.metrics.reconciled(K::KIND, outcome, started.elapsed());
    result.map(|(action, _)| action)
}

/// What is done about a pass that failed on the API server's side.
#[allow(clippy::needless_pass_by_value, reason = "the signature is kube's")]
pub fn error_policy<K: RunKind>(object: Arc<K>, error: &WriteError, context: Arc<Context<K>>) -> Action {
    if matches!(error, WriteError::Conflict) {
        // The watch brings the newer object; this is for the case that it does not.
        return Action::requeue(WRITE_AGAIN);
    }
    let pause = context.memories.with(&object.uid().unwrap_or_default(), super::memory::Memory::failed);
    warn!(
        namespace = object.namespace(),
        name = object.name_any(),
        error = error as &dyn std::error::Error,
        "the object could not be written; it is tried again"
    );
    context.shared.metrics.reconcile_failed(K::KIND, "write");
    Action::requeue(pause)
}

/// One pass: the object as it stands by now, and what was learnt on the way.
struct Pass<'a, K: RunKind> {
    context: &'a Context<K>,
    api: Api<K>,
    object: K,
    uid: String,
    reference: ObjectRef<K>,
    client: Option<Result<Glue, Problem>>,
    inputs: Option<Result<K::Inputs, Problem>>,
    learnt: Learnt,
    /// When the write of the fresh intent was begun.
    intended: Option<Instant>,
    /// The run as it was seen last, by the poller or by looking.
    item: Option<Item<K>>,
    writes: u32,
}

impl<'a, K: RunKind> Pass<'a, K> {
    fn new(object: &K, context: &'a Context<K>) -> Self {
        let namespace = object.namespace().unwrap_or_default();
        Self {
            context,
            api: Api::namespaced(context.shared.client.clone(), &namespace),
            object: object.clone(),
            uid: object.uid().unwrap_or_default(),
            reference: ObjectRef::from_obj(object),
            client: None,
            inputs: None,
            learnt: Learnt {
                lived_before: object.finalizers().iter().any(|name| name == FINALIZER),
                ..Learnt::default()
            },
            intended: None,
            item: None,
            writes: 0,
        }
    }

    async fn run(mut self) -> Result<(Action, u32), WriteError> {
        let version = self.object.resource_version().and_then(|version| version.parse::<u64>().ok());
        let written = self.context.memories.with(&self.uid, |memory| memory.written);
        if version < written {
            // The cache has not seen our own last write yet; the event that brings it wakes us again.
            return Ok((Action::requeue(WRITE_AGAIN), 0));
        }
        let status = self.run_status();
        let (answer, attempted) = self.context.memories.with(&self.uid, |memory| {
            // Takes note of the intent first: an answer belongs to one intent only.
            memory.open_for(&status);
            (memory.answer(), memory.attempted())
        });
        self.learnt.answer = answer;
        self.learnt.lived_before |= attempted;
        for _ in 0..MAX_STEPS {
            self.connect().await;
            let Plan { status, step } = self.plan();
            if self.write(status).await? {
                continue;
            }
            debug!(namespace = self.reference.namespace, name = self.reference.name, ?step, "next step");
            if let Some(action) = self.take(step).await? {
                return Ok((action, self.writes));
            }
        }
        warn!(namespace = self.reference.namespace, name = self.reference.name, "a pass did not come to rest");
        Ok((Action::requeue(Duration::from_mins(1)), self.writes))
    }

    /// Finds the client, for objects that may need one.
    async fn connect(&mut self) {
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let status = self.object.status().map(K::run_status);
        let over = status.and_then(|status| status.phase).is_some_and(Phase::is_final);
        if self.client.is_some() || over || (deleting && !self.has_finalizer()) {
            return;
        }
        let namespace = self.object.namespace().unwrap_or_default();
        let dependent = (self.reference.clone(), self.uid.clone());
        for secret in Context::secrets_of(&self.object) {
            self.context.dependents.add(secret, &dependent);
        }
        let access = &self.context.shared.access;
        self.client = Some(access.client(&namespace, self.object.credentials(), self.object.region(), deleting).await);
        self.inputs = Some(
            self.object
                .inputs(&self.context.shared.client, self.context.shared.settings.run_key_argument.as_deref())
                .await,
        );
    }

    fn inputs(&self) -> Option<&K::Inputs> {
        self.inputs.as_ref().and_then(|inputs| inputs.as_ref().ok())
    }

    /// The shared part of the status as the object has it by now.
    fn run_status(&self) -> RunStatus {
        let unobserved = || RunStatus { observed_generation: -1, ..RunStatus::default() };
        self.object.status().map_or_else(unobserved, |status| K::run_status(status).clone())
    }

    fn has_finalizer(&self) -> bool {
        self.object.finalizers().iter().any(|name| name == FINALIZER)
    }

    fn client(&self) -> Option<&Glue> {
        self.client.as_ref().and_then(|client| client.as_ref().ok())
    }

    fn place(&self) -> Option<Place> {
        self.client().map(|client| Place { client: client.clone(), target: self.object.target().to_owned() })
    }

    fn created(&self) -> Timestamp {
        self.object.creation_timestamp().map_or(Timestamp::UNIX_EPOCH, |created| created.0)
    }

    /// Gathers the facts and decides.
    fn plan(&mut self) -> Plan {
        let status = self.run_status();
        let report = self.report(&status);
        let sight = report.sight.map(|sight| match sight {
            poller::Sight::Here(item) => Sight::Here(self.sees(item)),
            poller::Sight::Gone => Sight::Gone,
        });
        let live_id = status.attempt().and_then(|attempt| attempt.id.clone()).unwrap_or_default();
        let (open_for, rest, stop_sent) = self
            .context
            .memories
            .with(&self.uid, |memory| (memory.open_for(&status), memory.rest(), memory.stop_sent(&live_id)));
        let behind = self
            .place()
            .is_some_and(|place| self.context.lines.is_behind(&place, self.created(), &name_of(&self.reference)));
        let now = Timestamp::now();
        plan(&Facts {
            // What is written has no fractions: with them, a status would differ from itself.
            now: Timestamp::from_second(now.as_second()).unwrap_or(now),
            meta: self.object.meta(),
            policy: self.object.policy(),
            follow: self.object.follow(),
            status: &status,
            leading: self.context.shared.leadership.holds(),
            blocked: self.client.as_ref().and_then(|client| client.as_ref().err().cloned()),
            unprepared: self.inputs.as_ref().and_then(|inputs| inputs.as_ref().err().cloned()),
            learnt: &self.learnt,
            open_for,
            settle: self.context.shared.settings.start_settle,
            rest,
            behind,
            sight,
            poll_problem: report.error.as_deref().map(Problem::from),
            stop_sent,
            deletion_timeout: self.context.shared.settings.deletion_timeout,
        })
    }

    /// Takes in a run as Glue shows it, without the secrets that it may show.
    fn sees(&mut self, item: Item<K>) -> Observed {
        let item = self.object.redact(item, self.inputs());
        let observed = K::observe(&item);
        self.item = Some(item);
        observed
    }

    /// What the poller knows of the live run; asking makes the poller watch it.
    fn report(&self, status: &RunStatus) -> Report<Item<K>> {
        let nothing = Report { sight: None, error: None };
        let over = status.phase.is_some_and(Phase::is_final);
        let Some(attempt) = status.attempt().filter(|attempt| !over && attempt.ended_at.is_none()) else {
            return nothing;
        };
        match (self.client(), &attempt.id) {
            (Some(client), Some(id)) => self.context.poller.watch(&self.object.source(client), id, &self.reference),
            _ => nothing,
        }
    }

    /// Writes the status, unless it stands there already. Whether it was written.
    async fn write(&mut self, mut status: RunStatus) -> Result<bool, WriteError> {
        let before = self.run_status();
        if self.object.status() == Some(&self.object.render(self.client(), status.clone(), self.item.as_ref())) {
            return Ok(false);
        }
        // As whom we are known goes along with what is written anyway; it is worth no write of its own.
        let known = self
            .client()
            .and_then(Glue::caller)
            .map(|Caller { account_id, principal_arn }| AwsIdentity { account_id, principal_arn });
        status.identity = known.or(status.identity);
        let full = self.object.render(self.client(), status.clone(), self.item.as_ref());
        let intends = Learnt::intends(&before, &status);
        if intends && let Some(client) = self.client() {
            // The budget comes before the intent, so that nothing waits between the intent and the start.
            client.ready_to_start().await;
            self.intended = Some(Instant::now());
        }
        let written = writes::status(&self.api, &self.object, &full).await?;
        self.took(written, "status");
        self.learnt.wrote(&before, &status);
        self.tell(&before, &status);
        Ok(true)
    }

    fn took(&mut self, written: K, part: &'static str) {
        let version = written.resource_version().and_then(|version| version.parse().ok());
        self.context.memories.with(&self.uid, |memory| memory.written = version);
        self.context.shared.metrics.object_written(K::KIND, part);
        self.object = written;
        self.writes += 1;
    }

    /// Events, logs and metrics of a transition: all in one place, around the decision.
    fn tell(&self, before: &RunStatus, after: &RunStatus) {
        let Some(event) = events::of_transition(before, after) else {
            return;
        };
        info!(
            kind = K::KIND,
            namespace = self.reference.namespace,
            name = self.reference.name,
            phase = ?after.phase.unwrap_or_default(),
            reason = event.reason,
            run = after.attempt().and_then(|attempt| attempt.id.as_deref()),
            "{}",
            event.note.as_deref().unwrap_or_default()
        );
        match event.reason.as_str() {
            "Started" => {
                let latency = Timestamp::now().duration_since(self.created());
                self.context.shared.metrics.run_started(K::KIND, latency.try_into().unwrap_or_default());
            }
            "Adopted" => self.context.shared.metrics.run_adopted(K::KIND),
            _ => {}
        }
        let over = after.phase.is_some_and(Phase::is_final);
        if let Some(ended_on) = self.item.as_ref().filter(|_| over).and_then(K::ended_on) {
            let lag = Timestamp::now().duration_since(ended_on).try_into().unwrap_or_default();
            self.context.shared.metrics.status_caught_up(K::KIND, lag);
        }
        self.context.shared.events.tell(self.object_reference(), event);
        self.context.shared.metrics.live_runs(K::KIND, self.context.poller.live());
    }

    fn object_reference(&self) -> ObjectReference {
        self.object.object_ref(&())
    }

    /// Takes one step. An action ends the pass; none means: plan again.
    async fn take(&mut self, step: Step) -> Result<Option<Action>, WriteError> {
        match step {
            Step::Hold => {
                let written = writes::finalizer(&self.api, &self.object, true).await?;
                self.took(written, "metadata");
            }
            Step::Release { left_behind } => return self.release(left_behind).await,
            Step::Look { key, since } => self.look(&key, since).await,
            Step::Start => return Ok(self.start().await),
            Step::Stop(id) => self.stop(&id).await,
            Step::Delete => {
                writes::delete(&self.api, &self.object).await?;
                return Ok(Some(Action::await_change()));
            }
            Step::Retry => {
                let pause =
                    self.context.memories.with(&self.uid, |memory| memory.rest().unwrap_or_else(|| memory.failed()));
                let deleting = self.object.meta().deletion_timestamp.is_some();
                return Ok(Some(Action::requeue(if deleting { pause.min(DELETING_AGAIN) } else { pause })));
            }
            Step::Rest(after) => return Ok(Some(self.rest(after))),
        }
        Ok(None)
    }

    async fn release(&mut self, left_behind: Option<String>) -> Result<Option<Action>, WriteError> {
        if let Some(run) = left_behind {
            let name = format!("{} {}/{}", K::KIND, self.object.namespace().unwrap_or_default(), self.reference.name);
            let event = events::left_behind(&name, &run);
            warn!(
                namespace = self.reference.namespace,
                name = self.reference.name,
                run,
                "let go with a live run behind it"
            );
            self.context.shared.events.tell(self.object_reference(), event);
        }
        let deleting = self.object.meta().deletion_timestamp.is_some();
        let written = writes::finalizer(&self.api, &self.object, false).await?;
        self.took(written, "metadata");
        if deleting {
            // What is remembered stays until the watch tells of the end: a cache that lags behind would have
            // the run stopped once more.
            self.context.let_go(&self.object);
            return Ok(Some(Action::await_change()));
        }
        Ok(None)
    }

    async fn look(&mut self, key: &str, since: Option<Timestamp>) {
        let Some(client) = self.client().cloned() else { return };
        let status = self.run_status();
        let known_for = self.context.memories.with(&self.uid, |memory| memory.open_for(&status));
        self.learnt.look = Some(match self.object.look(&client, key, since, self.inputs()).await {
            Ok(Some(item)) => Look::Found(self.sees(item)),
            Ok(None) => Look::Nothing { known_for },
            Err(error) => Look::Failed(Problem::from(&error)),
        });
    }

    async fn start(&mut self) -> Option<Action> {
        // The plan asks for a start only after this pass wrote the intent; the lease is asked right here.
        let status = self.run_status();
        let timely = self.intended.is_some_and(|at| at.elapsed() < self.context.shared.settings.start_settle / 2);
        let may_start = self.learnt.fresh_intent && timely && self.context.shared.leadership.holds();
        let (true, Some(client), Some(inputs), Some(attempt)) =
            (may_start, self.client().cloned(), self.inputs(), status.attempt())
        else {
            return Some(Action::requeue(WRITE_AGAIN));
        };
        let answer = match self.object.start(&client, &attempt.key, inputs).await {
            Ok(id) => Answer::Started(id),
            Err(error) if error.class.is_clear_no() => Answer::Refused(Problem::from(&error)),
            Err(error) => Answer::Unclear(Problem::from(&error)),
        };
        self.context.memories.with(&self.uid, |memory| memory.answered(&answer));
        match &answer {
            Answer::Refused(problem) if problem.class == Some(Class::Busy) => {
                if let Some(place) = self.place() {
                    self.context.join_line(&place, self.created(), &self.reference);
                }
            }
            Answer::Started(_) => self.context.leave_line(&self.reference),
            Answer::Refused(_) | Answer::Unclear(_) => {}
        }
        self.learnt.answered(answer);
        None
    }

    async fn stop(&mut self, id: &str) {
        let Some(client) = self.client().cloned() else { return };
        match self.object.stop(&client, id).await {
            Ok(()) => self.context.memories.with(&self.uid, |memory| memory.stop_accepted(id)),
            Err(error) => self.learnt.stop_problem = Some(Problem::from(&error)),
        }
    }

    fn rest(&self, after: Option<Duration>) -> Action {
        let status = self.object.status().map(K::run_status);
        let phase = status.and_then(|status| status.phase).unwrap_or_default();
        if phase.is_final() {
            self.context.let_go(&self.object);
        } else if phase == Phase::Suspended {
            self.context.leave_line(&self.reference);
        }
        after.map_or_else(Action::await_change, Action::requeue)
    }
}
