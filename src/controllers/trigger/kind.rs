//! `GlueTrigger` as a declared kind: where it is seen, and the calls about it.

use kube::Client;

use super::local_state::{BaselineReading, Call, FoundRuns, LocalTriggerState, PassState, StartOutcome};
use super::plan::plan;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::trigger::{Baseline, Started, Target, TargetKind};
use crate::api::{GlueTrigger, GlueTriggerStatus};
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::lifecycle::DeclaredLifecycle;
use crate::controllers::runtime::Settings;
use crate::controllers::runtime::kind::Kind;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::step::Plan;
use crate::glue::job_runs::source::JobRunSource;
use crate::glue::triggers::source::TriggerSource;
use crate::glue::{Error, ErrorKind, Glue};

impl Kind for GlueTrigger {
    const KIND: &'static str = "GlueTrigger";
    type Source = TriggerSource;
    type Inputs = ();
    type PassState = PassState;
    type LocalState = LocalTriggerState;
    type Lifecycle = DeclaredLifecycle;

    fn aws(&self) -> &Aws {
        &self.spec.aws
    }

    fn identity(status: &mut GlueTriggerStatus) -> &mut Option<AwsIdentity> {
        &mut status.declared.identity
    }

    fn input_secrets(&self) -> Vec<&str> {
        Vec::new()
    }

    async fn inputs(&self, _: &Client, _: &Settings) -> Result<(), Problem> {
        Ok(())
    }
}

impl DeclaredKind for GlueTrigger {
    type Call = Call;

    const NEUTRAL: &'static [&'static str] =
        &["Activating", "Deactivating", "Creating", "Updating", "Looking", "Firing", "Fired", "Conflict"];
    const BAD: &'static [&'static str] = &["CompletedWithFailures", "NotFired"];
    const NOUN: &'static str = "trigger";

    fn glue_name(&self) -> String {
        self.spec.trigger_name.clone()
    }

    fn source(&self, client: &Glue) -> TriggerSource {
        TriggerSource::Triggers(client.clone())
    }

    fn id(&self) -> &str {
        &self.spec.trigger_name
    }

    /// The runs that firings have started, until they end.
    fn related(&self, client: &Glue) -> Vec<(TriggerSource, String)> {
        let Some(status) = &self.status else { return Vec::new() };
        let runs = status.earlier_firings.iter().chain(&status.last_firing).flat_map(|firing| &firing.started);
        let live = runs.filter(|run| !run.ended);
        live.map(|run| (source_of(client, &run.target), run.id.clone())).collect()
    }

    fn declared(status: &GlueTriggerStatus) -> &DeclaredStatus {
        &status.declared
    }

    fn on_applied(&self, memory: &mut LocalTriggerState, listed: bool) {
        memory.on_applied(self, listed);
    }

    /// "Two or more concurrent calls that change one workflow" is what `ConcurrentModificationException` is about.
    fn takes_turns(&self, act: &Call) -> Option<String> {
        let switches = matches!(act, Call::Activate | Call::Deactivate);
        self.status.as_ref().and_then(|status| status.workflow.clone()).filter(|_| switches)
    }

    fn keeps_turn(&self) -> bool {
        let going_on = self.status.as_ref().and_then(|status| status.declared.condition("Reconciling"));
        going_on.is_some_and(|it| ["Activating", "Deactivating", "Drifted"].contains(&it.reason.as_str()))
    }

    fn begin(&self, memory: &mut LocalTriggerState) -> PassState {
        memory.begin(self)
    }

    fn plan(facts: &Facts<'_, Self>) -> Plan<GlueTriggerStatus, Call> {
        plan(facts)
    }

    fn records_intent(before: Option<&GlueTriggerStatus>, after: &GlueTriggerStatus) -> bool {
        records_intent(before, after)
    }

    fn is_non_idempotent(act: &Call) -> bool {
        *act == Call::Fire
    }

    fn changes(act: &Call) -> bool {
        matches!(act, Call::Activate | Call::Deactivate)
    }

    async fn act(&self, client: &Glue, _: Option<&()>, act: &Call, state: &mut PassState) -> Result<(), Error> {
        let name = &self.spec.trigger_name;
        match act {
            Call::Activate => client.start_trigger(name, false).await,
            Call::Deactivate => client.stop_trigger(name).await,
            Call::ReadBaseline { targets, history } => {
                let surveyed = baseline(client, name, targets, *history).await;
                let outcome = surveyed.as_ref().map(drop).map_err(Clone::clone);
                state.baseline = Some(surveyed.map_err(|error| Problem::of(&error, None)));
                outcome
            }
            Call::LookUp(before) => {
                let found = look(client, name, before).await;
                let outcome = found.as_ref().map(drop).map_err(Clone::clone);
                let found = found.map(|started| FoundRuns { started, known_for: state.known_for(self.number()) });
                state.found = Some((self.number(), found.map_err(|error| Problem::of(&error, None))));
                outcome
            }
            Call::Fire => {
                let fired = client.start_trigger(name, true).await;
                let outcome = match &fired {
                    Ok(()) => StartOutcome::Accepted,
                    Err(error) if error.kind.is_definite_failure() => StartOutcome::Refused(Problem::of(error, None)),
                    Err(_) => StartOutcome::Unclear,
                };
                // What was seen before it is older than that.
                state.sent = true;
                state.baseline = None;
                state.found = None;
                state.outcome = Some((self.number(), outcome));
                fired
            }
        }
    }

    fn remember(memory: &mut LocalTriggerState, state: &PassState, act: &Call, _: &Result<(), Error>) {
        if let (Call::Fire, Some((number, outcome))) = (act, &state.outcome) {
            memory.answered(*number, outcome.clone());
        }
    }
}

impl GlueTrigger {
    /// The number of the intent that counts.
    fn number(&self) -> u32 {
        let last = self.status.as_ref().and_then(|status| status.last_firing.as_ref());
        last.map(|last| last.number).unwrap_or_default()
    }
}

/// Whether writing `after` over `before` records the intent to fire.
pub(super) fn records_intent(before: Option<&GlueTriggerStatus>, after: &GlueTriggerStatus) -> bool {
    let open =
        |status: &GlueTriggerStatus| status.last_firing.as_ref().filter(|last| last.is_open()).map(|last| last.number);
    open(after).is_some_and(|number| before.and_then(open) != Some(number))
}

fn source_of(client: &Glue, target: &Target) -> TriggerSource {
    let (client, name) = (client.clone(), target.name.clone());
    match target.kind {
        TargetKind::Job => TriggerSource::Job(JobRunSource { client, job: name }),
        TargetKind::Crawler => TriggerSource::Crawler(client, name),
        TargetKind::Workflow => TriggerSource::Workflow(client, name),
    }
}

/// What was started last of all `targets`. One that is not there has started nothing.
async fn baseline(client: &Glue, trigger: &str, targets: &[Target], history: bool) -> Result<BaselineReading, Error> {
    let mut baseline = BaselineReading { newest: Vec::with_capacity(targets.len()), ever: false };
    for target in targets {
        let id = if_there(client.newest_run(target).await)?.flatten();
        if history {
            let runs = if_there(client.newer_runs(target, trigger, None).await)?;
            baseline.ever |= runs.is_some_and(|runs| !runs.is_empty());
        }
        baseline.newest.push(Baseline { target: target.clone(), id });
    }
    Ok(baseline)
}

/// What is newer than `before`, and may be of this trigger.
async fn look(client: &Glue, trigger: &str, before: &[Baseline]) -> Result<Vec<Started>, Error> {
    let mut started = Vec::new();
    for Baseline { target, id } in before {
        let runs = if_there(client.newer_runs(target, trigger, id.as_deref()).await)?.unwrap_or_default();
        started.extend(runs.into_iter().map(|run| Started {
            target: target.clone(),
            id: run.id,
            state: Some(run.state),
            ended: run.ended,
        }));
    }
    Ok(started)
}

fn if_there<T>(outcome: Result<T, Error>) -> Result<Option<T>, Error> {
    match outcome {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(None),
        outcome => outcome.map(Some),
    }
}
