//! Roles: assumed once for all who share them, as whom the tenant is and as nobody else.

use std::time::Duration;

use jiff::SignedDuration;
use kube_glue::api::run::Phase;
use kube_glue_double::{Fault, JobDefinition, Then};
use serde_json::json;

use super::{OTHERS, ROLE, two_accounts};
use crate::harness::{DEFAULT_SECRET, REGION, World, endless};

/// Puts the world's keys and the role into a Secret.
pub async fn put_role(world: &World, secret: &str, more: &[(&str, &str)]) {
    let keys = [
        ("AWS_ACCESS_KEY_ID", world.key.id.as_str()),
        ("AWS_SECRET_ACCESS_KEY", world.key.secret.as_str()),
        ("AWS_ROLE_ARN", ROLE),
    ];
    world.put_secret(secret, &[&keys, more].concat()).await;
}

#[tokio::test]
async fn many_objects_of_a_tenant_assume_their_role_once_and_as_that_tenant() {
    let mut world = two_accounts("storm", |role| role).await;
    world.start_controller();
    put_role(&world, DEFAULT_SECRET, &[]).await;
    let assume = json!({"sessionTags": {"team": "data"}, "sourceIdentity": "alice", "durationSeconds": 900});
    let names: Vec<_> = (0..20).map(|n| format!("run-{n}")).collect();
    for name in &names {
        world.run(name, "theirs", json!({"credentials": {"assumeRole": assume}})).await;
    }
    for name in &names {
        world.over(name, Phase::Succeeded).await;
    }
    let assumed = world.double.requests().of("AssumeRole");
    assert_eq!(assumed.count(), 1);
    let sessions = world.double.iam().sessions(ROLE);
    let [session] = &sessions[..] else { panic!("{sessions:?}") };
    let tag = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    let ours = [tag("kube-glue-namespace", &world.namespace), tag("kube-glue-kind", "GlueJobRun")];
    assert_eq!(session.tags, [&[tag("team", "data")], &ours[..]].concat());
    assert_eq!(session.transitive, ["kube-glue-namespace", "kube-glue-kind"]);
    assert_eq!(session.source_identity.as_deref(), Some("alice"));
    assert_eq!(session.name, format!("kube-glue-{}", world.namespace));
}

#[tokio::test]
async fn one_external_id_does_not_open_the_door_for_another() {
    let mut world = two_accounts("external", |role| role.external_id("right")).await;
    world.start_controller();
    put_role(&world, "right", &[("AWS_EXTERNAL_ID", "right")]).await;
    put_role(&world, "wrong", &[("AWS_EXTERNAL_ID", "wrong")]).await;
    world.run("right", "theirs", json!({"credentials": {"secretName": "right"}})).await;
    world.over("right", Phase::Succeeded).await;
    world.run("wrong", "theirs", json!({"credentials": {"secretName": "wrong"}})).await;
    world.reason("wrong", "AccessDenied").await;
    assert_eq!(world.double.requests().of("StartJobRun").account(OTHERS).count(), 1);
}

#[tokio::test]
async fn a_role_that_may_not_be_tagged_says_so_and_works_without_tags() {
    let mut world = two_accounts("tags", |role| role.allows_tag_session(false)).await;
    world.start_controller();
    put_role(&world, DEFAULT_SECRET, &[]).await;
    world.run("one", "theirs", json!({})).await;
    let message = world.reason("one", "AccessDenied").await;
    assert!(message.contains("allow sts:TagSession beside sts:AssumeRole"), "{message}");
    assert!(message.contains("--session-tags=false"), "{message}");
    world.kill_controller();
    world.set(&[("--session-tags", "false")]);
    world.start_controller();
    world.over("one", Phase::Succeeded).await;
}

/// STS does not answer: that is said, and nobody has to find out whether something was started.
#[tokio::test]
async fn while_sts_does_not_answer_nothing_is_sent_to_glue() {
    let mut world = two_accounts("silent", |role| role).await;
    world.double.faults().add(Fault::on("AssumeRole").then(Then::Hold));
    world.start_controller();
    put_role(&world, DEFAULT_SECRET, &[]).await;
    world.run("one", "theirs", json!({})).await;
    let message = world.reason("one", "AwsUnreachable").await;
    assert!(message.contains("AssumeRole of role") && message.contains("Timeout"), "{message}");
    world.double.faults().clear();
    world.over("one", Phase::Succeeded).await;
    assert_eq!((world.starts(), world.double.requests().count("GetJobRuns")), (1, 0), "nothing was looked for");
}

/// A session that lasts seconds only is renewed ahead of its end, again and again, and no call ever finds it over.
#[tokio::test]
async fn a_session_is_renewed_before_it_ends() {
    let mut world = two_accounts("renewed", |role| role).await;
    world.double.define_job(OTHERS, REGION, JobDefinition::new("endless").script(endless()));
    world.double.iam().cap_sessions(Some(Duration::from_secs(6)));
    world.start_controller();
    put_role(&world, DEFAULT_SECRET, &[]).await;
    world.run("one", "endless", json!({})).await;
    world.phase("one", Phase::Running).await;
    world.calls("AssumeRole", 3).await;
    let polls = world.double.requests().count("GetJobRun");
    world.calls("GetJobRun", polls + 3).await;
    // There is one call at a time, so each was signed after the one before it had come. More than a second was left of
    // its session then: one that took longer to arrive may find it over, and that is the machine's doing.
    let all = world.double.requests().all();
    let in_time = all
        .windows(2)
        .filter(|pair| pair[1].received.duration_since(pair[0].received) < SignedDuration::from_secs(1))
        .map(|pair| &pair[1]);
    let refused: Vec<_> = in_time.filter(|request| request.answer().is_some() && !request.succeeded()).collect();
    assert!(refused.is_empty(), "{refused:?}");
}

/// A session that AWS ends before its time is given up for a new one, without anybody's help.
#[tokio::test]
async fn a_revoked_session_is_replaced() {
    let mut world = two_accounts("revoked", |role| role).await;
    world.double.define_job(OTHERS, REGION, JobDefinition::new("endless").script(endless()));
    world.start_controller();
    put_role(&world, DEFAULT_SECRET, &[]).await;
    world.run("one", "endless", json!({})).await;
    let run = world.phase("one", Phase::Running).await;
    world.double.iam().expire_sessions(ROLE);
    world.calls("AssumeRole", 2).await;
    world.reason("one", "Running").await;
    world.delete("one").await;
    world.gone(&run).await;
    assert_eq!(world.starts(), 1);
}

/// Without the right to watch Secrets, a key that AWS refuses is read again.
#[tokio::test]
async fn a_rotated_key_is_taken_up_without_a_watch() {
    let mut world = two_accounts("unwatched", |role| role).await;
    world.set(&[("--watch-secrets", "false")]);
    world.job(JobDefinition::new("endless").script(endless()));
    world.start_controller();
    world.put_credentials(DEFAULT_SECRET).await;
    world.run("one", "endless", json!({})).await;
    world.phase("one", Phase::Running).await;
    world.key.secret = "a-new-secret-that-nobody-knows".to_owned();
    world.secrets.push(world.key.secret.clone());
    world.double.define_access_key(&world.key);
    world.reason("one", "CredentialsNotAccepted").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.reason("one", "Running").await;
    assert_eq!(world.starts(), 1);
}
