//! The stories, one after the other.

mod crawled;
mod deleted;
mod fails;
mod held;
mod kept;
mod killed;
mod succeeds;

use crate::{
    problem::{Problem, expect},
    show,
    stage::Stage,
};

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    show::heading(1, "A run that succeeds");
    succeeds::tell(stage).await?;
    show::heading(2, "A run that fails, with Glue's message");
    fails::tell(stage).await?;
    show::heading(3, "A run stopped by deleting its object");
    deleted::tell(stage).await?;
    show::heading(4, "A run whose controller is killed while it starts");
    killed::tell(stage).await?;
    show::heading(5, "Two objects that want a crawl, and one crawl that covers both");
    crawled::tell(stage).await?;
    show::heading(6, "A trigger that somebody deactivates by hand");
    held::tell(stage).await?;
    show::heading(7, "A connection whose password changes");
    kept::tell(stage).await
}

/// Whether `StartJobRun` arrived once for a job.
fn started_once(stage: &Stage, job: &str) -> Result<(), Problem> {
    let starts = stage.double.requests().of("StartJobRun").name(job).count();
    expect(starts == 1, || format!("StartJobRun arrived {starts} times for {job}"))?;
    let runs = stage.glue_runs(job).len();
    expect(runs == 1, || format!("Glue has {runs} runs of {job}"))?;
    show::good("StartJobRun arrived once, and Glue has one run.");
    Ok(())
}
