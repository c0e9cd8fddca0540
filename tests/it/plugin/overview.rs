//! What shows objects: status, top, tree, report; and whoami and check.

use std::process::Stdio;

use flate2::read::GzDecoder;
use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Policy};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::Printed;
use crate::harness::{TestEnv, WAIT_TIMEOUT, endless};

#[tokio::test]
async fn wide_tables_have_the_columns_of_kubectl_and_the_tree_has_the_attempts() {
    let env = TestEnv::new("plugin-tables").await;
    env.create_endless_run(json!({})).await;
    let run = env.wait_for_phase("one", Phase::Running).await;
    let wide = env.glue("top -o wide").await.succeeded();
    let columns = |text: &str| -> Vec<String> {
        text.lines().next().unwrap_or_default().split_whitespace().map(str::to_owned).collect()
    };
    let namespace = env.namespace.clone();
    let kubectl = env.plane.kubectl(["get", "gjr", "-o", "wide", "-n", &namespace]).await.expect("kubectl");
    assert_eq!(columns(&wide.data), columns(&kubectl.stdout));
    assert!(wide.lines()[1].starts_with("one "), "{wide:?}");
    assert_eq!(env.glue("top -o name").await.succeeded().lines(), ["gluejobrun.kube-glue.dev/one"]);
    let id = run.status.expect("a status").run_id.expect("a run id");
    let tree = env.glue("tree gjr/one").await.succeeded();
    assert_eq!(tree.lines()[0], "gjr/one  Running");
    assert!(tree.lines()[1].starts_with("└─ attempt 0") && tree.lines()[1].contains(&id), "{tree:?}");
}

#[tokio::test]
async fn a_watched_status_is_shown_with_each_change_until_the_end() {
    let env = TestEnv::new("plugin-status-watch").await;
    env.create_endless_run(json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    let mut watch = env.plugin("status gjr/one --watch").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut text = String::new();
    // Only when the first page is there, the run is stopped.
    while !text.contains("Running") {
        text += &lines.next_line().await.unwrap().expect("a page");
    }
    env.glue("stop gjr/one").await.succeeded();
    while let Some(line) = timeout(WAIT_TIMEOUT, lines.next_line()).await.expect("an end").unwrap() {
        text += &line;
        text.push('\n');
    }
    assert!(text.contains("Stopped"), "{text}");
    let end = Printed::from(timeout(WAIT_TIMEOUT, watch.wait_with_output()).await.expect("an end").unwrap());
    assert_eq!(end.code, Some(0), "{end:?}");
}

#[tokio::test]
async fn watched_live_runs_are_shown_with_each_change_and_each_end() {
    let env = TestEnv::new("plugin-top-watch").await;
    env.create_endless_run(json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    let mut watch = env.plugin("top -w").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(watch.stdout.take().unwrap()).lines();
    let mut next = async || timeout(WAIT_TIMEOUT, lines.next_line()).await.expect("a line").unwrap().expect("a line");
    assert!(next().await.starts_with("NAME"));
    let cells = |line: &str| line.split_whitespace().take(2).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(cells(&next().await), ["gjr/one", "Running"]);
    // One that comes, and one that ends; one that had ended before is not shown.
    env.create_run("other", "etl", json!({ "suspend": true })).await;
    loop {
        let line = cells(&next().await);
        assert_eq!(line[0], "gjr/other");
        if line[1] == "Suspended" {
            break;
        }
    }
    env.glue("stop gjr/one").await.succeeded();
    loop {
        let line = cells(&next().await);
        assert_eq!(line[0], "gjr/one");
        if line[1] == "Stopped" {
            break;
        }
    }
    env.glue("delete gjr/other").await.succeeded();
    loop {
        if cells(&next().await) == ["gjr/other", "Deleted"] {
            break;
        }
    }
    let refused = env.glue("top -w -o wide").await;
    assert_eq!(refused.code, Some(2), "{refused:?}");
}

#[tokio::test]
async fn a_report_has_the_objects_and_no_secret() {
    let env = TestEnv::with_credentials("plugin-report").await;
    let arguments = json!({ "arguments": { "--api-token": "abcdefgh-literal", "--day": "monday" } });
    env.create_run("one", "etl", arguments).await;
    let folder = tempfile::tempdir().expect("a folder");
    let archive = folder.path().join("report.tar.gz");
    let printed = env.glue(&format!("report {}", archive.display())).await.succeeded();
    assert_eq!(printed.data.trim(), archive.display().to_string());
    let mut files = std::collections::BTreeMap::new();
    let mut tar = tar::Archive::new(GzDecoder::new(std::fs::File::open(&archive).expect("the archive")));
    for entry in tar.entries().expect("entries") {
        let mut entry = entry.expect("an entry");
        let path = entry.path().expect("a path").display().to_string();
        let mut text = String::new();
        std::io::Read::read_to_string(&mut entry, &mut text).expect("text");
        files.insert(path.split_once('/').expect("a folder").1.to_owned(), text);
    }
    let run = &files["gluejobruns/one.yaml"];
    assert!(run.contains("--day: monday") && run.contains("jobName: etl"), "{run}");
    assert!(files["secret-keys.yaml"].contains("AWS_SECRET_ACCESS_KEY"));
    let all: String = files.into_values().collect();
    assert!(!all.contains("abcdefgh-literal") && !all.contains(&env.key.secret), "{all}");
    // An archive that is there is not overwritten, and a folder may be written instead.
    assert_eq!(env.glue(&format!("report {}", archive.display())).await.code, Some(6));
    let unpacked = folder.path().join("report");
    env.glue(&format!("report {}", unpacked.display())).await.succeeded();
    assert!(unpacked.join("report.yaml").exists());
}

#[tokio::test]
async fn whoami_names_the_identity_and_its_rule() {
    let env = TestEnv::without_controller("plugin-whoami").await;
    let none = env.glue("whoami").await;
    assert!(none.code == Some(6) && none.messages.contains("kubectl create secret generic"), "{none:?}");
    env.put_credentials("keys").await;
    env.create_run("one", "etl", json!({ "credentials": { "secretName": "keys" } })).await;
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/{}", env.key.user);
    for line in ["whoami --secret keys", "whoami gjr/one"] {
        let known = env.glue(line).await.succeeded();
        for part in [user.as_str(), DEFAULT_ACCOUNT, "/keys (named)", "eu-west-1"] {
            assert!(known.data.contains(part), "{line}: {part} is not in {known:?}");
        }
    }
    assert_eq!(env.glue("whoami --secret keys -o name").await.succeeded().data.trim(), user);
}

#[tokio::test]
async fn check_tells_what_is_denied_and_changes_nothing() {
    let env = TestEnv::with_credentials("plugin-check").await;
    env.define_job(JobDefinition::new("endless").script(endless()));
    let all = env.glue("check --lineage -o json").await.succeeded();
    let all: Value = serde_json::from_str(&all.data).expect("JSON");
    for item in all["permissions"].as_array().expect("permissions") {
        let is_not_checked = ["glue:CreateConnection", "s3:GetObject"].iter().any(|action| item["action"] == *action);
        let expected = if is_not_checked { "not checked" } else { "allowed" };
        assert_eq!(item["answer"], expected, "{item}");
    }
    assert_eq!(env.glue_runs("endless").len() + env.glue_runs("etl").len(), 0);
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/{}", env.key.user);
    env.double.iam().set_policy(&user, Policy::deny(&["glue:StartJobRun", "glue:StopTrigger"]));
    let denied = env.glue("check gjr gtr -o name").await;
    assert_eq!((denied.code, denied.lines()), (Some(6), vec!["glue:StartJobRun", "glue:StopTrigger"]), "{denied:?}");
    assert!(denied.messages.contains("--prefix"), "{denied:?}");
    let some = env.glue("check gcr").await.succeeded();
    assert!(some.data.contains("glue:StartCrawler") && !some.data.contains("glue:StartJobRun"), "{some:?}");
    env.double.iam().set_policy(&user, Policy::deny(&["glue:GetDataflowGraph", "glue:GetTables"]));
    let denied = env.glue("check --lineage ginv -o name").await;
    assert_eq!((denied.code, denied.lines()), (Some(6), vec!["glue:GetTables", "glue:GetDataflowGraph"]), "{denied:?}");
    assert!(env.glue("check ginv").await.code == Some(0), "it is asked for where it is wanted");
}
