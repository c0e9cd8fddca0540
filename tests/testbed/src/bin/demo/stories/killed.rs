//! The controller is killed by SIGKILL after `StartJobRun` went out and before its answer came back.
//!
//! The double does the work of `StartJobRun` and holds the answer back; then the controller dies. What is
//! left of the start is the intent in the object and a run in Glue. The controller that comes after it
//! looks before it starts anything, finds the run by its key, and goes on with it.

use std::time::Duration;

use kube_glue_double::{Fault, Then};
use kube_glue_testbed::Signal;

use super::started_once;
use crate::{
    follow::Follow,
    problem::{Problem, expect},
    show,
    stage::{LIMIT, Stage},
    within,
};

const NAME: &str = "inventory-2026-01-31";
const JOB: &str = "inventory-sync";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let mut follow = Follow::new(stage, "GlueJobRun", NAME);
    let before = stage.controller()?;
    let hold = stage.double.faults().add(Fault::on("StartJobRun").name(JOB).then(Then::HoldAnswer));
    stage.apply(["job-run-started-once.yaml"]).await?;
    within(
        LIMIT,
        "StartJobRun",
        stage
            .double
            .requests()
            .wait_for(|request| &*request.call.operation == "StartJobRun" && request.call.name.as_deref() == Some(JOB)),
    )
    .await?;
    within(LIMIT, "the run in Glue", async {
        // The record has a request as it arrives; the work on it follows at once, and tells nobody.
        while stage.glue_runs(JOB).is_empty() {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    })
    .await?;
    let run = stage.glue_runs(JOB)[0]["Id"].clone();
    follow.say(&format!("Glue has started {}; its answer is held back", text(&run)));

    stage.kubelet.kill(&before.name, Signal::KILL)?;
    stage.double.faults().remove(hold);
    follow.say(&format!("the controller in Pod {} is killed by SIGKILL", before.name));
    stage.kubectl(["get", "gluejobrun", NAME]).await?;
    stage
        .kubelet
        .until("the controller started again", LIMIT, |pods| {
            let pod = pods.iter().find(|pod| pod.name == before.name);
            pod.is_some_and(|pod| pod.ready && restarts(pod) > restarts(&before))
        })
        .await?;
    follow.say("the controller is started again and ready");

    let status = follow.until_the_end("Succeeded").await?;
    expect(status["runId"] == run, || format!("Glue's run is {run}, the status says {status:#}"))?;
    stage.kubectl(["get", "gluejobrun", NAME, "-o", "wide"]).await?;
    show::record(stage, JOB);
    show::good(&format!("It is the same run, {}.", text(&run)));
    started_once(stage, JOB)
}

fn restarts(pod: &kube_glue_testbed::RunningPod) -> u32 {
    pod.containers.values().map(|container| container.restarts).sum()
}

fn text(value: &serde_json::Value) -> &str {
    value.as_str().unwrap_or_default()
}
