//! Acto's campaign: see [`kube_glue_testbed::acto`].

use std::time::Duration;

use kube_glue_testbed::{Proof, acto};

use super::Context;
use crate::error::ProveError;

/// The sequences of each kind.
const QUICK: u64 = 5;
/// The sequences that run at once. They wait most of the time.
const AT_ONCE: usize = 30;
/// How long sequences are started.
const LIMIT: Duration = Duration::from_mins(40);

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let settings = acto::Settings {
        program: context.controller().await?,
        kinds: context.kinds.clone(),
        matching: context.matching.clone(),
        properties: None,
        sequences: context.sample(QUICK),
        seed: context.seed,
        at_once: AT_ONCE,
        limit: LIMIT,
    };
    let report = acto::run(&settings).await?;
    let properties: usize = report.properties.iter().map(|(_, count)| count).sum();
    let by_kind: Vec<_> = report.properties.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let (ran, total) = report.sequences;
    let proof = Proof::new(report.admitted + report.refused, "values", report.found.len())
        .detail(format!("{properties} properties, {ran} sequences"))
        .remark(format!("properties: {}", by_kind.join(", ")))
        .remark(format!(
            "{} values admitted, {} refused, {} properties that cannot be changed; {ran} of {total} sequences",
            report.admitted, report.refused, report.fixed
        ))
        .remark(format!("properties of no use to their kind: {}", report.never.join(", ")))
        .remark(format!("a rule admits fewer values than the schema: {}", report.thin.join(", ")));
    Ok(vec![report.found.into_iter().fold(proof, Proof::remark)])
}
