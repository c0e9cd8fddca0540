//! The status of a failed run has Glue's error message.

use super::started_once;
use crate::{
    environment::Environment,
    error::{DemoError, expect},
    follow::Follow,
    show,
};

const NAME: &str = "customers-2026-01-31";
const JOB: &str = "customers-etl";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let mut follow = Follow::new(environment, "GlueJobRun", NAME);
    environment.apply(["job-run-that-fails.yaml"]).await?;
    let status = follow.until_the_end("Failed").await?;
    environment.kubectl(["wait", &format!("gluejobrun/{NAME}"), "--for=condition=Failed", "--timeout=10s"]).await?;
    environment.kubectl(["get", "gluejobrun", NAME]).await?;
    environment.kubectl(["get", "gluejobrun", NAME, "-o", "jsonpath={.status.errorMessage}"]).await?;
    let message = environment.glue_runs(JOB)[0]["ErrorMessage"].clone();
    expect(status["errorMessage"] == message, || format!("Glue's message is {message}, but the status is {status:#}"))?;
    show::good("The status has Glue's error message.");
    // The controller reads the log after the failure, since the last lines come late.
    environment
        .kubectl(["wait", &format!("gluejobrun/{NAME}"), "--for=jsonpath={.status.failure.log}", "--timeout=1m"])
        .await?;
    environment.kubectl(["get", "gluejobrun", NAME, "-o", "jsonpath={.status.failure.log}"]).await?;
    show::good("The status has the end of the run's log.");
    started_once(environment, JOB)
}
