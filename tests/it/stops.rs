//! Stops that come together go to Glue together, and each gets its own answer.

use std::time::Duration;

use futures::future::join_all;
use kube_glue::glue::Clients;
use kube_glue::glue::aws::Base;
use kube_glue::glue::identity::{Endpoints, Identity, Keys, Sensitive, Source};
use kube_glue::glue::job_runs::{StartJobRun, StopAnswer};
use kube_glue::metrics::Metrics;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, JobDefinition};

use crate::world::{REGION, endless};

#[tokio::test]
async fn thirty_stops_of_a_job_are_two_calls_and_each_has_its_own_answer() {
    let double = Double::start().await.expect("a double");
    double.define_job(
        DEFAULT_ACCOUNT,
        REGION,
        JobDefinition::new("endless").max_concurrent_runs(100).script(endless()),
    );
    let key = double.default_key();
    let identity = Identity {
        region: REGION.to_owned(),
        source: Source::Keys(Keys {
            access_key_id: Sensitive::new(key.id),
            secret_access_key: Sensitive::new(key.secret),
            session_token: None,
        }),
        role: None,
        endpoints: Endpoints { glue: Some(double.url()), sts: Some(double.url()) },
    };
    let base = Base::load(Duration::from_secs(30), None, Metrics::new()).await;
    let glue = Clients::new(base).get(identity);
    let run = StartJobRun { job: "endless".to_owned(), ..StartJobRun::default() };
    let started = join_all((0..29).map(|_| glue.start_job_run(&run))).await;
    let mut ids: Vec<_> = started.into_iter().map(|id| id.expect("a run")).collect();
    ids.push(format!("jr_{}", "0".repeat(64)));

    let answers = join_all(ids.iter().map(|id| glue.stop_job_run("endless", id))).await;
    assert_eq!(double.requests().count("BatchStopJobRun"), 2, "25 at most go together");
    let (unknown, known) = answers.split_last().expect("answers");
    assert!(known.iter().all(|answer| answer == &Ok(StopAnswer::Accepted)), "{known:?}");
    let Ok(StopAnswer::Refused(error)) = unknown else { panic!("{unknown:?}") };
    assert!(error.object.contains(&ids[29]), "{error}");
}
