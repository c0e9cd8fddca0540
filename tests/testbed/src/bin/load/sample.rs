//! The shape of a finished object, as the measured controller writes it.

use std::time::Instant;

use kube_glue_double::RunScript;
use kube_glue_testbed::Error;
use serde_json::{Value, json};

use crate::{
    error::LoadError,
    progress::reach,
    settings::Settings,
    world::{OBJECTS, Setup, World, job, objects},
};

/// A finished GlueJobRun.
#[derive(Debug, Clone)]
pub(crate) struct Sample {
    /// Its status.
    pub(crate) status: Value,
    uid: String,
    run_id: String,
}

impl Sample {
    /// Lets the controller run one to its end, on a cluster of its own.
    pub(crate) async fn take(settings: &Settings) -> Result<Self, LoadError> {
        let world = World::start(settings, Setup::USUAL).await?;
        world.define_jobs(1, &quick());
        world.start_controller().await?;
        world.create_runs(OBJECTS, 1, |_| spec(0)).await?;
        let finished = || world.tracker.count(|seen| seen.is_finished);
        if !reach("finished", 1, Instant::now(), finished).await.is_complete() {
            return Err(LoadError::Outcome("the controller did not bring a run to its end".to_owned()));
        }
        let runs = objects::runs(world.admin.clone(), OBJECTS);
        let run = runs.get(&objects::name(0)).await.map_err(Error::kube("reading the run"))?;
        let status = run.data["status"].clone();
        let run_id = status["runId"].as_str().unwrap_or_default().to_owned();
        Ok(Self { run_id, uid: run.metadata.uid.unwrap_or_default(), status })
    }

    /// The status of another finished run: with its own uid, and a run of its own in Glue.
    pub(crate) fn status_of(&self, nth: usize, uid: &str) -> Result<Value, LoadError> {
        let text = self.status.to_string().replace(&self.uid, uid).replace(&self.run_id, &format!("jr_{nth:064x}"));
        serde_json::from_str(&text).map_err(|error| LoadError::Outcome(format!("a status: {error}")))
    }
}

/// Runs that end at once.
pub(crate) fn quick() -> RunScript {
    RunScript::succeeds().starting(std::time::Duration::ZERO).running(std::time::Duration::ZERO)
}

/// The spec of a run of the nth job, with arguments as a real one has.
pub(crate) fn spec(nth: usize) -> Value {
    json!({
        "jobName": job(nth),
        "arguments": { "--source": "s3://example-landing/orders/2026-01-31", "--target": "analytics.orders" },
        "workers": { "type": "G.1X", "count": 10 },
        "timeoutMinutes": 120,
    })
}
