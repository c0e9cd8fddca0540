//! What Glue says about a failure stands where a person looks for it.

use super::started_once;
use crate::{
    follow,
    problem::{Problem, expect},
    show,
    stage::Stage,
};

const NAME: &str = "customers-2026-01-31";
const JOB: &str = "customers-etl";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    stage.apply(["job-run-that-fails.yaml"]).await?;
    let status = follow::until(stage, NAME, |phase| phase == "Succeeded" || phase == "Failed").await?;
    expect(status["phase"] == "Failed", || {
        format!("{NAME} ended otherwise: {status:#}")
    })?;
    stage
        .kubectl([
            "wait",
            &format!("gluejobrun/{NAME}"),
            "--for=condition=Failed",
            "--timeout=10s",
        ])
        .await?;
    stage.kubectl(["get", "gluejobrun", NAME]).await?;
    stage
        .kubectl(["get", "gluejobrun", NAME, "-o", "jsonpath={.status.errorMessage}"])
        .await?;
    let said = stage.glue_runs(JOB)[0]["ErrorMessage"].clone();
    expect(status["errorMessage"] == said, || {
        format!("Glue said {said}, the status says {status:#}")
    })?;
    show::good("The message is Glue's own.");
    started_once(stage, JOB)
}
