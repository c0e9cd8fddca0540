//! GlueInventory: what an account has, by the real controller.

mod large;
mod lifecycle;
mod lineage;
mod rights;
mod sharing;
mod unchanged;

use std::time::Duration;

use kube::api::{Patch, PatchParams};
use kube_glue::api::GlueInventory;
use kube_glue_double::{CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, JobDefinition, RunScript};
use serde_json::{Value, json};

use crate::harness::{Objects, REGION, TestEnv};

/// The annotation of which each new value has the account read at once.
const REFRESH: &str = "kube-glue.dev/refresh";

/// A script of runs that end at once.
fn at_once(script: RunScript) -> RunScript {
    script.starting(Duration::ZERO).running(Duration::ZERO).slot_lag(Duration::ZERO)
}

/// An account with the jobs `etl` (succeeds) and `load` (fails), each run once, the job `idle`, the crawler `raw`, the
/// trigger `nightly` of the job `etl`, and the workflow `flow` whose run starts `load`.
fn define_account(env: &TestEnv) {
    for (name, script) in
        [("etl", RunScript::succeeds()), ("load", RunScript::fails("no such path")), ("idle", RunScript::succeeds())]
    {
        env.define_job(JobDefinition::new(name).max_concurrent_runs(9).script(at_once(script)));
    }
    let crawls = CrawlScript::default().running(Duration::ZERO).stopping(Duration::ZERO);
    env.double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("raw"), crawls).expect("a crawler");
    let nightly = json!({"Name": "nightly", "Type": "SCHEDULED", "Schedule": "cron(15 2 * * ? *)",
        "Actions": [{"JobName": "etl"}]});
    let begins =
        json!({"Name": "begins", "Type": "ON_DEMAND", "WorkflowName": "flow", "Actions": [{"JobName": "load"}]});
    env.call_glue("CreateWorkflow", &json!({"Name": "flow"}));
    for trigger in [nightly, begins] {
        env.call_glue("CreateTrigger", &trigger);
    }
    env.call_glue("StartJobRun", &json!({"JobName": "etl"}));
    env.call_glue("StartCrawler", &json!({"Name": "raw"}));
    env.call_glue("StartWorkflowRun", &json!({"Name": "flow"}));
}

fn objects(env: &TestEnv) -> Objects<'_, GlueInventory> {
    env.objects()
}

/// Has the account read at once.
async fn refresh(env: &TestEnv, name: &str, value: &str) {
    let patch = Patch::Merge(json!({"metadata": {"annotations": {REFRESH: value}}}));
    objects(env).api.patch(name, &PatchParams::default(), &patch).await.expect("the annotation");
}

/// The items of an inventory, each as `type name state`.
fn items(object: &GlueInventory) -> Vec<String> {
    let status = object.status.as_ref().expect("a status");
    let items = status.items.iter();
    items.map(|item| format!("{} {} {}", item.type_.noun(), item.name, item.state)).collect()
}

/// An item of an inventory, as JSON.
fn item(object: &GlueInventory, name: &str) -> Value {
    let status = object.status.as_ref().expect("a status");
    let item = status.items.iter().find(|item| item.name == name);
    item.map_or(Value::Null, |item| serde_json::to_value(item).expect("JSON"))
}
