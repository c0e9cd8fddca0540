//! Watches one object and prints each change of its phase.

use std::{pin::pin, time::Instant};

use futures::TryStreamExt as _;
use kube::{api::DynamicObject, runtime::watcher::watch_object};
use serde_json::Value;

use crate::{
    environment::{Environment, LIMIT},
    error::{DemoError, expect},
    show, within,
};

/// The watched object, and when the scenario started.
pub(crate) struct Follow<'a> {
    environment: &'a Environment,
    kind: &'static str,
    name: &'static str,
    started: Instant,
    shown: String,
}

impl<'a> Follow<'a> {
    pub(crate) fn new(environment: &'a Environment, kind: &'static str, name: &'static str) -> Self {
        Self { environment, kind, name, started: Instant::now(), shown: String::new() }
    }

    /// Prints a line with the time since the scenario started.
    pub(crate) fn say(&self, text: &str) {
        show::change(text, self.started);
    }

    /// Follows the object until it has one of these phases; returns its status.
    pub(crate) async fn until(&mut self, phases: &[&str]) -> Result<Value, DemoError> {
        let status = self.watch(|phase| phase.is_some_and(|phase| phases.contains(&phase))).await?;
        status.ok_or_else(|| DemoError::Outcome(format!("{} was deleted", self.name)))
    }

    /// Follows the run to its final phase, which must be this one; returns its status.
    pub(crate) async fn until_the_end(&mut self, phase: &str) -> Result<Value, DemoError> {
        let status = self.until(&["Succeeded", "Failed", "TimedOut", "Error", "Stopped", "Expired"]).await?;
        expect(status["phase"] == phase, || {
            format!("{} must end as {phase}, but its status is {status:#}", self.name)
        })?;
        Ok(status)
    }

    /// Follows the run until its object is deleted.
    pub(crate) async fn until_gone(&mut self) -> Result<(), DemoError> {
        self.watch(|phase| phase.is_none()).await?;
        self.say(&format!("{} is deleted", self.name));
        Ok(())
    }

    /// Watches until `ends` is true for a phase. None stands for an object that does not exist.
    async fn watch(&mut self, ends: impl Fn(Option<&str>) -> bool) -> Result<Option<Value>, DemoError> {
        let mut objects = pin!(watch_object(self.environment.objects(self.kind).await?, self.name));
        let name = self.name;
        let watched = async {
            while let Some(object) = objects.try_next().await? {
                let Some(object) = object else {
                    if ends(None) {
                        return Ok(None);
                    }
                    continue;
                };
                let phase = phase(&object);
                self.show(&object, phase.unwrap_or("created"));
                if phase.is_some_and(|phase| ends(Some(phase))) {
                    return Ok(Some(object.data["status"].clone()));
                }
            }
            Ok(None)
        };
        let status = within(LIMIT, &format!("the expected phase of {name}"), watched).await?;
        status.map_err(|error| DemoError::Watch(name.to_owned(), error))
    }

    /// Prints the phase and the run's id if they have changed.
    fn show(&mut self, object: &DynamicObject, phase: &str) {
        let id = |field: &str| object.data["status"][field].as_str().map(str::to_owned);
        let run = id("runId").map(|id| format!(", run {id}")).or(id("crawlId").map(|id| format!(", crawl {id}")));
        let line = format!("{} is {phase}{}", self.name, run.unwrap_or_default());
        if self.shown != line {
            self.say(&line);
            self.shown = line;
        }
    }
}

/// The phase; for a kind without a phase, the reason of the Ready condition.
fn phase(object: &DynamicObject) -> Option<&str> {
    let status = &object.data["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let ready =
        || conditions.filter(|condition| condition["type"] == "Ready").find_map(|ready| ready["reason"].as_str());
    status["phase"].as_str().or_else(ready)
}
