//! GlueTrigger: held in its state, fired once for each new value, and let go as it was asked to be.

mod claims;
mod crashes;
mod creation;
mod deletion;
mod fired;
mod held;
mod workflows;

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use kube_glue::api::trigger::{Firing, GlueTriggerStatus};
use kube_glue_double::{DEFAULT_ACCOUNT, Request, TriggerTimes};
use serde_json::{Value, json};

use crate::harness::{REGION, World, about, condition, merged};

/// Triggers that are on their way for so long.
fn on_the_way(lasts: Duration) -> TriggerTimes {
    TriggerTimes { activating: lasts, deactivating: lasts, deleting: Duration::ZERO, ..TriggerTimes::default() }
}

impl World {
    /// Creates a trigger in Glue that starts the job `etl`.
    fn trigger(&self, name: &str, type_: &str, extra: Value) {
        let schedule = (type_ == "SCHEDULED").then_some("cron(15 12 * * ? *)");
        let body = json!({"Name": name, "Type": type_, "Schedule": schedule, "Actions": [{"JobName": "etl"}]});
        self.elsewhere("CreateTrigger", &merged(body, extra));
    }

    /// Sets how long triggers are on their way.
    fn triggers_take(&self, lasts: Duration) {
        self.double.set_trigger_times(DEFAULT_ACCOUNT, REGION, on_the_way(lasts));
    }

    /// The state of a trigger in Glue.
    fn trigger_state(&self, name: &str) -> String {
        let trigger = self.elsewhere("GetTrigger", &json!({"Name": name}));
        trigger["Trigger"]["State"].as_str().expect("a state").to_owned()
    }

    /// The calls that activate, deactivate or fire a trigger, in order.
    fn switches(&self, name: &str) -> Vec<String> {
        let is_switch = |request: &Request| ["StartTrigger", "StopTrigger"].contains(&&*request.call.operation);
        let switches = self.double.requests().all().name(name).matching(is_switch);
        switches.iter().map(|request| request.call.operation.to_string()).collect()
    }

    /// How often a trigger has fired in Glue.
    fn firings(&self, name: &str) -> usize {
        self.double.firings(DEFAULT_ACCOUNT, REGION, name).len()
    }

    /// The reasons of the Warning events that were told so far.
    async fn warnings(&self) -> Vec<String> {
        // Events are filed in the background, one after the other: what was told before this one is there with it.
        let last = "about-no-trigger";
        self.of::<GlueTrigger>().put(last, json!({"triggerName": last})).await;
        self.told(last, "NotFound").await;
        let events = self.events().await.into_iter().filter(|event| about(event) != Some(last));
        let warnings = events.filter(|event| event.type_.as_deref() == Some("Warning"));
        warnings.filter_map(|event| event.reason).collect()
    }

    /// Waits until the value was fired, and what it started is known.
    async fn resolved(&self, name: &str, value: &str) -> Firing {
        let is_traced =
            |trigger: &GlueTrigger| last(trigger).is_some_and(|last| last.value == value && last.runs_resolved);
        let trigger = self.of::<GlueTrigger>().until(name, &format!("{value} was fired"), is_traced).await;
        last(&trigger).expect("a firing").clone()
    }
}

fn status(trigger: &GlueTrigger) -> &GlueTriggerStatus {
    trigger.status.as_ref().expect("a status")
}

fn last(trigger: &GlueTrigger) -> Option<&Firing> {
    trigger.status.as_ref().and_then(|status| status.last_firing.as_ref())
}

/// Reason and status of the Ready condition.
fn ready_of(trigger: &GlueTrigger) -> (String, String) {
    condition(trigger, "Ready").map(|ready| (ready.reason, ready.status)).unwrap_or_default()
}
