//! Chaos: see [`kube_glue_testbed::chaos`].

use std::time::Duration;

use kube_glue_testbed::{Proof, chaos};

use super::Context;
use crate::error::ProveError;

/// The kills.
const FULL: u64 = 1000;
const QUICK: u64 = 40;
/// The objects that live at once.
const OBJECTS: usize = 30;
/// The most time for the kills.
const LIMIT: Duration = Duration::from_hours(1);

pub(crate) async fn run(context: &Context) -> Result<Vec<Proof>, ProveError> {
    let settings = chaos::Settings {
        program: context.controller().await?,
        has_points: true,
        kills: usize::try_from(context.amount(FULL, QUICK)).unwrap_or(usize::MAX),
        seed: context.seed,
        objects: OBJECTS,
        lives: None,
        without: context.without.clone(),
        until_found: context.until_found,
        limit: LIMIT,
    };
    let report = chaos::run(&settings).await?;
    let (points, fewest) = report.points;
    let by_kind: Vec<_> = report.objects.iter().map(|(kind, count)| format!("{kind} {count}")).collect();
    let sum = |count: fn(&chaos::Ending) -> usize| report.bad.iter().map(count).sum::<usize>();
    let proof = Proof::new(report.kills, "kills", report.bad.len() + report.panics.len())
        .detail(format!(
            "{} objects, {} starts, seed {}{}",
            report.objects.values().sum::<usize>(),
            report.starts,
            report.seed,
            context.handicap(),
        ))
        .remark(format!("{} kills at {points} points, {fewest} at least at each", report.kills_at_points))
        .remark(&report.disturbances)
        .remark(format!("objects: {}", by_kind.join(", ")))
        .remark(format!(
            "{} starts too many, {} missing, {} objects that did not settle",
            sum(|ending| ending.extra_starts),
            sum(|ending| ending.missing_starts),
            sum(|ending| usize::from(ending.stuck.is_some())),
        ));
    let bad = report.bad.iter().map(|ending| format!("{ending:?}"));
    Ok(vec![bad.chain(report.panics.iter().cloned()).fold(proof, Proof::remark)])
}
