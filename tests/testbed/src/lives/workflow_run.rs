//! The lives of a GlueWorkflowRun.

use kube_glue_double::{Outcome, RunScript};
use serde_json::{Value, json};

use super::{Life, Step, Until, create, job_run, patch, site::Glue, stop, wait};

/// The workflow of the lives: its job [`job_run::JOB`], and after that [`THEN`].
pub const WORKFLOW: &str = "workflow";
/// The second job.
pub(super) const THEN: &str = "then";

fn define(glue: &Glue, then: RunScript) {
    job_run::define(glue, job_run::JOB, RunScript::succeeds());
    job_run::define(glue, THEN, then);
    glue.call("CreateWorkflow", &json!({ "Name": WORKFLOW }));
    glue.call(
        "CreateTrigger",
        &json!({ "Name": "begins", "Type": "ON_DEMAND", "WorkflowName": WORKFLOW,
        "Actions": [{ "JobName": job_run::JOB }] }),
    );
    let ends =
        json!({ "Conditions": [{ "LogicalOperator": "EQUALS", "JobName": job_run::JOB, "State": "SUCCEEDED" }] });
    glue.call(
        "CreateTrigger",
        &json!({ "Name": "goes-on", "Type": "CONDITIONAL", "WorkflowName": WORKFLOW,
        "StartOnCreation": true, "Predicate": ends, "Actions": [{ "JobName": THEN }] }),
    );
}

fn succeeds(glue: &Glue) {
    define(glue, RunScript::succeeds());
}

fn never_ends(glue: &Glue) {
    define(glue, RunScript::never_ends());
}

fn spec(extra: Value) -> Value {
    super::site::merged(json!({ "workflowName": WORKFLOW, "runProperties": { "day": "2026-01-31" } }), extra)
}

/// The first job has ended, and the second is there.
fn first_job(attempt: usize) -> [Step; 4] {
    let is_halfway = Until::Status("/progress", json!("1/2"));
    [wait(Until::Run(attempt)), Step::Pass, Step::Pass, wait(is_halfway)]
}

pub(super) fn lives() -> Vec<Life> {
    let second_job = |end| [Step::Pass, Step::Pass, wait(Until::Finished(end))];
    vec![
        Life {
            name: "succeeds",
            prepare: succeeds,
            steps: [vec![create(spec(json!({})))], first_job(0).into(), second_job("Succeeded").into()].concat(),
        },
        Life {
            name: "fails and is resumed",
            prepare: |glue| define(glue, RunScript::fails("no such path").then(Outcome::Succeeded)),
            steps: [
                vec![create(spec(json!({})))],
                first_job(0).into(),
                second_job("Failed").into(),
                vec![patch(json!({ "resume": "again" })), wait(Until::Run(1))],
                second_job("Succeeded").into(),
            ]
            .concat(),
        },
        Life {
            name: "is stopped",
            prepare: never_ends,
            steps: [vec![create(spec(json!({})))], first_job(0).into(), vec![stop(), wait(Until::Finished("Stopped"))]]
                .concat(),
        },
        Life {
            name: "is deleted and created again",
            prepare: never_ends,
            steps: [
                vec![create(spec(json!({})))],
                first_job(0).into(),
                vec![Step::Delete, wait(Until::Gone), create(spec(json!({})))],
                first_job(0).into(),
                vec![stop(), wait(Until::Finished("Stopped"))],
            ]
            .concat(),
        },
        Life {
            name: "is created again with its key",
            prepare: succeeds,
            steps: [
                vec![create(spec(json!({ "idempotencyKey": "orders-2026-01-31" })))],
                first_job(0).into(),
                second_job("Succeeded").into(),
                vec![Step::Delete, wait(Until::Gone)],
                vec![create(spec(json!({ "idempotencyKey": "orders-2026-01-31" })))],
                vec![wait(Until::Finished("Succeeded"))],
            ]
            .concat(),
        },
    ]
}
