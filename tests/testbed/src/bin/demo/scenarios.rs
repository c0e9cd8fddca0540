//! The scenarios, in their order.

mod connection_password;
mod controller_killed;
mod inventory;
mod lineage;
mod run_fails;
mod run_stopped_by_deletion;
mod run_succeeds;
mod shared_crawl;
mod trigger_drift;
mod workflow_resumed;

use crate::{
    environment::Environment,
    error::{DemoError, expect},
    show,
};

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    show::heading(1, "A job run that succeeds");
    run_succeeds::run(environment).await?;
    show::heading(2, "A job run that fails, with Glue's error message in the status");
    run_fails::run(environment).await?;
    show::heading(3, "A job run that is stopped by deleting its object");
    run_stopped_by_deletion::run(environment).await?;
    show::heading(4, "A job run whose controller is killed during the start");
    controller_killed::run(environment).await?;
    show::heading(5, "Two crawler runs that share one crawl");
    shared_crawl::run(environment).await?;
    show::heading(6, "A workflow run that fails, and is resumed where it failed");
    workflow_resumed::run(environment).await?;
    show::heading(7, "A trigger that a user deactivates in the AWS console");
    trigger_drift::run(environment).await?;
    show::heading(8, "A connection whose password changes in its Secret");
    connection_password::run(environment).await?;
    show::heading(9, "An inventory of the account");
    inventory::run(environment).await?;
    show::heading(10, "The lineage of these runs");
    lineage::run(environment).await
}

/// Checks that Glue received `StartJobRun` once for a job, and has one run.
fn started_once(environment: &Environment, job: &str) -> Result<(), DemoError> {
    let starts = environment.double.requests().of("StartJobRun").name(job).count();
    expect(starts == 1, || format!("Glue received StartJobRun {starts} times for {job}"))?;
    let runs = environment.glue_runs(job).len();
    expect(runs == 1, || format!("Glue has {runs} runs of {job}"))?;
    show::good("Glue received StartJobRun once and has one run.");
    Ok(())
}
