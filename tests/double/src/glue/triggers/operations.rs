//! The operations on triggers.

use std::collections::{BTreeMap, HashMap};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Action, Predicate, Trigger, TriggerSettings, TriggerState, TriggerType, definition::EventBatchingCondition,
};
use crate::{
    error::AwsError,
    glue::{
        Region,
        operation::{Input, Operation, reply},
        page,
        schedule::Schedule,
    },
};

const DEFAULT_PAGE: usize = 100;
const LARGEST_PAGE: usize = 200;

pub(super) const OPERATIONS: &[Operation] = &[
    Operation { name: "CreateTrigger", resource: "trigger", subject: "/Name", run: create },
    Operation { name: "GetTrigger", resource: "trigger", subject: "/Name", run: get },
    Operation { name: "GetTriggers", resource: "trigger", subject: "", run: get_all },
    Operation { name: "ListTriggers", resource: "trigger", subject: "", run: list },
    Operation { name: "BatchGetTriggers", resource: "trigger", subject: "", run: batch_get },
    Operation { name: "StartTrigger", resource: "trigger", subject: "/Name", run: start },
    Operation { name: "StopTrigger", resource: "trigger", subject: "/Name", run: stop },
    Operation { name: "UpdateTrigger", resource: "trigger", subject: "/Name", run: update },
    Operation { name: "DeleteTrigger", resource: "trigger", subject: "/Name", run: delete },
];

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct TriggerView<'a> {
    #[serde(flatten)]
    settings: &'a TriggerSettings,
    state: TriggerState,
}

impl Trigger {
    fn view(&self) -> TriggerView<'_> {
        TriggerView { settings: &self.settings, state: self.state }
    }
}

fn create(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        #[serde(flatten)]
        settings: TriggerSettings,
        #[serde(default)]
        start_on_creation: bool,
        tags: Option<BTreeMap<String, String>>,
    }
    let Request { settings, start_on_creation, tags } = input.read()?;
    let name = settings.name.clone();
    if region.trigger(&name).is_ok() {
        return Err(AwsError::exists(format!("Trigger with name {name} already exists")));
    }
    settings.check()?;
    if start_on_creation && settings.kind == TriggerType::OnDemand {
        return Err(AwsError::invalid("StartOnCreation is not supported for ON_DEMAND triggers."));
    }
    if let Some(workflow) = &settings.workflow_name {
        region.workflow(workflow)?;
        region.check_workflow_is_settled(Some(workflow), &name)?;
    }
    let schedule = settings.schedule.as_deref().map(Schedule::parse).transpose()?;
    region.triggers.last_uid += 1;
    let trigger = Trigger {
        settings,
        state: TriggerState::Creating,
        schedule,
        met_conditions: HashMap::new(),
        events: 0,
        firings: Vec::new(),
        generation: 0,
        uid: region.triggers.last_uid,
    };
    region.triggers.by_name.insert(name.as_str().into(), trigger);
    let arn = region.arn("trigger", &name);
    region.tags.start(arn, tags);
    let to = if start_on_creation { TriggerState::Activated } else { TriggerState::Created };
    region.transition(&name, TriggerState::Creating, to, region.triggers.times.creating);
    reply(&json!({ "Name": name }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    reply(&json!({ "Trigger": region.trigger(&name)?.view() }))
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
struct Listing {
    next_token: Option<String>,
    dependent_job_name: Option<String>,
    max_results: Option<usize>,
    tags: Option<BTreeMap<String, String>>,
}

/// A page of the triggers that a listing asks for, and the next token.
fn page_of<'a, T>(
    region: &'a Region,
    operation: &str,
    listing: &Listing,
    view: impl Fn(&'a Trigger) -> T,
) -> Result<(Vec<T>, Option<String>), AwsError> {
    let job = listing.dependent_job_name.as_deref();
    // "If there is no such trigger, all triggers are returned" (GetTriggers, AWS Glue API reference).
    let job = job.filter(|job| region.triggers.by_name.values().any(|trigger| trigger.settings.starts_job(job)));
    let fitting = region
        .triggers
        .by_name
        .iter()
        .filter(|(name, trigger)| {
            job.is_none_or(|job| trigger.settings.starts_job(job))
                && region.tags.carries(&region.arn("trigger", name), listing.tags.as_ref())
        })
        .map(|(name, trigger)| (&**name, view(trigger)));
    let list = format!("{operation} {job:?} {:?}", listing.tags);
    let size = listing.max_results.unwrap_or(DEFAULT_PAGE).min(LARGEST_PAGE);
    page::by_name(&list, fitting, listing.next_token.as_deref(), size)
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let (page, next) = page_of(region, "GetTriggers", &input.read()?, Trigger::view)?;
    reply(&page::answer("Triggers", &page, next))
}

fn list(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let (page, next) = page_of(region, "ListTriggers", &input.read()?, |trigger| trigger.settings.name.as_str())?;
    reply(&page::answer("TriggerNames", &page, next))
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        trigger_names: Vec<String>,
    }
    let Request { trigger_names } = input.read()?;
    let (found, missing): (Vec<_>, Vec<_>) = trigger_names.iter().partition(|name| region.trigger(name).is_ok());
    let found: Vec<_> = found.into_iter().filter_map(|name| region.trigger(name).ok()).map(Trigger::view).collect();
    reply(&json!({ "Triggers": found, "TriggersNotFound": missing }))
}

fn start(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    let trigger = region.trigger(&name)?;
    match (trigger.settings.kind, trigger.state) {
        (TriggerType::OnDemand, state) if !state.is_transitional() => {
            region.check_slots(&name)?;
            region.fire_new(&name)?;
        }
        (_, TriggerState::Activated) => {}
        _ => {
            region.check_is_settled(&name)?;
            let duration = region.triggers.times.activating;
            region.transition(&name, TriggerState::Activating, TriggerState::Activated, duration);
        }
    }
    reply(&json!({ "Name": name }))
}

fn stop(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    let trigger = region.trigger(&name)?;
    match (trigger.settings.kind, trigger.state) {
        (TriggerType::OnDemand, _) => {
            return Err(AwsError::invalid(format!("Trigger {name} is of type ON_DEMAND and cannot be stopped.")));
        }
        (_, TriggerState::Created | TriggerState::Deactivated) => {}
        _ => {
            region.check_is_settled(&name)?;
            let duration = region.triggers.times.deactivating;
            region.transition(&name, TriggerState::Deactivating, TriggerState::Deactivated, duration);
        }
    }
    reply(&json!({ "Name": name }))
}

fn update(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        name: String,
        trigger_update: TriggerUpdate,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct TriggerUpdate {
        description: Option<String>,
        schedule: Option<String>,
        #[serde(default)]
        actions: Vec<Action>,
        predicate: Option<Predicate>,
        event_batching_condition: Option<EventBatchingCondition>,
    }
    let Request { name, trigger_update } = input.read()?;
    region.check_is_settled(&name)?;
    let trigger = region.trigger(&name)?;
    let TriggerUpdate { description, schedule, actions, predicate, event_batching_condition } = trigger_update;
    // "Updates the previous trigger definition by overwriting it completely" (TriggerUpdate, Glue API reference).
    let settings = TriggerSettings {
        name: name.clone(),
        workflow_name: trigger.settings.workflow_name.clone(),
        kind: trigger.settings.kind,
        description,
        schedule,
        actions,
        predicate,
        event_batching_condition,
    };
    settings.check()?;
    let schedule = settings.schedule.as_deref().map(Schedule::parse).transpose()?;
    let state = trigger.state;
    let trigger = region.trigger_mut(&name)?;
    trigger.settings = settings;
    trigger.schedule = schedule;
    region.transition(&name, TriggerState::Updating, state, region.triggers.times.updating);
    reply(&json!({ "Trigger": region.trigger(&name)?.view() }))
}

fn delete(region: &mut Region, input: &Input<'_>) -> Result<Vec<u8>, AwsError> {
    let Named { name } = input.read()?;
    // "If the trigger is not found, no exception is thrown" (DeleteTrigger, AWS Glue API reference).
    if region.trigger(&name).is_ok_and(|trigger| trigger.state != TriggerState::Deleting) {
        region.check_is_settled(&name)?;
        region.delete_trigger(&name);
    }
    reply(&json!({ "Name": name }))
}
