//! What an inventory shows, from its creation to its deletion.

use kube_glue_double::{JobDefinition, RunScript};
use serde_json::json;

use super::{at_once, define_account, item, items, objects, refresh};
use crate::harness::{TestEnv, has_finalizer};

#[tokio::test]
async fn an_inventory_shows_what_the_account_has_and_what_changes() {
    let env = TestEnv::new("ginv-life").await;
    define_account(&env);
    let inventories = objects(&env);
    inventories.create("all", json!({"runsPerJob": 5})).await;
    let object = inventories.wait_ready("all").await;
    let expected = [
        "job load FAILED",
        "workflow flow COMPLETED",
        "job etl SUCCEEDED",
        "crawler raw COMPLETED",
        "job idle NEVER_RUN",
        "trigger begins CREATED",
        "trigger nightly CREATED",
    ];
    let mut shown = items(&object);
    assert!(shown[..2].iter().all(|item| expected[..2].contains(&item.as_str())), "what fails stands first: {shown:?}");
    shown.sort();
    let mut sorted = expected;
    sorted.sort_unstable();
    assert_eq!(shown, sorted);
    let status = object.status.as_ref().expect("a status");
    assert_eq!((status.failing, status.running, status.unlisted), (Some(2), Some(0), 0));
    let load = item(&object, "load");
    assert_eq!((&load["workflow"], &load["lastRun"]["error"]), (&json!("flow"), &json!("no such path")));
    assert_eq!(item(&object, "etl")["schedule"]["expression"], "cron(15 2 * * ? *)");
    assert_eq!(item(&object, "etl")["endedRuns"]["successPercent"], 100);
    let flow = item(&object, "flow");
    assert_eq!(flow["lastRun"]["error"], "of 1 actions 1 failed: job load (FAILED)");
    assert!(!has_finalizer(&object), "nothing in Glue has to be released");

    // A job heals, another one begins to fail, one is deleted, and one is new.
    env.define_job(JobDefinition::new("load").max_concurrent_runs(9).script(at_once(RunScript::succeeds())));
    env.define_job(JobDefinition::new("etl").max_concurrent_runs(9).script(at_once(RunScript::fails("no rights"))));
    for job in ["load", "etl"] {
        env.call_glue("StartJobRun", &json!({"JobName": job}));
    }
    env.call_glue("DeleteJob", &json!({"JobName": "idle"}));
    env.define_job(JobDefinition::new("new"));
    refresh(&env, "all", "1").await;
    let object = inventories.wait_until("all", "it shows the new job", |object| !item(object, "new").is_null()).await;
    assert_eq!(item(&object, "etl")["endedRuns"]["successPercent"], 50);
    assert!(item(&object, "idle")["deletedAt"].is_string());
    env.wait_for_event_on("all", "BeganToFail").await;
    env.wait_for_event_on("all", "Healed").await;
    let metrics = env.metrics().await;
    let line = format!(
        "kube_glue_inventory_item_state{{namespace=\"{}\",inventory=\"all\",type=\"job\",item=\"etl\",state=\"FAILED\"}} 1",
        env.namespace
    );
    assert!(metrics.contains(&line), "{metrics}");
    assert!(!metrics.contains("item=\"idle\""));

    inventories.delete("all").await;
    inventories.wait_deleted(&object).await;
}

#[tokio::test]
async fn patterns_select_and_invalid_ones_are_refused() {
    let env = TestEnv::new("ginv-patterns").await;
    define_account(&env);
    let inventories = objects(&env);
    let only = json!({"crawlers": {"enabled": false}, "triggers": {"enabled": false}, "workflows": {"enabled": false}});
    let spec = |jobs| crate::harness::merged(only.clone(), json!({"jobs": jobs}));
    inventories.create("some", spec(json!({"includes": ["ETL", "l"], "excludes": ["load$"]}))).await;
    let object = inventories.wait_ready("some").await;
    assert_eq!(items(&object), ["job etl SUCCEEDED"]);
    let runs = env.double.requests().of("GetJobRuns");
    assert_eq!(runs.name("load").count(), 0, "the runs of what nobody selects are not read");
    assert_eq!(env.double.requests().count("GetCrawlers"), 0);
    inventories.patch_spec("some", json!({"jobs": {"includes": ["i"], "excludes": null}})).await;
    inventories.wait_until("some", "it shows the other job", |object| items(object) == ["job idle NEVER_RUN"]).await;
    // RE2 takes it, and it is too large for the controller.
    inventories.patch_spec("some", json!({"jobs": {"includes": ["(?:\\pL{100}){10}"]}})).await;
    let message = inventories.wait_for_reason("some", "InvalidSpec").await;
    assert!(message.starts_with("spec.jobs.includes[0]: invalid regular expression"), "{message}");
}

#[tokio::test]
async fn all_pages_are_read_and_the_rest_is_counted() {
    let env = TestEnv::new("ginv-pages").await;
    for n in 0..230 {
        env.define_job(JobDefinition::new(&format!("job{n:03}")));
    }
    for n in 0..60 {
        env.call_glue("CreateWorkflow", &json!({"Name": format!("flow{n:02}")}));
    }
    let inventories = objects(&env);
    inventories.create("all", json!({"maxItems": 20})).await;
    let object = inventories.wait_ready("all").await;
    let status = object.status.as_ref().expect("a status");
    let counts = status.counts.as_ref().expect("counts");
    // The job `etl` is that of every test.
    assert_eq!(counts.jobs.as_ref().map(|jobs| jobs.total), Some(231));
    assert_eq!(counts.workflows.as_ref().map(|workflows| workflows.total), Some(60));
    assert_eq!((status.items.len(), status.unlisted), (20, 271));
    for (operation, pages) in [("GetJobs", 3), ("ListWorkflows", 3), ("BatchGetWorkflows", 3), ("GetJobRuns", 231)] {
        assert_eq!(env.double.requests().count(operation), pages, "{operation}");
    }
}

#[tokio::test]
async fn tags_are_shown_where_they_are_wanted() {
    let env = TestEnv::new("ginv-tags").await;
    let command = json!({"Name": "glueetl", "ScriptLocation": "s3://scripts/tagged.py"});
    env.call_glue("CreateJob", &json!({"Name": "tagged", "Role": "r", "Command": command, "Tags": {"team": "orders"}}));
    let inventories = objects(&env);
    inventories.create("all", json!({"includeTags": true})).await;
    let object = inventories.wait_ready("all").await;
    assert_eq!(item(&object, "tagged")["tags"], json!({"team": "orders"}));
    assert_eq!(env.double.requests().count("GetTags"), 2);
}
