//! Deleting the object stops the run, and the object is gone when the run has ended.

use crate::{
    follow::Follow,
    problem::{Problem, expect},
    show,
    stage::Stage,
};

const NAME: &str = "clicks-backfill";
const JOB: &str = "clicks-backfill";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let mut follow = Follow::new(stage, "GlueJobRun", NAME);
    stage.apply(["job-run-stopped-by-deletion.yaml"]).await?;
    follow.until(&["Running"]).await?;
    stage.kubectl(["get", "gluejobrun", NAME]).await?;
    stage.kubectl(["delete", "gluejobrun", NAME, "--wait=false"]).await?;
    follow.until_gone().await?;
    show::record(stage, JOB);
    let runs = stage.glue_runs(JOB);
    let states: Vec<&str> = runs.iter().filter_map(|run| run["JobRunState"].as_str()).collect();
    expect(states == ["STOPPED"], || format!("Glue's runs of {JOB} are {states:?}"))?;
    show::good("Glue has one run, and it is STOPPED.");
    Ok(())
}
