//! Concurrent stops and deletions share batch calls of at most 25, and each gets its own result.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::FutureExt;
use futures::future::join_all;
use kube_glue::glue::aws::AwsConfig;
use kube_glue::glue::connections::ConnectionInput;
use kube_glue::glue::identity::{CredentialSource, Endpoints, Identity, Keys, Sensitive};
use kube_glue::glue::job_runs::{StartJobRun, StopOutcome};
use kube_glue::glue::{Clients, ErrorKind, Glue};
use kube_glue::metrics::Metrics;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, JobDefinition};

use crate::harness::{REGION, endless};

/// A client of the double's own account.
async fn client(double: &Double) -> Glue {
    let key = double.default_key();
    let identity = Identity {
        region: REGION.to_owned(),
        source: CredentialSource::Keys(Keys {
            access_key_id: Sensitive::new(key.id),
            secret_access_key: Sensitive::new(key.secret),
            session_token: None,
        }),
        role: None,
        endpoints: Endpoints { glue: Some(double.url()), sts: Some(double.url()), logs: None, s3: None },
    };
    let base = AwsConfig::load(Duration::from_secs(30), None, Metrics::new()).await.expect("a configuration");
    Clients::new(base).get(identity)
}

#[tokio::test]
async fn thirty_stops_of_a_job_take_two_calls_and_each_has_its_own_result() {
    let double = Double::start().await.expect("a double");
    double.define_job(
        DEFAULT_ACCOUNT,
        REGION,
        JobDefinition::new("endless").max_concurrent_runs(100).script(endless()),
    );
    let glue = client(&double).await;
    let run = StartJobRun { job: "endless".to_owned(), ..StartJobRun::default() };
    let started = join_all((0..29).map(|_| glue.start_job_run(&run))).await;
    let mut ids: Vec<_> = started.into_iter().map(|id| id.expect("a run")).collect();
    ids.push(format!("jr_{}", "0".repeat(64)));

    let answers = join_all(ids.iter().map(|id| glue.stop_job_run("endless", id))).await;
    assert_eq!(double.requests().count("BatchStopJobRun"), 2, "a call stops 25 runs at most");
    let (unknown, known) = answers.split_last().expect("answers");
    assert!(known.iter().all(|answer| answer == &Ok(StopOutcome::Accepted)), "{known:?}");
    let Ok(StopOutcome::Refused(error)) = unknown else { panic!("{unknown:?}") };
    assert!(error.object.contains(&ids[29]), "{error}");
}

#[tokio::test]
async fn thirty_deletions_of_connections_take_two_calls_and_each_has_its_own_result() {
    let double = Double::start().await.expect("a double");
    let glue = client(&double).await;
    let names: Vec<_> = (0..30).map(|n| format!("network-{n}")).collect();
    for name in &names[1..] {
        let input =
            ConnectionInput { name: name.clone(), type_: "POSTGRESQL".to_owned(), ..ConnectionInput::default() };
        glue.create_connection(None, &input, &BTreeMap::new()).await.expect("a connection");
    }
    let mut deletions: Vec<_> = names.iter().map(|name| glue.delete_connection(None, name).boxed()).collect();
    // Another catalog needs a call of its own.
    deletions.push(glue.delete_connection(Some("999999999999"), &names[1]).boxed());
    let answers = join_all(deletions).await;
    assert_eq!(
        double.requests().count("BatchDeleteConnection"),
        3,
        "a call deletes 25 connections of one catalog at most"
    );
    let (unknown, known) = answers.split_first().expect("answers");
    let (elsewhere, known) = known.split_last().expect("answers");
    assert!(known.iter().all(Result::is_ok), "{known:?}");
    for (answer, name) in [(unknown, &names[0]), (elsewhere, &names[1])] {
        let error = answer.as_ref().expect_err("the connection does not exist");
        assert_eq!((error.kind, error.object.as_str()), (ErrorKind::NotFound, format!("connection {name}").as_str()));
    }
}
