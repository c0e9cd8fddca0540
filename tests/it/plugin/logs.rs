//! `kubectl glue logs`, against a CloudWatch Logs that pages, delays, reorders and lets tokens expire.

use std::process::Stdio;
use std::time::Duration;

use futures::future::join_all;
use kube_glue::api::run::Phase;
use kube_glue_double::{
    DEFAULT_ACCOUNT, Fault, JobDefinition, Log, LogLine, LogPages, Outcome, Policy, RunScript, Then,
};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::Printed;
use crate::harness::{REGION, TestEnv, WAIT_TIMEOUT};

fn seconds(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds)
}

/// A job of Glue 4.0 whose runs write these lines within so many seconds, and then end.
fn talks(name: &str, lines: impl IntoIterator<Item = LogLine>, running: f64, outcome: Outcome) -> JobDefinition {
    let script = RunScript::ends(outcome).starting(Duration::ZERO).running(seconds(running)).logs(lines);
    JobDefinition::new(name).glue_version("4.0").max_concurrent_runs(50).script(script)
}

#[tokio::test]
async fn the_log_of_a_finished_run_is_shown_in_the_order_of_time() {
    let env = TestEnv::new("plugin-logs").await;
    let of_executor = |text, at| LogLine::new(text).of_stream("-1").at(seconds(at));
    let written = [
        LogLine::new("begin"),
        of_executor("part 1", 0.02),
        LogLine::new("middle").at(seconds(0.03)),
        of_executor("part 2", 0.04),
        LogLine::new("end").at(seconds(0.05)),
        LogLine::new("KeyError: 'day'").to(Log::Error).at(seconds(0.01)),
    ];
    env.define_job(talks("etl-4", written, 0.1, Outcome::Failed("exit 1".to_owned())));
    env.create_run("one", "etl-4", json!({})).await;
    env.wait_finished("one", Phase::Failed).await;
    for (line, expected) in [
        ("logs gjr/one", ["begin", "[1] part 1", "middle", "[1] part 2", "end"].as_slice()),
        ("logs gjr one --tail 2", &["[1] part 2", "end"]),
        ("logs gjr/one --stream error", &["KeyError: 'day'"]),
        (
            "logs gjr/one --attempt 0 --stream output,error --tail 5",
            &["[error] KeyError: 'day'", "[output 1] part 1", "[output] middle", "[output 1] part 2", "[output] end"],
        ),
        ("logs gjr/one -f --tail 1", &["end"]),
    ] {
        let printed = env.glue(line).await;
        assert_eq!((printed.code, printed.lines().as_slice()), (Some(0), expected), "{line}: {printed:?}");
    }
    let stamped = env.glue("logs gjr/one --timestamps --since 1h --tail 1").await;
    let (at, text) = stamped.data.trim_end().split_once(' ').expect("a time");
    assert!(at.parse::<jiff::Timestamp>().is_ok() && text == "end", "{stamped:?}");
    for (line, code, part) in [
        ("logs gjr/one --attempt 7", 5, "attempt 7 of gluejobrun.kube-glue.dev/one does not exist"),
        ("logs gjr/one --stream continuous", 2, "--enable-continuous-cloudwatch-log"),
        ("logs gjr/nobody", 5, "does not exist"),
        ("logs gtr/one", 2, "write gjr/NAME"),
        ("logs gjr/one gjr/two", 2, "write gjr/NAME"),
        ("logs gjr/one --stream everything", 2, "possible values"),
    ] {
        let wrong = env.glue(line).await;
        assert_eq!((wrong.code, wrong.data.as_str()), (Some(code), ""), "{line}: {wrong:?}");
        assert!(wrong.messages.contains(part), "{line}: {wrong:?}");
    }
    assert_eq!(env.double.requests().count("FilterLogEvents"), 0);
}

#[tokio::test]
async fn a_follower_shows_every_line_once_whatever_happens_to_pages_tokens_and_calls() {
    let env = TestEnv::new("plugin-follow").await;
    let line = |number: u32| {
        let (at, delay) = (f64::from(number) * 0.05, f64::from(number % 7) * 0.3);
        let line = LogLine::new(&format!("line {number}")).at(seconds(at)).delayed(seconds(delay));
        if number.is_multiple_of(4) { line.of_stream("_g-1") } else { line }
    };
    // Twice the same, and the last words after the end of the run.
    let twice = LogLine::new("twice").at(seconds(4.0));
    let last = LogLine::new("last words").at(seconds(7.9)).delayed(seconds(2.0));
    let written = (0..160).map(line).chain([twice.clone(), twice, last]);
    env.define_job(talks("talks", written, 8.0, Outcome::Succeeded));
    env.double.set_log_pages(DEFAULT_ACCOUNT, REGION, LogPages { events: Some(17), with_empty_pages: true });
    for (nth, then) in [(3, Then::Throttle), (5, Then::DropAnswerAfterWork), (7, Then::Http500)] {
        env.double.faults().add(Fault::on("GetLogEvents").nth(nth).then(then));
    }
    env.double.faults().add(Fault::on("DescribeLogStreams").nth(2).then(Then::Throttle));
    env.create_run("one", "talks", json!({})).await;
    let following = tokio::spawn(env.plugin("logs -f gjr/one").output());
    env.wait_for_calls("GetLogEvents", 4).await;
    env.double.expire_log_tokens(DEFAULT_ACCOUNT, REGION);
    let followed = timeout(WAIT_TIMEOUT, following).await.expect("an end").expect("a task").expect("the plugin");
    let followed = Printed::from(followed);
    assert_eq!(followed.code, Some(0), "{followed:?}");
    let mut shown = followed.lines();
    shown.sort_unstable();
    let of_executor = |number: u32| number.is_multiple_of(4);
    let name = |number| if of_executor(number) { format!("[g-1] line {number}") } else { format!("line {number}") };
    let mut expected: Vec<_> = (0..160).map(name).chain(["twice", "twice", "last words"].map(str::to_owned)).collect();
    expected.sort_unstable();
    assert_eq!(shown, expected);
    let refused = env.double.requests().of("GetLogEvents").matching(|request| {
        request.answer().is_some_and(|answer| answer.code.as_deref() == Some("InvalidParameterException"))
    });
    assert!(refused.count() > 0, "a token expired");
}

#[tokio::test]
async fn twenty_followers_stay_within_the_quota_of_an_account() {
    let env = TestEnv::new("plugin-twenty").await;
    let line = |number: u32| LogLine::new(&format!("line {number}")).at(seconds(f64::from(number) * 0.1));
    env.define_job(talks("talks", (0..100).map(line), 10.0, Outcome::Succeeded));
    env.create_run("one", "talks", json!({})).await;
    let followers = join_all((0..20).map(|_| env.plugin("logs -f gjr/one").output()));
    for followed in timeout(2 * WAIT_TIMEOUT, followers).await.expect("an end") {
        let followed = Printed::from(followed.expect("the plugin"));
        assert_eq!((followed.code, followed.lines().len()), (Some(0), 100), "{followed:?}");
    }
    let reads = env.double.requests().of("GetLogEvents");
    let times: Vec<_> = reads.iter().map(|request| request.received).collect();
    let most = times.iter().map(|from| {
        let second = jiff::SignedDuration::from_secs(1);
        times.iter().filter(|at| (jiff::SignedDuration::ZERO..second).contains(&at.duration_since(*from))).count()
    });
    // The quota of GetLogEvents is 25 a second, that of FilterLogEvents 5.
    assert!(most.max() <= Some(25), "{} reads", times.len());
    assert_eq!(env.double.requests().count("FilterLogEvents"), 0);
    let throttled = reads.matching(|request| !request.succeeded());
    assert_eq!(throttled.count(), 0);
}

#[tokio::test]
async fn a_run_is_followed_from_its_start_and_its_outcome_is_the_exit_code() {
    let env = TestEnv::new("plugin-run-logs").await;
    let written = [LogLine::new("begin"), LogLine::new("end").at(seconds(0.5))];
    env.define_job(talks("broken", written, 1.0, Outcome::Failed("SystemExit: 3".to_owned())));
    let run = env.glue("run job broken --name one --wait --logs").await;
    assert_eq!(run.code, Some(1), "{run:?}");
    assert_eq!(
        run.lines(),
        ["gluejobrun.kube-glue.dev/one created", "begin", "end", "gluejobrun.kube-glue.dev/one Failed",]
    );
    assert!(run.messages.contains("waiting for a run of") && run.messages.contains("SystemExit: 3"), "{run:?}");
}

#[tokio::test]
async fn without_rights_in_aws_the_action_is_named() {
    let env = TestEnv::new("plugin-logs-denied").await;
    env.define_job(talks("talks", [LogLine::new("a")], 0.1, Outcome::Succeeded));
    env.create_run("one", "talks", json!({})).await;
    env.wait_finished("one", Phase::Succeeded).await;
    let user = format!("arn:aws:iam::{DEFAULT_ACCOUNT}:user/kube-glue");
    for (denied, code) in [
        (&["logs:DescribeLogStreams"][..], 6),
        (&["logs:GetLogEvents"], 6),
        // What the status says is enough.
        (&["glue:GetJob", "glue:GetJobRun"], 0),
    ] {
        env.double.iam().set_policy(&user, Policy::deny(denied));
        let printed = env.glue("logs gjr/one").await;
        assert_eq!(printed.code, Some(code), "{printed:?}");
        if code == 6 {
            assert!(printed.messages.contains(&format!("allow {}", denied[0])), "{printed:?}");
        } else {
            assert_eq!(printed.data, "a\n");
        }
    }
}

#[tokio::test]
async fn ctrl_c_ends_a_follower_and_a_closed_pipe_is_no_error() {
    let env = TestEnv::new("plugin-logs-signals").await;
    let line = |number: u32| LogLine::new("tick").at(seconds(f64::from(number) * 0.2));
    env.define_job(talks("ticks", (0..300).map(line), 60.0, Outcome::Succeeded));
    env.create_run("one", "ticks", json!({})).await;
    let spawn = || {
        let mut command = env.plugin("logs -f gjr/one");
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the plugin")
    };
    let mut interrupted = spawn();
    let mut printed = BufReader::new(interrupted.stdout.take().expect("a pipe")).lines();
    assert_eq!(printed.next_line().await.expect("a line").as_deref(), Some("tick"));
    let id = interrupted.id().expect("a process").to_string();
    let sent = std::process::Command::new("kill").args(["-INT", &id]).status().expect("kill");
    assert!(sent.success());
    let end = timeout(WAIT_TIMEOUT, interrupted.wait_with_output()).await.expect("an end").expect("an exit");
    assert_eq!(end.status.code(), Some(130));
    let mut closed = spawn();
    let mut printed = BufReader::new(closed.stdout.take().expect("a pipe")).lines();
    assert_eq!(printed.next_line().await.expect("a line").as_deref(), Some("tick"));
    drop(printed);
    let end = Printed::from(timeout(WAIT_TIMEOUT, closed.wait_with_output()).await.expect("an end").expect("an exit"));
    assert_eq!(end.code, Some(0), "{end:?}");
    assert!(!end.messages.contains("error"), "{end:?}");
}
