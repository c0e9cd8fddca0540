//! Deleting the object stops the run. The object is removed when the run has ended.

use crate::{
    environment::Environment,
    error::{DemoError, expect},
    follow::Follow,
    show,
};

const NAME: &str = "clicks-backfill";
const JOB: &str = "clicks-backfill";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let mut follow = Follow::new(environment, "GlueJobRun", NAME);
    environment.apply(["job-run-stopped-by-deletion.yaml"]).await?;
    follow.until(&["Running"]).await?;
    environment.kubectl(["get", "gluejobrun", NAME]).await?;
    environment.kubectl(["delete", "gluejobrun", NAME, "--wait=false"]).await?;
    follow.until_gone().await?;
    show::record(environment, JOB);
    let runs = environment.glue_runs(JOB);
    let states: Vec<&str> = runs.iter().filter_map(|run| run["JobRunState"].as_str()).collect();
    expect(states == ["STOPPED"], || format!("Glue's runs of {JOB} are {states:?}"))?;
    show::good("Glue has one run, and it is STOPPED.");
    Ok(())
}
