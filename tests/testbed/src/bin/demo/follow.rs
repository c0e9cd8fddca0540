//! Follows one object by a watch, and shows each phase as it comes.

use std::{pin::pin, time::Instant};

use futures::TryStreamExt as _;
use kube::{api::DynamicObject, runtime::watcher::watch_object};
use serde_json::Value;

use crate::{
    problem::{Problem, expect},
    show,
    stage::{LIMIT, Stage},
    within,
};

/// One run's object and the moment its story began.
pub(crate) struct Follow<'a> {
    stage: &'a Stage,
    kind: &'static str,
    name: &'static str,
    begun: Instant,
    shown: String,
}

impl<'a> Follow<'a> {
    pub(crate) fn new(stage: &'a Stage, kind: &'static str, name: &'static str) -> Self {
        Self { stage, kind, name, begun: Instant::now(), shown: String::new() }
    }

    /// A line of the story, with the time since it began.
    pub(crate) fn say(&self, text: &str) {
        show::change(text, self.begun);
    }

    /// Follows the object until one of these phases has come; its status then.
    pub(crate) async fn until(&mut self, phases: &[&str]) -> Result<Value, Problem> {
        let status = self.watch(|phase| phase.is_some_and(|phase| phases.contains(&phase))).await?;
        status.ok_or_else(|| Problem::Outcome(format!("{} is gone", self.name)))
    }

    /// Follows the run to its end, which is to be in this phase; its status then.
    pub(crate) async fn until_the_end(&mut self, phase: &str) -> Result<Value, Problem> {
        let status = self.until(&["Succeeded", "Failed", "TimedOut", "Error", "Stopped", "Expired"]).await?;
        expect(status["phase"] == phase, || format!("{} ended otherwise: {status:#}", self.name))?;
        Ok(status)
    }

    /// Follows the run until its object is gone.
    pub(crate) async fn until_gone(&mut self) -> Result<(), Problem> {
        self.watch(|phase| phase.is_none()).await?;
        self.say(&format!("{} is gone", self.name));
        Ok(())
    }

    /// `ends` is asked for each phase, none when the object is not there.
    async fn watch(&mut self, ends: impl Fn(Option<&str>) -> bool) -> Result<Option<Value>, Problem> {
        let mut objects = pin!(watch_object(self.stage.objects(self.kind).await?, self.name));
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
                self.show(&object, phase.unwrap_or("new"));
                if phase.is_some_and(|phase| ends(Some(phase))) {
                    return Ok(Some(object.data["status"].clone()));
                }
            }
            Ok(None)
        };
        let status = within(LIMIT, &format!("the awaited phase of {name}"), watched).await?;
        status.map_err(|error| Problem::Watch(name.to_owned(), error))
    }

    /// Shows what is new: the phase, or the run's id.
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

/// The phase of a run; of what has none, the reason of its Ready condition.
fn phase(object: &DynamicObject) -> Option<&str> {
    let status = &object.data["status"];
    let conditions = status["conditions"].as_array().into_iter().flatten();
    let ready =
        || conditions.filter(|condition| condition["type"] == "Ready").find_map(|ready| ready["reason"].as_str());
    status["phase"].as_str().or_else(ready)
}
