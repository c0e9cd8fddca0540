//! What Glue says about a failure stands where a person looks for it.

use super::started_once;
use crate::{
    follow::Follow,
    problem::{Problem, expect},
    show,
    stage::Stage,
};

const NAME: &str = "customers-2026-01-31";
const JOB: &str = "customers-etl";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let mut follow = Follow::new(stage, "GlueJobRun", NAME);
    stage.apply(["job-run-that-fails.yaml"]).await?;
    let status = follow.until_the_end("Failed").await?;
    stage.kubectl(["wait", &format!("gluejobrun/{NAME}"), "--for=condition=Failed", "--timeout=10s"]).await?;
    stage.kubectl(["get", "gluejobrun", NAME]).await?;
    stage.kubectl(["get", "gluejobrun", NAME, "-o", "jsonpath={.status.errorMessage}"]).await?;
    let said = stage.glue_runs(JOB)[0]["ErrorMessage"].clone();
    expect(status["errorMessage"] == said, || format!("Glue said {said}, the status says {status:#}"))?;
    show::good("The message is Glue's own.");
    started_once(stage, JOB)
}
