//! What a life is: the part of the reconcile that kinds of one sort share. There are two,
//! [`run`](mod@super::run) for what has an end, and [`declared`](super::declared) for what is kept in line; the
//! [`shell`](super::shell) does what both need.

use std::fmt::Debug;
use std::future::Future;

use super::context::Context;
use super::kind::Kind;
use super::pass::Pass;
use super::step::Plan;

/// A kind with its life.
pub trait Living: Kind {
    /// How its objects live.
    type Life: Life<Self>;
}

/// How the objects of a kind live: what is decided, and what is done about it beyond what all kinds do.
pub trait Life<K: Kind>: Sized + 'static {
    /// What only this life does in Glue.
    type Act: Debug + Send;

    /// The watch shows the object, new or changed; or `listed`, among those that are there.
    fn appears(_context: &Context<K>, _object: &K, _listed: bool) {}
    /// The object is gone.
    fn leaves(_context: &Context<K>, _object: &K) {}
    /// What a pass knows when it begins.
    fn begin(object: &K, memory: &mut K::Memory) -> K::Learnt;
    /// Whether the object needs nothing of AWS any more.
    fn is_over(object: &K) -> bool;
    /// Gathers what is known and decides.
    fn plan(pass: &mut Pass<'_, K>) -> Plan<K::Status, Self::Act>;
    /// Whether writing `after` over `before` records the intent to send what must not be sent twice.
    fn intends(before: Option<&K::Status>, after: &K::Status) -> bool;
    /// The object's status was written over `before`: takes note, and tells of it.
    fn wrote(pass: &mut Pass<'_, K>, before: Option<&K::Status>);
    /// Whether it may be sent only by the pass that wrote the intent for it.
    fn is_once(act: &Self::Act) -> bool;
    /// Acts; what comes of it goes into the pass.
    fn act(pass: &mut Pass<'_, K>, act: Self::Act) -> impl Future<Output = ()> + Send;
    /// The object rests.
    fn rests(pass: &Pass<'_, K>);
    /// What becomes of `left_behind` in Glue, and what a person should do about it.
    fn left_behind(left_behind: &str) -> String;
}
