//! GlueJobRun objects: shortcuts for the kind that most tests use, and accessors of its status.

use kube::ResourceExt;
use kube::api::Api;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::{Attempt, Phase};
use kube_glue_double::{JobDefinition, Outcome};
use serde_json::{Value, json};

use super::{STEP, TestEnv, endless, merged, stepwise};

impl TestEnv {
    /// The job runs of the test's namespace.
    pub fn job_runs(&self) -> Api<GlueJobRun> {
        Api::namespaced(self.client.clone(), &self.namespace)
    }

    /// Creates a run of `job` with the fields of `spec`.
    pub async fn create_run(&self, name: &str, job: &str, spec: Value) -> GlueJobRun {
        self.objects().create(name, merged(json!({"jobName": job}), spec)).await
    }

    /// Defines the job `steps`, whose runs end with `outcome`, creates the run `one` of it, and brings it to RUNNING.
    /// The clock is held.
    pub async fn create_running_run(&self, outcome: Outcome, spec: Value) -> GlueJobRun {
        self.double.clock().hold();
        self.define_job(JobDefinition::new("steps").script(stepwise(outcome)));
        self.create_run("one", "steps", spec).await;
        self.wait_for_run_id("one").await;
        self.double.clock().step(STEP);
        self.wait_for_phase("one", Phase::Running).await
    }

    /// Defines the job `endless`, creates the run `one` of it, and waits until that is RUNNING.
    pub async fn create_endless_run(&self, spec: Value) -> GlueJobRun {
        self.define_job(JobDefinition::new("endless").script(endless()));
        self.create_run("one", "endless", spec).await;
        self.wait_for_phase("one", Phase::Running).await
    }

    /// Creates an object; the API server may reject it.
    pub async fn try_create(&self, object: Value) -> Result<GlueJobRun, kube::Error> {
        self.objects().try_create(object).await
    }

    /// Merges `spec` into the spec of a run.
    pub async fn patch_spec(&self, name: &str, spec: Value) -> GlueJobRun {
        self.objects().patch_spec(name, spec).await
    }

    /// Removes the status of a run, as a restore without status does.
    pub async fn clear_status(&self, name: &str) {
        self.objects::<GlueJobRun>().clear_status(name).await;
    }

    /// Requests the deletion of a run.
    pub async fn delete(&self, name: &str) {
        self.objects::<GlueJobRun>().delete(name).await;
    }

    /// Waits until the API server no longer has the run.
    pub async fn wait_deleted(&self, run: &GlueJobRun) {
        self.objects().wait_deleted(run).await;
    }

    /// Waits until `condition` holds for the run.
    pub async fn wait_until(&self, name: &str, what: &str, condition: impl Fn(&GlueJobRun) -> bool) -> GlueJobRun {
        self.objects().wait_until(name, what, condition).await
    }

    /// Waits until the run is in `phase`.
    pub async fn wait_for_phase(&self, name: &str, phase: Phase) -> GlueJobRun {
        self.objects().wait_for_phase(name, phase).await
    }

    /// Waits until the status has the id of the run in Glue.
    pub async fn wait_for_run_id(&self, name: &str) -> GlueJobRun {
        self.wait_until(name, "its status has a run id", |run| run_id(run).is_some()).await
    }

    /// Waits until the run is in `phase` and its finalizer is removed.
    pub async fn wait_finished(&self, name: &str, phase: Phase) -> GlueJobRun {
        self.objects().wait_finished(name, phase).await
    }

    /// Waits until the Ready condition of the run has this reason, and returns its message.
    pub async fn wait_for_reason(&self, name: &str, reason: &str) -> String {
        self.objects::<GlueJobRun>().wait_for_reason(name, reason).await
    }
}

/// The phase of a run.
pub fn phase_of(run: &GlueJobRun) -> Option<Phase> {
    run.status.as_ref().and_then(|status| status.run.phase)
}

/// Reason and message of the Ready condition; empty without one.
pub fn ready_condition(run: &GlueJobRun) -> (String, String) {
    let ready = run.status.as_ref().and_then(|status| status.run.condition("Ready"));
    ready.map(|ready| (ready.reason.clone(), ready.message.clone())).unwrap_or_default()
}

/// `Type=Status` of each condition, in order.
pub fn condition_summary(run: &GlueJobRun) -> Vec<String> {
    let conditions = run.status.as_ref().map(|status| status.run.conditions.as_slice()).unwrap_or_default();
    conditions.iter().map(|condition| format!("{}={}", condition.type_, condition.status)).collect()
}

/// The attempts that the status keeps, oldest first.
pub fn attempts(run: &GlueJobRun) -> &[Attempt] {
    run.status.as_ref().map(|status| status.run.attempts.as_slice()).unwrap_or_default()
}

/// The id of the latest attempt's run in Glue.
pub fn run_id(run: &GlueJobRun) -> Option<&str> {
    run.status.as_ref().and_then(|status| status.run_id.as_deref())
}

/// The uid that the API server gave the object.
pub fn uid(run: &GlueJobRun) -> String {
    run.uid().expect("a uid")
}
