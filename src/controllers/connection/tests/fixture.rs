//! The fixture for the connection plan: Glue, the clock and the reconciler, all in memory.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use tokio::time::Instant;

use super::stored::Stored;
use crate::api::connection::status::{TestOutcome, TestResult};
use crate::api::declared::DeclaredStatus;
use crate::api::{FINALIZER, GlueConnection, GlueConnectionSpec};
use crate::controllers::connection::calls::Call;
use crate::controllers::connection::facts::ConnectionPlan;
use crate::controllers::connection::inputs::ConnectionInputs;
use crate::controllers::connection::secrets::{Secrets, Values};
use crate::controllers::connection::{AppliedDigest, CallOutcome, PassState, TypeAnswer};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::plan::plan;
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Severity;
use crate::controllers::runtime::start_once::{IntentTracker, records_intent};
use crate::controllers::runtime::step::{Plan, Step};
use crate::controllers::runtime::time;
use crate::glue::ErrorKind;
use crate::glue::connections::description::TypeDescription;
use crate::glue::connections::{Connection, ConnectionInput};
use crate::glue::poller::Observation;

/// The Unix time at which a fixture starts, in seconds.
const START: i64 = 1_000_000;

/// The controller's identity in Glue.
pub const CONTROLLER_ARN: &str = "arn:aws:sts::123456789012:assumed-role/kube-glue/x";
/// The identity of another caller.
pub const OTHER_ARN: &str = "arn:aws:iam::123456789012:user/alice";

/// A fault of the next call of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Glue rejects the call.
    Rejected(ErrorKind),
    /// Glue carries the call out, and the response is lost.
    ResponseLost,
    /// The controller crashes before it sends the call.
    CrashBefore,
    /// The controller crashes after Glue carried the call out.
    CrashAfter,
}

#[allow(clippy::struct_excessive_bools, reason = "each is a fact of its own")]
pub struct Fixture {
    pub now: Timestamp,
    pub object: GlueConnection,
    pub secrets: Secrets,
    pub glue: Option<Stored>,
    pub ownership: Ownership<(String, String)>,
    pub leading: bool,
    pub faults: Vec<(Call, Fault)>,
    /// Whether the poller has an observation.
    pub observes: bool,
    /// The error of the last poll.
    pub poll_problem: Option<ErrorKind>,
    /// The requeue interval of the last pass.
    pub requeue_after: Option<Duration>,
    /// Whether the controller watches Secrets.
    pub watched: bool,
    /// Whether the AWS account is known.
    pub account_known: bool,
    /// Error messages of the next connection tests; `None` for success.
    pub tests: Vec<Option<String>>,
    /// How Glue describes the type of the connection; `None` when it does not answer.
    pub described: Option<TypeDescription>,
    /// The calls in order.
    pub calls: Vec<Call>,
    /// The `left_behind` of each removal of the finalizer from a deleted object.
    pub released: Vec<Option<String>>,
    digest: Option<AppliedDigest>,
    pub backoff: Option<Duration>,
    intent: IntentTracker,
    /// The instant that corresponds to `START`.
    epoch: Instant,
}

/// A spec from its JSON form.
pub fn spec(value: Value) -> GlueConnectionSpec {
    serde_json::from_value(value).unwrap()
}

/// A JDBC connection whose password is in a Secret.
pub fn jdbc() -> Value {
    json!({
        "connectionType": "JDBC",
        "properties": {"JDBC_CONNECTION_URL": "jdbc:postgresql://db:5432/x", "USERNAME": "me"},
        "propertiesFrom": [{"name": "PASSWORD", "secretKeyRef": {"name": "db", "key": "password"}}],
    })
}

impl Fixture {
    pub fn new(value: Value) -> Self {
        let mut object = GlueConnection::new("orders", spec(value));
        object.metadata.namespace = Some("team".to_owned());
        object.metadata.uid = Some("uid".to_owned());
        object.metadata.generation = Some(1);
        let mut fixture = Self {
            now: Timestamp::from_second(START).unwrap(),
            object,
            secrets: Secrets::new(),
            glue: None,
            ownership: Ownership::Owned,
            leading: true,
            faults: Vec::new(),
            tests: Vec::new(),
            described: None,
            observes: true,
            poll_problem: None,
            requeue_after: None,
            watched: true,
            account_known: true,
            calls: Vec::new(),
            released: Vec::new(),
            digest: None,
            backoff: None,
            intent: IntentTracker::default(),
            epoch: Instant::now(),
        };
        fixture.write_secret("hunter2");
        fixture
    }

    /// Writes the Secret `db` with a new resource version.
    pub fn write_secret(&mut self, password: &str) {
        let version = format!("uid/{}", self.now.as_second() + i64::try_from(self.secrets.len()).unwrap());
        let data = BTreeMap::from([("password".to_owned(), password.as_bytes().to_vec().into())]);
        self.secrets.insert("db".to_owned(), Values { version, data });
        self.pass_time(1);
    }

    pub fn pass_time(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.backoff = None;
    }

    /// Replaces the spec and increments the generation.
    pub fn edit(&mut self, value: Value) {
        self.object.spec = spec(value);
        *self.object.metadata.generation.as_mut().unwrap() += 1;
        self.pass_time(1);
    }

    pub fn delete(&mut self) {
        self.object.metadata.deletion_timestamp = Some(Time(self.now));
    }

    /// Restarts the controller: process-local state is lost.
    pub fn restart(&mut self) {
        self.digest = None;
        self.intent = IntentTracker::default();
        self.backoff = None;
    }

    /// Another caller changes the connection in Glue.
    pub fn by_hand(&mut self, change: impl FnOnce(&mut ConnectionInput)) {
        self.pass_time(1);
        let now = self.now;
        let stored = self.glue.as_mut().unwrap();
        change(&mut stored.input);
        (stored.updated, stored.by) = (now, OTHER_ARN.to_owned());
    }

    /// Passes until nothing changes and no requeue is due.
    pub fn settle(&mut self) {
        for _ in 0..60 {
            let (object, before) = (self.object.clone(), (self.calls.len(), self.faults.len()));
            self.pass();
            self.pass_time(5);
            let due = self.requeue_after.is_some_and(|after| after <= Duration::from_secs(5));
            if object == self.object && before == (self.calls.len(), self.faults.len()) && !due {
                return;
            }
        }
        panic!("no fixed point: {:?}\n{:#?}", self.calls, self.object.status);
    }

    pub fn inputs(&self) -> Result<ConnectionInputs, Problem> {
        let secrets = self.object.spec.secret_keys();
        let named =
            secrets.iter().map(|(_, key)| (key.name.clone(), self.secrets.get(&key.name).cloned().unwrap_or_default()));
        let inputs = ConnectionInputs::new(&self.object, &named.collect())?;
        Ok(if self.watched { inputs } else { inputs.unwatched() })
    }

    /// One pass, as the reconciler makes it.
    pub fn pass(&mut self) {
        let mut state = self.object.begin_pass(&mut self.digest, Earlier::default());
        let mut problem = None;
        let mut fresh_intent = false;
        for _ in 0..32 {
            let intent_age = self.intent_age();
            let Plan { status, step } = self.plan(&state, problem.clone(), fresh_intent, intent_age);
            if self.object.status.as_ref() != Some(&status) {
                let before = self.object.status.as_ref().and_then(GlueConnection::intent);
                fresh_intent |= records_intent(before.as_ref(), GlueConnection::intent(&status).as_ref());
                self.object.status = Some(status);
                continue;
            }
            match step {
                Step::AddFinalizer => self.object.metadata.finalizers = Some(vec![FINALIZER.to_owned()]),
                Step::RemoveFinalizer { left_behind } => {
                    self.object.metadata.finalizers = None;
                    if self.object.metadata.deletion_timestamp.is_some() {
                        self.released.push(left_behind);
                        return;
                    }
                }
                Step::Call(call) => {
                    assert!(call != Call::Create || fresh_intent, "a creation without an intent");
                    fresh_intent = false;
                    let Some(result) = self.send(&call, &mut state) else { return };
                    self.digest.clone_from(&state.digest);
                    problem = result.err();
                    if problem.is_some() {
                        self.backoff = Some(Duration::from_secs(1));
                    }
                }
                step @ (Step::AwaitChange | Step::RequeueAfter(_)) => {
                    self.requeue_after = match step {
                        Step::RequeueAfter(after) => Some(after),
                        _ => None,
                    };
                    return self.assert_reported(problem.as_ref());
                }
                Step::Backoff => return self.assert_reported(problem.as_ref()),
                Step::Delete | Step::Annotate(_) => panic!("a connection's plan never deletes or annotates"),
            }
        }
        panic!("the pass does not end: {:?}\n{:#?}", self.calls, self.object.status);
    }

    /// After a pass in which AWS refused a call, Ready is true or has a reason that is a Warning.
    fn assert_reported(&self, problem: Option<&Problem>) {
        let declared = self.object.status.as_ref().map(|status| &status.declared);
        let reason = declared.and_then(|declared| declared.condition("Ready")).and_then(reason_of);
        let is_reported = declared.is_some_and(DeclaredStatus::is_ready)
            || reason.is_some_and(|reason| reason.severity() == Severity::Warning);
        assert!(problem.is_none() || is_reported, "the conditions do not report {problem:?}: {declared:?}");
    }

    fn intent_age(&mut self) -> Duration {
        let elapsed = self.now.as_second() - START;
        let now = self.epoch + Duration::from_secs(elapsed.unsigned_abs());
        let intent = self.object.status.as_ref().and_then(GlueConnection::intent);
        self.intent.observe(intent.as_ref(), now)
    }

    fn plan(
        &self,
        state: &PassState,
        problem: Option<Problem>,
        fresh_intent: bool,
        intent_age: Duration,
    ) -> ConnectionPlan {
        let inputs = self.inputs();
        let observation = self.glue.as_ref().map_or(Observation::NotFound, |stored| {
            let connection = stored.observed();
            Observation::Present(Connection { arn: connection.arn.filter(|_| self.account_known), ..connection })
        });
        plan(&Facts {
            common: CommonFacts {
                now: self.now,
                meta: &self.object.metadata,
                leading: self.leading,
                credentials_problem: None,
                inputs_problem: inputs.as_ref().err().cloned(),
                poll_problem: self.poll_problem.map(rejection),
                fresh_intent,
                intent_age,
                backoff: self.backoff,
                settle: Duration::from_secs(3),
                deletion_timeout: Duration::from_mins(5),
            },
            object: &self.object,
            inputs: inputs.as_ref().ok(),
            ownership: self.ownership.clone(),
            observation: self.observes.then_some(observation),
            related: Vec::new(),
            related_problem: None,
            deleting_for: time::since(
                self.now,
                self.object.metadata.deletion_timestamp.as_ref().map_or(self.now, |deleted| deleted.0),
            ),
            behind: false,
            problem,
            state,
        })
    }

    /// Sends a call under its fault; `None` if the controller crashes.
    fn send(&mut self, call: &Call, state: &mut PassState) -> Option<Result<(), Problem>> {
        let fault = self.faults.iter().position(|(on, _)| on == call).map(|at| self.faults.remove(at).1);
        if fault == Some(Fault::CrashBefore) {
            self.restart();
            return None;
        }
        if !matches!(call, Call::RecordDigest | Call::DescribeType) {
            self.calls.push(call.clone());
        }
        if let Some(Fault::Rejected(kind)) = fault {
            state.outcomes.extend(match call {
                Call::Create => Some(CallOutcome::Rejected),
                Call::Test => Some(CallOutcome::NotTested),
                _ => None,
            });
            return Some(Err(rejection(kind)));
        }
        let mut updated = state.clone();
        let result = self.carry_out(call, &mut updated);
        match fault {
            Some(Fault::CrashAfter) => {
                self.restart();
                None
            }
            Some(Fault::ResponseLost) => Some(Err(rejection(ErrorKind::Ambiguous))),
            _ => {
                *state = updated;
                Some(result.map_err(rejection))
            }
        }
    }

    fn carry_out(&mut self, call: &Call, state: &mut PassState) -> Result<(), ErrorKind> {
        if *call == Call::Delete {
            self.glue = None;
            state.outcomes.push(CallOutcome::Deleted);
            return Ok(());
        }
        if *call == Call::DescribeType {
            let described = self.described.clone().map(Arc::new);
            state.described = Some(described.map_or(TypeAnswer::Unavailable, TypeAnswer::Description));
            return Ok(());
        }
        let inputs = self.inputs().unwrap();
        let test = |tests: &mut Vec<Option<String>>, now, before_create| {
            let message = if tests.is_empty() { None } else { tests.remove(0) };
            let result = if message.is_some() { TestOutcome::Failed } else { TestOutcome::Succeeded };
            let fingerprint = inputs.fingerprint.clone();
            TestResult { result, message, at: Time(now), fingerprint, before_create }
        };
        match call {
            Call::Create if self.glue.is_some() => state.outcomes.push(CallOutcome::Exists),
            Call::Create => {
                self.glue = Some(Stored {
                    input: inputs.input.clone(),
                    tags: self.object.spec.tags.clone().unwrap_or_default(),
                    created: self.now,
                    updated: self.now,
                    by: CONTROLLER_ARN.to_owned(),
                    status: "READY".to_owned(),
                });
                state.outcomes.push(CallOutcome::Created(self.now));
                state.digest = Some(inputs.applied_digest());
            }
            Call::Update => {
                let stored = self.glue.as_mut().ok_or(ErrorKind::NotFound)?;
                stored.input = inputs.input.clone();
                (stored.updated, stored.by) = (self.now, CONTROLLER_ARN.to_owned());
                state.outcomes.push(CallOutcome::Updated(self.now));
                state.digest = Some(inputs.applied_digest());
            }
            Call::Delete | Call::DescribeType => {}
            Call::TestInput => {
                let tested = test(&mut self.tests, self.now, true);
                let failed = tested.result == TestOutcome::Failed;
                state.outcomes.push(CallOutcome::Tested(tested));
                if failed {
                    return Err(ErrorKind::Invalid);
                }
            }
            Call::Test => state.outcomes.push(CallOutcome::Tested(test(&mut self.tests, self.now, false))),
            Call::Tag { remove, .. } => {
                let stored = self.glue.as_mut().ok_or(ErrorKind::NotFound)?;
                stored.tags.retain(|key, _| !remove.contains(key));
                stored.tags.extend(self.object.spec.tags.clone().unwrap_or_default());
                state.outcomes.push(CallOutcome::Tagged);
            }
            Call::RecordDigest => state.digest = Some(inputs.applied_digest()),
        }
        Ok(())
    }
}

fn rejection(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: "rejected".to_owned(), kind: Some(kind) }
}
