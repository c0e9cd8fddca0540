//! `GlueTrigger` as a declared kind: where it is seen, and the calls about it.

use kube::Client;

use super::memory::{Act, Answer, Found, Learnt, Memory, Survey};
use super::plan::plan;
use crate::api::credentials::{Aws, AwsIdentity};
use crate::api::declared::DeclaredStatus;
use crate::api::trigger::{Newest, Started, Target, TargetKind};
use crate::api::{GlueTrigger, GlueTriggerStatus};
use crate::controllers::Settings;
use crate::controllers::declared::DeclaredKind;
use crate::controllers::declared::facts::Facts;
use crate::controllers::declared::life::DeclaredLife;
use crate::controllers::kind::Kind;
use crate::controllers::life::Living;
use crate::controllers::problem::Problem;
use crate::controllers::step::Plan;
use crate::glue::job_run_source::JobRunSource;
use crate::glue::trigger_source::TriggerSource;
use crate::glue::{Class, Error, Glue};

impl Kind for GlueTrigger {
    const KIND: &'static str = "GlueTrigger";
    type Source = TriggerSource;
    type Inputs = ();
    type Learnt = Learnt;
    type Memory = Memory;

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

impl Living for GlueTrigger {
    type Life = DeclaredLife;
}

impl DeclaredKind for GlueTrigger {
    type Act = Act;

    const NEUTRAL: &'static [&'static str] =
        &["Activating", "Deactivating", "Creating", "Updating", "Looking", "Firing", "Fired", "Conflict"];
    const BAD: &'static [&'static str] = &["CompletedWithFailures", "NotFired"];
    const THING: &'static str = "trigger";

    fn thing(&self) -> String {
        self.spec.trigger_name.clone()
    }

    fn source(&self, client: &Glue) -> TriggerSource {
        TriggerSource::Triggers(client.clone())
    }

    fn id(&self) -> &str {
        &self.spec.trigger_name
    }

    /// The runs that firings have started, until they end.
    fn also(&self, client: &Glue) -> Vec<(TriggerSource, String)> {
        let Some(status) = &self.status else { return Vec::new() };
        let runs = status.earlier_firings.iter().chain(&status.last_firing).flat_map(|firing| &firing.started);
        let live = runs.filter(|run| !run.ended);
        live.map(|run| (source_of(client, &run.target), run.id.clone())).collect()
    }

    fn declared(status: &GlueTriggerStatus) -> &DeclaredStatus {
        &status.declared
    }

    fn appears(&self, memory: &mut Memory, listed: bool) {
        memory.appears(self, listed);
    }

    /// "Two or more concurrent calls that change one workflow" is what `ConcurrentModificationException` is about.
    fn takes_turns(&self, act: &Act) -> Option<String> {
        let switches = matches!(act, Act::Activate | Act::Deactivate);
        self.status.as_ref().and_then(|status| status.workflow.clone()).filter(|_| switches)
    }

    fn keeps_turn(&self) -> bool {
        let going_on = self.status.as_ref().and_then(|status| status.declared.condition("Reconciling"));
        going_on.is_some_and(|it| ["Activating", "Deactivating", "Drifted"].contains(&it.reason.as_str()))
    }

    fn begin(&self, memory: &mut Memory) -> Learnt {
        memory.begin(self)
    }

    fn plan(facts: &Facts<'_, Self>) -> Plan<GlueTriggerStatus, Act> {
        plan(facts)
    }

    fn intends(before: Option<&GlueTriggerStatus>, after: &GlueTriggerStatus) -> bool {
        intends(before, after)
    }

    fn is_once(act: &Act) -> bool {
        *act == Act::Fire
    }

    fn changes(act: &Act) -> bool {
        matches!(act, Act::Activate | Act::Deactivate)
    }

    async fn act(&self, client: &Glue, _: Option<&()>, act: &Act, learnt: &mut Learnt) -> Result<(), Error> {
        let name = &self.spec.trigger_name;
        match act {
            Act::Activate => client.start_trigger(name, false).await,
            Act::Deactivate => client.stop_trigger(name).await,
            Act::Survey { targets, history } => {
                let surveyed = survey(client, name, targets, *history).await;
                let answer = surveyed.as_ref().map(drop).map_err(Clone::clone);
                learnt.survey = Some(surveyed.map_err(|error| Problem::of(&error, None)));
                answer
            }
            Act::Look(before) => {
                let found = look(client, name, before).await;
                let answer = found.as_ref().map(drop).map_err(Clone::clone);
                let found = found.map(|started| Found { started, known_for: learnt.known_for(self.number()) });
                learnt.found = Some((self.number(), found.map_err(|error| Problem::of(&error, None))));
                answer
            }
            Act::Fire => {
                let fired = client.start_trigger(name, true).await;
                let answer = match &fired {
                    Ok(()) => Answer::Fired,
                    Err(error) if error.class.is_clear_no() => Answer::Refused(Problem::of(error, None)),
                    Err(_) => Answer::Unclear,
                };
                // What was seen before it is older than that.
                learnt.sent = true;
                learnt.survey = None;
                learnt.found = None;
                learnt.answer = Some((self.number(), answer));
                fired
            }
        }
    }

    fn remember(memory: &mut Memory, learnt: &Learnt, act: &Act, _: &Result<(), Error>) {
        if let (Act::Fire, Some((number, answer))) = (act, &learnt.answer) {
            memory.answered(*number, answer.clone());
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
pub(super) fn intends(before: Option<&GlueTriggerStatus>, after: &GlueTriggerStatus) -> bool {
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
async fn survey(client: &Glue, trigger: &str, targets: &[Target], history: bool) -> Result<Survey, Error> {
    let mut survey = Survey { newest: Vec::with_capacity(targets.len()), ever: false };
    for target in targets {
        let id = if_there(client.newest_run(target).await)?.flatten();
        if history {
            let runs = if_there(client.newer_runs(target, trigger, None).await)?;
            survey.ever |= runs.is_some_and(|runs| !runs.is_empty());
        }
        survey.newest.push(Newest { target: target.clone(), id });
    }
    Ok(survey)
}

/// What is newer than `before`, and may be of this trigger.
async fn look(client: &Glue, trigger: &str, before: &[Newest]) -> Result<Vec<Started>, Error> {
    let mut started = Vec::new();
    for Newest { target, id } in before {
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

fn if_there<T>(answer: Result<T, Error>) -> Result<Option<T>, Error> {
    match answer {
        Err(error) if error.class == Class::NotFound => Ok(None),
        answer => answer.map(Some),
    }
}
