//! What a kind supplies to be reconciled as a declared resource.

use std::fmt::Debug;
use std::future::Future;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;

use super::facts::Facts;
use crate::api::declared::DeclaredStatus;
use crate::controllers::runtime::kind::{Item, Kind};
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::runtime::start_once::Intent;
use crate::controllers::runtime::step::Plan;
use crate::glue::identity::Provenance;
use crate::glue::{Error, Glue};
use crate::lineage::run::RunSight;
use crate::redaction::Redactor;

/// A kind of which each object declares one resource in Glue.
pub trait DeclaredKind: Kind<PassState: Default> {
    /// The calls that its plan can ask for.
    type Call: Clone + Debug + Send + Sync;

    /// The noun for the resource, such as `trigger`.
    const NOUN: &'static str;

    /// The account that the spec names for the resource; `None` for that of the credentials.
    fn catalog(&self) -> Option<&str> {
        None
    }
    /// The poller's source of the resource.
    fn source(&self, client: &Glue) -> Self::Source;
    /// The resource's name, by which the source knows it. Two objects with the same one in one account and region declare
    /// the same resource.
    fn id(&self) -> &str;
    /// Other items that the object waits for, each with its id.
    fn related(&self, _client: &Glue) -> Vec<(Self::Source, String)> {
        Vec::new()
    }
    /// The part of the status that all declared kinds share.
    fn declared(status: &Self::Status) -> &DeclaredStatus;
    /// The same, to be changed.
    fn declared_mut(status: &mut Self::Status) -> &mut DeclaredStatus;

    /// The watch delivered the object; `listed` when it came with a list.
    fn on_applied(&self, _local: &mut Self::LocalState, _listed: bool) {}
    /// The state that a pass begins with.
    fn begin_pass(&self, local: &mut Self::LocalState, earlier: Earlier<'_>) -> Self::PassState;

    /// The status that the plan starts from.
    fn base_status(facts: &Facts<'_, Self>) -> Self::Status;
    /// The plan when Glue has the resource.
    fn present(facts: &Facts<'_, Self>, status: Self::Status, item: &Item<Self>) -> DeclaredPlan<Self>;
    /// The plan when Glue does not have the resource.
    fn absent(facts: &Facts<'_, Self>, status: Self::Status) -> DeclaredPlan<Self>;
    /// The plan before the resource was observed.
    fn unobserved(facts: &Facts<'_, Self>, status: Self::Status) -> DeclaredPlan<Self>;
    /// What has to be done about the resource before the object may be deleted.
    fn release(facts: &Facts<'_, Self>) -> Release<Self>;
    /// The conditions that only this kind has.
    fn own_conditions(_facts: &Facts<'_, Self>, _status: &Self::Status, _before: &[Condition]) -> Vec<Condition> {
        Vec::new()
    }

    /// The runs that the object has started, for lineage; `related` are the items of [`DeclaredKind::related`] that Glue has.
    fn runs(&self, _related: &[Item<Self>]) -> Vec<RunSight> {
        Vec::new()
    }
    /// Whether a status has the end of a run that the object started, by its id.
    fn has_ended(_status: &Self::Status, _run: &str) -> bool {
        false
    }

    /// The intent that a status records.
    fn intent(status: &Self::Status) -> Option<Intent>;
    /// The status records a new intent: what the pass has observed about an earlier one is out of date.
    fn on_intent_recorded(_state: &mut Self::PassState) {}
    /// Whether a call must not be sent twice, so that only the pass that wrote its intent may send it.
    fn is_non_idempotent(call: &Self::Call) -> bool;
    /// Whether a call changes the resource, so that earlier observations are out of date.
    fn changes_resource(call: &Self::Call) -> bool;
    /// Whether a call changes nothing and its answer is not needed when the object is being deleted. Such a call may take
    /// long.
    fn ends_with_deletion(_call: &Self::Call) -> bool {
        false
    }
    /// The resource of which Glue takes one change at a time, when this call is such a change.
    fn exclusive_target(&self, _call: &Self::Call) -> Option<String> {
        None
    }
    /// Whether the object's own change is still under way.
    fn is_changing(&self) -> bool {
        false
    }
    /// Makes the call; in one request when it must not be sent twice.
    fn call(
        &self,
        target: Target<'_, Self>,
        call: &Self::Call,
        state: &mut Self::PassState,
    ) -> impl Future<Output = Result<(), Error>> + Send;
    /// Keeps what later passes need of a call.
    fn remember(_local: &mut Self::LocalState, _state: &Self::PassState) {}
}

/// What a call is made with.
pub struct Target<'a, K: Kind> {
    /// The client.
    pub client: &'a Glue,
    /// Where its credentials come from.
    pub provenance: Option<&'a Provenance>,
    /// What the spec takes from Secrets, when that could be read.
    pub inputs: Option<&'a K::Inputs>,
    /// What removes the values of the inputs from AWS's words.
    pub redactor: &'a Redactor,
    /// For how long this process has known of the intent in the status.
    pub intent_age: std::time::Duration,
}

/// The plan of a declared kind.
pub type DeclaredPlan<K> = Plan<<K as kube::core::object::HasStatus>::Status, <K as DeclaredKind>::Call>;

/// What has to be done about a resource before its object may be deleted.
pub enum Release<K: DeclaredKind> {
    /// Nothing.
    Done,
    /// This plan; it waits, or makes a call.
    Needs(DeclaredPlan<K>),
    /// It cannot be decided: the resource goes on in Glue.
    LeaveBehind,
}
