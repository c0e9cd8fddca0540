//! The lives of a GlueJobRun.

use std::time::Duration;

use kube_glue_double::{JobDefinition, Outcome, RunScript};
use serde_json::{Value, json};

use super::{Life, MINUTE, Step, Until, create, patch, site::Glue, stop, to_running, wait};

/// The job of the lives.
pub const JOB: &str = "job";

/// Defines a job whose states last a minute each. Stops take effect at once.
pub(super) fn define(glue: &Glue, name: &str, script: RunScript) {
    let script = script.starting(MINUTE).running(MINUTE).stopping(Duration::ZERO).slot_lag(Duration::ZERO);
    glue.define_job(JobDefinition::new(name).max_concurrent_runs(10).script(script));
}

fn succeeds(glue: &Glue) {
    define(glue, JOB, RunScript::succeeds());
}

fn never_ends(glue: &Glue) {
    define(glue, JOB, RunScript::never_ends());
}

fn spec(extra: Value) -> Value {
    super::site::merged(json!({ "jobName": JOB, "arguments": { "--day": "2026-01-31" } }), extra)
}

pub(super) fn lives() -> Vec<Life> {
    let to_success = || [Step::Pass, wait(Until::Finished("Succeeded"))];
    vec![
        Life {
            name: "succeeds",
            prepare: succeeds,
            steps: [vec![create(spec(json!({})))], to_running(0).into(), to_success().into()].concat(),
        },
        Life {
            name: "is retried",
            prepare: |glue| define(glue, JOB, RunScript::fails("no such path").then(Outcome::Succeeded)),
            steps: [
                vec![create(spec(json!({ "retry": { "limit": 2, "backoffSeconds": 0, "maxBackoffSeconds": 0 } })))],
                to_running(0).into(),
                vec![Step::Pass],
                to_running(1).into(),
                to_success().into(),
            ]
            .concat(),
        },
        Life {
            name: "is stopped",
            prepare: never_ends,
            steps: [
                vec![create(spec(json!({})))],
                to_running(0).into(),
                vec![stop(), wait(Until::Finished("Stopped"))],
            ]
            .concat(),
        },
        Life {
            name: "is suspended and resumed",
            prepare: |glue| define(glue, JOB, RunScript::never_ends().then(Outcome::Succeeded)),
            steps: [
                vec![create(spec(json!({ "suspend": true }))), wait(Until::Phase("Suspended"))],
                vec![patch(json!({ "suspend": false }))],
                to_running(0).into(),
                vec![patch(json!({ "suspend": true })), wait(Until::Phase("Suspended"))],
                vec![patch(json!({ "suspend": false }))],
                to_running(1).into(),
                to_success().into(),
            ]
            .concat(),
        },
        Life {
            name: "is deleted and created again",
            prepare: never_ends,
            steps: [
                vec![create(spec(json!({})))],
                to_running(0).into(),
                vec![Step::Delete, wait(Until::Gone), create(spec(json!({})))],
                to_running(0).into(),
                vec![stop(), wait(Until::Finished("Stopped"))],
            ]
            .concat(),
        },
        Life {
            name: "is created again with its key",
            prepare: succeeds,
            steps: [
                vec![create(spec(json!({ "idempotencyKey": "orders-2026-01-31" })))],
                to_running(0).into(),
                to_success().into(),
                vec![Step::Delete, wait(Until::Gone)],
                vec![create(spec(json!({ "idempotencyKey": "orders-2026-01-31" })))],
                vec![wait(Until::Finished("Succeeded"))],
            ]
            .concat(),
        },
    ]
}
