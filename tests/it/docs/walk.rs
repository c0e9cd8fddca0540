//! The commands of the pages, run in order as a newcomer runs them: on a control plane of their own, with the chart as
//! installed, and with no more IAM permissions than the pages' policies grant.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use kube::api::Api;
use kube::runtime::wait::await_condition;
use kube_glue::api::GlueCrawlerRun;
use kube_glue_double::{
    AccessKey, Changes, CrawlOutcome, CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Double, JobDefinition,
    Outcome, Policy, Requests, Role, RunPlan, RunScript,
};
use kube_glue_testbed::{ControlPlane, IMAGE, Kubelet, Options, RunningPod, sample_resources};
use tokio::process::Command;
use tokio::time::timeout;

use super::blocks::{self, Block};
use super::{OPERATIONS, page, policies, root};
use crate::harness::{REGION, assert_no_secret_leaked};

/// The account of the role in the samples.
const OTHER_ACCOUNT: &str = "222222222222";
/// The time limit for one block, many times what it takes.
const LIMIT: Duration = Duration::from_mins(3);
/// The duration, on Glue's clock, of a crawl that a test must see live; the clock is stepped when the test has seen it.
const LONG: Duration = Duration::from_hours(1);

/// Glue with the jobs of the samples, and the permissions of the pages' policies only.
async fn glue() -> Double {
    let double = Double::start().await.expect("a double");
    let of_plugin = policies::of_plugin();
    let may = policies::by_kind().values().flatten().chain(&of_plugin);
    let may: Vec<&str> = may.map(String::as_str).collect();
    let trust = policies::trust();
    let user = trust["Statement"][0]["Principal"]["AWS"].as_str().expect("a user").to_owned();
    let name = user.rsplit('/').next().expect("a name").to_owned();
    double.define_access_key(&AccessKey {
        id: "AKIAIOSFODNN7EXAMPLE".to_owned(),
        secret: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY".to_owned(),
        account: DEFAULT_ACCOUNT.to_owned(),
        user: name,
    });
    double.define_account(OTHER_ACCOUNT);
    let role = format!("arn:aws:iam::{OTHER_ACCOUNT}:role/analytics-etl");
    let external_id = trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"].as_str();
    let of_trust: Vec<_> = policies::actions(&trust).collect();
    double.define_role(
        Role::new(&role)
            .trusts(&user)
            .external_id(external_id.expect("an external id"))
            .allows_source_identity(of_trust.contains(&"sts:SetSourceIdentity"))
            .allows_tag_session(of_trust.contains(&"sts:TagSession")),
    );
    double.iam().set_policy(&role, Policy::allow(&may));
    double.iam().set_policy(&user, Policy::allow(&[may, of_trust].concat()));

    let failed = Outcome::Failed("AnalysisException: Path does not exist".to_owned());
    let job = |name: &str, outcome| {
        let plan = RunPlan {
            starting: Duration::from_millis(300),
            running: Duration::from_millis(700),
            stopping: Duration::from_millis(300),
            slot_lag: Duration::from_millis(300),
            outcome,
            ..RunPlan::default()
        };
        JobDefinition::new(name).max_concurrent_runs(5).script(RunScript::sequence([plan]))
    };
    for account in [DEFAULT_ACCOUNT, OTHER_ACCOUNT] {
        double.define_job(account, REGION, job("orders-etl", Outcome::Succeeded));
    }
    double.define_job(DEFAULT_ACCOUNT, REGION, job("customers-etl", failed));
    double.define_job(DEFAULT_ACCOUNT, REGION, job("inventory-sync", Outcome::Succeeded).command("pythonshell"));
    double.define_job(DEFAULT_ACCOUNT, REGION, job("clicks-backfill", Outcome::Never).max_concurrent_runs(1));
    let changes = Changes { tables_added: vec!["orders".to_owned()], ..Changes::default() };
    // Glue is asked for an estimate of a crawl that has run for long.
    let crawl = |running, outcome| CrawlPlan { running, elapsed: LONG, outcome, ..CrawlPlan::default() };
    // One that ends by itself, one that continues until another object is attached to it, and one that is stopped.
    let crawls = CrawlScript::sequence([
        crawl(Duration::from_secs(3), CrawlOutcome::Completed),
        crawl(LONG, CrawlOutcome::Completed),
        crawl(LONG, CrawlOutcome::Never),
    ]);
    let crawls = crawls.changes(&changes).stopping(Duration::from_millis(500));
    double.define_crawler(DEFAULT_ACCOUNT, REGION, CrawlerSettings::new("raw-orders"), crawls).expect("a crawler");
    sample_resources::create_legacy_connection(&double, REGION).expect("a connection");
    sample_resources::create_triggers(&double, REGION, LONG).expect("triggers");
    sample_resources::create_workflows(&double, REGION, Duration::from_millis(300)).expect("workflows");
    double
}

/// Runs a block from the repository's root, beside this Glue, and returns what it printed.
pub async fn run(plane: &ControlPlane, double: &Double, block: &Block) -> String {
    let folder = |program: &Path| program.parent().expect("a folder").to_path_buf();
    let assets = plane.assets();
    let plugin = Path::new(env!("CARGO_BIN_EXE_kubectl-glue"));
    let mut path = vec![folder(&assets.kubectl), folder(&assets.helm), folder(plugin)];
    path.extend(std::env::split_paths(&std::env::var_os("PATH").unwrap_or_default()));
    let shell = Command::new("bash")
        .args(["-euo", "pipefail", "-c", &block.text])
        .current_dir(root())
        .env("PATH", std::env::join_paths(path).expect("a path"))
        .env("KUBECONFIG", plane.kubeconfig())
        // Where `kubectl glue` finds AWS.
        .env("AWS_ENDPOINT_URL", double.url())
        // kubectl and helm keep their caches there.
        .env("HOME", plane.folder())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let problem = match timeout(LIMIT, shell).await {
        Ok(output) => {
            let output = output.expect("bash");
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            if output.status.success() {
                return text(&output.stdout);
            }
            format!("{}\n{}{}", output.status, text(&output.stdout), text(&output.stderr))
        }
        Err(_) => "it did not end in time".to_owned(),
    };
    let objects = plane.kubectl(["get", "glue", "-o", "wide"]).output().await.map(|output| output.stdout);
    panic!("{}:{}: {problem}\n{}{}", block.page, block.line, block.text, objects.unwrap_or_default());
}

/// What happens in Glue while a block is run: a crawl of [`LONG`] ends when the object shows it.
async fn meanwhile(plane: &ControlPlane, double: &Double, block: &Block) {
    if block.text.contains("crawler-run-attached.yaml") {
        double.requests().wait_for_count("GetCrawlerMetrics", 1).await;
        let crawls: Api<GlueCrawlerRun> = Api::default_namespaced(plane.client().await.expect("a client"));
        let is_known = |run: Option<&GlueCrawlerRun>| {
            run.and_then(|run| run.status.as_ref()).is_some_and(|status| status.crawl_id.is_some())
        };
        await_condition(crawls, "raw-orders-attached", is_known).await.expect("a watch");
    } else if block.text.contains("trigger-fired.yaml") {
        // Other pages have runs of other workflows.
        let is_polled = |requests: &Requests| requests.of("GetWorkflowRun").name("orders").count() > 0;
        double.requests().wait_until(is_polled).await;
    } else {
        return;
    }
    double.clock().step(LONG);
}

/// The states of Glue's runs of a job, oldest first.
fn states(double: &Double, account: &str, job: &str) -> Vec<String> {
    let runs = double.runs(account, REGION, job);
    runs.iter().map(|run| run["JobRunState"].as_str().expect("a state").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_commands_work_in_order_with_the_permissions_of_the_policies() {
    let plane = ControlPlane::start(Options::default()).await.expect("a control plane");
    let double = glue().await;
    let kubelet = Kubelet::builder(&plane)
        .image(IMAGE, env!("CARGO_BIN_EXE_kube-glue"))
        .env("AWS_ENDPOINT_URL", double.url())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .start()
        .await
        .expect("a kubelet");
    // Argo CD's ConfigMap as its own installation leaves it.
    plane.kubectl(["create", "namespace", "argocd"]).await.expect("a namespace");
    let theirs = ["create", "configmap", "argocd-cm", "-n", "argocd", "--from-literal=url=https://argocd.example.com"];
    plane.kubectl(theirs).await.expect("a ConfigMap");

    let all = blocks::walked();
    let commands: Vec<_> = all.iter().filter(|block| block.is_for_a_cluster()).collect();
    let (last, others) = commands.split_last().expect("commands");
    let mut table = String::new();
    for block in others {
        let (printed, ()) = tokio::join!(run(&plane, &double, block), meanwhile(&plane, &double, block));
        if block.text.starts_with("helm install") {
            // As installed the controller polls Glue every five seconds.
            let set =
                "controller.pollInterval=200ms,controller.pollCallsPerMinute=60000,readinessProbe.periodSeconds=1";
            let chart = root().join("charts/kube-glue");
            let upgrade = ["upgrade", "kube-glue", chart.to_str().expect("a path"), "-n", "kube-glue"];
            plane.helm(upgrade).args(["--reuse-values", "--wait", "--set", set]).await.expect("the upgrade");
        }
        if block.text.starts_with("kubectl get glue\n") {
            table = printed;
        }
    }

    // The results are those that the pages show.
    let header = |text: &str| -> Vec<String> {
        let line = text.lines().find(|line| line.starts_with("NAME ")).unwrap_or_default();
        line.split_whitespace().map(str::to_owned).collect()
    };
    assert_eq!(header(&page("README.md")), header(&table), "the columns of `kubectl get glue`");
    let backfills = double.runs(DEFAULT_ACCOUNT, REGION, "orders-etl");
    let backfills = backfills.iter().filter(|run| run["Arguments"]["--year"] == "2025").count();
    assert_eq!(backfills, 1, "the object from Git was applied twice, with one key");
    assert_eq!(
        states(&double, DEFAULT_ACCOUNT, "clicks-backfill"),
        ["STOPPED", "STOPPED", "RUNNING"],
        "stopped by spec.stop, stopped by the deletion, left running"
    );
    assert_eq!(states(&double, OTHER_ACCOUNT, "orders-etl"), ["SUCCEEDED"]);
    let config = plane.kubectl(["get", "configmap", "argocd-cm", "-n", "argocd", "-o", "yaml"]).await;
    assert!(config.expect("a ConfigMap").stdout.contains("url: https://argocd.example.com"), "the existing key stays");

    for (kind, actions) in policies::by_kind() {
        for action in actions {
            let (_, operation) = action.split_once(':').expect("an operation of a service");
            assert!(double.requests().count(operation) > 0, "{action} is allowed for {kind}, and no page needs it");
        }
    }
    let is_ready = |pod: &RunningPod| pod.ready && !pod.terminating;
    let pods = kubelet.until("a ready pod", LIMIT, |pods| pods.iter().any(is_ready)).await.expect("a pod");
    let pod = pods.into_iter().find(is_ready).expect("a pod").name;
    let (_, metrics) = kubelet.get(&pod, "/metrics").await.expect("metrics");
    // The first two are exported only after an error, and there is none here; the others where lineage is sent, and no
    // receiver is set or listed.
    let rare = [
        "kube_glue_reconcile_errors_total",
        "kube_glue_aws_throttles_total",
        "kube_glue_lineage_events_total",
        "kube_glue_inventory_lineage_lag_seconds",
    ];
    let operations = page(OPERATIONS);
    for name in operations.split('`').filter(|word| word.starts_with("kube_glue_") && !rare.contains(word)) {
        let counted = metrics.lines().any(|line| line.starts_with(name));
        assert!(counted, "{name} is not exported:\n{metrics}");
    }

    assert_no_secret_leaked(&plane, &kubelet, &double).await;
    run(&plane, &double, last).await;
    assert!(last.text.starts_with("helm uninstall"), "the walk ends with the uninstall");
    let kept = plane.kubectl(["get", "glue"]).await.expect("the objects");
    assert!(kept.stdout.contains("orders-first"), "{}", kept.stdout);
}

#[test]
fn the_walk_applies_every_sample() {
    let commands: String = blocks::walked().into_iter().map(|block| block.text).collect();
    for entry in root().join("crds/samples").read_dir().expect("the samples") {
        let name = entry.expect("an entry").file_name();
        let name = name.to_str().expect("a UTF-8 name");
        assert!(commands.contains(&format!("-f crds/samples/{name}")), "no walked page applies {name}");
    }
}
