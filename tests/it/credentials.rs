//! As whom an object talks to AWS: what may be wrong with that says so, starts nothing, and heals by itself.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sdk_sts::config::{BehaviorVersion, Region};
use k8s_openapi::api::core::v1::Secret;
use kube::api::{Api, DeleteParams};
use kube_glue::api::run::Phase;
use kube_glue_double::{AccessKey, DEFAULT_ACCOUNT, Fault, JobDefinition, Policy, Role, Then};
use serde_json::json;

use crate::harness::{DEFAULT_SECRET, REGION, World, conditions_of, endless, quick, ready};

/// The keys of a Secret with an access key.
fn keys<'a>(id: &'a str, secret: &'a str) -> Vec<(&'a str, &'a str)> {
    vec![("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]
}

/// A Secret, what is said of it, and that it heals when it is put right.
#[tokio::test]
async fn what_is_wrong_with_a_secret_is_named_and_heals_when_it_is_mended() {
    let mut world = World::without_controller("secrets").await;
    world.start_controller();
    let AccessKey { id, secret, .. } = world.key.clone();
    let wrong = "wrong/".repeat(6);
    let newline = format!("{secret}\n");
    world.secrets.push(wrong.clone());
    let cases = [
        ("absent", None, "SecretNotFound", vec!["Secret {ns}/absent does not exist: create it with the keys"]),
        (
            "half",
            Some(keys(&id, &secret)[..1].to_vec()),
            "SecretInvalid",
            vec!["Secret {ns}/half has no key AWS_SECRET_ACCESS_KEY: add it"],
        ),
        (
            "empty",
            Some(keys("", &secret)),
            "SecretInvalid",
            vec!["key AWS_ACCESS_KEY_ID of Secret {ns}/empty is empty: fill it"],
        ),
        (
            "newline",
            Some(keys(&id, &newline)),
            "SecretInvalid",
            vec!["AWS_SECRET_ACCESS_KEY of Secret {ns}/newline begins or ends with white space"],
        ),
        (
            "misnamed",
            Some(vec![("AWS_ACCESS_KEY", id.as_str()), ("AWS_SECRET_ACCESS_KEY", &secret)]),
            "SecretInvalid",
            vec!["Secret {ns}/misnamed has no key AWS_ACCESS_KEY_ID: add it (its keys are named as AWS names them"],
        ),
        (
            "wrong",
            Some(keys(&id, &wrong)),
            "CredentialsNotAccepted",
            vec![
                "job etl",
                "InvalidSignatureException",
                "AWS_SECRET_ACCESS_KEY in Secret {ns}/wrong is not that of its AWS_ACCESS_KEY_ID: put valid keys there",
            ],
        ),
        (
            "region",
            Some([keys(&id, &secret), vec![("AWS_REGION", "Ireland")]].concat()),
            "SecretInvalid",
            vec!["key AWS_REGION of Secret {ns}/region is not the name of a region"],
        ),
        (
            "unknown",
            Some(keys("AKIANOBODY", &secret)),
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
            world.put_secret(name, data).await;
        }
        world.run(name, "etl", json!({"credentials": {"secretName": name}})).await;
    }
    world.run("default", "etl", json!({})).await;
    world.put_bytes("binary", &[("AWS_ACCESS_KEY_ID", &[0xff, 0xfe, 0x00]), ("AWS_SECRET_ACCESS_KEY", &[0x80])]).await;
    world.run("binary", "etl", json!({"credentials": {"secretName": "binary"}})).await;
    let message = world.reason("binary", "SecretInvalid").await;
    let words = format!("key AWS_ACCESS_KEY_ID of Secret {}/binary is not text", world.namespace);
    assert!(message.contains(&words), "{message}");
    for (name, _, reason, words) in &cases {
        let message = world.reason(name, reason).await;
        for words in words {
            let words = words.replace("{ns}", &world.namespace);
            assert!(message.contains(&words), "{name}: {message:?} does not say {words:?}");
        }
    }
    let message = world.reason("default", "CredentialsMissing").await;
    assert!(
        message.contains(&format!("create Secret {}/{DEFAULT_SECRET} with the keys", world.namespace)),
        "{message}"
    );
    let blocked = world.runs().get("default").await.expect("the object");
    assert_eq!(conditions_of(&blocked), ["Ready=False", "Reconciling=True"]);
    assert!(world.glue_runs("etl").is_empty());

    for (name, ..) in &cases {
        world.put_credentials(name).await;
    }
    world.put_credentials(DEFAULT_SECRET).await;
    world.put_credentials("binary").await;
    for name in cases.iter().map(|(name, ..)| *name).chain(["default", "binary"]) {
        world.over(name, Phase::Succeeded).await;
    }
    let all = cases.len() + 2;
    assert_eq!((world.started("etl"), world.glue_runs("etl").len()), (all, all));
    world.assert_nothing_leaked().await;
}

#[tokio::test]
async fn a_job_that_does_not_exist_is_named_and_its_run_starts_when_it_does() {
    let world = World::new("job").await;
    world.run("one", "not-there", json!({})).await;
    let message = world.reason("one", "NotFound").await;
    assert!(message.contains("there is no job not-there in this account and region"), "{message}");
    assert!(message.contains("create it, or check the name"), "{message}");
    world.job(JobDefinition::new("not-there").script(quick()));
    world.over("one", Phase::Succeeded).await;
    assert_eq!(world.glue_runs("not-there").len(), 1);
}

/// What the identity may not do is said with the right that it needs.
#[tokio::test]
async fn a_right_that_is_missing_is_named_and_heals_when_it_is_given() {
    let world = World::new("rights").await;
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/{}", world.key.user);
    world.double.iam().set_policy(&user, Policy::deny(&["glue:StartJobRun"]));
    world.run("one", "etl", json!({})).await;
    let message = world.reason("one", "AccessDenied").await;
    let words = format!("allow glue:StartJobRun to the identity whose keys are in Secret {}/", world.namespace);
    assert!(message.contains("job etl") && message.contains(&words), "{message}");
    world.double.iam().set_policy(&user, Policy::deny(&["glue:CreateJob"]));
    world.over("one", Phase::Succeeded).await;
    assert_eq!(world.glue_runs("etl").len(), 1);
}

#[tokio::test]
async fn a_role_is_assumed_with_its_external_id_and_a_wrong_one_says_so() {
    let mut world = World::without_controller("role").await;
    world.start_controller();
    let arn = "arn:aws:iam::222222222222:role/etl";
    world.double.define_role(Role::new(arn).trusts(DEFAULT_ACCOUNT).external_id("tenant-7"));
    world.double.define_job("222222222222", REGION, JobDefinition::new("theirs").script(quick()));
    let AccessKey { id, secret, .. } = world.key.clone();
    let with = |external: &'static str| {
        [
            keys(&id, &secret),
            vec![("AWS_ROLE_ARN", arn), ("AWS_EXTERNAL_ID", external), ("AWS_ROLE_SESSION_NAME", "team-a")],
        ]
        .concat()
    };
    world.put_secret(DEFAULT_SECRET, &with("tenant-8")).await;
    world.run("one", "theirs", json!({})).await;
    let message = world.reason("one", "AccessDenied").await;
    assert!(message.contains("AssumeRole") && message.contains(arn), "{message}");
    let place = format!("the role that key AWS_ROLE_ARN of Secret {}/{DEFAULT_SECRET} names", world.namespace);
    assert!(message.contains(&place), "{message}");
    assert!(message.contains("the external id that the role's trust policy asks for"), "{message}");
    assert_eq!(world.starts(), 0);
    world.put_secret(DEFAULT_SECRET, &with("tenant-7")).await;
    world.over("one", Phase::Succeeded).await;
    let start = &world.double.requests().of("StartJobRun")[0];
    assert_eq!(&*start.call.principal, "arn:aws:sts::222222222222:assumed-role/etl/team-a");
    assert_eq!(world.double.requests().of("AssumeRole").succeeded().count(), 1, "its credentials are kept");
    world.assert_nothing_leaked().await;
}

/// Temporary credentials, as `aws sts assume-role` gives them out.
pub async fn temporary(world: &World, role: &str) -> [String; 3] {
    let AccessKey { id, secret, .. } = &world.key;
    let config = aws_sdk_sts::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new(REGION))
        .endpoint_url(world.double.url())
        .credentials_provider(Credentials::new(id, secret, None, None::<SystemTime>, "test"))
        .http_client(aws_smithy_http_client::Builder::new().build_http())
        .build();
    let sts = aws_sdk_sts::Client::from_conf(config);
    let answer = sts.assume_role().role_arn(role).role_session_name("somebody").send().await.expect("a session");
    let given = answer.credentials.expect("credentials");
    [given.access_key_id, given.secret_access_key, given.session_token]
}

#[tokio::test]
async fn a_session_token_works_until_it_expires_and_a_new_one_goes_on_with_the_same_run() {
    let mut world = World::without_controller("token").await;
    let role = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:role/someone");
    world.double.define_role(Role::new(&role));
    world.job(JobDefinition::new("endless").script(endless()));
    world.start_controller();
    let put = async |world: &mut World, role: &str| {
        let [id, secret, token] = temporary(world, role).await;
        world.put_secret(DEFAULT_SECRET, &[keys(&id, &secret), vec![("AWS_SESSION_TOKEN", &token)]].concat()).await;
        world.secrets.extend([secret, token]);
    };
    put(&mut world, &role).await;
    world.run("one", "endless", json!({})).await;
    world.phase("one", Phase::Running).await;
    world.double.iam().expire_sessions(&role);
    let message = world.reason("one", "CredentialsNotAccepted").await;
    let words = format!("the temporary keys in Secret {}/{DEFAULT_SECRET} (AWS_SESSION_TOKEN)", world.namespace);
    assert!(message.contains("ExpiredToken") && message.contains(&words), "{message}");
    assert_eq!(conditions_of(&world.runs().get("one").await.expect("the object")), ["Ready=False", "Reconciling=True"]);
    put(&mut world, &role).await;
    world.reason("one", "Running").await;
    assert_eq!(world.starts(), 1);
    world.assert_nothing_leaked().await;
}

/// A rotated key: the run that lives goes on being watched, and is stopped with the new one.
#[tokio::test]
async fn a_rotated_key_is_taken_up() {
    let mut world = World::new("rotated").await;
    world.job(JobDefinition::new("endless").script(endless()));
    world.run("one", "endless", json!({})).await;
    let run = world.phase("one", Phase::Running).await;
    world.key = AccessKey { secret: "a-new-secret-that-nobody-knows".to_owned(), ..world.key.clone() };
    world.secrets.push(world.key.secret.clone());
    world.double.define_access_key(&world.key);
    world.reason("one", "CredentialsNotAccepted").await;
    world.put_credentials(DEFAULT_SECRET).await;
    world.reason("one", "Running").await;
    world.delete("one").await;
    world.gone(&run).await;
    assert_eq!((world.starts(), world.stops("endless")), (1, 1));
}

/// Under a live run the key is revoked in AWS, or the Secret deleted: each is said, and heals when there is a
/// valid key again. Nothing is started meanwhile, nor afterwards.
#[tokio::test]
async fn a_key_that_is_revoked_and_a_secret_that_is_deleted_are_named_and_heal() {
    let mut world = World::new("gone").await;
    world.job(JobDefinition::new("endless").script(endless()));
    world.run("one", "endless", json!({})).await;
    world.phase("one", Phase::Running).await;

    world.double.iam().delete_access_key(&world.key.id);
    let message = world.reason("one", "CredentialsNotAccepted").await;
    let words = format!("AWS does not know AWS_ACCESS_KEY_ID in Secret {}/{DEFAULT_SECRET}", world.namespace);
    assert!(message.contains("UnrecognizedClientException") && message.contains(&words), "{message}");
    world.key = world.double.iam().new_access_key(DEFAULT_ACCOUNT, "new");
    world.put_credentials(DEFAULT_SECRET).await;
    world.reason("one", "Running").await;

    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    secrets.delete(DEFAULT_SECRET, &DeleteParams::default()).await.expect("the deletion");
    let message = world.reason("one", "CredentialsMissing").await;
    assert!(message.contains(&format!("create Secret {}/{DEFAULT_SECRET}", world.namespace)), "{message}");
    assert_eq!(conditions_of(&world.runs().get("one").await.expect("the object")), ["Ready=False", "Reconciling=True"]);
    world.put_credentials(DEFAULT_SECRET).await;
    let run = world.until("one", "it is well again", |run| ready(run).0 == "Running").await;
    world.delete("one").await;
    world.gone(&run).await;
    assert_eq!((world.starts(), world.stops("endless")), (1, 1));
}

/// Nothing falls back to the controller's own identity, unless the operator allowed that.
#[tokio::test]
async fn the_controllers_own_identity_is_for_the_namespaces_that_may_use_it() {
    let mut world = World::without_controller("own").await;
    let AccessKey { id, secret, .. } = world.key.clone();
    world.aws.extend([("AWS_ACCESS_KEY_ID", id), ("AWS_SECRET_ACCESS_KEY", secret)]);
    world.start_controller();
    world.run("one", "etl", json!({})).await;
    let message = world.reason("one", "CredentialsMissing").await;
    assert!(message.contains("the controller's own identity is not allowed for this namespace"), "{message}");
    assert!(world.double.requests().counts().is_empty(), "AWS was not asked for anything");
    world.kill_controller();
    world.set(&[("--controller-identity-namespaces", "team-*,own-*")]);
    world.start_controller();
    world.over("one", Phase::Succeeded).await;
    world.run("named", "etl", json!({"credentials": {"secretName": "none"}})).await;
    world.reason("named", "SecretNotFound").await;
}

/// The region: the object's, else the Secret's, else the controller's.
#[tokio::test]
async fn the_region_is_the_nearest_that_was_named() {
    let mut world = World::without_controller("region").await;
    let AccessKey { id, secret, .. } = world.key.clone();
    for region in ["us-east-1", "ap-south-1"] {
        world.double.define_job(
            DEFAULT_ACCOUNT,
            region,
            JobDefinition::new("etl").max_concurrent_runs(9).script(quick()),
        );
    }
    world.aws.remove("AWS_REGION");
    world.start_controller();
    world.put_secret("with", &[keys(&id, &secret), vec![("AWS_REGION", "us-east-1")]].concat()).await;
    world.put_secret("without", &keys(&id, &secret)).await;
    world.run("nowhere", "etl", json!({"credentials": {"secretName": "without"}})).await;
    world.run("secrets", "etl", json!({"credentials": {"secretName": "with"}})).await;
    world.run("own", "etl", json!({"credentials": {"secretName": "with"}, "region": "ap-south-1"})).await;
    for name in ["secrets", "own"] {
        world.over(name, Phase::Succeeded).await;
    }
    let message = world.reason("nowhere", "RegionMissing").await;
    assert!(message.contains("set spec.region, or AWS_REGION in Secret"), "{message}");
    let mut regions: Vec<_> =
        world.double.requests().of("StartJobRun").iter().map(|start| start.call.region.to_string()).collect();
    regions.sort();
    assert_eq!(regions, ["ap-south-1", "us-east-1"]);
}

/// A poll that AWS throttles is no news about the run.
#[tokio::test]
async fn throttled_polls_fail_no_run() {
    let world = World::new("throttled").await;
    world.double.faults().add(Fault::on("GetJobRun").times(5).then(Then::Throttle));
    world.run("one", "etl", json!({})).await;
    world.over("one", Phase::Succeeded).await;
    assert_eq!(
        (world.starts(), world.double.requests().of("GetJobRun").matching(|poll| !poll.succeeded()).count()),
        (1, 5)
    );
}
