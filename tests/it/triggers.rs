//! GlueTrigger: activation, firing, ownership, deletion and workflows.

mod activation;
mod crashes;
mod deletion;
mod fire_on_creation;
mod firing;
mod ownership;
mod workflows;

use std::time::Duration;

use kube_glue::api::GlueTrigger;
use kube_glue::api::trigger::{Firing, GlueTriggerStatus};
use kube_glue_double::{DEFAULT_ACCOUNT, Request, TriggerTimes};
use serde_json::{Value, json};

use crate::harness::{REGION, TestEnv, condition, merged, object_name};

impl TestEnv {
    /// Creates a trigger in Glue that starts the job `etl`.
    fn define_trigger(&self, name: &str, type_: &str, extra: Value) {
        let schedule = (type_ == "SCHEDULED").then_some("cron(15 12 * * ? *)");
        let body = json!({"Name": name, "Type": type_, "Schedule": schedule, "Actions": [{"JobName": "etl"}]});
        self.call_glue("CreateTrigger", &merged(body, extra));
    }

    /// Creates the SCHEDULED trigger `nightly`, which changes its state without delay, and the object `one` for it
    /// with the fields of `spec`. Waits until that is ready.
    async fn create_nightly(&self, spec: Value) {
        self.set_trigger_delay(Duration::ZERO);
        self.define_trigger("nightly", "SCHEDULED", json!({}));
        let triggers = self.objects::<GlueTrigger>();
        triggers.create("one", merged(json!({"triggerName": "nightly"}), spec)).await;
        triggers.wait_ready("one").await;
    }

    /// Sets how long triggers are ACTIVATING and DEACTIVATING.
    fn set_trigger_delay(&self, delay: Duration) {
        let times = TriggerTimes {
            activating: delay,
            deactivating: delay,
            deleting: Duration::ZERO,
            ..TriggerTimes::default()
        };
        self.double.set_trigger_times(DEFAULT_ACCOUNT, REGION, times);
    }

    /// The state of a trigger in Glue.
    fn trigger_state(&self, name: &str) -> String {
        let trigger = self.call_glue("GetTrigger", &json!({"Name": name}));
        trigger["Trigger"]["State"].as_str().expect("a state").to_owned()
    }

    /// The calls of StartTrigger and StopTrigger for a trigger, in order.
    fn start_stop_calls(&self, name: &str) -> Vec<String> {
        let is_relevant = |request: &Request| ["StartTrigger", "StopTrigger"].contains(&&*request.call.operation);
        let calls = self.double.requests().all().name(name).matching(is_relevant);
        calls.iter().map(|request| request.call.operation.to_string()).collect()
    }

    /// How often a trigger has fired in Glue.
    fn firings(&self, name: &str) -> usize {
        self.double.firings(DEFAULT_ACCOUNT, REGION, name).len()
    }

    /// The reasons of all Warning events so far.
    async fn warning_reasons(&self) -> Vec<String> {
        // Events are filed in the background and in order: when the one about this object is there, so are all before.
        let last = "without-trigger";
        self.objects::<GlueTrigger>().create(last, json!({"triggerName": last})).await;
        self.wait_for_event_on(last, "NotFound").await;
        let events = self.events().await.into_iter().filter(|event| object_name(event) != Some(last));
        let warnings = events.filter(|event| event.type_.as_deref() == Some("Warning"));
        warnings.filter_map(|event| event.reason).collect()
    }

    /// Waits until the last firing is of `value` and its runs are known.
    async fn wait_for_firing(&self, name: &str, value: &str) -> Firing {
        let is_resolved =
            |trigger: &GlueTrigger| last_firing(trigger).is_some_and(|last| last.value == value && last.runs_resolved);
        let what = format!("its last firing is of {value} with known runs");
        let trigger = self.objects::<GlueTrigger>().wait_until(name, &what, is_resolved).await;
        last_firing(&trigger).expect("a firing").clone()
    }
}

fn status(trigger: &GlueTrigger) -> &GlueTriggerStatus {
    trigger.status.as_ref().expect("a status")
}

fn last_firing(trigger: &GlueTrigger) -> Option<&Firing> {
    trigger.status.as_ref().and_then(|status| status.last_firing.as_ref())
}

/// Reason and status of the Ready condition.
fn ready_reason_and_status(trigger: &GlueTrigger) -> (String, String) {
    condition(trigger, "Ready").map(|ready| (ready.reason, ready.status)).unwrap_or_default()
}
