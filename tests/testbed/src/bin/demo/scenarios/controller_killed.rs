//! The controller is killed by SIGKILL after it has sent `StartJobRun` and before it gets the answer.
//!
//! The double carries out `StartJobRun` and holds the answer; then the controller is killed. The object has only the
//! intent to start, and Glue has a run. The restarted controller looks for the run before it starts one, finds it by
//! its key, and follows it.

use std::time::Duration;

use kube_glue_double::{Fault, Then};
use kube_glue_testbed::Signal;

use super::started_once;
use crate::{
    environment::{Environment, LIMIT},
    error::{DemoError, expect},
    follow::Follow,
    show, within,
};

const NAME: &str = "inventory-2026-01-31";
const JOB: &str = "inventory-sync";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let mut follow = Follow::new(environment, "GlueJobRun", NAME);
    let before = environment.controller()?;
    let hold = environment.double.faults().add(Fault::on("StartJobRun").name(JOB).then(Then::HoldAnswer));
    environment.apply(["job-run-started-once.yaml"]).await?;
    within(
        LIMIT,
        "StartJobRun",
        environment
            .double
            .requests()
            .wait_for(|request| &*request.call.operation == "StartJobRun" && request.call.name.as_deref() == Some(JOB)),
    )
    .await?;
    within(LIMIT, "the run in Glue", async {
        // The request is recorded before the double carries it out, and there is no event to wait for.
        while environment.glue_runs(JOB).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;
    let run = environment.glue_runs(JOB)[0]["Id"].clone();
    follow.say(&format!("Glue has started {}, but has not answered yet", text(&run)));

    environment.kubelet.kill(&before.name, Signal::KILL)?;
    environment.double.faults().remove(hold);
    follow.say(&format!("SIGKILL kills the controller in Pod {}", before.name));
    environment.kubectl(["get", "gluejobrun", NAME]).await?;
    environment
        .kubelet
        .until("the controller to be restarted and ready", LIMIT, |pods| {
            let pod = pods.iter().find(|pod| pod.name == before.name);
            pod.is_some_and(|pod| pod.ready && restarts(pod) > restarts(&before))
        })
        .await?;
    follow.say("the controller is restarted and ready");

    let status = follow.until_the_end("Succeeded").await?;
    expect(status["runId"] == run, || format!("Glue's run is {run}, but the status is {status:#}"))?;
    environment.kubectl(["get", "gluejobrun", NAME, "-o", "wide"]).await?;
    show::record(environment, JOB);
    show::good(&format!("The status has the same run, {}.", text(&run)));
    started_once(environment, JOB)
}

fn restarts(pod: &kube_glue_testbed::RunningPod) -> u32 {
    pod.containers.values().map(|container| container.restarts).sum()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}
