//! Objects with the same AWS identity share one client while it is in use. These tests call [`ClientResolver`]
//! directly, as a thousand passes would.

use std::time::{Duration, Instant};

use futures::future::join_all;
use kube::api::DeleteParams;
use kube_glue::api::credentials::{Aws, Credentials};
use kube_glue::api::run::Phase;
use kube_glue::controllers::runtime::credentials::resolver::ClientResolver;
use kube_glue::controllers::runtime::credentials::secrets::Secrets;
use kube_glue::controllers::runtime::reason::Reason;
use kube_glue::glue::aws::{AwsConfig, Glue};
use kube_glue::glue::identity::Rules;
use kube_glue::glue::{Clients, ErrorKind};
use kube_glue::metrics::Metrics;
use kube_glue_double::{Fault, Then};
use serde_json::json;
use tokio::time;

use super::assumed_roles::put_role;
use super::two_accounts;
use crate::harness::{DEFAULT_SECRET, REGION, TestEnv, WAIT_TIMEOUT, access_key_data};

/// A resolver as the controller has it, which allows the double as the Secrets' endpoint.
async fn resolver(env: &TestEnv) -> ClientResolver {
    resolver_with(env, Secrets::new(false)).await
}

async fn resolver_with(env: &TestEnv, secrets: Secrets) -> ClientResolver {
    resolver_by(env, secrets, Rules::default()).await
}

async fn resolver_by(env: &TestEnv, secrets: Secrets, rules: Rules) -> ClientResolver {
    let base = AwsConfig::load(WAIT_TIMEOUT, None, Metrics::new()).await.expect("a configuration");
    let endpoint = format!("*={}", env.double.url()).parse().expect("an endpoint");
    let rules = Rules { endpoints: vec![endpoint], ..rules };
    ClientResolver::new(env.client.clone(), Clients::new(base), secrets, rules).of_kind("GlueJobRun")
}

/// The `region` and `credentials` of a spec that names this Secret.
fn aws(secret: Option<&str>) -> Aws {
    let credentials = Credentials { secret_name: secret.map(str::to_owned), ..Credentials::default() };
    Aws { region: Some(REGION.to_owned()), credentials: Some(credentials) }
}

async fn client(resolver: &ClientResolver, env: &TestEnv, secret: &str) -> Glue {
    let found = resolver.client(&env.namespace, &aws(Some(secret)), false).await;
    found.expect("a client").client
}

/// The results of a thousand concurrent calls that need a new client.
async fn call_a_thousand_times(resolver: &ClientResolver, env: &TestEnv) -> Vec<Result<(), ErrorKind>> {
    let one = async || {
        let found = resolver.client(&env.namespace, &aws(None), false).await.expect("a client");
        found.client.job_settings("other-account").await.map(drop).map_err(|error| error.kind)
    };
    join_all((0..1000).map(|_| one())).await
}

#[tokio::test]
async fn a_thousand_objects_of_a_tenant_assume_its_role_once() {
    let env = two_accounts("thousand", |role| role.external_id("right")).await;
    let endpoint = env.double.url();
    put_role(&env, DEFAULT_SECRET, &[("AWS_EXTERNAL_ID", "right"), ("AWS_ENDPOINT_URL", &endpoint)]).await;
    let answers = call_a_thousand_times(&resolver(&env).await, &env).await;
    assert!(answers.iter().all(Result::is_ok), "{:?}", answers.iter().find(|answer| answer.is_err()));
    let requests = env.double.requests();
    assert_eq!((requests.count("AssumeRole"), requests.count("GetJob")), (1, 1000));
}

/// Two identities: what is not needed makes way, and what is needed stays. Other namespaces do not count.
#[tokio::test]
async fn the_clients_of_a_namespace_are_bounded() {
    let env = TestEnv::without_controller("bounded-clients").await;
    for secret in ["one", "two", "three", "four"] {
        env.put_credentials(secret).await;
    }
    let rules = Rules { most_identities: 2, ..Rules::default() };
    let resolver = resolver_by(&env, Secrets::new(false), rules).await;
    // The Secrets have the same keys, so that only regions lead to different clients.
    let ask = async |secret: &str, region: &str| {
        let aws = Aws { region: Some(region.to_owned()), ..aws(Some(secret)) };
        resolver.client(&env.namespace, &aws, false).await.map(|found| found.client).map_err(|problem| problem.reason)
    };
    drop(ask("one", "eu-west-1").await.expect("a client"));
    let two = ask("two", "eu-west-2").await.expect("a client");
    let three = ask("three", "eu-west-3").await.expect("the place of the first");
    assert_eq!(ask("four", "eu-north-1").await, Err(Reason::TooManyIdentities));
    assert_eq!(ask("two", "eu-west-2").await, Ok(two.clone()), "those that exist are used");
    let elsewhere = resolver.client("elsewhere", &aws(Some("one")), false).await.map_err(|problem| problem.reason);
    assert_eq!(elsewhere.err(), Some(Reason::SecretNotFound), "another namespace has places of its own");
    drop(two);
    assert!(ask("four", "eu-north-1").await.is_ok());
    drop(three);
}

/// An object says why it waits, and starts when the run that needed the other client has ended.
#[tokio::test]
async fn an_object_waits_while_its_namespace_has_as_many_clients_as_it_may() {
    let env = TestEnv::with_flags("too-many-identities", &[("--max-identities-per-namespace", "1")]).await;
    env.put_credentials("other").await;
    env.create_endless_run(json!({})).await;
    env.create_run("two", "etl", json!({"credentials": {"secretName": "other"}})).await;
    let message = env.wait_for_reason("two", "TooManyIdentities").await;
    assert!(message.contains("use 1 different") && message.contains("--max-identities-per-namespace"), "{message}");
    assert_eq!(env.successful_starts("etl"), 0);
    env.patch_spec("one", json!({"stop": true})).await;
    env.wait_for_phase("two", Phase::Succeeded).await;
}

/// How long a rejected AssumeRole is cached.
const REJECTION_CACHED_FOR: Duration = Duration::from_secs(5);

#[tokio::test]
async fn a_rejected_role_is_not_requested_again_for_each_object() {
    let env = two_accounts("thousand-refused", |role| role.external_id("right")).await;
    let endpoint = env.double.url();
    put_role(&env, DEFAULT_SECRET, &[("AWS_EXTERNAL_ID", "wrong"), ("AWS_ENDPOINT_URL", &endpoint)]).await;
    let resolver = resolver(&env).await;
    let begun = Instant::now();
    let answers = call_a_thousand_times(&resolver, &env).await;
    // A slow machine may take longer than the rejection is cached.
    let most = 1 + begun.elapsed().as_secs() / REJECTION_CACHED_FOR.as_secs();
    assert!(answers.iter().all(|answer| *answer == Err(ErrorKind::Denied)));
    let requests = env.double.requests();
    let calls = requests.count("AssumeRole");
    assert!((1..=most).contains(&calls), "{calls} calls, expected {most} at most");
    assert_eq!(requests.count("GetJob"), 0);
}

/// AWS throttles by account. The clients know their account once GetCallerIdentity is answered.
#[tokio::test]
async fn two_users_of_one_account_share_its_rate_limit() {
    let env = TestEnv::without_controller("shared").await;
    let resolver = resolver(&env).await;
    let endpoint = env.double.url();
    let mut clients = Vec::new();
    for user in ["one", "two"] {
        let key = env.double.iam().new_access_key(&env.key.account, user);
        let keys = access_key_data(&key.id, &key.secret);
        env.put_secret(user, &[&keys[..], &[("AWS_ENDPOINT_URL", &endpoint)]].concat()).await;
        let client = client(&resolver, &env, user).await;
        while client.caller_identity().is_none() {
            tokio::task::yield_now().await;
        }
        clients.push(client);
    }
    // Measured from before the throttle: the rate recovers during a pause of the machine, too.
    let begun = Instant::now();
    env.double.faults().add(Fault::on("GetJob").times(1).then(Then::Throttle));
    assert_eq!(clients[0].job_settings("etl").await.map_err(|error| error.kind), Err(ErrorKind::Throttled));
    // The rate is now ten a second, after a burst of a quarter of a second.
    for _ in 0..15 {
        clients[1].job_settings("etl").await.expect("an answer");
    }
    let elapsed = begun.elapsed();
    assert!(elapsed > Duration::from_millis(800), "{elapsed:?}");
}

#[tokio::test]
async fn without_a_watch_secrets_are_read_again_periodically() {
    let env = TestEnv::without_controller("reread").await;
    env.put_credentials("one").await;
    let resolver = resolver(&env).await;
    let before = client(&resolver, &env, "one").await;
    let key = env.double.iam().new_access_key(&env.key.account, "new");
    env.put_secret("one", &access_key_data(&key.id, &key.secret)).await;
    let (sender, mut changed) = tokio::sync::mpsc::unbounded_channel();
    let rereading = tokio::spawn({
        let resolver = resolver.clone();
        async move { resolver.reread(move |key| drop(sender.send(key.clone()))).await }
    });
    time::pause();
    // A sleep on the paused clock, so that the task runs several times meanwhile.
    time::sleep(Duration::from_secs(10)).await;
    assert!(changed.try_recv().is_err(), "it is not read again within ten seconds");
    time::advance(Duration::from_mins(6)).await;
    time::resume();
    let key = time::timeout(WAIT_TIMEOUT, changed.recv()).await.expect("a change in time").expect("a Secret");
    assert_eq!(key, (env.namespace.clone(), "one".to_owned()));
    assert!(client(&resolver, &env, "one").await != before);
    rereading.abort();
}

#[tokio::test]
async fn a_client_is_cached_while_it_is_used_or_referenced() {
    let env = TestEnv::without_controller("unused").await;
    for secret in ["unused", "used", "referenced"] {
        env.put_credentials(secret).await;
    }
    let resolver = resolver(&env).await;
    // Secrets with the same keys would share a client.
    for secret in ["used", "referenced"] {
        let key = env.double.iam().new_access_key(&env.key.account, secret);
        env.put_secret(secret, &access_key_data(&key.id, &key.secret)).await;
    }
    let unused = client(&resolver, &env, "unused").await.downgrade();
    let used = client(&resolver, &env, "used").await.downgrade();
    let referenced = client(&resolver, &env, "referenced").await;
    for _ in 0..3 {
        assert!(used.upgrade().is_some());
        time::pause();
        time::advance(Duration::from_mins(10)).await;
        time::resume();
        assert!(used.upgrade() == Some(client(&resolver, &env, "used").await), "the client is still cached");
    }
    assert!(unused.upgrade().is_none(), "an unused client is dropped");

    // An object that still references the client may have a run to stop after the deletion of its Secret.
    env.secret_api().delete("referenced", &DeleteParams::default()).await.expect("the deletion");
    let aws = aws(Some("referenced"));
    let resolve = async |releasing| resolver.client(&env.namespace, &aws, releasing).await;
    assert_eq!(resolve(false).await.expect_err("no Secret").reason.as_str(), "SecretNotFound");
    assert_eq!(resolve(true).await.expect("the cached client").client, referenced);
    drop(referenced);
    assert_eq!(resolve(true).await.expect_err("no client").reason.as_str(), "SecretNotFound");
}

/// No object asks for a client of the Secret any more, such as when all runs have ended.
#[tokio::test]
async fn a_client_with_earlier_keys_is_dropped_as_soon_as_its_secret_changes() {
    let env = TestEnv::without_controller("moved").await;
    env.put_credentials("one").await;
    let secrets = Secrets::new(false);
    let resolver = resolver_with(&env, secrets.clone()).await;
    let before = client(&resolver, &env, "one").await.downgrade();
    assert!(before.upgrade().is_some(), "it is cached");
    let secret = (env.namespace.clone(), "one".to_owned());
    assert!(secrets.note(&secret, Some("another version")));
    resolver.on_secret_changed(&secret);
    assert!(before.upgrade().is_none(), "its keys are not in memory any more");
}

#[tokio::test]
async fn a_client_that_nobody_asks_for_is_dropped_by_itself() {
    let env = TestEnv::without_controller("dropped").await;
    env.put_credentials("one").await;
    let resolver = resolver(&env).await;
    let client = client(&resolver, &env, "one").await.downgrade();
    let dropping = tokio::spawn({
        let resolver = resolver.clone();
        async move { resolver.drop_unused().await }
    });
    time::pause();
    time::sleep(Duration::from_mins(20)).await;
    time::resume();
    assert!(client.upgrade().is_none());
    dropping.abort();
}
