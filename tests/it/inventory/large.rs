//! A large account: how many calls its first picture takes, how much memory, and how large the status is.

use std::time::{Duration, Instant};

use kube_glue_double::{CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, JobDefinition, RunScript};
use serde_json::json;
use tokio::time::timeout;

use super::{at_once, objects};
use crate::harness::{REGION, TestEnv};

const JOBS: usize = 2000;
const WORKFLOWS: usize = 300;
const CRAWLERS: usize = 200;
const TRIGGERS: usize = 500;
/// The jobs of a workflow. With its trigger it has ten nodes.
const JOBS_OF_A_WORKFLOW: usize = 9;
/// How long the first picture may take on a machine that many share.
const LIMIT: Duration = Duration::from_mins(10);

fn define_account(env: &TestEnv) {
    let job = |n: usize| format!("orders-daily-{n:04}");
    for n in 0..JOBS {
        let script = if n % 20 == 0 {
            RunScript::fails("AnalysisException: Path does not exist: s3://landing/orders/2026-03-02")
        } else {
            RunScript::succeeds()
        };
        env.define_job(JobDefinition::new(&job(n)).max_concurrent_runs(9).script(at_once(script)));
        env.call_glue("StartJobRun", &json!({"JobName": job(n)}));
    }
    let crawls = CrawlScript::default().running(Duration::ZERO).stopping(Duration::ZERO);
    for n in 0..CRAWLERS {
        let settings = CrawlerSettings::new(&format!("raw-{n:03}"));
        env.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, crawls.clone()).expect("a crawler");
        env.call_glue("StartCrawler", &json!({"Name": format!("raw-{n:03}")}));
    }
    for n in 0..WORKFLOWS {
        env.call_glue("CreateWorkflow", &json!({"Name": format!("flow-{n:03}")}));
    }
    for n in 0..TRIGGERS {
        let first = n * JOBS_OF_A_WORKFLOW;
        let actions: Vec<_> =
            (first..first + JOBS_OF_A_WORKFLOW).map(|of| json!({"JobName": job(of % JOBS)})).collect();
        let name = format!("trigger-{n:03}");
        let trigger = if n < WORKFLOWS {
            json!({"Name": name, "Type": "ON_DEMAND", "WorkflowName": format!("flow-{n:03}"), "Actions": actions})
        } else {
            json!({"Name": name, "Type": "SCHEDULED", "Schedule": "cron(15 2 1 1 ? *)", "Actions": actions})
        };
        env.call_glue("CreateTrigger", &trigger);
        if n < WORKFLOWS {
            env.call_glue("StartWorkflowRun", &json!({"Name": format!("flow-{n:03}")}));
        }
    }
}

/// Its figures stand in docs/performance.md: `cargo test --release --test it inventory::large -- --ignored --nocapture`.
#[tokio::test]
#[ignore = "it measures, and takes minutes"]
async fn the_first_picture_of_a_large_account() {
    let mut env = TestEnv::with_credentials("ginv-large").await;
    env.set_flags(&[("--log", "info")]);
    define_account(&env);
    env.start_controller();
    env.wait_for_leader("it").await;
    let before = env.resident_bytes();
    let began = Instant::now();
    let inventories = objects(&env);
    inventories.create("all", json!({})).await;
    let is_shown = |object: Option<&kube_glue::api::GlueInventory>| {
        object.and_then(|object| object.status.as_ref()).is_some_and(|status| status.last_whole_at.is_some())
    };
    let shown = kube::runtime::wait::await_condition(inventories.api.clone(), "all", is_shown);
    let object = timeout(LIMIT, shown).await.expect("a picture in time").expect("a watch").expect("the object");
    let took = began.elapsed();
    let status = object.status.expect("a status");
    let counts = status.counts.as_ref().expect("counts");
    let total =
        |count: &Option<kube_glue::api::inventory::Count>| count.as_ref().map_or(0, |count| count.total as usize);
    let totals = [&counts.jobs, &counts.crawlers, &counts.triggers, &counts.workflows].map(total);
    // The job `etl` is that of every test.
    assert_eq!(totals, [JOBS + 1, CRAWLERS, TRIGGERS, WORKFLOWS]);
    let bytes = serde_json::to_vec(&status).expect("JSON").len();
    assert!(bytes < 150_000, "{bytes}");
    let mebibytes = |bytes: u64| bytes / 1024 / 1024;
    println!(
        "calls {}, {took:.0?}, status {bytes} bytes with {} of {} items, memory {} -> {} MiB",
        status.calls.unwrap_or_default(),
        status.items.len(),
        totals.iter().sum::<usize>(),
        mebibytes(before),
        mebibytes(env.resident_bytes()),
    );
}
