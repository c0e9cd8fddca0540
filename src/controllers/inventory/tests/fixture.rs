//! An account, and an inventory of it whose plans are applied.

use std::sync::Arc;
use std::time::Duration;

use jiff::{Timestamp, ToSpan};
use kube::runtime::events::Event;
use serde_json::{Value, json};

use crate::api::GlueInventory;
use crate::api::inventory::{GlueInventoryStatus, Item};
use crate::controllers::inventory::changes;
use crate::controllers::inventory::demand;
use crate::controllers::inventory::lineage::LineageFacts;
use crate::controllers::inventory::plan::{Facts, InventoryPlan, plan};
use crate::controllers::runtime::facts::CommonFacts;
use crate::controllers::runtime::problem::Problem;
use crate::glue::inventory::demand::Selected;
use crate::glue::inventory::{Job, Picture, Section};
use crate::glue::job_runs::{JobRun, JobRunState};

/// The time of the first plan.
pub fn start() -> Timestamp {
    "2026-03-02T10:00:00Z".parse().unwrap()
}

/// An inventory in namespace `a`, and its account.
pub struct Fixture {
    pub object: GlueInventory,
    pub picture: Picture,
    pub now: Timestamp,
    pub credentials_problem: Option<Problem>,
    pub poll_problem: Option<Problem>,
    pub refused: Vec<(&'static str, Problem)>,
    pub is_read: bool,
    pub lineage: Option<LineageFacts>,
}

impl Fixture {
    /// An account without anything that was read whole.
    #[expect(clippy::needless_pass_by_value, reason = "a literal")]
    pub fn new(spec: Value) -> Self {
        let object = json!({
            "apiVersion": "kube-glue.dev/v1alpha1", "kind": "GlueInventory",
            "metadata": {"name": "all", "namespace": "a", "uid": "u", "generation": 1}, "spec": spec,
        });
        let mut picture = Picture { read_at: start(), calls: 7, ..Picture::default() };
        whole(&mut picture.jobs);
        whole(&mut picture.crawlers);
        whole(&mut picture.triggers);
        whole(&mut picture.workflows);
        Self {
            object: serde_json::from_value(object).unwrap(),
            picture,
            now: start(),
            credentials_problem: None,
            poll_problem: None,
            refused: Vec::new(),
            is_read: true,
            lineage: None,
        }
    }

    /// The same with jobs, each with the states of its runs, newest first.
    pub fn with_jobs(spec: Value, jobs: &[(&str, &[JobRunState])]) -> Self {
        let mut fixture = Self::new(spec);
        for (name, states) in jobs {
            fixture.set_runs(name, states.iter().cloned());
        }
        fixture
    }

    /// Gives a job runs in these states, newest first, each a minute after the one before it.
    pub fn set_runs(&mut self, job: &str, states: impl IntoIterator<Item = JobRunState>) {
        let run = |(age, state): (i64, JobRunState)| JobRun {
            started_on: Some(start() - (age + 1).minutes()),
            completed_on: state.is_final().then(|| start() - age.minutes()),
            execution_seconds: if state.is_final() { 60 } else { 0 },
            max_capacity: Some(10.0),
            ..JobRun::fixture(&format!("jr_{job}_{age}"), state)
        };
        let runs = (0..).zip(states).map(run).collect();
        self.picture.jobs.items.insert(job.to_owned(), Job { command: None, runs: Some(runs) });
    }

    /// The plan as things are.
    pub fn plan(&self) -> InventoryPlan {
        let common = CommonFacts {
            now: self.now,
            meta: &self.object.metadata,
            leading: true,
            credentials_problem: self.credentials_problem.clone(),
            inputs_problem: None,
            poll_problem: self.poll_problem.clone(),
            fresh_intent: false,
            intent_age: Duration::ZERO,
            backoff: None,
            settle: Duration::from_mins(1),
            deletion_timeout: Duration::from_mins(10),
        };
        plan(&Facts {
            common,
            object: &self.object,
            selected: Selected::of(&demand(&self.object)),
            picture: self.is_read.then(|| Arc::new(self.picture.clone())),
            refused: self.refused.clone(),
            lineage: self.lineage.clone(),
        })
    }

    /// Writes the planned status. The Events that follow, or `None` where nothing is written.
    pub fn apply(&mut self) -> Option<Vec<Event>> {
        let planned = self.plan().status;
        let before = self.object.status.replace(planned.clone());
        if before.as_ref() == Some(&planned) {
            return None;
        }
        Some(changes::events(before.as_ref(), &planned))
    }

    pub fn status(&self) -> &GlueInventoryStatus {
        self.object.status.as_ref().unwrap()
    }

    pub fn item(&self, name: &str) -> &Item {
        self.status().items.iter().find(|item| item.name == name).unwrap_or_else(|| panic!("no item {name}"))
    }

    pub fn names(&self) -> Vec<&str> {
        self.status().items.iter().map(|item| item.name.as_str()).collect()
    }

    /// The reason of the condition Ready, with its status.
    pub fn ready(&self) -> (String, String) {
        let ready = self.status().declared.condition("Ready").unwrap();
        (ready.status.clone(), ready.reason.clone())
    }
}

pub fn whole<T>(section: &mut Section<T>) {
    section.is_whole = true;
}

/// The reasons and notes of Events.
pub fn notes(events: Option<Vec<Event>>) -> Vec<String> {
    let note = |event: Event| format!("{}: {}", event.reason, event.note.unwrap_or_default());
    events.unwrap_or_default().into_iter().map(note).collect()
}
