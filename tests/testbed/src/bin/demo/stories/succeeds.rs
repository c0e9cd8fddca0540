//! `kubectl apply`, and the status follows the run to its end.

use super::started_once;
use crate::{follow::Follow, problem::Problem, show, stage::Stage};

const NAME: &str = "orders-2026-01-31";
const JOB: &str = "orders-etl";

pub(crate) async fn tell(stage: &Stage) -> Result<(), Problem> {
    let mut follow = Follow::new(stage, "GlueJobRun", NAME);
    stage.apply(["credentials.yaml", "job-run.yaml"]).await?;
    follow.until_the_end("Succeeded").await?;
    stage.kubectl(["wait", &format!("gluejobrun/{NAME}"), "--for=condition=Complete", "--timeout=10s"]).await?;
    stage.kubectl(["get", "gluejobrun", NAME]).await?;
    show::record(stage, JOB);
    started_once(stage, JOB)
}
