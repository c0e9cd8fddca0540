//! What the kinds of one sort share. There are three lifecycles: [`run`](mod@crate::controllers::run) for what comes to an
//! end, [`declared`](crate::controllers::declared) for what is kept in sync with its spec, and that of the
//! [`inventory`](crate::controllers::inventory) for what is only read. The [`reconciler`](super::reconciler) does what all of
//! them need.

use std::fmt::Debug;
use std::future::Future;

use super::context::Context;
use super::kind::Kind;
use super::pass::Pass;
use super::problem::Problem;
use super::start_once::{Intent, StartOutcome};
use super::step::Plan;
use crate::lineage::run::RunSight;

/// What is left of earlier passes over an object.
#[derive(Clone, Copy, Debug, Default)]
pub struct Earlier<'a> {
    /// The outcome of a start that no status records yet.
    pub outcome: Option<&'a StartOutcome>,
    /// Whether there is a trace of an earlier attempt that the status may have lost: the object was done, or it has a
    /// finalizer. One that this process added before a pass that the rate limiter held up is none.
    pub trace: bool,
}

/// How the objects of a kind are reconciled.
pub trait Lifecycle<K: Kind>: Sized + 'static {
    /// The calls to AWS that a plan can ask for.
    type Call: Debug + Send;

    /// The watch delivered the object, created or changed; `listed` when it came with a list.
    fn on_applied(_context: &Context<K>, _object: &K, _listed: bool) {}
    /// The object was deleted.
    fn on_deleted(_context: &Context<K>, _object: &K) {}
    /// The state that a pass begins with; `earlier` is what is left of earlier passes.
    fn begin_pass(object: &K, local: &mut K::LocalState, earlier: Earlier<'_>) -> K::PassState;
    /// Whether the object needs no call to AWS any more.
    fn is_finished(_object: &K) -> bool {
        false
    }
    /// Whether no pass over the object, as it is, would do anything, now or later. Nothing is kept of it.
    fn is_done(_object: &K) -> bool {
        false
    }
    /// Gathers the facts and plans.
    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Self::Call>;
    /// The intent that a status records.
    fn intent(status: &K::Status) -> Option<Intent>;
    /// Whether a call must not be sent twice, so that only the pass that wrote its intent may send it.
    fn is_non_idempotent(call: &Self::Call) -> bool;
    /// Makes the call; the pass gets what came of it.
    fn call(pass: &mut Pass<'_, K>, call: Self::Call) -> impl Future<Output = ()> + Send;
    /// The status was written over `before`: files the Event of the transition.
    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>);
    /// The status that reports a problem, and is otherwise that of the object; `None` for an object that is finished.
    fn report(object: &K, problem: &Problem) -> Option<K::Status>;

    /// The runs that the pass has observed, for lineage.
    fn runs(_pass: &Pass<'_, K>) -> Vec<RunSight> {
        Vec::new()
    }
    /// Whether a status has the end of a run, by Glue's id of it.
    fn has_ended(_status: &K::Status, _run: &str) -> bool {
        false
    }

    /// The pass ends, and waits for a change.
    fn on_idle(pass: &Pass<'_, K>);
    /// The pass ends; `succeeded` unless the API server refused a write.
    fn on_pass_end(_pass: &Pass<'_, K>, _succeeded: bool) {}
    /// What becomes of `left_behind` in Glue, and what a person should do about it.
    fn describe_left_behind(left_behind: &str) -> String;
}
