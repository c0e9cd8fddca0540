//! Follows one object by a watch, and shows each phase as it comes.

use std::{pin::pin, time::Instant};

use futures::TryStreamExt as _;
use kube::{api::DynamicObject, runtime::watcher::watch_object};
use serde_json::Value;

use crate::{
    problem::Problem,
    show,
    stage::{LIMIT, Stage},
    within,
};

/// Follows a run from now on until `phase` says that this is the one waited for; its status then.
pub(crate) async fn until(stage: &Stage, name: &str, is_it: impl Fn(&str) -> bool) -> Result<Value, Problem> {
    let status = follow(stage, name, |phase| phase.is_some_and(&is_it)).await?;
    status.ok_or_else(|| Problem::Outcome(format!("{name} is gone")))
}

/// Follows a run until its object is gone.
pub(crate) async fn until_gone(stage: &Stage, name: &str) -> Result<(), Problem> {
    follow(stage, name, |phase| phase.is_none()).await.map(drop)
}

/// `ends` is asked for each phase, none when the object is not there.
async fn follow(stage: &Stage, name: &str, ends: impl Fn(Option<&str>) -> bool) -> Result<Option<Value>, Problem> {
    let begun = Instant::now();
    let mut objects = pin!(watch_object(stage.runs().await?, name));
    let mut shown = String::new();
    let watched = async {
        while let Some(object) = objects.try_next().await? {
            let phase = object.as_ref().map(phase);
            if let Some((phase, run)) = &phase
                && shown != *phase
            {
                show::change(&format!("{name} is {phase} {run}"), begun);
                shown.clone_from(phase);
            }
            if ends(phase.as_ref().map(|(phase, _)| phase.as_str())) {
                return Ok(object.map(|object| object.data["status"].clone()));
            }
        }
        Ok(None)
    };
    let status = within(LIMIT, &format!("the awaited phase of {name}"), watched).await?;
    let status = status.map_err(|error| Problem::Watch(name.to_owned(), error))?;
    if status.is_none() {
        show::change(&format!("{name} is gone"), begun);
    }
    Ok(status)
}

/// The phase, and the run's id when there is one.
fn phase(object: &DynamicObject) -> (String, String) {
    let text = |field: &str| object.data["status"][field].as_str().unwrap_or_default().to_owned();
    let phase = text("phase");
    (if phase.is_empty() { "new".to_owned() } else { phase }, text("runId"))
}
