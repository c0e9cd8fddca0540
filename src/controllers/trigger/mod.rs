//! The kind `GlueTrigger`: kept activated or deactivated; one of type ON_DEMAND, fired.
//!
//! | module | what it does |
//! |---|---|
//! | [`plan`] | decides; pure |
//! | `activation` | a trigger that has a state: switched to the state of the spec, and back to it |
//! | `firing` | a trigger of type ON_DEMAND: fired once for each new value of `spec.fire` |
//! | `requests` | which values of `spec.fire` are new |
//! | `render` | the trigger as Glue shows it, in the status |
//! | [`local_state`] | what the process keeps about an object, and what a pass observes |

mod activation;
mod firing;
pub mod local_state;
pub mod plan;
mod render;
mod requests;

#[cfg(test)]
pub(crate) mod tests;

use self::local_state::{BaselineReading, FoundRuns, PassState, TriggerLocalState};
use self::plan::{Call, TriggerFacts, TriggerPlan};
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::trigger::{Baseline, Started, Target, TargetKind};
use crate::api::{GlueTrigger, GlueTriggerStatus};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::kind::{self as declared, Release};
use crate::controllers::declared::lifecycle::DeclaredLifecycle;
use crate::controllers::runtime::conditions::reason_of;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::start_once::{Intent, IntentId, Lookup, StartOutcome, StartState};
use crate::glue::job_runs::source::JobRunSource;
use crate::glue::triggers::source::{TriggerItem, TriggerSource};
use crate::glue::{Error, ErrorKind, Glue};

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
}

impl DeclaredKind for GlueTrigger {
    type Call = Call;

    const NOUN: &'static str = "trigger";

    fn resource_name(&self) -> String {
        self.spec.trigger_name.clone()
    }

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

    fn begin_pass(&self, local: &mut TriggerLocalState, outcome: Option<&StartOutcome>) -> PassState {
        local.begin_pass(self, outcome)
    }

    fn base_status(facts: &TriggerFacts<'_>) -> GlueTriggerStatus {
        plan::base_status(facts)
    }

    fn present(facts: &TriggerFacts<'_>, status: GlueTriggerStatus, item: &TriggerItem) -> TriggerPlan {
        match item {
            TriggerItem::Trigger(trigger) => plan::present(facts, status, trigger),
            TriggerItem::JobRun(_) | TriggerItem::Run(_) => plan::unobserved(facts, status),
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
        let switches = matches!(call, Call::Activate | Call::Deactivate);
        self.status.as_ref().and_then(|status| status.workflow.clone()).filter(|_| switches)
    }

    fn is_changing(&self) -> bool {
        let reconciling = self.status.as_ref().and_then(|status| status.declared.condition("Reconciling"));
        let reason = reconciling.and_then(reason_of);
        matches!(reason, Some(Reason::Activating | Reason::Deactivating | Reason::Drifted))
    }

    async fn call(&self, target: declared::Target<'_, Self>, call: &Call, state: &mut PassState) -> Result<(), Error> {
        let (client, name) = (target.client, &self.spec.trigger_name);
        let explain = |error: &Error| Problem::of(error, target.provenance);
        match call {
            Call::Activate => client.start_trigger(name, false).await,
            Call::Deactivate => client.stop_trigger(name).await,
            Call::ReadBaseline { targets, history } => {
                let reading = read_baseline(client, name, targets, *history).await;
                let answer = reading.as_ref().map(drop).map_err(Clone::clone);
                state.baseline = Some(reading.map_err(|error| explain(&error)));
                answer
            }
            Call::LookUp(baseline) => {
                let found = look_up(client, name, baseline).await;
                let answer = found.as_ref().map(drop).map_err(Clone::clone);
                state.start.lookup = Some(match found {
                    Ok(started) => Lookup::Found(FoundRuns { started, intent_age: target.intent_age }),
                    Err(error) => Lookup::Failed(explain(&error)),
                });
                answer
            }
            Call::Fire => {
                let answer = client.start_trigger(name, true).await;
                state.sent = true;
                state.baseline = None;
                state.start.on_sent(StartOutcome::of(answer.clone().map(|()| None), explain));
                answer
            }
        }
    }
}

fn source_of(client: &Glue, target: &Target) -> TriggerSource {
    let (client, name) = (client.clone(), target.name.clone());
    match target.kind {
        TargetKind::Job => TriggerSource::Job(JobRunSource { client, job: name }),
        TargetKind::Crawler => TriggerSource::Crawler(client, name),
        TargetKind::Workflow => TriggerSource::Workflow(client, name),
    }
}

/// The newest run of each target. A target that Glue does not have has started nothing.
async fn read_baseline(
    client: &Glue,
    trigger: &str,
    targets: &[Target],
    history: bool,
) -> Result<BaselineReading, Error> {
    let mut reading = BaselineReading { baseline: Vec::with_capacity(targets.len()), has_started: false };
    for target in targets {
        let id = if_found(client.newest_run(target).await)?.flatten();
        if history {
            let runs = if_found(client.newer_runs(target, trigger, None).await)?;
            reading.has_started |= runs.is_some_and(|runs| !runs.is_empty());
        }
        reading.baseline.push(Baseline { target: target.clone(), id });
    }
    Ok(reading)
}

/// The runs that are newer than the baseline and that this trigger may have started.
async fn look_up(client: &Glue, trigger: &str, baseline: &[Baseline]) -> Result<Vec<Started>, Error> {
    let mut started = Vec::new();
    for Baseline { target, id } in baseline {
        let runs = if_found(client.newer_runs(target, trigger, id.as_deref()).await)?.unwrap_or_default();
        started.extend(runs.into_iter().map(|run| Started {
            target: target.clone(),
            id: run.id,
            state: Some(run.state),
            ended: run.ended,
        }));
    }
    Ok(started)
}

fn if_found<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}
