//! Two namespaces with the controller's own identity: AWS cannot tell one from the other. What is started for one of them,
//! objects of the other neither adopt, stop nor delete, and what Glue says about it they do not show.
//!
//! | a way to the other namespace | test |
//! |---|---|
//! | the same `idempotencyKey`, also as the key of the other's run | `a_key_means_something_in_its_namespace_only` |
//! | the argument that carries the key | `job_runs`: `the_controllers_own_argument_is_rejected_in_the_spec` |
//! | `runId`, then `stop`, a deadline, or the deletion with `deletionPolicy: Stop` | `a_followed_run_of_another_namespace_is_not_stopped` |
//! | `runId`, and the message of the run | the same |
//! | `onAlreadyRunning: Attach` or a crawl that covers both, then `stop`, `suspend` or the deletion | `a_crawl_that_another_namespace_started_is_not_stopped` |
//! | the arguments of a lost start, where runs carry no key | `without_keys_a_run_of_another_namespace_is_not_taken_for_a_lost_one` |
//! | the refusal of a start, which objects that wait for the same cause show | `a_refusal_shows_no_value_of_the_other_namespace` |
//! | a connection of the same name, also by `catalogId` | `a_connection_has_one_owner_however_its_catalog_is_named` |
//! | a trigger of the same name: its state, its firing, its deactivation | `a_trigger_of_another_namespace_is_left_alone` |
//! | the name of the session, the source identity | `no_session_passes_for_that_of_another_namespace` |
//! | Secrets, roles, profiles and endpoints of the other | `access_matrix` |
//! | credentials that AWS refuses, of an older object | `shared_connections` |

use std::time::Duration;

use kube_glue::api::run::Phase;
use kube_glue::api::{GlueConnection, GlueCrawlerRun, GlueJobRun, GlueTrigger};
use kube_glue_double::{
    CrawlPlan, CrawlScript, CrawlerSettings, DEFAULT_ACCOUNT, Fault, JobDefinition, Outcome, Role, RunScript, Then,
    TriggerTimes,
};
use serde_json::{Value, json};

use super::ROLE;
use crate::harness::{
    REGION, SHORT_TIMEOUTS, STEP, TestEnv, condition, endless, merged, ready_condition, run_id, status, stepwise,
};

const PASSWORD: &str = "owners-password-4711";

/// Two namespaces with one controller, whose identity both may use. All calls go to the double of the first.
async fn two_namespaces(name: &str) -> (TestEnv, TestEnv) {
    let mut owner = TestEnv::without_controller(&format!("{name}-owner")).await;
    let tenant = TestEnv::without_controller(&format!("{name}-tenant")).await;
    let namespaces = format!("{},{}", owner.namespace, tenant.namespace);
    let key = owner.key.clone();
    owner.aws.extend([("AWS_ACCESS_KEY_ID", key.id), ("AWS_SECRET_ACCESS_KEY", key.secret)]);
    owner.set_flags(&[("--namespaces", &namespaces), ("--controller-identity-namespaces", "*")]);
    owner.set_flags(SHORT_TIMEOUTS);
    owner.start_controller();
    (owner, tenant)
}

/// The states of the runs of a job in Glue, oldest first.
fn states(env: &TestEnv, job: &str) -> Vec<String> {
    env.glue_runs(job).iter().map(|run| run["JobRunState"].as_str().expect("a state").to_owned()).collect()
}

#[tokio::test]
async fn a_key_means_something_in_its_namespace_only() {
    let (owner, tenant) = two_namespaces("shared-key").await;
    owner.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    let keyed = json!({"idempotencyKey": "orders"});
    owner.create_run("one", "endless", keyed.clone()).await;
    let of_owner = owner.wait_for_phase("one", Phase::Running).await;
    let uid = of_owner.metadata.uid.clone().expect("a uid");
    let of_tenant = tenant.create_run("one", "endless", keyed).await;
    let running = tenant.wait_for_phase("one", Phase::Running).await;
    assert_ne!(run_id(&running), run_id(&of_owner));
    tenant.create_run("guessed", "endless", json!({"idempotencyKey": uid})).await;
    let running = tenant.wait_for_phase("guessed", Phase::Running).await;
    assert_ne!(run_id(&running), run_id(&of_owner));
    assert_eq!(owner.glue_runs("endless").len(), 3);
    tenant.delete("one").await;
    tenant.wait_deleted(&of_tenant).await;
    assert_eq!(states(&owner, "endless"), ["RUNNING", "STOPPED", "RUNNING"]);
    // Each run says for which namespace it was started.
    let keys: Vec<_> =
        owner.glue_runs("endless").iter().map(|run| run["Arguments"]["--kube-glue-run"].clone()).collect();
    let expected = [
        format!("{}/orders/0", owner.namespace),
        format!("{}/orders/0", tenant.namespace),
        format!("{}/{uid}/0", tenant.namespace),
    ];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_followed_run_of_another_namespace_is_not_stopped() {
    let (owner, tenant) = two_namespaces("shared-follow").await;
    owner.double.clock().hold();
    owner.put_secret("db", &[("password", PASSWORD)]).await;
    let failure = Outcome::Failed(format!("login with {PASSWORD} failed"));
    owner.define_job(JobDefinition::new("steps").max_concurrent_runs(9).script(stepwise(failure)));
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    owner.create_run("one", "steps", json!({"argumentsFrom": from})).await;
    let run = owner.wait_for_run_id("one").await;
    let followed = |more: Value| merged(json!({"runId": run_id(&run)}), more);
    owner.double.clock().step(STEP);
    owner.wait_for_phase("one", Phase::Running).await;

    tenant.create_run("stops", "steps", followed(json!({"stop": true}))).await;
    tenant.create_run("late", "steps", followed(json!({"activeDeadlineSeconds": 1}))).await;
    for (name, phase) in [("stops", Phase::Stopped), ("late", Phase::Failed)] {
        let over = tenant.wait_finished(name, phase).await;
        assert!(ready_condition(&over).1.contains("it goes on"), "{over:?}");
    }
    let deleted = tenant.create_run("deleted", "steps", followed(json!({"deletionPolicy": "Stop"}))).await;
    tenant.wait_for_phase("deleted", Phase::Running).await;
    let soon = tenant.create_run("soon", "steps", followed(json!({"deletionPolicy": "Stop"}))).await;
    for (name, object) in [("deleted", &deleted), ("soon", &soon)] {
        tenant.delete(name).await;
        tenant.wait_deleted(object).await;
    }
    assert_eq!((states(&owner, "steps"), owner.stop_calls("steps")), (vec!["RUNNING".to_owned()], 0));

    // Whoever only follows it learns how it ended, and none of its secrets.
    tenant.create_run("waits", "steps", followed(json!({}))).await;
    tenant.wait_for_phase("waits", Phase::Running).await;
    owner.double.clock().step(STEP);
    let failed = tenant.wait_for_phase("waits", Phase::Failed).await;
    assert!(ready_condition(&failed).1.contains("withheld: the run was started for another namespace"), "{failed:?}");
    let failed = owner.wait_for_phase("one", Phase::Failed).await;
    assert_eq!(ready_condition(&failed).1, "login with [hidden] failed");
    owner.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn a_crawl_that_another_namespace_started_is_not_stopped() {
    let (owner, tenant) = two_namespaces("shared-crawl").await;
    owner.double.clock().hold();
    let script = CrawlScript::sequence([CrawlPlan { running: STEP, stopping: STEP, ..CrawlPlan::default() }]);
    let settings = CrawlerSettings::new("raw");
    owner.double.define_crawler(DEFAULT_ACCOUNT, REGION, settings, script).expect("a crawler");
    let (of_owner, of_tenant) = (owner.objects::<GlueCrawlerRun>(), tenant.objects::<GlueCrawlerRun>());
    of_owner.create("one", json!({"crawlerName": "raw"})).await;
    of_owner.wait_for_phase("one", Phase::Running).await;
    let attached = |more: Value| merged(json!({"crawlerName": "raw", "onAlreadyRunning": "Attach"}), more);
    for name in ["stopped", "suspended"] {
        of_tenant.create(name, attached(json!({}))).await;
        of_tenant.wait_for_phase(name, Phase::Running).await;
    }
    let deleted = of_tenant.create("deleted", attached(json!({"deletionPolicy": "Stop"}))).await;
    of_tenant.wait_for_phase("deleted", Phase::Running).await;
    of_tenant.patch_spec("stopped", json!({"stop": true})).await;
    let stopped = of_tenant.wait_for_phase("stopped", Phase::Stopped).await;
    assert!(condition(&stopped, "Ready").expect("Ready").message.contains("it goes on"), "{stopped:?}");
    of_tenant.patch_spec("suspended", json!({"suspend": true})).await;
    of_tenant.wait_for_phase("suspended", Phase::Suspended).await;
    of_tenant.delete("deleted").await;
    of_tenant.wait_deleted(&deleted).await;
    assert_eq!(owner.double.requests().count("StopCrawler"), 0);
    // Its owner may stop it.
    of_owner.patch_spec("one", json!({"stop": true})).await;
    owner.wait_for_calls("StopCrawler", 1).await;
}

/// The tenant's start did not reach Glue, and Glue shows a run with the same arguments.
#[tokio::test]
async fn without_keys_a_run_of_another_namespace_is_not_taken_for_a_lost_one() {
    let (mut owner, tenant) = two_namespaces("shared-keyless").await;
    owner.kill_controller();
    owner.set_flags(&[("--run-key-argument", "")]);
    owner.start_controller();
    owner.define_job(JobDefinition::new("endless").max_concurrent_runs(9).script(endless()));
    owner.create_run("one", "endless", json!({"arguments": {"--day": "monday"}})).await;
    let of_owner = owner.wait_for_phase("one", Phase::Running).await;
    owner.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::Http500));
    tenant.create_run("one", "endless", json!({"arguments": {"--day": "monday"}})).await;
    let of_tenant = tenant.wait_for_phase("one", Phase::Running).await;
    assert_ne!(run_id(&of_tenant), run_id(&of_owner));
    assert_eq!(owner.glue_runs("endless").len(), 2);
}

#[tokio::test]
async fn a_trigger_of_another_namespace_is_left_alone() {
    let (owner, tenant) = two_namespaces("shared-trigger").await;
    let actions = json!([{"JobName": "etl"}]);
    let times = TriggerTimes {
        activating: Duration::ZERO,
        deactivating: Duration::ZERO,
        deleting: Duration::ZERO,
        ..TriggerTimes::default()
    };
    owner.double.set_trigger_times(DEFAULT_ACCOUNT, REGION, times);
    let nightly =
        json!({"Name": "nightly", "Type": "SCHEDULED", "Schedule": "cron(15 12 * * ? *)", "Actions": actions});
    owner.call_glue("CreateTrigger", &nightly);
    owner.call_glue("CreateTrigger", &json!({"Name": "manual", "Type": "ON_DEMAND", "Actions": actions}));
    let (of_owner, of_tenant) = (owner.objects::<GlueTrigger>(), tenant.objects::<GlueTrigger>());
    for name in ["nightly", "manual"] {
        of_owner.create(name, json!({"triggerName": name})).await;
        of_owner.wait_ready(name).await;
    }
    for (name, spec) in [
        ("nightly", json!({"state": "Deactivated", "deletionPolicy": "Deactivate"})),
        ("manual", json!({"fire": "now", "fireOnCreation": true})),
    ] {
        let object = of_tenant.create(name, merged(json!({"triggerName": name}), spec)).await;
        of_tenant.wait_for_reason(name, "OwnedByAnother").await;
        of_tenant.delete(name).await;
        of_tenant.wait_deleted(&object).await;
    }
    let requests = owner.double.requests();
    assert_eq!((requests.count("StopTrigger"), requests.of("StartTrigger").name("manual").count()), (0, 0));
    assert!(owner.glue_runs("etl").is_empty());
}

/// Objects that wait because AWS refuses a start show the answer to the one that tried.
#[tokio::test]
async fn a_refusal_shows_no_value_of_the_other_namespace() {
    let (owner, tenant) = two_namespaces("shared-refusal").await;
    owner.put_secret("db", &[("password", PASSWORD)]).await;
    owner.define_job(JobDefinition::new("full").script(RunScript::succeeds()));
    let message = format!("the account exceeded a limit with --password {PASSWORD}");
    let refusal = Then::Error { code: "ResourceNumberLimitExceededException".to_owned(), status: 400, message };
    owner.double.faults().add(Fault::on("StartJobRun").then(refusal));
    let from = json!([{"name": "--password", "secretKeyRef": {"name": "db", "key": "password"}}]);
    owner.create_run("one", "full", json!({"argumentsFrom": from})).await;
    let message = owner.wait_for_reason("one", "LimitExceeded").await;
    assert!(message.contains("exceeded a limit with --password [hidden]"), "{message}");
    tenant.create_run("other", "full", json!({})).await;
    let message = tenant.wait_for_reason("other", "LimitExceeded").await;
    assert!(message.contains("exceeded a limit with --password"), "{message}");
    owner.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn a_connection_has_one_owner_however_its_catalog_is_named() {
    let (owner, tenant) = two_namespaces("shared-catalog").await;
    let (of_owner, of_tenant) = (owner.objects::<GlueConnection>(), tenant.objects::<GlueConnection>());
    let connection = |more: Value| {
        let fields = json!({
            "connectionType": "JDBC",
            "properties": {"JDBC_CONNECTION_URL": "jdbc:mysql://db/x", "SECRET_ID": "db"},
        });
        merged(fields, more)
    };
    let own_account = json!({"catalogId": DEFAULT_ACCOUNT});
    for (name, first, second) in [("plain", json!({}), own_account.clone()), ("named", own_account, json!({}))] {
        of_owner.create(name, connection(first)).await;
        of_owner.wait_ready(name).await;
        let second = merged(second, json!({"adoptionPolicy": "Adopt", "description": "mine"}));
        let object = of_tenant.create(name, connection(second)).await;
        let message = of_tenant.wait_for_reason(name, "OwnedByAnother").await;
        assert!(message.contains(&format!("{}/{name}", owner.namespace)), "{message}");
        of_tenant.delete(name).await;
        of_tenant.wait_deleted(&object).await;
        let input = owner.double.connection_input(DEFAULT_ACCOUNT, REGION, name).expect("the connection");
        assert_eq!(input.get("Description"), None, "{input}");
    }
    let requests = owner.double.requests();
    assert_eq!((requests.count("UpdateConnection"), requests.count("BatchDeleteConnection")), (0, 0));
}

#[tokio::test]
async fn no_session_passes_for_that_of_another_namespace() {
    let (mut owner, tenant) = two_namespaces("shared-session").await;
    owner.kill_controller();
    owner.double.define_role(Role::new(ROLE).trusts(DEFAULT_ACCOUNT));
    owner.set_flags(&[("--allowed-roles", "*=*:role/etl")]);
    owner.start_controller();
    let assume = |fields: Value| json!({"credentials": {"assumeRole": merged(json!({"roleArn": ROLE}), fields)}});
    let name = format!("kube-glue-{}", owner.namespace);
    tenant.create_run("name", "etl", assume(json!({"sessionName": name}))).await;
    let message = tenant.wait_for_reason("name", "SecretInvalid").await;
    assert!(message.contains("spec.credentials.assumeRole.sessionName begins with kube-glue-"), "{message}");
    tenant.create_run("source", "etl", assume(json!({"sourceIdentity": "alice"}))).await;
    let message = tenant.wait_for_reason("source", "SecretInvalid").await;
    assert!(message.contains("spec.credentials.assumeRole.sourceIdentity cannot be set"), "{message}");
    tenant.put_secret("role", &[("AWS_ROLE_ARN", ROLE), ("AWS_ROLE_SESSION_NAME", name.as_str())]).await;
    tenant.create_run("secret", "etl", json!({"credentials": {"secretName": "role"}})).await;
    let message = tenant.wait_for_reason("secret", "SecretInvalid").await;
    assert!(message.contains("AWS_ROLE_SESSION_NAME"), "{message}");
    assert_eq!(owner.double.requests().count("AssumeRole"), 0);
    let seen = tenant.objects::<GlueJobRun>().api.get("name").await.expect("the object");
    assert_eq!(status(&seen)["phase"], "Pending");
}
