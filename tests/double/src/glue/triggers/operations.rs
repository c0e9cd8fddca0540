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
        operation::{Input, Named, Operation, Reply, operations, reply, reply_to_batch},
        page::{Page, Paging},
        schedule::Schedule,
    },
};

const DEFAULT_PAGE: usize = 100;

pub(super) const OPERATIONS: &[Operation] = operations! { "trigger":
    CreateTrigger("/Name") => create,
    GetTrigger("/Name") => get,
    GetTriggers("") => get_all,
    ListTriggers("") => list,
    BatchGetTriggers("") => batch_get,
    StartTrigger("/Name") => start,
    StopTrigger("/Name") => stop,
    UpdateTrigger("/Name") => update,
    DeleteTrigger("/Name") => delete,
};

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TriggerView<'a> {
    #[serde(flatten)]
    settings: &'a TriggerSettings,
    state: TriggerState,
}

impl Trigger {
    pub(super) fn view(&self) -> TriggerView<'_> {
        TriggerView { settings: &self.settings, state: self.state }
    }
}

fn create(region: &mut Region, input: &Input<'_>) -> Reply {
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
    if start_on_creation && matches!(settings.kind, TriggerType::OnDemand | TriggerType::Event) {
        let kind = if settings.kind == TriggerType::Event { "EVENT" } else { "ON_DEMAND" };
        return Err(AwsError::invalid(format!("StartOnCreation is not supported for {kind} triggers.")));
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
    region.start_tags("trigger", &name, tags);
    let to = if start_on_creation { TriggerState::Activated } else { TriggerState::Created };
    region.transition(&name, TriggerState::Creating, to, region.triggers.times.creating);
    reply(&json!({ "Name": name }))
}

fn get(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    reply(&json!({ "Trigger": region.trigger(&name)?.view() }))
}

fn page<'a, T>(
    region: &'a Region,
    operation: &str,
    input: &Input<'_>,
    view: impl Fn(&'a Trigger) -> T,
) -> Result<Page<T>, AwsError> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Request {
        dependent_job_name: Option<String>,
        #[serde(flatten)]
        paging: Paging,
    }
    let Request { dependent_job_name, paging } = input.read()?;
    let triggers = &region.triggers.by_name;
    // "If there is no such trigger, all triggers are returned" (GetTriggers, AWS Glue API reference).
    let job = dependent_job_name.filter(|job| triggers.values().any(|trigger| trigger.settings.starts_job(job)));
    let matching = triggers.iter().filter(|(name, trigger)| {
        job.as_ref().is_none_or(|job| trigger.settings.starts_job(job))
            && region.has_tags("trigger", name, paging.tags.as_ref())
    });
    let list = format!("{operation} {job:?} {:?}", paging.tags);
    paging.by_name(&list, matching.map(|(name, trigger)| (&**name, view(trigger))), DEFAULT_PAGE)
}

fn get_all(region: &mut Region, input: &Input<'_>) -> Reply {
    page(region, "GetTriggers", input, Trigger::view)?.reply("Triggers")
}

fn list(region: &mut Region, input: &Input<'_>) -> Reply {
    page(region, "ListTriggers", input, |trigger| trigger.settings.name.as_str())?.reply("TriggerNames")
}

fn batch_get(region: &mut Region, input: &Input<'_>) -> Reply {
    reply_to_batch(input, ["Triggers", "TriggersNotFound"], |name| region.trigger(name).ok().map(Trigger::view))
}

fn start(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    let trigger = region.trigger(&name)?;
    match (trigger.settings.kind, trigger.state) {
        (TriggerType::OnDemand, state) if !state.is_transitional() => {
            region.check_slots(&name)?;
            region.fire_new(&name)?;
        }
        // As reported in https://github.com/hashicorp/terraform-provider-aws/pull/49408: an EVENT trigger stays CREATED,
        // and neither call is accepted.
        (TriggerType::Event, _) => return Err(AwsError::invalid("Trigger Type EVENT cannot be started")),
        (_, TriggerState::Activated) => {}
        _ => {
            region.check_is_settled(&name)?;
            let duration = region.triggers.times.activating;
            region.transition(&name, TriggerState::Activating, TriggerState::Activated, duration);
        }
    }
    reply(&json!({ "Name": name }))
}

fn stop(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    let trigger = region.trigger(&name)?;
    match (trigger.settings.kind, trigger.state) {
        (TriggerType::OnDemand, _) => {
            return Err(AwsError::invalid(format!("Trigger {name} is of type ON_DEMAND and cannot be stopped.")));
        }
        // As reported in the same place, for a trigger of any type.
        (_, TriggerState::Created) => {
            return Err(AwsError::invalid("The operation is not allowed when trigger is in state: CREATED"));
        }
        (_, TriggerState::Deactivated) => {}
        _ => {
            region.check_is_settled(&name)?;
            let duration = region.triggers.times.deactivating;
            region.transition(&name, TriggerState::Deactivating, TriggerState::Deactivated, duration);
        }
    }
    reply(&json!({ "Name": name }))
}

fn update(region: &mut Region, input: &Input<'_>) -> Reply {
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

fn delete(region: &mut Region, input: &Input<'_>) -> Reply {
    let Named { name } = input.read()?;
    // "If the trigger is not found, no exception is thrown" (DeleteTrigger, AWS Glue API reference).
    if region.trigger(&name).is_ok_and(|trigger| trigger.state != TriggerState::Deleting) {
        region.check_is_settled(&name)?;
        region.delete_trigger(&name);
    }
    reply(&json!({ "Name": name }))
}
