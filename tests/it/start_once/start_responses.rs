//! Responses of StartJobRun: successes, errors, and responses that the controller does not get.

use futures::future::join_all;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, Fault, JobDefinition, Request, Then};
use serde_json::json;
use tokio::net::TcpSocket;

use crate::harness::{REGION, SHORT_START_SETTLE, SHORT_TIMEOUTS, TestEnv, quick, ready_condition};

/// Asserts that each object has one run, which succeeds, when the first StartJobRun of its job meets a fault.
/// Each case: name, fault, and the number of calls of StartJobRun.
async fn assert_one_run(env: &TestEnv, cases: Vec<(&str, Then, usize)>) {
    join_all(cases.into_iter().map(|(name, fault, starts)| async move {
        env.define_job(JobDefinition::new(name).max_concurrent_runs(1000).script(quick()));
        env.double.faults().add(Fault::on("StartJobRun").name(name).nth(1).then(fault));
        env.create_run(name, name, json!({"arguments": {"--day": "monday"}})).await;
        env.wait_finished(name, Phase::Succeeded).await;
        assert_eq!(env.double.requests().of("StartJobRun").name(name).count(), starts, "{name}: calls of StartJobRun");
        assert_eq!(env.glue_runs(name).len(), 1, "{name}: runs in Glue");
    }))
    .await;
}

#[tokio::test]
async fn when_the_response_is_lost_after_the_start_the_controller_finds_the_run() {
    let env = TestEnv::with_flags("found", SHORT_TIMEOUTS).await;
    let cases = vec![
        ("dropped", Then::DropAnswerAfterWork, 1),
        // Held for good: on a busy machine a delayed response could still be in time.
        ("late-answer", Then::HoldAnswer, 1),
        ("http-500-after-work", Then::Http500AfterWork, 1),
    ];
    assert_one_run(&env, cases).await;
    for name in ["dropped", "late-answer", "http-500-after-work"] {
        env.wait_for_event_on(name, "Succeeded").await;
    }
    for event in env.events().await {
        assert_ne!(event.reason.as_deref(), Some("Started"), "the event says that the run was found");
    }
}

#[tokio::test]
async fn an_ambiguous_error_without_a_run_leads_to_another_start_after_the_settle_time() {
    let env = TestEnv::with_flags("again", SHORT_TIMEOUTS).await;
    let timeout = Then::error("OperationTimeoutException", "The operation timed out.");
    let cases = vec![
        ("dropped-before", Then::DropConnectionBefore, 2),
        ("http-500", Then::Http500, 2),
        ("operation-timeout", timeout, 2),
        // Held for good.
        ("slow", Then::Hold, 2),
    ];
    assert_one_run(&env, cases).await;
    let requests = env.double.requests();
    for (name, lookups) in ["dropped-before", "http-500", "operation-timeout", "slow"]
        .map(|name| (name, requests.of("GetJobRuns").name(name)))
    {
        let [first, second] = &requests.of("StartJobRun").name(name)[..] else { panic!("{name}") };
        assert!(
            lookups.iter().any(|lookup| (first.sequence..second.sequence).contains(&lookup.sequence)),
            "{name}: a lookup comes before the second start"
        );
        // Counted from the intent, since the first call may have been in flight for a while when Glue received it.
        let apart = second.received.duration_since(env.objects::<GlueJobRun>().intent_written_at(name).await);
        assert!(
            apart >= SHORT_START_SETTLE,
            "{name}: sent again after {apart:?}, when the first call could still take effect"
        );
    }
}

#[tokio::test]
async fn a_definite_error_leads_to_another_start_without_a_lookup() {
    let env = TestEnv::new("no").await;
    let cases = vec![
        ("throttled", Then::Throttle, 2),
        ("expired", Then::ExpiredToken, 2),
        ("limit", Then::error("ResourceNumberLimitExceededException", "Too many runs"), 2),
    ];
    assert_one_run(&env, cases).await;
    assert_eq!(
        env.double.requests().of("GetJobRuns").name("limit").succeeded().count(),
        0,
        "a definite error needs no lookup"
    );
    for reason in ["Throttled", "CredentialsNotAccepted", "LimitExceeded"] {
        env.wait_for_event(reason).await;
    }
}

/// Nothing was sent, so this is a definite error, too.
#[tokio::test]
async fn a_refused_connection_leads_to_a_start_once_glue_is_reachable() {
    let mut env = TestEnv::with_credentials("unreachable").await;
    // This socket reserves a port without listening on it. Only the double can bind the port as well.
    let reserved = TcpSocket::new_v4().expect("a socket");
    reserved.set_reuseaddr(true).expect("an option");
    reserved.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = reserved.local_addr().expect("an address");
    env.aws.insert("AWS_ENDPOINT_URL", format!("http://{address}"));
    env.start_controller();
    env.create_run("one", "etl", json!({})).await;
    let message = env.wait_for_reason("one", "AwsUnreachable").await;
    assert!(message.contains("the controller retries"), "{message}");
    let late = Double::bind(address).await.expect("a double");
    late.define_access_key(&env.key);
    late.define_job(DEFAULT_ACCOUNT, REGION, JobDefinition::new("etl").script(quick()));
    env.wait_finished("one", Phase::Succeeded).await;
    assert_eq!((late.requests().count("StartJobRun"), late.requests().count("GetJobRuns")), (1, 0));
}

/// Asserts that after an ambiguous error nothing is started for as long as GetJobRuns fails with `fault`.
async fn assert_no_start_while_lookups_fail(name: &str, fault: Then, reason: &str) {
    let env = TestEnv::with_flags(name, SHORT_TIMEOUTS).await;
    env.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::DropConnectionBefore));
    let failing = env.double.faults().add(Fault::on("GetJobRuns").then(fault));
    env.create_run("one", "etl", json!({})).await;
    env.wait_for_reason("one", reason).await;
    let sent = env.double.requests().of("StartJobRun")[0].received;
    let is_late = |lookup: &Request| lookup.received.duration_since(sent) > SHORT_START_SETTLE;
    let wait_for_late_lookups = async |count: usize| {
        let what = format!("there were {count} lookups after --start-settle");
        env.wait_for_requests(&what, |requests| requests.of("GetJobRuns").matching(is_late).count() >= count).await;
    };
    wait_for_late_lookups(1).await;
    // If the failed lookup counted as "no run", a start would follow at once. The next lookup shows that none did. The
    // change of the spec triggers it before the backoff ends.
    env.patch_spec("one", json!({"ttlSecondsAfterFinished": 3600})).await;
    wait_for_late_lookups(2).await;
    assert_eq!(env.start_calls(), 1);
    assert!(env.glue_runs("etl").is_empty());
    env.double.faults().remove(failing);
    env.patch_spec("one", json!({"ttlSecondsAfterFinished": 7200})).await;
    env.wait_for_phase("one", Phase::Succeeded).await;
    assert_eq!((env.start_calls(), env.glue_runs("etl").len()), (2, 1));
}

#[tokio::test]
async fn nothing_is_started_while_lookups_fail() {
    assert_no_start_while_lookups_fail("blind", Then::Http500, "AnswerUnclear").await;
}

#[tokio::test]
async fn nothing_is_started_while_lookups_are_denied() {
    let denied = Then::error("AccessDeniedException", "not authorized to perform: glue:GetJobRuns");
    assert_no_start_while_lookups_fail("denied", denied, "AccessDenied").await;
}

#[tokio::test]
async fn without_the_key_argument_no_argument_is_added_and_a_lost_response_still_gives_one_run() {
    let env = TestEnv::with_flags("no-key", &[SHORT_TIMEOUTS, &[("--run-key-argument", "")]].concat()).await;
    let arguments = json!({"--day": "monday"});
    env.create_run("before", "etl", json!({"arguments": {"--day": "sunday"}})).await;
    env.wait_for_phase("before", Phase::Succeeded).await;
    assert_one_run(&env, vec![("dropped", Then::DropAnswerAfterWork, 1), ("lost", Then::Http500, 2)]).await;
    for start in env.double.requests().of("StartJobRun").matching(|start| start.call.name.as_deref() != Some("etl")) {
        assert_eq!(start.field("Arguments"), Some(arguments.clone()));
    }
    let before = env.job_runs().get("before").await.expect("the object");
    assert_eq!(ready_condition(&before).0, "Succeeded");
}
