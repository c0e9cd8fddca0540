//! The fault matrix: see `tests/it/fault_matrix`.

use kube_glue_testbed::Proof;

use super::Context;
use crate::{child, error::ProveError};

/// The cells of the short form.
const QUICK: &str = "/DroppedAfterWork/Running";

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let filter = context.matching.as_deref().unwrap_or(if context.quick { QUICK } else { "" });
    child::cargo(&["fault-matrix"], &[("FAULT_MATRIX", filter)]).await
}
