//! The runs of a picture, for lineage. Pure.
//!
//! A run of a workflow comes before those that it has started, and each of these comes once, as its child: the lists of its
//! job and its crawler have it, too, without its parent.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::items::{self, Viewer};
use crate::api::inventory::ItemType;
use crate::controllers::runtime::lineage::sights;
use crate::glue::crawls::Crawl;
use crate::glue::inventory::{Picture, Workflow};
use crate::glue::job_runs::JobRun;
use crate::lineage::run::{JobKind, RunSight, Target};

/// The newest runs that the viewer selects; of each job and crawler the oldest first. Without their arguments, which may come
/// from Secrets of other namespaces.
#[must_use]
pub fn of(viewer: &Viewer<'_>, picture: &Picture) -> Vec<RunSight> {
    let mut sights: Vec<RunSight> = workflow_runs(viewer, picture).collect();
    let ids: HashSet<String> = sights.iter().map(|run| run.id.clone()).collect();
    // Glue shows no id of a crawl in a workflow run.
    let crawls: HashSet<(Target, Option<Timestamp>)> = sights
        .iter()
        .filter(|run| run.target.kind == JobKind::Crawler)
        .map(|run| (run.target.clone(), whole_seconds(run.started)))
        .collect();
    sights.extend(job_runs(viewer, picture).filter(|run| !ids.contains(&run.id)));
    let of_no_workflow = |run: &RunSight| !crawls.contains(&(run.target.clone(), whole_seconds(run.started)));
    sights.extend(crawl_sights(viewer, picture).filter(of_no_workflow));
    sights
}

fn job_runs(viewer: &Viewer<'_>, picture: &Picture) -> impl Iterator<Item = RunSight> {
    let selected = picture.jobs.items.iter().filter(|(name, _)| viewer.selected.has(ItemType::Job, name));
    selected.flat_map(|(name, job)| {
        let newest = job.runs.iter().flatten().take(viewer.selected.runs);
        let sights: Vec<_> = newest.map(|run| job_run(viewer, name, run)).collect();
        sights.into_iter().rev()
    })
}

fn job_run(viewer: &Viewer<'_>, job: &str, run: &JobRun) -> RunSight {
    RunSight { message: items::error_of(viewer, run), ..sights::of_job_run(job, run) }
}

fn crawl_sights(viewer: &Viewer<'_>, picture: &Picture) -> impl Iterator<Item = RunSight> {
    let selected = picture.crawlers.items.iter().filter(|(name, _)| viewer.selected.has(ItemType::Crawler, name));
    selected.flat_map(|(name, crawler)| {
        let newest: Vec<&Crawl> = crawler.crawls.iter().take(viewer.selected.runs).collect();
        newest.into_iter().rev().map(|crawl| sights::of_crawl(name, crawl))
    })
}

fn workflow_runs(viewer: &Viewer<'_>, picture: &Picture) -> impl Iterator<Item = RunSight> {
    let listed = picture.jobs.items.values().flat_map(|job| job.runs.iter().flatten());
    let by_id: HashMap<&str, &JobRun> = listed.map(|run| (run.id.as_str(), run)).collect();
    let selected = picture.workflows.items.iter().filter(|(name, _)| viewer.selected.has(ItemType::Workflow, name));
    selected.flat_map(move |(name, workflow)| workflow_run(viewer, name, workflow, &by_id))
}

/// The newest run of a workflow, and those of its children that the viewer selects. The nodes of a workflow say neither why
/// a run failed nor by which version of Glue it ran.
fn workflow_run(viewer: &Viewer<'_>, name: &str, workflow: &Workflow, by_id: &HashMap<&str, &JobRun>) -> Vec<RunSight> {
    let Some(last) = &workflow.last_run else { return Vec::new() };
    let failure = last.failure();
    let mut runs = sights::of_workflow_run(name, last, failure.is_some());
    if let Some(own) = runs.first_mut() {
        own.message = failure.filter(|failure| !failure.is_empty());
    }
    runs.retain_mut(|run| {
        if let Some(listed) = by_id.get(run.id.as_str()) {
            (run.message, run.glue_version) = (items::error_of(viewer, listed), listed.glue_version.clone());
        }
        sights::item_type(run.target.kind).is_none_or(|type_| viewer.selected.has(type_, &run.target.name))
    });
    runs
}

/// Glue shows the times of nodes and those of crawls with different digits.
fn whole_seconds(time: Option<Timestamp>) -> Option<Timestamp> {
    Timestamp::from_second(time?.as_second()).ok()
}
