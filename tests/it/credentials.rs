//! The AWS credentials of an object: a problem with them is reported, starts nothing, and recovers without an edit of
//! the object.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sdk_sts::config::{BehaviorVersion, Region};
use kube::api::DeleteParams;
use kube_glue::api::run::Phase;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, Fault, JobDefinition, Policy, Role, Then};
use serde_json::json;

use crate::harness::{
    DEFAULT_SECRET, REGION, TestEnv, access_key_data, condition_summary, endless, quick, ready_condition,
};

/// Each case: the Secret's name and data, and the reason and parts of the message that it gives.
#[tokio::test]
async fn an_invalid_secret_is_reported_and_its_run_starts_once_it_is_fixed() {
    let mut env = TestEnv::without_controller("secrets").await;
    env.start_controller();
    let AccessKey { id, secret, .. } = env.key.clone();
    let wrong = "wrong/".repeat(6);
    let newline = format!("{secret}\n");
    env.secrets.push(wrong.clone());
    let cases = [
        ("absent", None, "SecretNotFound", vec!["Secret {ns}/absent does not exist: create it with the keys"]),
        (
            "half",
            Some(access_key_data(&id, &secret)[..1].to_vec()),
            "SecretInvalid",
            vec!["Secret {ns}/half has no key AWS_SECRET_ACCESS_KEY: add it"],
        ),
        (
            "empty",
            Some(access_key_data("", &secret)),
            "SecretInvalid",
            vec!["key AWS_ACCESS_KEY_ID of Secret {ns}/empty is empty: fill it"],
        ),
        (
            "newline",
            Some(access_key_data(&id, &newline)),
            "SecretInvalid",
            vec!["AWS_SECRET_ACCESS_KEY of Secret {ns}/newline begins or ends with white space"],
        ),
        (
            "misnamed",
            Some(vec![("AWS_ACCESS_KEY", id.as_str()), ("AWS_SECRET_ACCESS_KEY", &secret)]),
            "SecretInvalid",
            vec![
                "Secret {ns}/misnamed has no key AWS_ACCESS_KEY_ID: add it (the names of keys are those of AWS's variables",
            ],
        ),
        (
            "wrong",
            Some(access_key_data(&id, &wrong)),
            "CredentialsNotAccepted",
            vec![
                "job etl",
                "InvalidSignatureException",
                "AWS_SECRET_ACCESS_KEY in Secret {ns}/wrong does not belong to its AWS_ACCESS_KEY_ID: put valid keys there",
            ],
        ),
        (
            "region",
            Some([access_key_data(&id, &secret), vec![("AWS_REGION", "Ireland")]].concat()),
            "SecretInvalid",
            vec!["key AWS_REGION of Secret {ns}/region is not the name of a region"],
        ),
        (
            "unknown",
            Some(access_key_data("AKIANOBODY", &secret)),
            "CredentialsNotAccepted",
            vec![
                "job etl",
                "UnrecognizedClientException",
                "AWS does not know AWS_ACCESS_KEY_ID in Secret {ns}/unknown: put valid keys there",
            ],
        ),
    ];
    for (name, data, ..) in &cases {
        if let Some(data) = data {
            env.put_secret(name, data).await;
        }
        env.create_run(name, "etl", json!({"credentials": {"secretName": name}})).await;
    }
    env.create_run("default", "etl", json!({})).await;
    env.put_secret_bytes("binary", &[("AWS_ACCESS_KEY_ID", &[0xff, 0xfe, 0x00]), ("AWS_SECRET_ACCESS_KEY", &[0x80])])
        .await;
    env.create_run("binary", "etl", json!({"credentials": {"secretName": "binary"}})).await;
    let message = env.wait_for_reason("binary", "SecretInvalid").await;
    let expected = format!("key AWS_ACCESS_KEY_ID of Secret {}/binary is not text", env.namespace);
    assert!(message.contains(&expected), "{message}");
    for (name, _, reason, parts) in &cases {
        let message = env.wait_for_reason(name, reason).await;
        for part in parts {
            let part = part.replace("{ns}", &env.namespace);
            assert!(message.contains(&part), "{name}: {message:?} does not contain {part:?}");
        }
    }
    let message = env.wait_for_reason("default", "CredentialsMissing").await;
    assert!(message.contains(&format!("create Secret {}/{DEFAULT_SECRET} with the keys", env.namespace)), "{message}");
    let blocked = env.job_runs().get("default").await.expect("the object");
    assert_eq!(condition_summary(&blocked), ["Ready=False", "Reconciling=True"]);
    assert!(env.glue_runs("etl").is_empty());

    for (name, ..) in &cases {
        env.put_credentials(name).await;
    }
    env.put_credentials(DEFAULT_SECRET).await;
    env.put_credentials("binary").await;
    for name in cases.iter().map(|(name, ..)| *name).chain(["default", "binary"]) {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    let all = cases.len() + 2;
    assert_eq!((env.successful_starts("etl"), env.glue_runs("etl").len()), (all, all));
    env.assert_no_secret_leaked().await;
}

#[tokio::test]
async fn a_missing_job_is_reported_and_its_run_starts_once_the_job_exists() {
    let env = TestEnv::new("job").await;
    env.create_run("one", "not-there", json!({})).await;
    let message = env.wait_for_reason("one", "NotFound").await;
    assert!(message.contains("there is no job not-there in this account and region"), "{message}");
    assert!(message.contains("create it, or check the name"), "{message}");
    env.define_job(JobDefinition::new("not-there").script(quick()));
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(env.glue_runs("not-there").len(), 1);
}

/// The message names the permission.
#[tokio::test]
async fn a_missing_permission_is_reported_and_the_run_starts_once_it_is_granted() {
    let env = TestEnv::new("rights").await;
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/{}", env.key.user);
    env.double.iam().set_policy(&user, Policy::deny(&["glue:StartJobRun"]));
    env.create_run("one", "etl", json!({})).await;
    let message = env.wait_for_reason("one", "AccessDenied").await;
    let expected = format!("allow glue:StartJobRun to the identity whose keys are in Secret {}/", env.namespace);
    assert!(message.contains("job etl") && message.contains(&expected), "{message}");
    env.double.iam().set_policy(&user, Policy::deny(&["glue:CreateJob"]));
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(env.glue_runs("etl").len(), 1);
}

#[tokio::test]
async fn a_role_is_assumed_with_its_external_id_and_a_wrong_id_is_reported() {
    let mut env = TestEnv::without_controller("role").await;
    env.start_controller();
    let arn = "arn:aws:iam::222222222222:role/etl";
    env.double.define_role(Role::new(arn).trusts(DEFAULT_ACCOUNT).external_id("tenant-7"));
    env.double.define_job("222222222222", REGION, JobDefinition::new("other-account").script(quick()));
    let AccessKey { id, secret, .. } = env.key.clone();
    let with = |external: &'static str| {
        [
            access_key_data(&id, &secret),
            vec![("AWS_ROLE_ARN", arn), ("AWS_EXTERNAL_ID", external), ("AWS_ROLE_SESSION_NAME", "team-a")],
        ]
        .concat()
    };
    env.put_secret(DEFAULT_SECRET, &with("tenant-8")).await;
    env.create_run("one", "other-account", json!({})).await;
    let message = env.wait_for_reason("one", "AccessDenied").await;
    assert!(message.contains("AssumeRole") && message.contains(arn), "{message}");
    let source = format!("the role in key AWS_ROLE_ARN of Secret {}/{DEFAULT_SECRET}", env.namespace);
    assert!(message.contains(&source), "{message}");
    assert!(message.contains("the external id that the role's trust policy requires"), "{message}");
    assert_eq!(env.start_calls(), 0);
    env.put_secret(DEFAULT_SECRET, &with("tenant-7")).await;
    env.wait_finished("one", Phase::Succeeded).await;
    let start = &env.double.requests().of("StartJobRun")[0];
    assert_eq!(&*start.call.principal, "arn:aws:sts::222222222222:assumed-role/etl/team-a");
    assert_eq!(env.double.requests().of("AssumeRole").succeeded().count(), 1, "the session is cached");
    env.assert_no_secret_leaked().await;
}

/// Access key id, secret access key and session token of a new session, as `aws sts assume-role` prints them.
pub async fn assume_role(env: &TestEnv, role: &str) -> [String; 3] {
    let AccessKey { id, secret, .. } = &env.key;
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(env.double.url())
        .credentials_provider(Credentials::new(id, secret, None, None::<SystemTime>, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let sts = aws_sdk_sts::Client::from_conf(config);
    let answer = sts.assume_role().role_arn(role).role_session_name("somebody").send().await.expect("a session");
    let given = answer.credentials.expect("credentials");
    [given.access_key_id, given.secret_access_key, given.session_token]
}

#[tokio::test]
async fn an_expired_session_token_is_reported_and_a_new_one_continues_with_the_same_run() {
    let mut env = TestEnv::without_controller("token").await;
    let role = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:role/someone");
    env.double.define_role(Role::new(&role));
    env.define_job(JobDefinition::new("endless").script(endless()));
    env.start_controller();
    let put = async |env: &mut TestEnv, role: &str| {
        let [id, secret, token] = assume_role(env, role).await;
        env.put_secret(DEFAULT_SECRET, &[access_key_data(&id, &secret), vec![("AWS_SESSION_TOKEN", &token)]].concat())
            .await;
        env.secrets.extend([secret, token]);
    };
    put(&mut env, &role).await;
    env.create_run("one", "endless", json!({})).await;
    env.wait_for_phase("one", Phase::Running).await;
    env.double.iam().expire_sessions(&role);
    let message = env.wait_for_reason("one", "CredentialsNotAccepted").await;
    let expected = format!("the temporary keys in Secret {}/{DEFAULT_SECRET} (AWS_SESSION_TOKEN)", env.namespace);
    assert!(message.contains("ExpiredToken") && message.contains(&expected), "{message}");
    assert_eq!(
        condition_summary(&env.job_runs().get("one").await.expect("the object")),
        ["Ready=False", "Reconciling=True"]
    );
    put(&mut env, &role).await;
    env.wait_for_reason("one", "Running").await;
    assert_eq!(env.start_calls(), 1);
    env.assert_no_secret_leaked().await;
}

/// The active run is still polled, and stopped with the new key.
#[tokio::test]
async fn a_rotated_key_is_used_for_the_active_run() {
    let mut env = TestEnv::new("rotated").await;
    let run = env.create_endless_run(json!({})).await;
    env.key = AccessKey { secret: "a-new-secret-that-nobody-knows".to_owned(), ..env.key.clone() };
    env.secrets.push(env.key.secret.clone());
    env.double.define_access_key(&env.key);
    env.wait_for_reason("one", "CredentialsNotAccepted").await;
    env.put_credentials(DEFAULT_SECRET).await;
    env.wait_for_reason("one", "Running").await;
    env.delete("one").await;
    env.wait_deleted(&run).await;
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 1));
}

/// Nothing is started meanwhile or afterwards.
#[tokio::test]
async fn a_revoked_key_and_a_deleted_secret_of_an_active_run_are_reported_and_recover() {
    let mut env = TestEnv::new("revoked-key").await;
    env.create_endless_run(json!({})).await;

    env.double.iam().delete_access_key(&env.key.id);
    let message = env.wait_for_reason("one", "CredentialsNotAccepted").await;
    let expected = format!("AWS does not know AWS_ACCESS_KEY_ID in Secret {}/{DEFAULT_SECRET}", env.namespace);
    assert!(message.contains("UnrecognizedClientException") && message.contains(&expected), "{message}");
    env.key = env.double.iam().new_access_key(DEFAULT_ACCOUNT, "new");
    env.put_credentials(DEFAULT_SECRET).await;
    env.wait_for_reason("one", "Running").await;

    env.secret_api().delete(DEFAULT_SECRET, &DeleteParams::default()).await.expect("the deletion");
    let message = env.wait_for_reason("one", "CredentialsMissing").await;
    assert!(message.contains(&format!("create Secret {}/{DEFAULT_SECRET}", env.namespace)), "{message}");
    assert_eq!(
        condition_summary(&env.job_runs().get("one").await.expect("the object")),
        ["Ready=False", "Reconciling=True"]
    );
    env.put_credentials(DEFAULT_SECRET).await;
    let run = env.wait_until("one", "it is Running again", |run| ready_condition(run).0 == "Running").await;
    env.delete("one").await;
    env.wait_deleted(&run).await;
    assert_eq!((env.start_calls(), env.stop_calls("endless")), (1, 1));
}

/// An object without credentials falls back to it only where the operator allows that.
#[tokio::test]
async fn only_allowed_namespaces_use_the_controllers_own_identity() {
    let mut env = TestEnv::without_controller("own").await;
    let AccessKey { id, secret, .. } = env.key.clone();
    env.aws.extend([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    let message = env.wait_for_reason("one", "CredentialsMissing").await;
    assert!(message.contains("the controller's own identity is not allowed for this namespace"), "{message}");
    assert!(env.double.requests().counts().is_empty(), "AWS received no call");
    env.kill_controller();
    env.set_flags(&[("--controller-identity-namespaces", "team-*,own-*")]);
    env.start_controller();
    env.wait_finished("one", Phase::Succeeded).await;
    env.create_run("named", "etl", json!({"credentials": {"secretName": "none"}})).await;
    env.wait_for_reason("named", "SecretNotFound").await;
}

/// Region of the spec, else of the Secret, else of the controller.
#[tokio::test]
async fn the_region_comes_from_the_spec_the_secret_or_the_controller() {
    let mut env = TestEnv::without_controller("region").await;
    let AccessKey { id, secret, .. } = env.key.clone();
    for region in ["us-east-1", "ap-south-1"] {
        env.double.define_job(
            DEFAULT_ACCOUNT,
            region,
            JobDefinition::new("etl").max_concurrent_runs(9).script(quick()),
        );
    }
    env.aws.remove("AWS_REGION");
    env.start_controller();
    env.put_secret("with", &[access_key_data(&id, &secret), vec![("AWS_REGION", "us-east-1")]].concat()).await;
    env.put_secret("without", &access_key_data(&id, &secret)).await;
    env.create_run("nowhere", "etl", json!({"credentials": {"secretName": "without"}})).await;
    env.create_run("secrets", "etl", json!({"credentials": {"secretName": "with"}})).await;
    env.create_run("own", "etl", json!({"credentials": {"secretName": "with"}, "region": "ap-south-1"})).await;
    for name in ["secrets", "own"] {
        env.wait_finished(name, Phase::Succeeded).await;
    }
    let message = env.wait_for_reason("nowhere", "RegionMissing").await;
    assert!(message.contains("set spec.region, or AWS_REGION in Secret"), "{message}");
    let mut regions: Vec<_> =
        env.double.requests().of("StartJobRun").iter().map(|start| start.call.region.to_string()).collect();
    regions.sort();
    assert_eq!(regions, ["ap-south-1", "us-east-1"]);
}

#[tokio::test]
async fn a_throttled_poll_does_not_fail_the_run() {
    let env = TestEnv::new("throttled").await;
    env.double.faults().add(Fault::on("GetJobRun").times(5).then(Then::Throttle));
    env.create_run("one", "etl", json!({})).await;
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!(
        (env.start_calls(), env.double.requests().of("GetJobRun").matching(|poll| !poll.succeeded()).count()),
        (1, 5)
    );
}
