//! `cargo simulate`: see `src/simulation`.

use kube_glue_testbed::Proof;

use super::Context;
use crate::{child, error::ProveError};

/// The seeds, and the objects of each.
const FULL: u64 = 250;
const QUICK: u64 = 20;
const OBJECTS: &str = "80";

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let (seed, seeds) = (context.seed.to_string(), context.amount(FULL, QUICK).to_string());
    let simulate = ["simulate", "--objects", OBJECTS, "--keep-going", "--proof", "--seed", &seed, "--seeds", &seeds];
    child::cargo(&simulate, &[]).await
}
