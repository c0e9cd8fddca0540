//! Glue reports a workflow run as COMPLETED although one of its jobs failed. The object is Failed, and a new value of
//! `spec.resume` runs only that job again.

use crate::{
    environment::Environment,
    error::{DemoError, expect},
    follow::Follow,
    show,
};

const NAME: &str = "customers-2026-01-31";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let object = format!("glueworkflowrun/{NAME}");
    let mut follow = Follow::new(environment, "GlueWorkflowRun", NAME);
    environment.apply(["workflow-run-that-fails.yaml"]).await?;
    let failed = follow.until_the_end("Failed").await?;
    environment.kubectl(["get", object.as_str()]).await?;
    environment.kubectl(["get", object.as_str(), "-o", "jsonpath={.status.errorMessage}"]).await?;
    show::good("Glue reports the run as COMPLETED; the object is Failed, and names the job.");
    let resume = r#"{"spec":{"resume":"path corrected"}}"#;
    environment.kubectl(["patch", object.as_str(), "--type", "merge", "--patch", resume]).await?;
    follow.until(&["Starting", "Running"]).await?;
    let resumed = follow.until_the_end("Succeeded").await?;
    environment.kubectl(["get", object.as_str()]).await?;
    expect(resumed["previousRunId"] == failed["runId"], || format!("the run resumes another one: {resumed:#}"))?;
    let runs = ["customers-load", "customers-clean"].map(|job| environment.glue_runs(job).len());
    expect(runs == [1, 2], || format!("customers-load and customers-clean have {runs:?} runs"))?;
    show::good("Glue ran the failed job again, and not the one before it.");
    Ok(())
}
