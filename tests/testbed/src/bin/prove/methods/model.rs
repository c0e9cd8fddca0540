//! The model of the start protocol, explored to the end for every kind that starts something: see
//! `src/controllers/runtime/tests/start_once`.

use kube_glue_testbed::Proof;

use super::Context;
use crate::{child, error::ProveError};

/// It has one size: all states.
pub(crate) async fn run(_context: &Context) -> Result<Vec<Proof>, ProveError> {
    let args = ["test", "--package", "kube-glue", "--lib", "runtime::tests::start_once", "--", "--nocapture"];
    let explorations = child::cargo(&args, &[]).await?;
    let detail = format!("{} explorations", explorations.len());
    Ok(Proof::sum(explorations).map(|sum| sum.detail(detail)).into_iter().collect())
}
