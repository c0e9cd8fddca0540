//! What a life is: the part of the reconcile that kinds of one sort share. There are two,
//! [`run`](mod@super::run) for what has an end, and [`declared`](super::declared) for what is kept in line; the
//! [`shell`](super::reconciler) does what both need.

use std::fmt::Debug;
use std::future::Future;

use super::context::Context;
use super::kind::Kind;
use super::pass::Pass;
use super::step::Plan;

/// How the objects of a kind live: what is decided, and what is done about it beyond what all kinds do.
pub trait Lifecycle<K: Kind>: Sized + 'static {
    /// What only this life does in Glue.
    type Call: Debug + Send;

    /// The watch shows the object, new or changed; or `listed`, among those that are there.
    fn on_applied(_context: &Context<K>, _object: &K, _listed: bool) {}
    /// The object is gone.
    fn on_deleted(_context: &Context<K>, _object: &K) {}
    /// What a pass knows when it begins.
    fn begin(object: &K, memory: &mut K::LocalState) -> K::PassState;
    /// Whether the object needs nothing of AWS any more.
    fn is_finished(object: &K) -> bool;
    /// Gathers what is known and decides.
    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Self::Call>;
    /// Whether writing `after` over `before` records the intent to send what must not be sent twice.
    fn records_intent(before: Option<&K::Status>, after: &K::Status) -> bool;
    /// The object's status was written over `before`: takes note, and tells of it.
    fn on_status_written(pass: &mut Pass<'_, K>, before: Option<&K::Status>);
    /// Whether it may be sent only by the pass that wrote the intent for it.
    fn is_non_idempotent(act: &Self::Call) -> bool;
    /// Acts; what comes of it goes into the pass.
    fn act(pass: &mut Pass<'_, K>, act: Self::Call) -> impl Future<Output = ()> + Send;
    /// The object rests.
    fn on_idle(pass: &Pass<'_, K>);
    /// What becomes of `left_behind` in Glue, and what a person should do about it.
    fn left_behind(left_behind: &str) -> String;
}
