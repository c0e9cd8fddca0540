//! The status that an inventory must have. Pure.
//!
//! What the account has is written only when it differs from what the status shows. When the read ended that showed it,
//! and how many calls that took, is written with it.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};

use super::items;
use super::lineage::LineageFacts;
use super::listing::{self, Listing};
use crate::api::GlueInventory;
use crate::api::declared::DeclaredStatus;
use crate::api::inventory::{GlueInventoryStatus, ItemType};
use crate::api::lineage::{InventoryLineage, InventoryLineageStatus};
use crate::controllers::declared::conditions::{self, SyncState};
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::problem::Problem;
use crate::controllers::runtime::reason::Reason;
use crate::controllers::runtime::step::{Plan, Step};
use crate::glue::inventory::Picture;
use crate::glue::inventory::demand::Selected;
use crate::glue::name_filter::PatternError;

/// How many items the status lists by default.
const USUAL_ITEMS: u32 = 200;
/// When an inventory looks again whether what it sent was delivered.
const LINEAGE_AGAIN: Duration = Duration::from_mins(1);
/// The seconds of a day.
const DAY: i64 = 24 * 60 * 60;

/// What the plan rests on.
pub struct Facts<'a> {
    /// What every plan needs.
    pub common: CommonFacts<'a>,
    /// The object.
    pub object: &'a GlueInventory,
    /// What its spec selects, or the pattern that is invalid, with the type of items that it is about.
    pub selected: Result<Selected, (ItemType, PatternError)>,
    /// What the account has; `None` before it was read.
    pub picture: Option<Arc<Picture>>,
    /// What Glue refused to show, by operation.
    pub refused: Vec<(&'static str, Problem)>,
    /// How far lineage has come; `None` where none is sent.
    pub lineage: Option<LineageFacts>,
}

/// The plan of an inventory.
pub type InventoryPlan = Plan<GlueInventoryStatus, Infallible>;

/// Decides.
#[must_use]
pub fn plan(facts: &Facts<'_>) -> InventoryPlan {
    let before = facts.object.status.clone().unwrap_or_else(|| GlueInventoryStatus {
        declared: DeclaredStatus::unobserved(),
        ..GlueInventoryStatus::default()
    });
    let common = &facts.common;
    if common.deleting() || !common.leading {
        return Plan { status: before, step: Step::AwaitChange };
    }
    let blocked = |status: GlueInventoryStatus, problem: &Problem, step| {
        let sync = if problem.reason == Reason::InvalidSpec { SyncState::Stalled } else { SyncState::Progressing };
        Plan { status: report(facts, status, sync, problem.reason, &problem.message), step }
    };
    let selected = match &facts.selected {
        Ok(selected) => selected,
        Err((type_, error)) => {
            let problem = Problem::invalid_spec(format!("spec.{}.{error}", type_.field()));
            return blocked(before, &problem, Step::AwaitChange);
        }
    };
    if let Some(problem) = &common.credentials_problem {
        return blocked(before, problem, Step::Backoff);
    }
    let Some(picture) = &facts.picture else {
        // The poller requeues the object when it has read the account, or cannot. After a restart, and while the account is
        // read again, the status shows what was read before.
        let is_shown = before.last_whole_at.is_some() && before.declared.observed_generation == common.generation();
        if is_shown && common.poll_problem.is_none() {
            return Plan { status: before, step: Step::AwaitChange };
        }
        let reading = Problem::new(Reason::Reading, "the account is being read");
        return blocked(before, common.poll_problem.as_ref().unwrap_or(&reading), Step::AwaitChange);
    };
    let status = shown(facts, before, selected, picture);
    let is_pending = facts.lineage.as_ref().is_some_and(|lineage| lineage.is_pending);
    let step = Step::requeue(is_pending.then_some(LINEAGE_AGAIN));
    if let Some(problem) = common.poll_problem.clone().or_else(|| refusal(facts, selected)) {
        return blocked(status, &problem, step);
    }
    if let Some(problem) = &common.inputs_problem {
        return blocked(status, problem, Step::Backoff);
    }
    let trouble = facts.lineage.as_ref().and_then(|lineage| lineage.problem.as_ref());
    let trouble = trouble.map(|trouble| format!("; the receiver of its lineage takes no events: {trouble}"));
    let message = format!("the inventory shows what Glue has{}", trouble.unwrap_or_default());
    let status = report(facts, status, SyncState::Synced, Reason::Observed, &message);
    Plan { status, step }
}

/// The status of lineage, over that of `before`. What is not known now stays.
fn lineage(facts: &Facts<'_>, before: Option<InventoryLineageStatus>) -> Option<InventoryLineageStatus> {
    let spec = facts.object.spec.lineage.as_ref();
    if !spec.is_some_and(InventoryLineage::is_enabled) {
        return None;
    }
    let Some(now) = &facts.lineage else { return before };
    let before = before.filter(|before| before.receiver == now.receiver);
    Some(InventoryLineageStatus {
        receiver: now.receiver.clone(),
        delivered_until: now.delivered_until.map(Time).or_else(|| before?.delivered_until),
        problem: now.problem.clone(),
    })
}

/// The status with what the picture shows.
fn shown(
    facts: &Facts<'_>,
    before: GlueInventoryStatus,
    selected: &Selected,
    picture: &Picture,
) -> GlueInventoryStatus {
    let (spec, now) = (&facts.object.spec, facts.common.now);
    let namespace = facts.object.metadata.namespace.as_deref();
    let viewer = items::Viewer { selected, namespace, now };
    let mut found = items::of(&viewer, picture, &before.items);
    let (counts, failing, running) = listing::count(selected, picture, &found);
    let gone = items::gone(&viewer, picture, &before.items, &found, spec.mark_deleted.unwrap_or(true));
    found.extend(gone);
    let Listing { items, unlisted } = listing::list(found, spec.max_items.unwrap_or(USUAL_ITEMS));
    let day = |time: &Time| time.0.as_second().div_euclid(DAY);
    let read_at = Time(picture.read_at);
    let is_current = before.last_whole_at.as_ref().is_some_and(|shown| day(shown) >= day(&read_at))
        && (before.failing, before.running, before.unlisted) == (Some(failing), Some(running), unlisted)
        && before.counts.as_ref() == Some(&counts)
        && before.items == items;
    let calls = u32::try_from(picture.calls).unwrap_or(u32::MAX);
    let (last_whole_at, calls) =
        if is_current { (before.last_whole_at, before.calls) } else { (Some(read_at), Some(calls)) };
    GlueInventoryStatus {
        declared: before.declared,
        last_whole_at,
        calls,
        counts: Some(counts),
        failing: Some(failing),
        running: Some(running),
        items,
        unlisted,
        lineage: lineage(facts, before.lineage),
    }
}

/// The status of this generation, with the conditions of `sync`.
fn report(
    facts: &Facts<'_>,
    mut status: GlueInventoryStatus,
    sync: SyncState,
    reason: Reason,
    message: &str,
) -> GlueInventoryStatus {
    let before: &[Condition] =
        facts.object.status.as_ref().map(|status| status.declared.conditions.as_slice()).unwrap_or_default();
    status.declared.conditions = conditions::of(sync, reason, message, before, facts.common.now);
    status.declared.observed_generation = facts.common.generation();
    status
}

/// What Glue refused to show of the types that the spec selects. The rest is shown.
fn refusal(facts: &Facts<'_>, selected: &Selected) -> Option<Problem> {
    let concerns = |operation: &str| match operation {
        "GetJobs" | "GetJobRuns" => selected.reads(ItemType::Job),
        "GetCrawlers" | "ListCrawls" => selected.reads(ItemType::Crawler),
        "GetTriggers" => selected.reads(ItemType::Trigger),
        "ListWorkflows" | "BatchGetWorkflows" | "GetWorkflow" => selected.reads(ItemType::Workflow),
        "GetTags" => selected.tags,
        _ => true,
    };
    let refused: Vec<_> = facts.refused.iter().filter(|(operation, _)| concerns(operation)).collect();
    let (_, first) = refused.first()?;
    let others: Vec<_> = refused.iter().skip(1).map(|(operation, _)| *operation).collect();
    let others = if others.is_empty() { String::new() } else { format!("; refused as well: {}", others.join(", ")) };
    // Glue's word for a refused read is not about the spec.
    let reason = if first.reason == Reason::InvalidSpec { Reason::ReadRefused } else { first.reason };
    Some(Problem { reason, message: format!("{}{others}", first.message), kind: first.kind })
}
