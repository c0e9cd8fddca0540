//! The controller's own identity, from each of the sources of the AWS SDK.

use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, JobDefinition, Role};
use serde_json::json;
use std::collections::BTreeSet;

use super::{OTHER_ACCOUNT, ROLE, two_accounts, write_file};
use crate::harness::{REGION, TestEnv, endless, ready_condition};

const OWN_ROLE: &str = "arn:aws:iam::123456789012:role/kube-glue";

/// Sets the controller's identity to [`OWN_ROLE`] by a web identity token, as IRSA does.
fn use_web_identity(env: &mut TestEnv, token: &str) {
    let subject = "system:serviceaccount:kube-glue:kube-glue";
    env.double.iam().define_web_identity(token, subject);
    env.double.define_role(Role::new(OWN_ROLE).trusts(subject));
    env.secrets.push(token.to_owned());
    let file = write_file(env, "token", token);
    env.aws.extend([("AWS_ROLE_ARN", OWN_ROLE.to_owned()), ("AWS_WEB_IDENTITY_TOKEN_FILE", file)]);
}

/// Asserts that one run works with the controller's identity, whose ARN begins with `principal`, and one with a role
/// that is assumed from it.
async fn assert_identity_works(env: &mut TestEnv, principal: &str) {
    env.set_flags(&[("--controller-identity-namespaces", "*"), ("--allowed-roles", "own-*=*:role/etl")]);
    env.start_controller();
    env.create_run("own", "etl", json!({})).await;
    env.wait_finished("own", Phase::Succeeded).await;
    let start = &env.double.requests().of("StartJobRun")[0];
    assert!(start.call.principal.starts_with(principal), "{}", start.call.principal);
    env.create_run("role", "other-account", json!({"credentials": {"assumeRole": {"roleArn": ROLE}}})).await;
    env.wait_finished("role", Phase::Succeeded).await;
    assert_eq!(env.double.requests().of("StartJobRun").account(OTHER_ACCOUNT).count(), 1);
}

#[tokio::test]
async fn a_controller_without_an_identity_reports_that() {
    let mut env = two_accounts("own-none", |role| role).await;
    env.set_flags(&[("--controller-identity-namespaces", "*")]);
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    let message = env.wait_for_reason("one", "CredentialsNotAccepted").await;
    assert!(message.contains("GetCredentials of the controller itself: NoCredentials"), "{message}");
    assert!(
        message.contains("the operator of kube-glue provides valid ones through IRSA, EKS Pod Identity or"),
        "{message}"
    );
    assert_eq!(env.double.requests().total(), 0);
    env.kill_controller();
    env.aws.extend([("AWS_ACCESS_KEY_ID", env.key.id.clone()), ("AWS_SECRET_ACCESS_KEY", env.key.secret.clone())]);
    env.start_controller();
    env.wait_finished("one", Phase::Succeeded).await;
}

#[tokio::test]
async fn the_identity_can_come_from_environment_variables() {
    let mut env = two_accounts("own-env", |role| role).await;
    let key = env.key.clone();
    env.aws.extend([("AWS_ACCESS_KEY_ID", key.id), ("AWS_SECRET_ACCESS_KEY", key.secret)]);
    assert_identity_works(&mut env, "arn:aws:iam::123456789012:user/").await;
}

#[tokio::test]
async fn the_identity_can_come_from_a_web_identity_token_as_with_irsa() {
    let mut env = two_accounts("own-irsa", |role| role).await;
    use_web_identity(&mut env, "a-web-identity-token");
    assert_identity_works(&mut env, "arn:aws:sts::123456789012:assumed-role/kube-glue/").await;
    // The used keys are counted, since a slow exchange of the token is repeated.
    let calls = env.double.requests().all().account(DEFAULT_ACCOUNT);
    let keys: BTreeSet<_> = calls.iter().map(|request| &request.call.access_key_id).collect();
    assert_eq!(keys.len(), 1, "the run and the role share one session: {keys:?}");
}

/// Of a run with the controller's session, and of one with a role that is assumed from it. New sessions are requested
/// at once, not only at the expiry of the old ones.
#[tokio::test]
async fn revoked_sessions_are_replaced() {
    let mut env = two_accounts("own-refused", |role| role).await;
    use_web_identity(&mut env, "another-web-identity-token");
    env.define_job(JobDefinition::new("endless").script(endless()));
    env.double.define_job(OTHER_ACCOUNT, REGION, JobDefinition::new("endless").script(endless()));
    env.set_flags(&[("--controller-identity-namespaces", "*"), ("--allowed-roles", "own-*=*:role/etl")]);
    env.start_controller();
    env.create_run("own", "endless", json!({})).await;
    env.create_run("role", "endless", json!({"credentials": {"assumeRole": {"roleArn": ROLE}}})).await;
    for name in ["own", "role"] {
        env.wait_for_phase(name, Phase::Running).await;
    }
    env.double.iam().expire_sessions(OWN_ROLE);
    env.double.iam().expire_sessions(ROLE);
    env.wait_for_calls("AssumeRoleWithWebIdentity", 2).await;
    env.wait_for_calls("AssumeRole", 2).await;
    for name in ["own", "role"] {
        let run = env.wait_until(name, "it is Running again", |run| ready_condition(run).0 == "Running").await;
        env.delete(name).await;
        env.wait_deleted(&run).await;
    }
    assert_eq!(env.start_calls(), 2);
}

/// The endpoints themselves are tested in `src/glue/aws/tests/endpoints.rs`.
#[tokio::test]
async fn aws_variables_for_fips_and_dual_stack_are_reported_as_incompatible_with_a_custom_endpoint() {
    let mut env = TestEnv::with_credentials("switches").await;
    env.create_run("one", "etl", json!({})).await;
    for (variable, word) in [("AWS_USE_FIPS_ENDPOINT", "FIPS"), ("AWS_USE_DUALSTACK_ENDPOINT", "Dualstack")] {
        env.aws.insert(variable, "true".to_owned());
        env.start_controller();
        let is_reported =
            |run: &GlueJobRun| ready_condition(run).0 == "AwsUnreachable" && ready_condition(run).1.contains(word);
        let run = env.wait_until("one", "it reports the conflict", is_reported).await;
        assert!(
            ready_condition(&run).1.contains("a custom endpoint (AWS_ENDPOINT_URL) cannot be combined with"),
            "{run:?}"
        );
        env.kill_controller();
        env.aws.remove(variable);
    }
    assert_eq!(env.double.requests().total(), 0, "nothing was sent to the custom endpoint");
    env.start_controller();
    env.wait_finished("one", Phase::Succeeded).await;
}

#[tokio::test]
async fn the_identity_can_come_from_container_credentials_as_with_eks_pod_identity() {
    let mut env = two_accounts("own-pod", |role| role).await;
    env.double.define_role(Role::new(OWN_ROLE).trusts(DEFAULT_ACCOUNT));
    env.double.iam().define_pod_identity("a-pod-identity-token", OWN_ROLE);
    env.secrets.push("a-pod-identity-token".to_owned());
    let token = write_file(&env, "token", "a-pod-identity-token");
    let url = format!("{}/_double/container-credentials", env.double.url());
    env.aws.extend([("AWS_CONTAINER_CREDENTIALS_FULL_URI", url), ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", token)]);
    assert_identity_works(&mut env, "arn:aws:sts::123456789012:assumed-role/kube-glue/").await;
}

#[tokio::test]
async fn the_identity_can_come_from_instance_metadata() {
    let mut env = two_accounts("own-instance", |role| role).await;
    env.double.define_role(Role::new(OWN_ROLE).trusts(DEFAULT_ACCOUNT));
    env.double.iam().define_instance_role(OWN_ROLE);
    env.aws.extend([
        ("AWS_EC2_METADATA_DISABLED", "false".to_owned()),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", env.double.url()),
    ]);
    assert_identity_works(&mut env, "arn:aws:sts::123456789012:assumed-role/kube-glue/i-1234567890abcdef0").await;
}

#[tokio::test]
async fn an_allowed_profile_of_the_controller_can_be_used() {
    let mut env = two_accounts("own-profile", |role| role).await;
    let key = env.key.clone();
    let profile = format!("aws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
    let credentials = write_file(&env, "credentials", &format!("[data]\n{profile}"));
    let config = write_file(&env, "config", "");
    env.aws.extend([("AWS_SHARED_CREDENTIALS_FILE", credentials), ("AWS_CONFIG_FILE", config)]);
    env.set_flags(&[("--allowed-profiles", "own-profile-*=data")]);
    env.start_controller();
    env.create_run("one", "etl", json!({"credentials": {"profile": "data"}})).await;
    env.wait_finished("one", Phase::Succeeded).await;
}

/// Of a profile that an object names, and of the default profile, which is the controller's own identity.
#[tokio::test]
async fn a_credentials_file_that_appears_later_or_is_rotated_is_read_again() {
    let mut env = two_accounts("own-file", |role| role).await;
    let file = |key: &AccessKey| {
        let section =
            |name: &str| format!("[{name}]\naws_access_key_id = {}\naws_secret_access_key = {}\n", key.id, key.secret);
        section("data") + &section("default")
    };
    let path = write_file(&env, "credentials", "");
    std::fs::remove_file(&path).expect("the file");
    let config = write_file(&env, "config", "");
    env.aws.extend([("AWS_SHARED_CREDENTIALS_FILE", path), ("AWS_CONFIG_FILE", config)]);
    env.set_flags(&[("--controller-identity-namespaces", "*"), ("--allowed-profiles", "*=data")]);
    env.start_controller();
    let profile = json!({"credentials": {"profile": "data"}});
    for (name, spec) in [("profile-0", &profile), ("own-0", &json!({}))] {
        env.create_run(name, "etl", spec.clone()).await;
        env.wait_for_reason(name, "CredentialsNotAccepted").await;
    }
    let mut key = env.key.clone();
    for round in 0..2 {
        write_file(&env, "credentials", &file(&key));
        for (name, spec) in [("profile", &profile), ("own", &json!({}))] {
            let name = format!("{name}-{round}");
            if round > 0 {
                env.create_run(&name, "etl", spec.clone()).await;
            }
            env.wait_finished(&name, Phase::Succeeded).await;
        }
        let rotated = env.double.iam().new_access_key(DEFAULT_ACCOUNT, "rotated");
        env.double.iam().delete_access_key(&key.id);
        key = rotated;
    }
    assert_eq!(env.successful_starts("etl"), 4);
}
