//! Assumed roles: sessions are shared, tagged with the tenant, renewed and replaced.

use std::time::Duration;

use jiff::SignedDuration;
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use super::{OTHER_ACCOUNT, ROLE, two_accounts};
use crate::harness::{DEFAULT_SECRET, REGION, TestEnv, access_key_data, endless};

/// Writes the test's access key and [`ROLE`] into a Secret, with more of its data.
pub async fn put_role(env: &TestEnv, secret: &str, more: &[(&str, &str)]) {
    let keys = access_key_data(&env.key.id, &env.key.secret);
    env.put_secret(secret, &[&keys[..], &[("AWS_ROLE_ARN", ROLE)], more].concat()).await;
}

#[tokio::test]
async fn many_objects_of_a_tenant_assume_their_role_once_with_the_tenants_tags() {
    let mut env = two_accounts("storm", |role| role).await;
    env.start_controller();
    put_role(&env, DEFAULT_SECRET, &[]).await;
    let assume = json!({"sessionTags": {"team": "data"}, "sourceIdentity": "alice", "durationSeconds": 900});
    let names: Vec<_> = (0..20).map(|n| format!("run-{n}")).collect();
    for name in &names {
        env.create_run(name, "other-account", json!({"credentials": {"assumeRole": assume}})).await;
    }
    for name in &names {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    let assumed = env.double.requests().of("AssumeRole");
    assert_eq!(assumed.count(), 1);
    let sessions = env.double.iam().sessions(ROLE);
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let tenant_tags = [tag("kube-glue-namespace", &env.namespace), tag("kube-glue-kind", "GlueJobRun")];
    assert_eq!(session.tags, [&[tag("team", "data")], &tenant_tags[..]].concat());
    assert_eq!(session.transitive, ["kube-glue-namespace", "kube-glue-kind"]);
    assert_eq!(session.source_identity.as_deref(), Some("alice"));
    assert_eq!(session.name, format!("kube-glue-{}", env.namespace));
}

#[tokio::test]
async fn a_session_is_not_shared_with_a_wrong_external_id() {
    let mut env = two_accounts("external", |role| role.external_id("right")).await;
    env.start_controller();
    put_role(&env, "right", &[("AWS_EXTERNAL_ID", "right")]).await;
    put_role(&env, "wrong", &[("AWS_EXTERNAL_ID", "wrong")]).await;
    env.create_run("right", "other-account", json!({"credentials": {"secretName": "right"}})).await;
    env.wait_finished("right", Phase::Succeeded).await;
    env.create_run("wrong", "other-account", json!({"credentials": {"secretName": "wrong"}})).await;
    env.wait_for_reason("wrong", "AccessDenied").await;
    assert_eq!(env.double.requests().of("StartJobRun").account(OTHER_ACCOUNT).count(), 1);
}

#[tokio::test]
async fn a_role_that_denies_session_tags_is_reported_and_works_without_them() {
    let mut env = two_accounts("tags", |role| role.allows_tag_session(false)).await;
    env.start_controller();
    put_role(&env, DEFAULT_SECRET, &[]).await;
    env.create_run("one", "other-account", json!({})).await;
    let message = env.wait_for_reason("one", "AccessDenied").await;
    assert!(message.contains("allow sts:TagSession beside sts:AssumeRole"), "{message}");
    assert!(message.contains("--session-tags=false"), "{message}");
    env.kill_controller();
    env.set_flags(&[("--session-tags", "false")]);
    env.start_controller();
    env.wait_finished("one", Phase::Succeeded).await;
}

/// This is a definite error: the controller need not look up whether a run was started.
#[tokio::test]
async fn while_sts_does_not_answer_nothing_is_sent_to_glue() {
    let mut env = two_accounts("silent", |role| role).await;
    env.double.faults().add(Fault::on("AssumeRole").then(Then::Hold));
    env.start_controller();
    put_role(&env, DEFAULT_SECRET, &[]).await;
    env.create_run("one", "other-account", json!({})).await;
    let message = env.wait_for_reason("one", "AwsUnreachable").await;
    assert!(message.contains("AssumeRole of role") && message.contains("Timeout"), "{message}");
    env.double.faults().clear();
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!((env.start_calls(), env.double.requests().count("GetJobRuns")), (1, 0), "no lookup was needed");
}

/// Sessions of six seconds; no call uses an expired one.
#[tokio::test]
async fn a_session_is_renewed_before_it_expires() {
    let mut env = two_accounts("renewed", |role| role).await;
    env.double.define_job(OTHER_ACCOUNT, REGION, JobDefinition::new("endless").script(endless()));
    env.double.iam().cap_sessions(Some(Duration::from_secs(6)));
    env.start_controller();
    put_role(&env, DEFAULT_SECRET, &[]).await;
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    env.wait_for_calls("AssumeRole", 3).await;
    env.wait_for_more_calls("GetJobRun", 3).await;
    // Calls come one by one, so each was signed after the arrival of the one before. Its session was then valid for
    // more than a second. A call that arrived later than that may be rejected: the machine was slow.
    let all = env.double.requests().all();
    let in_time = all
        .windows(2)
        .filter(|pair| pair[1].received.duration_since(pair[0].received) < SignedDuration::from_secs(1))
        .map(|pair| &pair[1]);
    let refused: Vec<_> = in_time.filter(|request| request.answer().is_some() && !request.succeeded()).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

#[tokio::test]
async fn a_revoked_session_is_replaced() {
    let mut env = two_accounts("revoked", |role| role).await;
    env.double.define_job(OTHER_ACCOUNT, REGION, JobDefinition::new("endless").script(endless()));
    env.start_controller();
    put_role(&env, DEFAULT_SECRET, &[]).await;
    env.create_run("one", "endless", json!({})).await;
    let run = env.wait_for_phase("one", Phase::Running).await;
    env.double.iam().expire_sessions(ROLE);
    env.wait_for_calls("AssumeRole", 2).await;
    env.wait_for_reason("one", "Running").await;
    env.delete("one").await;
    env.wait_deleted(&run).await;
    assert_eq!(env.start_calls(), 1);
}

/// The Secret is read again when AWS rejects its key.
#[tokio::test]
async fn a_rotated_key_is_used_without_a_watch_of_secrets() {
    let mut env = two_accounts("unwatched", |role| role).await;
    env.set_flags(&[("--watch-secrets", "false")]);
    env.define_job(JobDefinition::new("endless").script(endless()));
    env.start_controller();
    env.put_credentials(DEFAULT_SECRET).await;
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    env.key.secret = "a-new-secret-that-nobody-knows".to_owned();
    env.secrets.push(env.key.secret.clone());
    env.double.define_access_key(&env.key);
    env.wait_for_reason("one", "CredentialsNotAccepted").await;
    env.put_credentials(DEFAULT_SECRET).await;
    env.wait_for_reason("one", "Running").await;
    assert_eq!(env.start_calls(), 1);
}
