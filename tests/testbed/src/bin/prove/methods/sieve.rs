//! Sieve's perturbations: see [`kube_glue_testbed::sieve`].

use std::time::Duration;

use kube_glue_testbed::{Proof, sieve};

use super::Context;
use crate::error::ProveError;

/// The plans of each kind.
const QUICK: u64 = 20;
/// The plans that run at once. They wait most of the time.
const AT_ONCE: usize = 20;
/// How long plans are started.
const LIMIT: Duration = Duration::from_mins(20);

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let settings = sieve::Settings {
        program: context.controller().await?,
        plans: context.sample(QUICK),
        kinds: context.kinds.clone(),
        lives: None,
        matching: context.matching.clone(),
        seed: context.seed,
        at_once: AT_ONCE,
        limit: LIMIT,
        without: context.without.clone(),
        until_found: context.until_found,
    };
    let report = sieve::run(&settings).await?;
    let total = report.run.values().sum();
    let by_kind = report.run.iter().map(|(kind, plans)| format!("{kind} {plans} of {}", report.generated[kind]));
    let by_pattern = report.patterns.iter().map(|(pattern, plans)| format!("{pattern:?} {plans}"));
    let proof = Proof::new(total, "plans", report.found.len())
        .detail(format!("{} kills{}", report.kills, context.handicap()))
        .remark(by_kind.collect::<Vec<_>>().join(", "))
        .remark(by_pattern.collect::<Vec<_>>().join(", "))
        .remark(format!("{} left out, {} whose moment did not come", report.pruned, report.unmet));
    Ok(vec![report.found.into_iter().fold(proof, Proof::remark)])
}
