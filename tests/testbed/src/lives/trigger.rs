//! The lives of a GlueTrigger.

use kube_glue_double::RunScript;
use serde_json::{Value, json};

use super::{Life, Step, Until, create, job_run, patch, site::Glue, wait};

/// The trigger of the lives.
pub(super) const TRIGGER: &str = "trigger";

fn scheduled(glue: &Glue) {
    job_run::define(glue, job_run::JOB, RunScript::succeeds());
    glue.call(
        "CreateTrigger",
        &json!({ "Name": TRIGGER, "Type": "SCHEDULED", "Schedule": "cron(15 12 1 1 ? 2099)",
        "Actions": [{ "JobName": job_run::JOB }] }),
    );
    glue.without_trigger_times();
}

fn on_demand(glue: &Glue) {
    job_run::define(glue, job_run::JOB, RunScript::succeeds());
    glue.call(
        "CreateTrigger",
        &json!({ "Name": TRIGGER, "Type": "ON_DEMAND", "Actions": [{ "JobName": job_run::JOB }] }),
    );
}

fn spec(extra: Value) -> Value {
    super::site::merged(json!({ "triggerName": TRIGGER }), extra)
}

/// From a firing to the end of what it started.
fn fired(value: &str) -> Vec<Step> {
    let began = Until::Status("/lastFiring/value", json!(value));
    let known = Until::Status("/lastFiring/started/0/state", json!("STARTING"));
    let ended = Until::Status("/lastFiring/started/0/state", json!("SUCCEEDED"));
    vec![wait(began), wait(known), Step::Pass, Step::Pass, wait(ended), wait(Until::Reason("Completed"))]
}

pub(super) fn lives() -> Vec<Life> {
    let state = |state: &str| wait(Until::Status("/state", json!(state)));
    vec![
        Life {
            name: "is activated and deactivated",
            prepare: scheduled,
            steps: vec![
                create(spec(json!({ "deletionPolicy": "Deactivate" }))),
                wait(Until::Ready),
                patch(json!({ "state": "Deactivated" })),
                wait(Until::Ready),
                state("DEACTIVATED"),
                patch(json!({ "state": "Activated" })),
                wait(Until::Ready),
                state("ACTIVATED"),
                Step::Delete,
                wait(Until::Gone),
            ],
        },
        Life {
            name: "is corrected",
            prepare: scheduled,
            steps: vec![
                create(spec(json!({}))),
                wait(Until::Ready),
                state("ACTIVATED"),
                patch(json!({ "state": "Deactivated" })),
                wait(Until::Ready),
                state("DEACTIVATED"),
                Step::Call("StartTrigger", json!({ "Name": TRIGGER })),
                wait(Until::InGlue("/trigger", json!("DEACTIVATED"))),
                wait(Until::Ready),
            ],
        },
        Life {
            name: "is fired twice",
            prepare: on_demand,
            steps: [
                vec![create(spec(json!({}))), wait(Until::Ready), patch(json!({ "fire": "a" }))],
                fired("a"),
                vec![patch(json!({ "fire": "b" }))],
                fired("b"),
            ]
            .concat(),
        },
        Life {
            name: "is fired on creation, deleted and created again",
            prepare: on_demand,
            steps: [
                vec![create(spec(json!({ "fire": "a", "fireOnCreation": true })))],
                fired("a"),
                vec![Step::Delete, wait(Until::Gone), create(spec(json!({ "fire": "a" }))), wait(Until::Ready)],
                vec![patch(json!({ "fire": "b" }))],
                fired("b"),
            ]
            .concat(),
        },
    ]
}
