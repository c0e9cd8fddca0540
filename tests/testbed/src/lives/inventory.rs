//! The lives of a GlueInventory.

use kube_glue_double::RunScript;
use serde_json::json;

use super::{Life, Step, Until, create, job_run, patch, site::Glue, wait};

fn one_job(glue: &Glue) {
    job_run::define(glue, job_run::JOB, RunScript::succeeds());
}

pub(super) fn lives() -> Vec<Life> {
    let ready = || wait(Until::Ready);
    let created = || vec![create(json!({})), ready()];
    let deleted = || vec![Step::Delete, wait(Until::Gone)];
    let includes = |name: &str| vec![patch(json!({ "jobs": { "includes": [name] } })), ready()];
    vec![
        Life { name: "is read", prepare: one_job, steps: created() },
        Life { name: "is changed", prepare: one_job, steps: [created(), includes("other")].concat() },
        Life {
            name: "is changed again and again",
            prepare: one_job,
            steps: [created(), includes("other"), includes(job_run::JOB), includes("another"), includes(".*")].concat(),
        },
        Life {
            name: "is deleted and created again",
            prepare: one_job,
            steps: [created(), deleted(), created()].concat(),
        },
        Life {
            name: "is deleted and created again between changes",
            prepare: one_job,
            steps: [created(), includes("other"), deleted(), created(), includes("another")].concat(),
        },
    ]
}
