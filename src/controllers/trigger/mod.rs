//! The kind `GlueTrigger`: kept activated or deactivated; one of type ON_DEMAND, fired.
//!
//! | module | what it does |
//! |---|---|
//! | [`plan`], [`facts`] | decides; pure |
//! | [`calls`] | the calls to Glue |
//! | `activation` | a trigger that has a state: switched to the state of the spec, and back to it |
//! | `firing` | a trigger of type ON_DEMAND: fired once for each new value of `spec.fire` |
//! | `lineage` | firings and the runs that they started, for lineage |
//! | `requests` | which values of `spec.fire` are new |
//! | `render` | the trigger as Glue shows it, in the status |
//! | [`local_state`] | what the process keeps about an object, and what a pass observes |

mod activation;
pub mod calls;
pub mod event;
mod facts;
mod firing;
mod lineage;
pub mod local_state;
pub mod plan;
mod render;
mod requests;

#[cfg(test)]
pub(crate) mod tests;

use self::calls::Call;
use self::facts::{TriggerFacts, TriggerPlan};
use self::local_state::{PassState, TriggerLocalState};
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::trigger::{self, TargetKind};
use crate::api::{GlueTrigger, GlueTriggerStatus};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::kind::{Release, Target};
use crate::controllers::declared::lifecycle::DeclaredLifecycle;
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::lifecycle::Earlier;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Intent, IntentId, StartState};
use crate::glue::job_runs::source::JobRunSource;
use crate::glue::triggers::source::{TriggerItem, TriggerSource};
use crate::glue::workflow_runs::source::{ReadNodes, WorkflowRunSource};
use crate::glue::{Error, Glue};
use crate::lineage::run::RunSight;

impl Kind for GlueTrigger {
    const KIND: &'static str = "GlueTrigger";
    type Lifecycle = DeclaredLifecycle;
    type Source = TriggerSource;
    type Inputs = ();
    type PassState = PassState;
    type LocalState = TriggerLocalState;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueTriggerStatus) -> &mut Option<AwsIdentity> {
        &mut status.declared.identity
    }

    fn strip_to_head(&mut self) {
        self.spec.aws = Aws::default();
    }
}

impl DeclaredKind for GlueTrigger {
    type Call = Call;

    const NOUN: &'static str = "trigger";

    fn source(&self, client: &Glue) -> TriggerSource {
        TriggerSource::Triggers(client.clone())
    }

    fn id(&self) -> &str {
        &self.spec.trigger_name
    }

    /// The live runs that firings have started.
    fn related(&self, client: &Glue) -> Vec<(TriggerSource, String)> {
        let Some(status) = &self.status else { return Vec::new() };
        let runs = status.earlier_firings.iter().chain(&status.last_firing).flat_map(|firing| &firing.started);
        let live = runs.filter(|run| !run.ended);
        live.map(|run| (source_of(client, &run.target), run.id.clone())).collect()
    }

    fn declared(status: &GlueTriggerStatus) -> &DeclaredStatus {
        &status.declared
    }

    fn declared_mut(status: &mut GlueTriggerStatus) -> &mut DeclaredStatus {
        &mut status.declared
    }

    fn on_applied(&self, local: &mut TriggerLocalState, listed: bool) {
        local.on_applied(self, listed);
    }

    fn begin_pass(&self, local: &mut TriggerLocalState, earlier: Earlier<'_>) -> PassState {
        local.begin_pass(self, earlier)
    }

    fn base_status(facts: &TriggerFacts<'_>) -> GlueTriggerStatus {
        plan::base_status(facts)
    }

    fn present(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, item: &TriggerItem) -> TriggerPlan {
        match item {
            TriggerItem::Trigger(trigger) => plan::present(facts, status, trigger),
            TriggerItem::JobRun(_) | TriggerItem::WorkflowRun(_) | TriggerItem::Crawl(_) => {
                plan::unobserved(facts, status)
            }
        }
    }

    fn absent(facts: &TriggerFacts<'_>, status: GlueTriggerStatus) -> TriggerPlan {
        plan::absent(facts, status)
    }

    fn unobserved(facts: &TriggerFacts<'_>, status: GlueTriggerStatus) -> TriggerPlan {
        plan::unobserved(facts, status)
    }

    fn release(facts: &TriggerFacts<'_>) -> Release<Self> {
        plan::release(facts)
    }

    fn runs(&self, related: &[TriggerItem]) -> Vec<RunSight> {
        lineage::runs(self, related)
    }

    fn has_ended(status: &GlueTriggerStatus, run: &str) -> bool {
        lineage::has_ended(status, run)
    }

    /// The intent of the last firing. It stays the tracked one after the firing, for the lookup of its runs.
    fn intent(status: &GlueTriggerStatus) -> Option<Intent> {
        let last = status.last_firing.as_ref()?;
        Some(Intent { id: IntentId::new(last.number, &last.value, &last.intended_at), open: last.is_open() })
    }

    fn on_intent_recorded(state: &mut PassState) {
        state.start = StartState::default();
    }

    fn is_non_idempotent(call: &Call) -> bool {
        *call == Call::Fire
    }

    fn changes_resource(call: &Call) -> bool {
        matches!(call, Call::Activate | Call::Deactivate)
    }

    /// The workflow of the trigger: Glue answers two concurrent changes of one workflow with
    /// `ConcurrentModificationException`.
    fn exclusive_target(&self, call: &Call) -> Option<String> {
        self.status.as_ref().and_then(|status| status.workflow.clone()).filter(|_| Self::changes_resource(call))
    }

    fn is_changing(&self) -> bool {
        let reconciling = self.status.as_ref().and_then(|status| status.declared.condition("Reconciling"));
        let reason = reconciling.and_then(reason_of);
        matches!(reason, Some(Reason::Activating | Reason::Deactivating | Reason::Drifted))
    }

    async fn call(&self, target: Target<'_, Self>, call: &Call, state: &mut PassState) -> Result<(), Error> {
        calls::call(self, &target, call, state).await
    }
}

fn source_of(client: &Glue, target: &trigger::Target) -> TriggerSource {
    let (client, name) = (client.clone(), target.name.clone());
    match target.kind {
        TargetKind::Job => TriggerSource::Job(JobRunSource { client, job: name }),
        TargetKind::Crawler => TriggerSource::Crawler(client, name),
        TargetKind::Workflow => {
            TriggerSource::Workflow(WorkflowRunSource { client, workflow: name, read_nodes: ReadNodes::OnFailure })
        }
    }
}
