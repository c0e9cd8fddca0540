//! The controller's own identity, by each of the ways in which AWS gives one to a process.

use std::collections::BTreeSet;
use std::path::PathBuf;

use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, JobDefinition, Role};
use serde_json::json;

use super::{OTHERS, ROLE, two_accounts};
use crate::harness::{DEFAULT_SECRET, REGION, World, endless, ready};

const OWN_ROLE: &str = "arn:aws:iam::123456789012:role/kube-glue";

/// Writes a file for the controller to read.
pub fn file(world: &World, name: &str, text: &str) -> String {
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
async fn a_controller_that_has_none_says_so() {
    let mut world = two_accounts("own-none", |role| role).await;
    world.set(&[("--controller-identity-namespaces", "*")]);
    world.start_controller();
    world.run("one", "etl", json!({})).await;
    let message = world.reason("one", "CredentialsNotAccepted").await;
    assert!(message.contains("GetCredentials of the controller itself: NoCredentials"), "{message}");
    assert!(message.contains("its operator gives it valid ones, by IRSA, EKS Pod Identity or"), "{message}");
    assert_eq!(world.double.requests().total(), 0);
    world.kill_controller();
    world
        .aws
        .extend([("AWS_ACCESS_KEY_ID", world.key.id.clone()), ("AWS_SECRET_ACCESS_KEY", world.key.secret.clone())]);
    world.start_controller();
    world.over("one", Phase::Succeeded).await;
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
    // By the keys that were used: a token that was exchanged too slowly is exchanged again.
    let calls = world.double.requests().all().account(DEFAULT_ACCOUNT);
    let keys: BTreeSet<_> = calls.iter().map(|request| &request.call.access_key_id).collect();
    assert_eq!(keys.len(), 1, "one session for the run and for the role: {keys:?}");
}

/// AWS ends the controller's own session before its time, once under a run, once under a role that is assumed
/// from it: a new one is had at once, and not only when the old one would have ended.
#[tokio::test]
async fn credentials_that_aws_refuses_are_given_up() {
    let mut world = two_accounts("own-refused", |role| role).await;
    let subject = "system:serviceaccount:kube-glue:kube-glue";
    world.double.iam().define_web_identity("another-web-identity-token", subject);
    world.double.define_role(Role::new(OWN_ROLE).trusts(subject));
    world.secrets.push("another-web-identity-token".to_owned());
    let token = file(&world, "token", "another-web-identity-token");
    world.aws.extend([("AWS_ROLE_ARN", OWN_ROLE.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", token)]);
    world.job(JobDefinition::new("endless").script(endless()));
    world.double.define_job(OTHERS, REGION, JobDefinition::new("endless").script(endless()));
    world.set(&[("--controller-identity-namespaces", "*"), ("--allowed-roles", "own-*=*:role/etl")]);
    world.start_controller();
    world.run("own", "endless", json!({})).await;
    world.run("role", "endless", json!({"credentials": {"assumeRole": {"roleArn": ROLE}}})).await;
    for name in ["own", "role"] {
        world.phase(name, Phase::Running).await;
    }
    world.double.iam().expire_sessions(OWN_ROLE);
    world.double.iam().expire_sessions(ROLE);
    world.calls("AssumeRoleWithWebIdentity", 2).await;
    world.calls("AssumeRole", 2).await;
    for name in ["own", "role"] {
        let run = world.until(name, "it is well again", |run| ready(run).0 == "Running").await;
        world.delete(name).await;
        world.gone(&run).await;
    }
    assert_eq!(world.starts(), 2);
}

/// The switches by their names in the environment. (Where they lead, `src/glue/aws/endpoints.rs` says.)
#[tokio::test]
async fn fips_and_dual_stack_are_switched_by_awss_own_variables() {
    let mut world = World::without_controller("switches").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.run("one", "etl", json!({})).await;
    for (variable, word) in [("AWS_USE_FIPS_ENDPOINT", "FIPS"), ("AWS_USE_DUALSTACK_ENDPOINT", "Dualstack")] {
        world.aws.insert(variable, "true".to_owned());
        world.start_controller();
        let said = |run: &GlueJobRun| ready(run).0 == "AwsUnreachable" && ready(run).1.contains(word);
        let run = world.until("one", "it says what does not go together", said).await;
        assert!(ready(&run).1.contains("an endpoint of one's own (AWS_ENDPOINT_URL) goes with none of"), "{run:?}");
        world.kill_controller();
        world.aws.remove(variable);
    }
    assert_eq!(world.double.requests().total(), 0, "nothing was sent to an endpoint that was not meant");
    world.start_controller();
    world.over("one", Phase::Succeeded).await;
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
async fn by_instance_metadata() {
    let mut world = two_accounts("own-instance", |role| role).await;
    world.double.define_role(Role::new(OWN_ROLE).trusts(DEFAULT_ACCOUNT));
    world.double.iam().define_instance_role(OWN_ROLE);
    world.aws.extend([
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", world.double.url()),
    ]);
    works(&mut world, "arn:aws:sts::123456789012:assumed-role/kube-glue/i-1234567890abcdef0").await;
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
