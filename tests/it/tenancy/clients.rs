//! One client for all who are the same to AWS, for as long as somebody needs it. These tests ask [`Access`]
//! itself, as a thousand passes would.

use std::time::{Duration, Instant};

use futures::future::join_all;
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::DeleteParams;
use kube_glue::api::credentials::{Aws, Credentials};
use kube_glue::controllers::runtime::credentials::resolver::ClientResolver;
use kube_glue::controllers::runtime::credentials::secrets::Secrets;
use kube_glue::glue::aws::{Base, Glue};
use kube_glue::glue::identity::Rules;
use kube_glue::glue::{Clients, ErrorKind};
use kube_glue::metrics::Metrics;
use kube_glue_double::{Fault, Then};
use tokio::time;

use super::roles::put_role;
use super::two_accounts;
use crate::harness::{DEFAULT_SECRET, PATIENCE, REGION, World};

/// Finds clients as a controller of the world would, with AWS where the Secrets say.
async fn access(world: &World) -> ClientResolver {
    let base = Base::load(PATIENCE, None, Metrics::new()).await;
    let endpoint = world.double.url().parse().expect("an endpoint");
    let rules = Rules { endpoints: vec![endpoint], ..Rules::default() };
    ClientResolver::new(world.client.clone(), Clients::new(base), Secrets::new(false), rules).of_kind("GlueJobRun")
}

/// The tests' region, by the credentials in this Secret.
fn aws(secret: Option<&str>) -> Aws {
    let credentials = Credentials { secret_name: secret.map(str::to_owned), ..Credentials::default() };
    Aws { region: Some(REGION.to_owned()), credentials: Some(credentials) }
}

async fn client(access: &ClientResolver, world: &World, secret: &str) -> Glue {
    let found = access.client(&world.namespace, &aws(Some(secret)), false).await;
    found.expect("a client").client
}

/// A thousand objects ask at once, for the first time.
async fn storm(access: &ClientResolver, world: &World) -> Vec<Result<i32, ErrorKind>> {
    let one = async || {
        let found = access.client(&world.namespace, &aws(None), false).await.expect("a client");
        found.client.job_max_retries("theirs").await.map_err(|error| error.kind)
    };
    join_all((0..1000).map(|_| one())).await
}

#[tokio::test]
async fn a_thousand_objects_of_a_tenant_assume_their_role_once() {
    let world = two_accounts("thousand", |role| role.external_id("right")).await;
    let endpoint = world.double.url();
    put_role(&world, DEFAULT_SECRET, &[("AWS_EXTERNAL_ID", "right"), ("AWS_ENDPOINT_URL", &endpoint)]).await;
    let answers = storm(&access(&world).await, &world).await;
    assert!(answers.iter().all(Result::is_ok), "{:?}", answers.iter().find(|answer| answer.is_err()));
    let requests = world.double.requests();
    assert_eq!((requests.count("AssumeRole"), requests.count("GetJob")), (1, 1000));
}

/// For so long a refusal is the answer to everybody.
const REFUSED_FOR: Duration = Duration::from_secs(5);

/// A role that is refused is not asked for a thousand times either.
#[tokio::test]
async fn a_thousand_objects_of_a_tenant_are_refused_once() {
    let world = two_accounts("thousand-refused", |role| role.external_id("right")).await;
    let endpoint = world.double.url();
    put_role(&world, DEFAULT_SECRET, &[("AWS_EXTERNAL_ID", "wrong"), ("AWS_ENDPOINT_URL", &endpoint)]).await;
    let access = access(&world).await;
    let begun = Instant::now();
    let answers = storm(&access, &world).await;
    // A machine that takes longer over the thousand may be told again.
    let most = 1 + begun.elapsed().as_secs() / REFUSED_FOR.as_secs();
    assert!(answers.iter().all(|answer| *answer == Err(ErrorKind::Denied)));
    let requests = world.double.requests();
    let asked = requests.count("AssumeRole");
    assert!((1..=most).contains(&asked), "{asked} times, and not {most} at most");
    assert_eq!(requests.count("GetJob"), 0);
}

/// AWS counts by account: when it throttles one user, the other slows down, once AWS has said whose they are.
#[tokio::test]
async fn two_users_of_one_account_share_its_budget() {
    let world = World::without_controller("shared").await;
    let access = access(&world).await;
    let endpoint = world.double.url();
    let mut clients = Vec::new();
    for user in ["one", "two"] {
        let key = world.double.iam().new_access_key(&world.key.account, user);
        let keys = [("AWS_ACCESS_KEY_ID", key.id.as_str()), ("AWS_SECRET_ACCESS_KEY", &key.secret)];
        world.put_secret(user, &[&keys[..], &[("AWS_ENDPOINT_URL", &endpoint)]].concat()).await;
        let client = client(&access, &world, user).await;
        while client.caller().is_none() {
            tokio::task::yield_now().await;
        }
        clients.push(client);
    }
    // From before the throttle: if the machine pauses after it, the rate has grown again when the calls come.
    let begun = Instant::now();
    world.double.faults().add(Fault::on("GetJob").times(1).then(Then::Throttle));
    assert_eq!(clients[0].job_max_retries("etl").await.map_err(|error| error.kind), Err(ErrorKind::Throttled));
    // Ten a second from now on, after a burst of a quarter of a second.
    for _ in 0..15 {
        clients[1].job_max_retries("etl").await.expect("an answer");
    }
    let took = begun.elapsed();
    assert!(took > Duration::from_millis(800), "{took:?}");
}

/// What no watch tells is found out by and by.
#[tokio::test]
async fn without_a_watch_a_secret_is_read_again_now_and_then() {
    let world = World::without_controller("reread").await;
    world.put_credentials("one").await;
    let access = access(&world).await;
    let before = client(&access, &world, "one").await;
    let key = world.double.iam().new_access_key(&world.key.account, "new");
    world.put_secret("one", &[("AWS_ACCESS_KEY_ID", &key.id), ("AWS_SECRET_ACCESS_KEY", &key.secret)]).await;
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let rereading = tokio::spawn({
        let access = access.clone();
        async move { access.reread(move |key| drop(tell.send(key.clone()))).await }
    });
    time::pause();
    // Slept in the time that stands still, so that it looks several times on the way.
    time::sleep(Duration::from_secs(10)).await;
    assert!(told.try_recv().is_err(), "not yet");
    time::advance(Duration::from_mins(6)).await;
    time::resume();
    let key = time::timeout(PATIENCE, told.recv()).await.expect("in time").expect("a Secret");
    assert_eq!(key, (world.namespace.clone(), "one".to_owned()));
    assert!(client(&access, &world, "one").await != before);
    rereading.abort();
}

#[tokio::test]
async fn a_client_is_kept_while_it_is_used_or_held_and_dropped_after() {
    let world = World::without_controller("unused").await;
    for secret in ["unused", "used", "held"] {
        world.put_credentials(secret).await;
    }
    let access = access(&world).await;
    // The same keys in three Secrets would be one client.
    for secret in ["used", "held"] {
        let key = world.double.iam().new_access_key(&world.key.account, secret);
        world.put_secret(secret, &[("AWS_ACCESS_KEY_ID", &key.id), ("AWS_SECRET_ACCESS_KEY", &key.secret)]).await;
    }
    let unused = client(&access, &world, "unused").await.downgrade();
    let used = client(&access, &world, "used").await.downgrade();
    let held = client(&access, &world, "held").await;
    for _ in 0..3 {
        assert!(used.upgrade().is_some());
        time::pause();
        time::advance(Duration::from_mins(10)).await;
        time::resume();
        assert!(used.upgrade() == Some(client(&access, &world, "used").await), "it is the same one still");
    }
    assert!(unused.upgrade().is_none(), "nobody asked for it");

    // Who holds it has a run to stop, perhaps, and its Secret may go before that.
    let secrets: Api<Secret> = Api::namespaced(world.client.clone(), &world.namespace);
    secrets.delete("held", &DeleteParams::default()).await.expect("the deletion");
    let aws = aws(Some("held"));
    let ask = async |releasing| access.client(&world.namespace, &aws, releasing).await;
    assert_eq!(ask(false).await.expect_err("no Secret").reason.as_str(), "SecretNotFound");
    assert_eq!(ask(true).await.expect("the last good one").client, held);
    drop(held);
    assert_eq!(ask(true).await.expect_err("it is gone").reason.as_str(), "SecretNotFound");
}
