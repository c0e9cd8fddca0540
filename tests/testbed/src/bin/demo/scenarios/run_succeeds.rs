//! `kubectl apply`, and the status follows the run to its end.

use super::started_once;
use crate::{environment::Environment, error::DemoError, follow::Follow, show};

const NAME: &str = "orders-2026-01-31";
const JOB: &str = "orders-etl";

pub(crate) async fn run(environment: &Environment) -> Result<(), DemoError> {
    let mut follow = Follow::new(environment, "GlueJobRun", NAME);
    environment.apply(["credentials.yaml", "job-run.yaml"]).await?;
    follow.until_the_end("Succeeded").await?;
    environment.kubectl(["wait", &format!("gluejobrun/{NAME}"), "--for=condition=Complete", "--timeout=10s"]).await?;
    environment.kubectl(["get", "gluejobrun", NAME]).await?;
    show::record(environment, JOB);
    started_once(environment, JOB)
}
