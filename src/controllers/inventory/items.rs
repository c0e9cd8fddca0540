//! The items of a picture as the status has them. Pure.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use crate::api::inventory::{EndedRuns, Item, ItemSchedule, ItemType, LastRun, MAX_TAGS};
use crate::controllers::run::given::Given;
use crate::controllers::runtime::time;
use crate::glue::crawls::{Crawl, CrawlState};
use crate::glue::inventory::demand::Selected;
use crate::glue::inventory::{Crawler, Job, Picture, Workflow};
use crate::glue::job_runs::{JobRun, JobRunState};
use crate::glue::schedule::Schedule;
use crate::glue::triggers::{Trigger, TriggerState};
use crate::glue::workflow_runs::{NodeKind, WorkflowRunItem};
use crate::redaction::Redactor;

/// The state of an item without a run.
pub const NEVER_RUN: &str = "NEVER_RUN";
/// The state of an item whose runs Glue refused to show.
pub const NOT_SHOWN: &str = "NOT_SHOWN";
/// The most characters of Glue's message about a run.
const MAX_ERROR: usize = 256;
/// For how long a deleted item stays in the status.
const DELETED_KEPT: Duration = Duration::from_hours(7 * 24);

/// For whom the items are shown.
#[derive(Clone, Copy)]
pub struct Viewer<'a> {
    /// What its spec selects.
    pub selected: &'a Selected,
    /// Its namespace.
    pub namespace: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// The name of an item among all of its type.
type Key = (ItemType, String);

/// What triggers say about other items.
#[derive(Default)]
struct Context<'a> {
    /// The workflow of a job or crawler; the first by name.
    workflow: HashMap<Key, &'a str>,
    /// The schedule of what a trigger starts, and whether it is active.
    schedule: HashMap<Key, (&'a str, bool)>,
    before: HashMap<(ItemType, &'a str), &'a Item>,
}

impl<'a> Context<'a> {
    fn of(picture: &'a Picture, before: &'a [Item]) -> Self {
        let mut context = Self::default();
        for item in before {
            context.before.insert((item.type_, &item.name), item);
        }
        for (name, workflow) in &picture.workflows.items {
            for (kind, member) in &workflow.members {
                context.add_member(type_of(*kind), member, name);
            }
        }
        for trigger in picture.triggers.items.values() {
            for action in &trigger.actions {
                let target = action.job.as_ref().map(|job| (ItemType::Job, job));
                let target = target.or(action.crawler.as_ref().map(|crawler| (ItemType::Crawler, crawler)));
                let Some((type_, name)) = target else { continue };
                if let Some(workflow) = &trigger.workflow {
                    context.add_member(type_, name, workflow);
                }
                context.add_schedule(type_, name, trigger);
            }
            if let Some(workflow) = &trigger.workflow {
                context.add_schedule(ItemType::Workflow, workflow, trigger);
            }
        }
        context
    }

    fn add_member(&mut self, type_: ItemType, name: &str, workflow: &'a str) {
        let known = self.workflow.entry((type_, name.to_owned())).or_insert(workflow);
        *known = (*known).min(workflow);
    }

    /// An activated trigger goes before others, which come in the order of their names.
    fn add_schedule(&mut self, type_: ItemType, name: &str, trigger: &'a Trigger) {
        let Some(expression) = &trigger.schedule else { return };
        let new = (expression.as_str(), trigger.state == TriggerState::Activated);
        let known = self.schedule.entry((type_, name.to_owned())).or_insert(new);
        if new.1 && !known.1 {
            *known = new;
        }
    }
}

fn type_of(kind: NodeKind) -> ItemType {
    match kind {
        NodeKind::Job => ItemType::Job,
        NodeKind::Crawler => ItemType::Crawler,
    }
}

/// The items that Glue has and the spec selects.
#[must_use]
pub fn of(viewer: &Viewer<'_>, picture: &Picture, before: &[Item]) -> Vec<Item> {
    let context = Context::of(picture, before);
    let selects = |type_, name: &str| viewer.selected.has(type_, name);
    let jobs = picture.jobs.items.iter().filter(|(name, _)| selects(ItemType::Job, name));
    let jobs = jobs.map(|(name, job)| job_item(viewer, name, job, &context));
    let crawlers = picture.crawlers.items.iter().filter(|(name, _)| selects(ItemType::Crawler, name));
    let crawlers = crawlers.map(|(name, crawler)| crawler_item(viewer, name, crawler, &context));
    let triggers = picture.triggers.items.iter().filter(|(name, _)| selects(ItemType::Trigger, name));
    let triggers = triggers.map(|(name, trigger)| trigger_item(viewer, name, trigger));
    let workflows = picture.workflows.items.iter().filter(|(name, _)| selects(ItemType::Workflow, name));
    let workflows = workflows.map(|(name, workflow)| workflow_item(viewer, name, workflow, &context));
    let items = jobs.chain(crawlers).chain(triggers).chain(workflows);
    items.map(|item| with_tags(viewer, item, picture)).collect()
}

/// The items of the status before that Glue does not have any more, and those of which it is not known: their list could
/// not be read.
#[must_use]
pub fn gone(viewer: &Viewer<'_>, picture: &Picture, before: &[Item], found: &[Item], mark: bool) -> Vec<Item> {
    let found: HashSet<(ItemType, &str)> = found.iter().map(|item| (item.type_, item.name.as_str())).collect();
    let is_whole = |type_| match type_ {
        ItemType::Job => picture.jobs.is_whole,
        ItemType::Crawler => picture.crawlers.is_whole,
        ItemType::Trigger => picture.triggers.is_whole,
        ItemType::Workflow => picture.workflows.is_whole,
    };
    let missing = before.iter().filter(|item| !found.contains(&(item.type_, item.name.as_str())));
    let missing = missing.filter(|item| viewer.selected.has(item.type_, &item.name));
    let shown = missing.filter_map(|item| {
        if !is_whole(item.type_) {
            return Some(item.clone());
        }
        let deleted_at = item.deleted_at.clone().unwrap_or(Time(viewer.now));
        let is_kept = mark && time::since(viewer.now, deleted_at.0) < DELETED_KEPT;
        let schedule = item.schedule.clone().map(|schedule| ItemSchedule { next: None, ..schedule });
        is_kept.then(|| Item { failing: false, schedule, deleted_at: Some(deleted_at), ..item.clone() })
    });
    shown.collect()
}

fn job_item(viewer: &Viewer<'_>, name: &str, job: &Job, context: &Context<'_>) -> Item {
    let mut item = item(viewer, ItemType::Job, name, context);
    let Some(runs) = &job.runs else {
        return not_shown(item, context);
    };
    let runs = &runs[..runs.len().min(viewer.selected.runs)];
    let Some(newest) = runs.first() else { return item };
    let has_failed = |run: &JobRun| run.state != JobRunState::Succeeded;
    let ended = || runs.iter().filter(|run| run.state.is_final());
    newest.state.as_str().clone_into(&mut item.state);
    item.failing = ended().next().map_or(was_failing(context, &item), has_failed);
    let has_ended = newest.state.is_final();
    item.last_run = Some(LastRun {
        id: Some(newest.id.clone()),
        state: item.state.clone(),
        started_at: newest.started_on.map(Time),
        completed_at: newest.completed_on.map(Time).filter(|_| has_ended),
        seconds: has_ended.then(|| newest.execution_seconds.into()),
        dpu_hours: dpu_hours(newest).filter(|_| has_ended),
        error: error_of(viewer, newest).filter(|_| has_ended && has_failed(newest)),
    });
    let succeeded = ended().filter(|run| !has_failed(run)).map(|run| i64::from(run.execution_seconds));
    item.ended_runs = ended_runs(ended().count(), &succeeded.collect::<Vec<_>>());
    item
}

/// The DPU hours of an ended run: as Glue shows them, or else its run time with the capacity that it was granted.
fn dpu_hours(run: &JobRun) -> Option<f64> {
    let granted = || Some(f64::from(run.execution_seconds) * run.max_capacity?);
    run.dpu_seconds.or_else(granted).map(|seconds| rounded(seconds / 3600.0))
}

/// A number of which no digit changes by how it was computed.
fn rounded(hours: f64) -> f64 {
    (hours * 10_000.0).round() / 10_000.0
}

/// Glue's message about a run, as this namespace may see it: without the run's arguments, which may come from Secrets.
pub(super) fn error_of(viewer: &Viewer<'_>, run: &JobRun) -> Option<String> {
    let message = run.error_message.as_ref()?;
    // Nothing is known of what the run was given: another object started it, or none.
    let given = Given { namespace: viewer.namespace, literal: None, from: &[], may_be_of_another: true };
    let redactor = match given.values(run.started_for.as_deref(), run.arguments.as_deref()) {
        Ok(values) => Redactor::new(&values),
        Err(withheld) => Redactor::default().withholding(Some(withheld)),
    };
    Some(cut(&redactor.redact(message)))
}

fn cut(text: &str) -> String {
    match text.char_indices().nth(MAX_ERROR) {
        None => text.to_owned(),
        Some(_) => text.chars().take(MAX_ERROR - 1).chain(['…']).collect(),
    }
}

fn ended_runs(total: usize, succeeded: &[i64]) -> Option<EndedRuns> {
    let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let (total, good) = (count(total), count(succeeded.len()));
    let success_percent = (good * 100).checked_div(total)?;
    let average_seconds = succeeded.iter().sum::<i64>().checked_div(good.into());
    Some(EndedRuns { total, succeeded: good, success_percent, average_seconds })
}

fn crawler_item(viewer: &Viewer<'_>, name: &str, crawler: &Crawler, context: &Context<'_>) -> Item {
    let mut item = item(viewer, ItemType::Crawler, name, context);
    if let Some(expression) = &crawler.schedule {
        item.schedule = Some(schedule(expression, crawler.is_scheduled, viewer.now));
    }
    let crawls = &crawler.crawls[..crawler.crawls.len().min(viewer.selected.runs)];
    let Some(newest) = crawls.first() else {
        // Glue refused to show the crawls, or forgot them.
        let last = crawler.last_crawl.as_ref();
        let state = if crawler.state == "READY" { last.map(|(_, state)| state) } else { Some(&crawler.state) };
        item.failing = last.is_some_and(|(_, state)| state != "SUCCEEDED");
        item.last_run = last.map(|(started_on, state)| LastRun {
            state: state.clone(),
            started_at: started_on.map(Time),
            ..LastRun::default()
        });
        return Item { state: state.cloned().unwrap_or_else(|| NEVER_RUN.to_owned()), ..item };
    };
    let has_failed = |crawl: &Crawl| crawl.state != CrawlState::Completed;
    let ended = || crawls.iter().filter(|crawl| crawl.state.is_final());
    newest.state.as_str().clone_into(&mut item.state);
    item.failing = ended().next().map_or(was_failing(context, &item), has_failed);
    let has_ended = newest.state.is_final();
    let seconds = |crawl: &Crawl| seconds_between(crawl.started_on, crawl.ended_on);
    item.last_run = Some(LastRun {
        id: Some(newest.id.clone()),
        state: item.state.clone(),
        started_at: newest.started_on.map(Time),
        completed_at: newest.ended_on.map(Time).filter(|_| has_ended),
        seconds: seconds(newest).filter(|_| has_ended),
        dpu_hours: has_ended.then(|| rounded(newest.dpu_hours)),
        error: newest.error_message.as_deref().map(cut).filter(|_| has_ended && has_failed(newest)),
    });
    let succeeded = ended().filter(|crawl| !has_failed(crawl)).filter_map(seconds);
    item.ended_runs = ended_runs(ended().count(), &succeeded.collect::<Vec<_>>());
    item
}

fn trigger_item(viewer: &Viewer<'_>, name: &str, trigger: &Trigger) -> Item {
    let is_active = trigger.state == TriggerState::Activated;
    Item {
        type_: ItemType::Trigger,
        name: name.to_owned(),
        state: trigger.state.as_str().to_owned(),
        schedule: trigger.schedule.as_ref().map(|expression| schedule(expression, is_active, viewer.now)),
        workflow: trigger.workflow.clone(),
        ..Item::default()
    }
}

fn workflow_item(viewer: &Viewer<'_>, name: &str, workflow: &Workflow, context: &Context<'_>) -> Item {
    let mut item = item(viewer, ItemType::Workflow, name, context);
    item.workflow = None;
    if !workflow.is_read {
        return not_shown(item, context);
    }
    let Some(last) = &workflow.last_run else { return item };
    let (run, failure) = (&last.run, last.failure());
    run.state.as_str().clone_into(&mut item.state);
    let has_ended = run.state.is_final();
    item.failing = if has_ended { failure.is_some() } else { was_failing(context, &item) };
    item.last_run = Some(LastRun {
        id: Some(run.id.clone()),
        state: item.state.clone(),
        started_at: run.started_on.map(Time),
        completed_at: run.completed_on.map(Time).filter(|_| has_ended),
        seconds: seconds_between(run.started_on, run.completed_on).filter(|_| has_ended),
        dpu_hours: None,
        error: failure.filter(|failure| !failure.is_empty()).map(|failure| cut(&failure)),
    });
    item.ended_runs = ended_workflow_run(last, item.failing);
    item
}

/// Glue shows one run of a workflow.
fn ended_workflow_run(last: &WorkflowRunItem, failing: bool) -> Option<EndedRuns> {
    let seconds = seconds_between(last.run.started_on, last.run.completed_on);
    let succeeded: Vec<_> = seconds.into_iter().filter(|_| !failing).collect();
    ended_runs(usize::from(last.run.state.is_final()), &succeeded)
}

/// An item without a run, with its workflow and schedule.
fn item(viewer: &Viewer<'_>, type_: ItemType, name: &str, context: &Context<'_>) -> Item {
    let key = (type_, name.to_owned());
    let schedule_of = context.schedule.get(&key);
    Item {
        type_,
        name: name.to_owned(),
        state: NEVER_RUN.to_owned(),
        schedule: schedule_of.map(|(expression, is_active)| schedule(expression, *is_active, viewer.now)),
        workflow: context.workflow.get(&key).map(|workflow| (*workflow).to_owned()),
        ..Item::default()
    }
}

/// An item of which Glue refused to show the runs.
fn not_shown(item: Item, context: &Context<'_>) -> Item {
    Item { state: NOT_SHOWN.to_owned(), failing: was_failing(context, &item), ..item }
}

/// What the status says of an item of which only a live run is seen.
fn was_failing(context: &Context<'_>, item: &Item) -> bool {
    context.before.get(&(item.type_, item.name.as_str())).is_some_and(|before| before.failing)
}

fn schedule(expression: &str, is_active: bool, now: Timestamp) -> ItemSchedule {
    let next = Schedule::parse(expression).filter(|_| is_active).and_then(|schedule| schedule.next_after(now));
    ItemSchedule { expression: expression.to_owned(), next: next.map(Time) }
}

fn seconds_between(from: Option<Timestamp>, to: Option<Timestamp>) -> Option<i64> {
    Some(to?.duration_since(from?).as_secs().max(0))
}

fn with_tags(viewer: &Viewer<'_>, mut item: Item, picture: &Picture) -> Item {
    if viewer.selected.tags
        && let Some(tags) = picture.tags.get(&(item.type_, item.name.clone()))
    {
        item.tags =
            tags.iter().take(MAX_TAGS).map(|(key, value)| (key.clone(), value.clone())).collect::<BTreeMap<_, _>>();
    }
    item
}
