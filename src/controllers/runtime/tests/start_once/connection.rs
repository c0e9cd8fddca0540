//! `GlueConnection`: Glue has one connection of a name, so that a second creation fails. What must not go wrong is whose
//! connection it is: one that this object created is its own, however the answer was lost, and one that somebody else
//! created is never changed or deleted.

use std::sync::Arc;

use jiff::Timestamp;
use kube::core::ObjectMeta;
use serde_json::json;

use super::object::{Object, Pass};
use super::world::{SETTLE, Transition, World};
use super::{Exploration, Subject};
use crate::api::declared::DeclaredStatus;
use crate::api::{GlueConnection, GlueConnectionStatus};
use crate::controllers::connection::calls::Call;
use crate::controllers::connection::inputs::ConnectionInputs;
use crate::controllers::connection::{CallOutcome, PassState};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::plan::plan;
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::runtime::ownership::Ownership;
use crate::controllers::runtime::start_once::{Intent, StartOutcome};
use crate::controllers::runtime::step::Plan;
use crate::glue::connections;
use crate::glue::poller::Observation;

#[derive(Clone, Debug)]
pub struct Connection {
    object: Arc<GlueConnection>,
    inputs: Arc<ConnectionInputs>,
}

impl Connection {
    pub fn new() -> Self {
        let spec = json!({"connectionType": "NETWORK", "physicalRequirements": {"subnetId": "subnet-1", "availabilityZone": "eu-west-1a"}});
        let mut object = GlueConnection::new("orders", serde_json::from_value(spec).expect("a spec"));
        object.metadata = ObjectMeta {
            name: Some("orders".to_owned()),
            namespace: Some("team".to_owned()),
            uid: Some("uid".to_owned()),
            generation: Some(1),
            ..ObjectMeta::default()
        };
        let inputs = ConnectionInputs::new(&object, &std::collections::BTreeMap::new()).expect("inputs");
        Self { object: Arc::new(object), inputs: Arc::new(inputs) }
    }
}

/// A pass over a connection.
#[derive(Clone, Debug)]
pub struct ConnectionPass {
    done: PassState,
    /// The poller's observation; none after a change.
    observed: Option<Observation<connections::Connection>>,
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_000_000 + seconds).expect("a time")
}

impl World<Connection> {
    fn observation(&self, lags: bool) -> Observation<connections::Connection> {
        let Some(number) = self.shown(lags).first().copied() else { return Observation::NotFound };
        let ours = self.started[number].ours;
        let input = &self.subject.inputs.input;
        Observation::Present(connections::Connection {
            name: "orders".to_owned(),
            type_: if ours { input.type_.clone() } else { "JDBC".to_owned() },
            physical: input.physical.clone(),
            created_at: Some(at(i64::try_from(number).expect("few"))),
            updated_by: Some(if ours { "us" } else { "them" }.to_owned()),
            status: Some("READY".to_owned()),
            ..connections::Connection::default()
        })
    }
}

impl Subject for Connection {
    type Status = GlueConnectionStatus;
    type Spec = ();
    type PassState = ConnectionPass;
    type Local = Option<crate::controllers::connection::AppliedDigest>;
    type Call = Call;
    type Notes = ();

    const VISIBLE: usize = 2;

    fn initial(&self) -> ((), GlueConnectionStatus) {
        ((), GlueConnectionStatus { declared: DeclaredStatus::unobserved(), ..GlueConnectionStatus::default() })
    }

    fn intent(status: &GlueConnectionStatus) -> Option<Intent> {
        GlueConnection::intent(status)
    }

    /// The poller has observed nothing, something that lags, or what there is.
    fn begin(&self, world: &World<Self>, who: usize, object: &Object<Self>) -> Vec<ConnectionPass> {
        let mut local = world.controllers[who].local.clone();
        let mut of_object = (*self.object).clone();
        of_object.status = Some(object.status.clone());
        let done = of_object.begin_pass(&mut local, Earlier::default());
        let pass = |observed| ConnectionPass { done: done.clone(), observed };
        let now = Some(world.observation(false));
        // A poll that lags matters while a creation may be on its way.
        let open = object.status.creation.is_some();
        let late = (world.has_lag() && world.faults > 0 && open).then(|| Some(world.observation(true)));
        [Some(None), late, Some(now)].into_iter().flatten().map(pass).collect()
    }

    fn plan(&self, world: &World<Self>, pass: &Pass<Self>) -> Plan<GlueConnectionStatus, Call> {
        let mut object = (*self.object).clone();
        object.status = Some(pass.object.status.clone());
        let finalizers = pass.object.finalizer.then(|| vec![crate::api::FINALIZER.to_owned()]);
        object.metadata.finalizers = finalizers;
        plan(&Facts {
            common: CommonFacts {
                now: at(world.clock),
                meta: &object.metadata,
                leading: true,
                credentials_problem: None,
                inputs_problem: None,
                poll_problem: None,
                fresh_intent: pass.fresh_intent,
                intent_age: pass.intent_age,
                backoff: None,
                settle: std::time::Duration::from_secs(SETTLE.unsigned_abs()),
                deletion_timeout: std::time::Duration::from_mins(10),
            },
            object: &object,
            inputs: Some(&self.inputs),
            ownership: Ownership::Owned,
            observation: pass.state.observed.clone(),
            related: Vec::new(),
            related_problem: None,
            deleting_for: std::time::Duration::ZERO,
            behind: false,
            problem: pass.problem.clone(),
            state: &pass.state.done,
        })
    }

    fn on_status_written(&self, _: &mut World<Self>, _: &mut Pass<Self>, _: &GlueConnectionStatus, _: bool) {}

    fn call(&self, world: &World<Self>, who: usize, call: &Call) -> Vec<Transition<Self>> {
        let foreign = world.started.first().is_some_and(|first| !first.ours);
        let label = format!("{who} calls {call:?}");
        vec![world.then(label, |next| {
            let digest = next.subject.inputs.applied_digest();
            let Some(pass) = next.pass_mut(who) else { return };
            match call {
                Call::RecordDigest => {
                    pass.state.done.digest = Some(digest.clone());
                    next.controllers[who].local = Some(digest);
                }
                Call::Update | Call::Delete if foreign => next.flag(format!("{call:?} of somebody else's connection")),
                other => next.flag(format!("nothing was changed, and the plan asks for {other:?}")),
            }
        })]
    }

    fn is_start(call: &Call) -> bool {
        *call == Call::Create
    }

    fn label(_: &GlueConnectionStatus) -> String {
        "orders".to_owned()
    }

    /// The first one is created; Glue answers that a second one exists.
    fn answer(started: usize) -> StartOutcome {
        if started == 0 { StartOutcome::Accepted } else { StartOutcome::Started("exists".to_owned()) }
    }

    fn on_sent(pass: &mut Pass<Self>, outcome: StartOutcome) {
        let done = match outcome {
            StartOutcome::Accepted => Some(CallOutcome::Created(at(0))),
            StartOutcome::Started(_) => Some(CallOutcome::Exists),
            StartOutcome::Rejected(_) => Some(CallOutcome::Rejected),
            StartOutcome::Unconfirmed(_) => None,
        };
        if !matches!(outcome, StartOutcome::Rejected(_)) {
            pass.state.observed = None;
        }
        pass.state.done.outcomes.extend(done);
    }

    fn violation(&self, _: &World<Self>) -> Option<String> {
        None
    }

    fn is_settled(&self, world: &World<Self>) -> bool {
        let ready = world.object.status.declared.condition("Ready").map(|ready| ready.reason.as_str());
        match world.started.first() {
            Some(first) if first.ours => ready == Some("InSync") && world.object.status.applied.is_some(),
            Some(_) => ready == Some("AlreadyExists") && world.object.status.applied.is_none(),
            None => false,
        }
    }
}

#[test]
fn however_it_goes_a_connection_is_created_once_and_belongs_to_the_object_that_created_it() {
    for (controllers, faults, others) in [(1, 2, 0), (1, 1, 1), (2, 0, 0)] {
        let exploration = Exploration::new(Connection::new(), controllers, faults);
        let states = Exploration { others, ..exploration }.explore();
        println!("{controllers} controllers, {faults} faults, {others} others: {states} states");
        assert!(states > 100, "the model has only {states} states");
    }
}
