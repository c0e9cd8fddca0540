//! Ctrl-C, and a closed pipe.

use std::process::Stdio;

use kube_glue::api::run::Phase;
use kube_glue_double::JobDefinition;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::time::timeout;

use super::Printed;
use crate::harness::{TestEnv, WAIT_TIMEOUT, endless};

#[tokio::test]
async fn ctrl_c_leaves_the_run_alone_and_a_closed_pipe_is_no_error() {
    let env = TestEnv::new("plugin-signals").await;
    env.define_job(JobDefinition::new("endless").script(endless()));
    let mut child =
        env.plugin("run job endless --wait -o name").stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let name = lines.next_line().await.unwrap().expect("the name of the run");
    let name = name.strip_prefix("gluejobrun.kube-glue.dev/").expect("a name").to_owned();
    env.wait_for_phase(&name, Phase::Running).await;
    let sent = std::process::Command::new("kill").args(["-INT", &child.id().unwrap().to_string()]).status().unwrap();
    assert!(sent.success());
    let end = Printed::from(timeout(WAIT_TIMEOUT, child.wait_with_output()).await.expect("an end").unwrap());
    assert_eq!(end.code, Some(130), "{end:?}");
    assert!(end.messages.contains("goes on"), "{end:?}");
    let run = env.job_runs().get(&name).await.expect("the run");
    assert!(run.spec.policy.stop.is_none() && run.metadata.deletion_timestamp.is_none());
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let closed = env.plugin("explain").stdout(writer).stderr(Stdio::piped()).output().await.expect("the plugin");
    let closed = Printed::from(closed);
    assert_eq!((closed.code, closed.messages.as_str()), (Some(0), ""));
}
