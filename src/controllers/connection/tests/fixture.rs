//! A Glue, a clock and a shell that are nothing but values, for the plan to live in.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::api::connection::status::{TestOutcome, TestResult};
use crate::api::{FINALIZER, GlueConnection, GlueConnectionSpec};
use crate::controllers::connection::calls::Call;
use crate::controllers::connection::facts::ConnectionPlan;
use crate::controllers::connection::inputs::ConnectionInputs;
use crate::controllers::connection::secrets::{Secrets, Values};
use crate::controllers::connection::{AppliedDigest, CallOutcome, PassState};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::plan::plan;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{IntentTracker, records_intent};
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::ErrorKind;
use crate::glue::connections::{Connection, ConnectionInput};
use crate::glue::poller::Observation;

/// The time at which a fixture begins.
const START: i64 = 1_000_000;

/// The identity of the controller in Glue.
pub const US: &str = "arn:aws:sts::123456789012:assumed-role/kube-glue/x";
/// Somebody else.
pub const THEM: &str = "arn:aws:iam::123456789012:user/alice";

/// A connection in Glue, secrets included.
#[derive(Clone, Debug, PartialEq)]
pub struct Stored {
    pub input: ConnectionInput,
    pub tags: BTreeMap<String, String>,
    pub created: Timestamp,
    pub updated: Timestamp,
    pub by: String,
    pub status: String,
}

/// What goes wrong with the next call of a kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Refused.
    Refused(ErrorKind),
    /// Done, and the answer lost.
    Lost,
    /// The controller dies before the call is sent.
    DiesBefore,
    /// The controller dies when the call is done.
    DiesAfter,
}

pub struct Fixture {
    pub now: Timestamp,
    pub object: GlueConnection,
    pub secrets: Secrets,
    pub glue: Option<Stored>,
    pub ownership: Ownership<(String, String)>,
    pub leading: bool,
    pub fates: Vec<(Call, Fate)>,
    /// Why Glue could not be looked at last.
    pub poll_problem: Option<ErrorKind>,
    /// How long the last pass said to rest.
    pub rested: Option<Duration>,
    /// Whether Secrets are watched.
    pub watched: bool,
    /// Whether AWS has said which account this is.
    pub knows_account: bool,
    /// How tests end; none is well.
    pub tests: Vec<Option<String>>,
    /// The calls in their order.
    pub calls: Vec<Call>,
    /// What was left behind, each time that the object was let go.
    pub released: Vec<Option<String>>,
    digest: Option<AppliedDigest>,
    backoff: Option<Duration>,
    intent: IntentTracker,
    /// When `now` was the time at which the fixture began.
    epoch: Instant,
}

/// A spec as YAML would say it.
pub fn spec(value: Value) -> GlueConnectionSpec {
    serde_json::from_value(value).unwrap()
}

/// A JDBC connection whose password stands in a Secret.
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
        let mut bench = Self {
            now: Timestamp::from_second(START).unwrap(),
            object,
            secrets: Secrets::new(),
            glue: None,
            ownership: Ownership::Owned,
            leading: true,
            fates: Vec::new(),
            tests: Vec::new(),
            poll_problem: None,
            rested: None,
            watched: true,
            knows_account: true,
            calls: Vec::new(),
            released: Vec::new(),
            digest: None,
            backoff: None,
            intent: IntentTracker::default(),
            epoch: Instant::now(),
        };
        bench.write_secret("hunter2");
        bench
    }

    /// Writes the Secret `db` again.
    pub fn write_secret(&mut self, password: &str) {
        let version = format!("uid/{}", self.now.as_second() + i64::try_from(self.secrets.len()).unwrap());
        let data = BTreeMap::from([("password".to_owned(), password.as_bytes().to_vec())]);
        self.secrets.insert("db".to_owned(), Values { version, data });
        self.pass_time(1);
    }

    pub fn pass_time(&mut self, seconds: i64) {
        self.now = self.now.checked_add(SignedDuration::from_secs(seconds)).unwrap();
        self.backoff = None;
    }

    /// Changes the spec.
    pub fn edit(&mut self, value: Value) {
        self.object.spec = spec(value);
        *self.object.metadata.generation.as_mut().unwrap() += 1;
        self.pass_time(1);
    }

    pub fn delete(&mut self) {
        self.object.metadata.deletion_timestamp = Some(Time(self.now));
    }

    /// The process begins anew.
    pub fn restart(&mut self) {
        self.digest = None;
        self.intent = IntentTracker::default();
        self.backoff = None;
    }

    /// Somebody else has their hands on it.
    pub fn by_hand(&mut self, work: impl FnOnce(&mut ConnectionInput)) {
        self.pass_time(1);
        let now = self.now;
        let stored = self.glue.as_mut().unwrap();
        work(&mut stored.input);
        (stored.updated, stored.by) = (now, THEM.to_owned());
    }

    /// Passes until the object rests and nothing changes any more.
    pub fn settle(&mut self) {
        for _ in 0..60 {
            let (object, before) = (self.object.clone(), (self.calls.len(), self.fates.len()));
            self.pass();
            self.pass_time(5);
            let due = self.rested.is_some_and(|after| after <= Duration::from_secs(5));
            if object == self.object && before == (self.calls.len(), self.fates.len()) && !due {
                return;
            }
        }
        panic!("it does not come to rest: {:?}\n{:#?}", self.calls, self.object.status);
    }

    pub fn inputs(&self) -> Result<ConnectionInputs, Problem> {
        let secrets = self.object.spec.secret_keys();
        let named =
            secrets.iter().map(|(_, key)| (key.name.clone(), self.secrets.get(&key.name).cloned().unwrap_or_default()));
        let inputs = ConnectionInputs::new(&self.object, &named.collect())?;
        Ok(if self.watched { inputs } else { inputs.unwatched() })
    }

    /// One pass, as the shell makes it.
    pub fn pass(&mut self) {
        let mut state = self.object.begin_pass(&mut self.digest, None);
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
                Step::Call(act) => {
                    assert!(act != Call::Create || fresh_intent, "a creation without its intent");
                    fresh_intent = false;
                    let Some(answer) = self.act(&act, &mut state) else { return };
                    self.digest.clone_from(&state.digest);
                    problem = answer.err();
                    if problem.is_some() {
                        self.backoff = Some(Duration::from_secs(1));
                    }
                }
                step @ (Step::AwaitChange | Step::RequeueAfter(_)) => {
                    self.rested = match step {
                        Step::RequeueAfter(after) => Some(after),
                        _ => None,
                    };
                    return;
                }
                Step::Backoff => return,
                Step::Delete | Step::Annotate(_) => panic!("nothing deletes or marks a connection's object"),
            }
        }
        panic!("a pass does not come to rest: {:?}\n{:#?}", self.calls, self.object.status);
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
            let seen = stored.seen();
            Observation::Present(Connection { arn: seen.arn.filter(|_| self.knows_account), ..seen })
        });
        plan(&Facts {
            common: CommonFacts {
                now: self.now,
                meta: &self.object.metadata,
                leading: self.leading,
                credentials_problem: None,
                inputs_problem: inputs.as_ref().err().cloned(),
                poll_problem: self.poll_problem.map(refused),
                fresh_intent,
                intent_age,
                backoff: self.backoff,
                behind: false,
                settle: Duration::from_secs(3),
                deletion_timeout: Duration::from_mins(5),
            },
            object: &self.object,
            inputs: inputs.as_ref().ok(),
            ownership: self.ownership.clone(),
            observation: Some(observation),
            related: Vec::new(),
            problem,
            state,
        })
    }

    /// What Glue does about a call; nothing, when the controller dies of it.
    fn act(&mut self, act: &Call, state: &mut PassState) -> Option<Result<(), Problem>> {
        let fate = self.fates.iter().position(|(on, _)| on == act).map(|at| self.fates.remove(at).1);
        if fate == Some(Fate::DiesBefore) {
            self.restart();
            return None;
        }
        if *act != Call::RecordDigest {
            self.calls.push(act.clone());
        }
        if let Some(Fate::Refused(kind)) = fate {
            state.outcomes.extend((*act == Call::Create).then_some(CallOutcome::Rejected));
            return Some(Err(refused(kind)));
        }
        let mut told = state.clone();
        let answer = self.carry_out(act, &mut told);
        match fate {
            Some(Fate::DiesAfter) => {
                self.restart();
                None
            }
            Some(Fate::Lost) => Some(Err(refused(ErrorKind::Ambiguous))),
            _ => {
                *state = told;
                Some(answer.map_err(refused))
            }
        }
    }

    fn carry_out(&mut self, act: &Call, state: &mut PassState) -> Result<(), ErrorKind> {
        let inputs = self.inputs().unwrap();
        let test = |tests: &mut Vec<Option<String>>, now, before_create| {
            let message = if tests.is_empty() { None } else { tests.remove(0) };
            let result = if message.is_some() { TestOutcome::Failed } else { TestOutcome::Succeeded };
            let fingerprint = inputs.fingerprint.clone();
            TestResult { result, message, at: Time(now), fingerprint, before_create }
        };
        match act {
            Call::Create if self.glue.is_some() => state.outcomes.push(CallOutcome::Exists),
            Call::Create => {
                self.glue = Some(Stored {
                    input: inputs.input.clone(),
                    tags: self.object.spec.tags.clone().unwrap_or_default(),
                    created: self.now,
                    updated: self.now,
                    by: US.to_owned(),
                    status: "READY".to_owned(),
                });
                state.outcomes.push(CallOutcome::Created(self.now));
                state.digest = Some(inputs.applied_digest());
            }
            Call::Update => {
                let stored = self.glue.as_mut().ok_or(ErrorKind::NotFound)?;
                stored.input = inputs.input.clone();
                (stored.updated, stored.by) = (self.now, US.to_owned());
                state.outcomes.push(CallOutcome::Updated(self.now));
                state.digest = Some(inputs.applied_digest());
            }
            Call::Delete => {
                self.glue = None;
                state.outcomes.push(CallOutcome::Deleted);
            }
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

fn refused(kind: ErrorKind) -> Problem {
    Problem { reason: kind.into(), message: "no".to_owned(), kind: Some(kind) }
}

impl Stored {
    /// What Glue shows of it: no passwords, no credentials, and the secret that it makes of those.
    fn seen(&self) -> Connection {
        let input = &self.input;
        let mut authentication = input.authentication.as_ref().map(|one| one.shown.clone());
        if let (Some(shown), true) = (&mut authentication, crate::controllers::connection::drift::hides(input)) {
            shown.secret_arn.get_or_insert_with(|| "arn:aws:secretsmanager:made-by-glue".to_owned());
        }
        Connection {
            name: input.name.clone(),
            arn: Some("arn:aws:glue:eu-west-1:123456789012:connection/orders".to_owned()),
            type_: input.type_.clone(),
            description: input.description.clone(),
            match_criteria: input.match_criteria.clone(),
            properties: input
                .properties
                .iter()
                .filter(|(name, _)| !name.ends_with("PASSWORD"))
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            spark: input.spark.clone(),
            athena: input.athena.clone(),
            python: input.python.clone(),
            physical: input.physical.clone(),
            authentication,
            status: Some(self.status.clone()),
            status_reason: None,
            created_at: Some(self.created),
            updated_at: Some(self.updated),
            updated_by: Some(self.by.clone()),
            validated_at: None,
            schema_version: Some(1),
        }
    }
}
