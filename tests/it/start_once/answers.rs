//! What Glue answers to StartJobRun, or fails to.

use futures::future::join_all;
use kube_glue::api::GlueJobRun;
use kube_glue::api::run::Phase;
use kube_glue_double::{DEFAULT_ACCOUNT, Double, Fault, JobDefinition, Request, Then};
use serde_json::json;
use tokio::net::TcpSocket;

use crate::harness::{DEFAULT_SECRET, HASTY, REGION, SETTLE, World, quick, ready};

/// The first start of a job of its own is answered so; then there is one run, and it succeeds.
/// Each case: a name, the fault, and how often StartJobRun is sent.
async fn one_run_in_spite_of(world: &World, cases: Vec<(&str, Then, usize)>) {
    join_all(cases.into_iter().map(|(name, fault, starts)| async move {
        world.job(JobDefinition::new(name).max_concurrent_runs(1000).script(quick()));
        world.double.faults().add(Fault::on("StartJobRun").name(name).nth(1).then(fault));
        world.run(name, name, json!({"arguments": {"--day": "monday"}})).await;
        world.over(name, Phase::Succeeded).await;
        assert_eq!(
            world.double.requests().of("StartJobRun").name(name).count(),
            starts,
            "{name}: starts that were sent"
        );
        assert_eq!(world.glue_runs(name).len(), 1, "{name}: runs in Glue");
    }))
    .await;
}

#[tokio::test]
async fn an_answer_that_is_lost_after_the_work_leads_to_looking_and_finding() {
    let world = World::with("found", HASTY).await;
    let cases = vec![
        ("dropped", Then::DropAnswerAfterWork, 1),
        // Kept back for good: one that came after a while could still be in time on a busy machine.
        ("late-answer", Then::HoldAnswer, 1),
        ("http-500-after-work", Then::Http500AfterWork, 1),
    ];
    one_run_in_spite_of(&world, cases).await;
    for name in ["dropped", "late-answer", "http-500-after-work"] {
        world.told(name, "Succeeded").await;
    }
    for event in world.events().await {
        assert_ne!(event.reason.as_deref(), Some("Started"), "it was found, and that is what is told");
    }
}

#[tokio::test]
async fn an_unclear_answer_without_a_run_leads_to_another_start_after_a_while() {
    let world = World::with("again", HASTY).await;
    let timeout = Then::error("OperationTimeoutException", "The operation timed out.");
    let cases = vec![
        ("dropped-before", Then::DropConnectionBefore, 2),
        ("http-500", Then::Http500, 2),
        ("operation-timeout", timeout, 2),
        // Kept back for good.
        ("slow", Then::Hold, 2),
    ];
    one_run_in_spite_of(&world, cases).await;
    let requests = world.double.requests();
    for (name, looks) in ["dropped-before", "http-500", "operation-timeout", "slow"]
        .map(|name| (name, requests.of("GetJobRuns").name(name)))
    {
        let [first, second] = &requests.of("StartJobRun").name(name)[..] else { panic!("{name}") };
        assert!(
            looks.iter().any(|look| (first.sequence..second.sequence).contains(&look.sequence)),
            "{name}: it looks before it starts again"
        );
        // Not from the arrival of the first, which may have been under way for a while.
        let apart = second.received.duration_since(world.of::<GlueJobRun>().intended(name).await);
        assert!(apart >= SETTLE, "{name}: sent again after {apart:?}, when the first could still be taken");
    }
}

#[tokio::test]
async fn a_clear_no_leads_to_a_start_later() {
    let world = World::new("no").await;
    let cases = vec![
        ("throttled", Then::Throttle, 2),
        ("expired", Then::ExpiredToken, 2),
        ("limit", Then::error("ResourceNumberLimitExceededException", "Too many runs"), 2),
    ];
    one_run_in_spite_of(&world, cases).await;
    assert_eq!(
        world.double.requests().of("GetJobRuns").name("limit").succeeded().count(),
        0,
        "a clear no needs no look"
    );
    for reason in ["Throttled", "CredentialsNotAccepted", "LimitExceeded"] {
        world.event(reason).await;
    }
}

/// Nothing can have been sent: that is a clear no, too, and needs no look.
#[tokio::test]
async fn a_refused_connection_leads_to_a_start_when_there_is_somebody() {
    let mut world = World::without_controller("nobody").await;
    world.put_credentials(DEFAULT_SECRET).await;
    // A port that nobody listens on, and that nobody but the double can have meanwhile.
    let kept = TcpSocket::new_v4().expect("a socket");
    kept.set_reuseaddr(true).expect("an option");
    kept.bind("127.0.0.1:0".parse().expect("an address")).expect("a port");
    let address = kept.local_addr().expect("an address");
    world.aws.insert("AWS_ENDPOINT_URL", format!("http://{address}"));
    world.start_controller();
    world.run("one", "etl", json!({})).await;
    let message = world.reason("one", "AwsUnreachable").await;
    assert!(message.contains("it is tried again by itself"), "{message}");
    let late = Double::bind(address).await.expect("a double");
    late.define_access_key(&world.key);
    late.define_job(DEFAULT_ACCOUNT, REGION, JobDefinition::new("etl").script(quick()));
    world.over("one", Phase::Succeeded).await;
    assert_eq!((late.requests().count("StartJobRun"), late.requests().count("GetJobRuns")), (1, 0));
}

/// The start's outcome is unclear, and Glue cannot be asked: nothing is started, however long that lasts.
async fn nothing_starts_while_looking_fails(name: &str, problem: Then, reason: &str) {
    let world = World::with(name, HASTY).await;
    world.double.faults().add(Fault::on("StartJobRun").nth(1).then(Then::DropConnectionBefore));
    let blind = world.double.faults().add(Fault::on("GetJobRuns").then(problem));
    world.run("one", "etl", json!({})).await;
    world.reason("one", reason).await;
    let sent = world.double.requests().of("StartJobRun")[0].received;
    let is_late = |look: &Request| look.received.duration_since(sent) > SETTLE;
    let looked = async |times: usize| {
        let late = format!("it looked {times} times when --start-settle had passed");
        world.requests(&late, |requests| requests.of("GetJobRuns").matching(is_late).count() >= times).await;
    };
    looked(1).await;
    // Taken for an answer, that one would have led to a start at once; the next one shows that there was none. Any
    // change has it look again before its pause is over.
    world.edit("one", json!({"ttlSecondsAfterFinished": 3600})).await;
    looked(2).await;
    assert_eq!(world.starts(), 1);
    assert!(world.glue_runs("etl").is_empty());
    world.double.faults().remove(blind);
    world.edit("one", json!({"ttlSecondsAfterFinished": 7200})).await;
    world.phase("one", Phase::Succeeded).await;
    assert_eq!((world.starts(), world.glue_runs("etl").len()), (2, 1));
}

#[tokio::test]
async fn nothing_is_started_while_glue_fails_to_say_what_runs() {
    nothing_starts_while_looking_fails("blind", Then::Http500, "AnswerUnclear").await;
}

#[tokio::test]
async fn nothing_is_started_while_glue_may_not_be_asked_what_runs() {
    let denied = Then::error("AccessDeniedException", "not authorized to perform: glue:GetJobRuns");
    nothing_starts_while_looking_fails("denied", denied, "AccessDenied").await;
}

#[tokio::test]
async fn without_the_key_argument_nothing_is_added_and_a_lost_answer_is_still_one_run() {
    let world = World::with("no-key", &[HASTY, &[("--run-key-argument", "")]].concat()).await;
    let arguments = json!({"--day": "monday"});
    world.run("before", "etl", json!({"arguments": {"--day": "sunday"}})).await;
    world.phase("before", Phase::Succeeded).await;
    one_run_in_spite_of(&world, vec![("dropped", Then::DropAnswerAfterWork, 1), ("lost", Then::Http500, 2)]).await;
    for start in world.double.requests().of("StartJobRun").matching(|start| start.call.name.as_deref() != Some("etl")) {
        assert_eq!(start.field("Arguments"), Some(arguments.clone()));
    }
    let before = world.runs().get("before").await.expect("the object");
    assert_eq!(ready(&before).0, "Succeeded");
}
