//! The calls to Glue about a trigger.

use super::local_state::{BaselineReading, FoundRuns, PassState};
use super::render::started_run;
use crate::api::GlueTrigger;
use crate::api::trigger::{Baseline, Started, Target};
use crate::controllers::declared::kind;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::start_once::{Lookup, StartOutcome};
use crate::glue::error::if_found;
use crate::glue::{Error, Glue};

/// The calls about a trigger.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Call {
    /// Activate it.
    Activate,
    /// Deactivate it.
    Deactivate,
    /// Read the newest run of everything that it starts.
    ReadBaseline {
        /// What it starts.
        targets: Vec<Target>,
        /// Whether to look too for any run that it has ever started.
        history: bool,
    },
    /// Look for the runs that it has started since the baseline.
    LookUp(Vec<Baseline>),
    /// Fire it, once.
    Fire,
}

/// Makes the call; the pass gets what it reads.
pub(super) async fn call(
    object: &GlueTrigger,
    target: &kind::Target<'_, GlueTrigger>,
    call: &Call,
    state: &mut PassState,
) -> Result<(), Error> {
    let (client, name) = (target.client, &object.spec.trigger_name);
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
            let has_started = if_found(client.may_have_started(target, trigger).await)?;
            reading.has_started |= has_started.unwrap_or_default();
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
        started.extend(runs.into_iter().map(|run| started_run(target, run)));
    }
    Ok(started)
}
