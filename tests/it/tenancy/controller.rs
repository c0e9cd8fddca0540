//! The controller's own identity, by each of the ways in which AWS gives one to a process.

use std::path::PathBuf;

use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Role};
use serde_json::json;

use super::{OTHERS, ROLE, two_accounts};
use crate::world::World;

const OWN_ROLE: &str = "arn:aws:iam::123456789012:role/kube-glue";

/// Writes a file for the controller to read.
fn file(world: &World, name: &str, text: &str) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("{}-{name}", world.namespace));
    std::fs::write(&path, text).expect("a file");
    path.display().to_string()
}

/// A run as the controller itself, and one as a role that it assumes from there.
async fn works(world: &mut World, principal: &str) {
    world.set(&[("--controller-identity-namespaces", "*"), ("--allowed-roles", "own-*=*:role/etl")]);
    world.start_controller();
    world.run("own", "etl", json!({})).await;
    world.over("own", Phase::Succeeded).await;
    let start = &world.double.requests().of("StartJobRun")[0];
    assert!(start.call.principal.starts_with(principal), "{}", start.call.principal);
    world.run("role", "theirs", json!({"credentials": {"assumeRole": {"roleArn": ROLE}}})).await;
    world.over("role", Phase::Succeeded).await;
    assert_eq!(world.double.requests().of("StartJobRun").account(OTHERS).count(), 1);
}

#[tokio::test]
async fn by_the_environment() {
    let mut world = two_accounts("own-env", |role| role).await;
    let key = world.key.clone();
    world.aws.extend([("AWS_ACCESS_KEY_ID", key.id), ("AWS_SECRET_ACCESS_KEY", key.secret)]);
    works(&mut world, "arn:aws:iam::123456789012:user/").await;
}

#[tokio::test]
async fn by_a_web_identity_token_as_irsa_does() {
    let mut world = two_accounts("own-irsa", |role| role).await;
    let subject = "system:serviceaccount:kube-glue:kube-glue";
    world.double.iam().define_web_identity("a-web-identity-token", subject);
    world.double.define_role(Role::new(OWN_ROLE).trusts(subject));
    world.secrets.push("a-web-identity-token".to_owned());
    let token = file(&world, "token", "a-web-identity-token");
    world.aws.extend([("AWS_ROLE_ARN", OWN_ROLE.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", token)]);
    works(&mut world, "arn:aws:sts::123456789012:assumed-role/kube-glue/").await;
    assert_eq!(world.double.requests().count("AssumeRoleWithWebIdentity"), 1);
}

#[tokio::test]
async fn by_container_credentials_as_eks_pod_identity_does() {
    let mut world = two_accounts("own-pod", |role| role).await;
    world.double.define_role(Role::new(OWN_ROLE).trusts(DEFAULT_ACCOUNT));
    world.double.iam().define_pod_identity("a-pod-identity-token", OWN_ROLE);
    world.secrets.push("a-pod-identity-token".to_owned());
    let token = file(&world, "token", "a-pod-identity-token");
    let url = format!("{}/_double/container-credentials", world.double.url());
    world.aws.extend([("AWS_CONTAINER_CREDENTIALS_FULL_URI", url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token)]);
    works(&mut world, "arn:aws:sts::123456789012:assumed-role/kube-glue/").await;
}

#[tokio::test]
async fn by_a_profile() {
    let mut world = two_accounts("own-profile", |role| role).await;
    let key = world.key.clone();
    let profile = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    let credentials = file(&world, "credentials", &format!("[data]\n{profile}"));
    let config = file(&world, "config", "");
    world.aws.extend([("AWS_SHARED_CREDENTIALS_FILE", credentials), ("AWS_CONFIG_FILE", config)]);
    world.set(&[("--allowed-profiles", "own-profile-*=data")]);
    world.start_controller();
    world.run("one", "etl", json!({"credentials": {"profile": "data"}})).await;
    world.over("one", Phase::Succeeded).await;
}
